"""The brightness filter: dark pictures become lighter, good ones stay as they are, and nothing jumps."""

import numpy as np
import pytest
from pydantic import ValidationError

from vmeet_core.builtin import BrightnessOptions, BrightnessProvider, BrightnessStream, gamma_table, wanted_log_gamma
from vmeet_core.hookspecs import Frame, FrameStream, Options


def picture(median: int, size: tuple[int, int] = (90, 121), color: str = "bt601-limited") -> Frame:
    """A picture with noise around a brightness; its planes cannot be written, as the contract says."""
    height, width = size
    random = np.random.default_rng(1)
    y = np.clip(random.normal(median, 10, size), 16, 235).astype(np.uint8)
    u, v = random.integers(100, 150, (2, (height + 1) // 2, (width + 1) // 2), dtype=np.uint8)
    for plane in (y, u, v):
        plane.flags.writeable = False
    return Frame(y, u, v, color)


def stream(**options: float) -> FrameStream:
    engine = BrightnessProvider().load(Options(), None)  # type: ignore[arg-type]
    return engine.open(BrightnessOptions(**options))


def median(frame: Frame) -> float:
    return float(np.median(frame.y))


@pytest.mark.parametrize("level", [100, 125, 150])
def test_a_good_picture_is_left_alone(level):
    frame = picture(level)
    out = stream().process(frame, 0.0)
    assert np.array_equal(out.y, frame.y)


def test_a_dark_picture_becomes_lighter_and_a_glaring_one_darker():
    assert median(stream().process(picture(40), 0.0)) > 60
    assert median(stream().process(picture(215), 0.0)) < 200
    moderate = median(stream().process(picture(70), 0.0))
    assert moderate == pytest.approx(16 + 0.35 * 219, abs=3)


@pytest.mark.parametrize("size", [(90, 121), (1, 1), (720, 1280)])
@pytest.mark.parametrize("color", ["bt601-limited", "bt601-full"])
def test_size_colour_and_range_stay(size, color):
    frame = picture(40, size, color)
    out = stream().process(frame, 0.0)
    assert (out.y.shape, out.y.dtype, out.color) == (size, np.uint8, color)
    assert np.array_equal(out.u, frame.u)
    assert np.array_equal(out.v, frame.v)
    assert out.y.min() >= 16
    assert out.y.max() <= (235 if color == "bt601-limited" else 255)
    assert not any(np.shares_memory(a, b) for a, b in ((out.y, frame.y), (out.u, frame.u), (out.v, frame.v)))


def test_a_change_of_light_is_followed_slowly():
    filter_ = stream(settle_s=1.0)
    dark, light = picture(40), picture(125)
    corrected = median(filter_.process(dark, 0.0))
    at_once = median(filter_.process(light, 1 / 30))
    assert at_once > 140  # the old correction still holds
    levels = [median(filter_.process(light, 1 / 30 + i / 30)) for i in range(1, 150)]
    steps = -np.diff([at_once, *levels])
    assert steps.min() >= 0
    assert steps.max() <= 3
    assert levels[-1] == pytest.approx(125, abs=1)
    assert corrected > 60


def test_time_that_goes_backwards_changes_nothing():
    filter_ = stream()
    filter_.process(picture(40), 10.0)
    assert median(filter_.process(picture(125), 5.0)) > 140


def test_strength():
    frame = picture(40)
    assert np.array_equal(stream(strength=0).process(frame, 0.0).y, frame.y)
    half, full = (median(stream(strength=s).process(frame, 0.0)) for s in (0.5, 1.0))
    assert 40 < half < full


def test_new_options_apply_while_it_runs():
    filter_ = stream(settle_s=0)
    frame = picture(40)
    filter_.process(frame, 0.0)
    filter_.update(BrightnessOptions(strength=0, settle_s=0))
    assert np.array_equal(filter_.process(frame, 1.0).y, frame.y)


def test_options_have_bounds():
    with pytest.raises(ValidationError):
        BrightnessOptions(strength=2)


def test_close_may_be_called_twice():
    opened = BrightnessStream(BrightnessOptions())
    opened.close()
    opened.close()


@pytest.mark.parametrize("luma", [np.zeros((4, 4), np.uint8), np.full((4, 4), 255, np.uint8)])
def test_black_and_white_are_corrected_within_bounds(luma):
    assert abs(wanted_log_gamma(luma, 16, 235)) <= np.log(2.5) + 1e-9


@pytest.mark.parametrize(("low", "high"), [(16, 235), (0, 255)])
def test_the_table_rises_and_keeps_its_ends(low, high):
    assert np.array_equal(gamma_table(1.0, low, high), np.arange(256))
    table = gamma_table(0.5, low, high)
    assert np.all(np.diff(table.astype(int)) >= 0)
    assert (table[low], table[high], table[0], table[255]) == (low, high, 0, 255)
