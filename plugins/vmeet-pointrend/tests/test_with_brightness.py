"""The default chain, brightness and then this filter, in a live track: the face in front of a window is lifted."""

from pathlib import Path

import numpy as np
import pytest
from vmeet_pointrend.engine import PointRendEngine
from vmeet_pointrend.network import Network

from vmeet_core.builtin import BrightnessOptions, BrightnessStream
from vmeet_core.effects.options import EffectOptions
from vmeet_core.evaluate.portraits import Scene, find_portraits, read_portrait, webcam_scene
from vmeet_core.hookspecs import Frame, FrameStream
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.picture_track import Filter, PictureTrack, Size
from vmeet_core.live.vp8_encoder import Vp8Encoder
from vmeet_core.media.frames import video_frame

TICKS = 3000
PICTURES = 30


class Watched(FrameStream):
    """A filter, and how bright the face was in what came to it."""

    def __init__(self, stream: FrameStream, face: np.ndarray) -> None:
        self._stream, self._face = stream, face
        self.levels: list[float] = []

    def process(self, frame: Frame, pts_s: float) -> Frame:
        self.levels.append(float(np.percentile(frame.y[self._face], 80)))
        return self._stream.process(frame, pts_s)


@pytest.fixture(scope="module")
def scenes(shared_data: Path) -> list[Scene]:
    return [webcam_scene(read_portrait(found)) for found in find_portraits(shared_data / "portraits")[:12:3]]


def before_a_window(scene: Scene) -> list[LiveFrame]:
    """As a camera sends it: the person in a tenth of the light, the room all but white."""
    rgb = np.where(scene.truth[..., None], scene.rgb * 0.3, 215 + scene.rgb / 8).astype(np.uint8)
    picture, encoder = Frame.from_rgb(rgb), Vp8Encoder(2_000_000)
    made = []
    for number in range(PICTURES):
        encoded = encoder.encode(video_frame((picture.y, picture.u, picture.v)), number * TICKS)
        assert encoded is not None
        made.append(LiveFrame("vp8", encoded.data, number * TICKS, keyframe=encoded.keyframe))
    return made


def levels(scene: Scene, network: Network, *, hinted: bool) -> list[float]:
    """Of the face, picture by picture, between the two filters."""
    rows = np.flatnonzero(scene.truth.any(axis=1))
    face = scene.truth.copy()
    face[rows[0] + int(0.4 * (rows[-1] + 1 - rows[0])) :] = False
    watched = Watched(PointRendEngine(network).open(EffectOptions()), face)
    brightness = Filter("brightness", BrightnessStream(BrightnessOptions(settle_s=0.3)))
    chain = [brightness, Filter("pointrend", watched)] if hinted else [brightness, Filter("watch", Passes(watched))]
    track = PictureTrack(chain, [Size(180, 100_000)], 1, lambda: None)
    for frame in before_a_window(scene):
        assert track.process(frame)
    track.close()
    return watched.levels


class Passes(FrameStream):
    """Shows what the watched filter shows, and keeps to itself where the person is."""

    def __init__(self, stream: FrameStream) -> None:
        self._stream = stream

    def process(self, frame: Frame, pts_s: float) -> Frame:
        out = self._stream.process(frame, pts_s)
        return Frame(out.y, out.u, out.v, out.color)


def test_the_face_is_lifted_smoothly_and_only_since_the_mask_is_known(scenes: list[Scene], network: Network) -> None:
    for scene in scenes:
        lifted, plain = (levels(scene, network, hinted=hinted) for hinted in (True, False))
        assert lifted[0] == plain[0], "the first picture comes before any mask"
        assert plain[-1] <= plain[0] + 1
        assert lifted[-1] > plain[-1] + 15
        assert np.diff(lifted).min() > -2, "no pumping"
        assert max(lifted) < 230
