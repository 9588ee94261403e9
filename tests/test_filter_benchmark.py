"""The benchmark of live filters: its camera, its figures, and that they come from work that was done."""

import asyncio
import importlib.util
from itertools import islice

import av
import numpy as np
import pytest
from filter_clip import FPS, HEIGHT_PX, TICKS, WIDTH_PX, again, drawn, encoded

from vmeet_core.live.messages import LiveFrame

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("vmeet_pointrend") is None, reason="the plugin vmeet-pointrend is not installed"
)


@pytest.fixture(scope="module")
def frames() -> list[LiveFrame]:
    return encoded(islice(drawn(), 30))


def test_the_camera_sends_720p_from_a_keyframe_on(frames: list[LiveFrame]) -> None:
    assert [frame.keyframe for frame in frames] == [True] + [False] * 29
    (picture,) = av.CodecContext.create("vp8", "r").decode(av.Packet(frames[0].data))
    assert (picture.width, picture.height) == (WIDTH_PX, HEIGHT_PX) == (1280, 720)  # type: ignore[attr-defined]


def test_played_over_and_over_its_time_goes_on(frames: list[LiveFrame]) -> None:
    played = list(islice(again(frames), 75))
    assert played[30].keyframe
    assert set(np.diff([frame.rtp_timestamp for frame in played])) == {TICKS}
    assert TICKS * FPS == 90_000


def test_one_core_gives_every_figure_and_more_work_more_time(frames: list[LiveFrame]) -> None:
    from filter import on_one_core

    found = on_one_core(frames, rounds=1)
    assert found["fps_no_filter"] > found["fps_one_core"] > 0
    assert 0 < found["mask_ms"] < found["filter_ms"] < 1000 / found["fps_one_core"]


def test_the_path_is_timed_with_and_without_a_filter(frames: list[LiveFrame]) -> None:
    from filter import on_the_path

    found = asyncio.run(on_the_path(frames, rounds=1, seconds=2))
    assert 0 < found["no_filter_p50_ms"] <= found["no_filter_p95_ms"] < 1000
    assert 0 < found["added_p50_ms"] <= found["added_p95_ms"] < 1000
    assert 0 < found["delivered"] <= 1
