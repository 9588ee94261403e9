"""Flicker and lag of masks that are known, and films that cannot be read."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from material import tone, write_opus, write_pictures
from pydantic import Field

from vmeet_core.evaluate.clips import (
    MOST_FRAMES,
    Clip,
    Flicker,
    MotionLag,
    blurred,
    check_clip,
    clip_scores,
    find_clips,
    read_clip,
)
from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.hookspecs import Engine, Frame, FrameStream, Options
from vmeet_core.media.frames import video_frame
from vmeet_core.testing.fakes import Alpha, blended

SHAPE = (40, 60)
Answer = Callable[[deque[Alpha]], Alpha]  # to the masks so far, the newest last


class Key(Options):
    background: str = Field("#000000", pattern="^#[0-9a-f]{6}$", title="B", description="B")


class LumaKey(Engine[FrameStream]):
    """Keeps what is bright, by way of ``answer``: a box that moves by two pixels a frame."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def open(self, options: Any) -> FrameStream:
        answer, masks = self.answer, deque[Alpha](maxlen=5)

        class Stream(FrameStream):
            def process(self, frame: Frame, pts_s: float) -> Frame:
                masks.append((frame.y > 130).astype(np.float32))
                return blended(frame, answer(masks), options.background)

        return Stream()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    path = tmp_path_factory.mktemp("clips") / "box.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(45):
            y, grey = np.full((96, 160), 40, np.uint8), np.full((48, 80), 128, np.uint8)
            y[30:60, 2 * number : 2 * number + 24] = 220
            container.mux(stream.encode(video_frame((y, grey, grey))))
        container.mux(stream.encode(None))
    return Clip("box.mkv", path)


def at_once(masks: deque[Alpha]) -> Alpha:
    return masks[-1]


def late(frames: int) -> Answer:
    return lambda masks: masks[max(0, len(masks) - 1 - frames)]


def mixed(masks: deque[Alpha]) -> Alpha:
    """Half of each new mask and half of the one before."""
    return (masks[-1] + masks[max(0, len(masks) - 2)]) / 2


@pytest.mark.parametrize(
    ("answer", "lag"),
    [(at_once, 0), (late(1), 1), (late(2), 2), (late(3), 3), (mixed, 0.5)],
    ids=("at once", "one", "two", "three", "mixed"),
)
def test_lag_is_told_in_frames(film: Clip, answer: Answer, lag: float) -> None:
    scores = clip_scores(film, LumaKey(answer), Key())
    assert scores["motion_lag"] == pytest.approx(lag, abs=0.03)


def test_a_mask_that_follows_at_once_does_not_flicker(film: Clip) -> None:
    assert clip_scores(film, LumaKey(at_once), Key())["flicker"] < 1e-4


def test_a_late_mask_changes_where_the_picture_no_longer_does(film: Clip) -> None:
    assert clip_scores(film, LumaKey(late(2)), Key())["flicker"] > 1e-4


def test_flicker_is_the_mean_change_where_nothing_moves() -> None:
    flicker, luma = Flicker(), np.full(SHAPE, 100, np.uint8)
    for number in range(5):
        moved = luma.copy()
        moved[:, 30:] += 5 * number  # here the change of the mask has a cause
        alpha = np.full(SHAPE, 0.5, np.float32)
        alpha[:, :10] = 0.5 + 0.1 * (number % 2)
        alpha[:, 30:] = number % 2
        flicker.add(moved, alpha)
    assert flicker.value == pytest.approx(0.1 * 10 / 30, rel=1e-3)


def test_noise_below_the_threshold_stands_still() -> None:
    flicker, rng = Flicker(), np.random.default_rng(5)
    for number in range(4):
        luma = np.clip(100 + rng.normal(0, 1, SHAPE), 0, 255).round().astype(np.uint8)
        flicker.add(luma, np.full(SHAPE, number % 2, np.float32))
    assert flicker.value == 1


def test_without_stillness_or_motion_there_is_no_figure() -> None:
    flicker, lag = Flicker(), MotionLag()
    for number in range(3):
        flicker.add(np.full(SHAPE, 60 * number, np.uint8), np.zeros(SHAPE, np.float32))
    lag.add([np.zeros(SHAPE, np.uint8)] * 5, [np.zeros(SHAPE, np.float32)] * 5, [np.zeros(SHAPE, np.float32)] * 5)
    assert (flicker.value, lag.value) == (None, None)


def test_smoothing_over_time_lags_by_its_mean_delay() -> None:
    share, still = 0.6, [np.zeros(SHAPE, np.float32), *[np.ones(SHAPE, np.float32)] * 4]
    running = [still[0]]
    for mask in still[1:]:
        running.append(running[-1] + share * (mask - running[-1]))
    lag = MotionLag()
    lag.add([np.full(SHAPE, level, np.uint8) for level in (50, 150, 150, 150, 150)], running, still)
    assert lag.value == pytest.approx((1 - share) / share, abs=0.03)  # the rest of it comes after the window


def test_a_size_that_changes_is_no_change_of_the_mask() -> None:
    flicker = Flicker()
    for size in ((40, 60), (40, 60), (20, 30), (20, 30)):
        flicker.add(np.zeros(size, np.uint8), np.zeros(size, np.float32))
    assert flicker.value == 0


def test_the_blur_is_the_mean_of_nine() -> None:
    luma = np.random.default_rng(2).integers(0, 256, SHAPE, np.uint8)
    assert blurred(luma)[7, 9] == pytest.approx(luma[6:9, 8:11].mean(), rel=1e-5)
    assert blurred(luma).shape == SHAPE


def test_frames_are_read_only_and_timed_from_the_first(film: Clip) -> None:
    frames = list(read_clip(film))
    assert len(frames) == 45 <= MOST_FRAMES
    assert frames[0][1] == 0
    assert frames[44][1] == pytest.approx(44 / 30, abs=0.002)
    assert not frames[0][0].y.flags.writeable
    assert not np.array_equal(frames[0][0].y, frames[1][0].y)


def test_clips_come_by_name(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.webm", "c.mkv", "d.avi", "e.jpg"):
        (tmp_path / name).touch()
    assert [clip.name for clip in find_clips(tmp_path)] == ["a.webm", "b.mp4", "c.mkv"]


def test_what_is_no_film_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("nothing")
    with pytest.raises(CompareError, match=r"a\.mp4 cannot be read as a film \(.*\): replace or remove it"):
        check_clip(Clip("a.mp4", tmp_path / "a.mp4"))
    write_opus(tmp_path / "b.mkv", 0.5, tone())
    with pytest.raises(CompareError, match=r"b\.mkv has no picture: replace or remove it"):
        check_clip(Clip("b.mkv", tmp_path / "b.mkv"))


def test_a_film_of_one_picture_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.mkv", 1 / 30)
    with pytest.raises(CompareError, match=r"a\.mkv holds 1 pictures, and change needs two"):
        check_clip(Clip("a.mkv", tmp_path / "a.mkv"))
