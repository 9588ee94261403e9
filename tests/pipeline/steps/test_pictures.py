"""Tests of what a source shows at a moment."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from av.video.frame import VideoFrame
from material import FPS, write_pictures

from vmeet_core.media.frames import planes_of
from vmeet_core.media.segments import segment_pictures
from vmeet_core.pipeline.steps.pictures import HOLD_S, Pictures
from vmeet_core.timeline import SegmentSpan, Span


def span(file: str, start_s: float, duration_s: float, trim_s: float = 0.0) -> SegmentSpan:
    return SegmentSpan(file=file, codec="vp8", clock_hz=90_000, start_s=start_s, trim_s=trim_s, duration_s=duration_s)


def shown(pictures: Pictures, *times_s: float) -> list[int | None]:
    """The luma seen at each time, to the next ten."""
    frames = [pictures.at(time_s) for time_s in times_s]
    return [None if frame is None else round(float(planes_of(frame)[0][100:, :].mean()), -1) for frame in frames]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "a.mkv", 2.0, lambda t: 50 if t < 1 else 100)
    write_pictures(tmp_path / "b.mkv", 1.0, lambda _: 200, size_px=(640, 360))
    return tmp_path


def test_the_latest_picture_of_each_moment(folder: Path) -> None:
    pictures = Pictures(folder, [span("a.mkv", 1.0, 2.0)], ())
    assert shown(pictures, 0.0, 0.99, 1.0, 1.9, 2.05, 2.99) == [None, None, 50, 50, 100, 100]


def test_after_the_last_picture_the_source_is_off(folder: Path) -> None:
    pictures = Pictures(folder, [span("a.mkv", 0.0, 2.0), span("b.mkv", 4.0, 1.0)], ())
    assert shown(pictures, 1.99, 2.0 + HOLD_S - 0.01, 2.0 + HOLD_S + 0.01, 3.9, 4.01) == [100, 100, None, None, 200]


def test_a_short_break_between_segments_is_bridged(folder: Path) -> None:
    pictures = Pictures(folder, [span("a.mkv", 0.0, 2.0), span("b.mkv", 2.3, 1.0)], ())
    assert shown(pictures, 2.2, 2.35) == [100, 200]


def test_a_muted_source_is_off_at_once(folder: Path) -> None:
    pictures = Pictures(folder, [span("a.mkv", 0.0, 2.0)], [Span(start_s=0.5, end_s=0.8)])
    assert shown(pictures, 0.4, 0.5, 0.79, 0.85) == [50, None, None, 50]


def test_a_trimmed_segment_begins_with_what_was_seen_at_that_time(folder: Path) -> None:
    pictures = Pictures(folder, [span("a.mkv", 0.0, 0.5, trim_s=1.5)], ())
    assert shown(pictures, 0.0) == [100]


def test_the_picture_object_stays_the_same_until_the_next(folder: Path) -> None:
    pictures = Pictures(folder, [span("a.mkv", 0.0, 2.0)], ())
    first = pictures.at(0.001)
    assert pictures.at(0.5 / FPS) is first
    assert pictures.at(1.5 / FPS) is not first


def test_a_source_without_segments_is_off(folder: Path) -> None:
    assert Pictures(folder, [], ()).at(1.0) is None


def test_from_a_later_moment_on_everything_is_the_same(folder: Path) -> None:
    segments = [span("a.mkv", 1.0, 2.0), span("b.mkv", 3.2, 1.0)]
    moments = [number / 20 for number in range(100)]
    muted = [Span(start_s=3.4, end_s=3.6)]
    whole = shown(Pictures(folder, segments, muted), *moments)
    for first in range(0, 100, 7):
        part = shown(Pictures(folder, segments, muted, from_s=moments[first]), *moments[first:])
        assert part == whole[first:], moments[first]


def test_what_lies_before_is_not_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def noted(path: Path, threads: int, from_s: float) -> Iterator[tuple[float, VideoFrame]]:
        asked.append((path.name, round(from_s, 3)))
        return segment_pictures(path, threads, from_s)

    monkeypatch.setattr("vmeet_core.pipeline.steps.pictures.segment_pictures", noted)
    segments = [span("b.mkv", 0.0, 1.0), span("a.mkv", 2.0, 2.0)]
    assert shown(Pictures(folder, segments, (), from_s=3.5), 3.5) == [100]
    assert asked == [("a.mkv", 1.5)]


class Still:
    """Stands for a decoded picture, which cannot be referred to weakly."""


def test_no_picture_is_held_that_is_not_seen_any_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: weakref.WeakSet[Still] = weakref.WeakSet()

    def stills(path: Path, threads: int, from_s: float) -> Iterator[tuple[float, Still]]:
        for number in range(60):
            still = Still()
            alive.add(still)
            yield number / 30, still
            del still

    monkeypatch.setattr("vmeet_core.pipeline.steps.pictures.segment_pictures", stills)
    gc.freeze()  # what the tests before have left is looked at no more: each collection would take a second
    try:
        pictures = Pictures(folder, [span("a.mkv", 0.0, 2.0)], ())
        for number in range(60):
            assert pictures.at(number / 30) is not None
            gc.collect()
            assert len(alive) <= 2
        assert pictures.at(3.0) is None
        gc.collect()
        assert len(alive) == 0
    finally:
        gc.unfreeze()
