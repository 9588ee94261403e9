"""From a mask to a picture: what is shown, what is not, and what others are told."""

import cv2
import numpy as np
import pytest
from vmeet_pointrend.engine import PointRendEngine
from vmeet_pointrend.network import Network

from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.seam import Mask
from vmeet_core.hookspecs import Frame
from vmeet_core.testing import person_picture


class LeftHalf:
    """Finds somebody in the left half of any picture."""

    def __init__(self) -> None:
        self.bad = False

    def mask(self, frame: Frame) -> Mask:
        mask = np.zeros((144, 256), np.float32)
        mask[:, :128] = np.nan if self.bad else 1
        return mask


def test_the_person_stays_and_the_room_is_replaced() -> None:
    frame = person_picture(360, 640)
    stream = PointRendEngine(LeftHalf()).open(EffectOptions(background="#ffffff"))
    shown = stream.process(frame, 0.0)
    assert np.array_equal(shown.y[:, :280], frame.y[:, :280])
    assert (shown.y[:, 360:] == 235).all()


def test_filters_behind_are_told_where_the_person_is() -> None:
    shown = PointRendEngine(LeftHalf()).open(EffectOptions()).process(person_picture(360, 640), 0.0)
    assert shown.person is not None
    assert (shown.person[:, :128] == 255).all()
    assert (shown.person[:, 128:] == 0).all()


def test_new_options_hold_from_the_next_picture_on_and_unknown_ones_change_nothing() -> None:
    frame = person_picture(360, 640)
    stream = PointRendEngine(LeftHalf()).open(EffectOptions(background="#ffffff"))
    stream.process(frame, 0.0)
    stream.update(EffectOptions(background="#000000"))
    assert (stream.process(frame, 0.03).y[:, 360:] == 16).all()
    with pytest.raises(ValueError, match="'beach'"):
        stream.update(EffectOptions(background="beach"))
    assert (stream.process(frame, 0.06).y[:, 360:] == 16).all()


def test_a_network_that_goes_mad_shows_nothing() -> None:
    finder = LeftHalf()
    stream = PointRendEngine(finder).open(EffectOptions())
    stream.process(person_picture(360, 640), 0.0)
    finder.bad = True
    with pytest.raises(ValueError, match="NaN"):
        stream.process(person_picture(360, 640), 0.03)


def test_no_picture_is_no_picture(network: Network) -> None:
    frame = person_picture(360, 640)
    stream = PointRendEngine(network).open(EffectOptions())
    with pytest.raises(ValueError, match="no I420"):
        stream.process(Frame(frame.y, frame.u[1:], frame.v), 0.0)
    with pytest.raises(ValueError, match="rec2020"):
        stream.process(Frame(frame.y, frame.u, frame.v, "rec2020"), 0.0)


def test_opencv_keeps_to_one_core(network: Network) -> None:
    cv2.setNumThreads(2)
    PointRendEngine(network)
    assert cv2.getNumThreads() == 1


def test_streams_share_the_network_and_nothing_else(network: Network) -> None:
    engine = PointRendEngine(network)
    calm, other = engine.open(EffectOptions(smoothing=1)), engine.open(EffectOptions(smoothing=1))
    first = calm.process(person_picture(360, 640), 0.0)
    other.process(person_picture(360, 640, 4), 0.0)
    alone = engine.open(EffectOptions(smoothing=1))
    alone.process(person_picture(360, 640), 0.0)
    again, expected = (stream.process(person_picture(360, 640, 1), 0.03) for stream in (calm, alone))
    assert np.array_equal(again.y, expected.y)
    assert first.y.shape == again.y.shape
