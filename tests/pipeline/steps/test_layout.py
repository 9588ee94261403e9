"""Tests of the grid of pictures, on what comes out of the encoder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from material import write_pictures

from vmeet_core.media.frames import planes_of
from vmeet_core.media.layout import grid
from vmeet_core.media.mux import picture_at
from vmeet_core.pipeline.prepared import CanvasFormat
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.layout import ROLE, Params, SeatParams, run, screen_spans
from vmeet_core.timeline import SegmentSpan, Span

MakeWork = Callable[..., Work]
SMALL = CanvasFormat(width=640, height=360)


def span(file: str, start_s: float, duration_s: float) -> SegmentSpan:
    return SegmentSpan(file=file, codec="vp8", clock_hz=90_000, start_s=start_s, trim_s=0, duration_s=duration_s)


def seat(name: str, *segments: SegmentSpan, there: tuple[float, float] = (0, 99), muted: Any = ()) -> SeatParams:
    return SeatParams(name=name, present=(Span(start_s=there[0], end_s=there[1]),), segments=segments, muted=muted)


def made(folder: Path, make_work: MakeWork, *seats: SeatParams, duration_s: float, canvas: Any = SMALL) -> Path:
    run(make_work(folder, Params(canvas=canvas, duration_s=duration_s, seats=seats), {}, {ROLE: folder / "out.mp4"}))
    return folder / "out.mp4"


def luma(path: Path, at_s: float, count: int) -> list[float]:
    """The mean luma in the middle of each cell of a grid of ``count``."""
    y = planes_of(picture_at(path, at_s))[0]
    cells = grid(count, y.shape[1], y.shape[0])
    boxes = [(cell.x + cell.width // 2, cell.y + cell.height // 2) for cell in cells]
    return [float(y[row - 8 : row + 8, column - 8 : column + 8].mean()) for column, row in boxes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_pictures(tmp_path / "wide.mkv", 4.0, lambda _: 100)
    write_pictures(tmp_path / "tall.mkv", 4.0, lambda _: 180, size_px=(180, 320))
    write_pictures(tmp_path / "h264.mkv", 1.0, lambda _: 60, size_px=(640, 480), codec="h264")
    return tmp_path


def test_the_grid_follows_who_is_there(folder: Path, make_work: MakeWork) -> None:
    path = made(
        folder,
        make_work,
        seat("Ann", span("wide.mkv", 0, 4)),
        seat("Bob", span("tall.mkv", 1, 2), there=(1, 3)),
        duration_s=4.0,
    )
    assert luma(path, 0.5, 1) == pytest.approx([100], abs=4)
    assert luma(path, 2.0, 2) == pytest.approx([100, 180], abs=4)
    assert luma(path, 3.5, 1) == pytest.approx([100], abs=4)


def test_a_picture_is_not_stretched(folder: Path, make_work: MakeWork) -> None:
    path = made(folder, make_work, seat("Bob", span("tall.mkv", 0, 4)), duration_s=1.0)
    columns = planes_of(picture_at(path, 0.5))[0][100:260].mean(axis=0)
    bright = np.flatnonzero(columns > 100)
    assert bright[-1] - bright[0] + 1 == pytest.approx(360 * 180 / 320, abs=4)


def test_a_new_size_and_codec_inside_a_track(folder: Path, make_work: MakeWork) -> None:
    ann = seat("Ann", span("wide.mkv", 0, 1), span("h264.mkv", 1, 1))
    path = made(folder, make_work, ann, duration_s=2.0)
    assert luma(path, 0.5, 1) == pytest.approx([100], abs=4)
    assert luma(path, 1.5, 1) == pytest.approx([60], abs=4)
    assert planes_of(picture_at(path, 1.5))[0][:, :70].mean() < 40  # 4:3 leaves bars at the sides


def test_a_person_without_a_picture_has_a_card_with_the_initial(folder: Path, make_work: MakeWork) -> None:
    off = (Span(start_s=0, end_s=1),)
    path = made(folder, make_work, seat("Ann", span("wide.mkv", 0, 2), muted=off), duration_s=2.0)
    card = planes_of(picture_at(path, 0.5))[0]
    assert card[150:210, 290:350].max() > 200  # the initial
    assert card[20:60, 20:60].mean() == pytest.approx(57, abs=6)  # the card's own dark
    assert luma(path, 1.5, 1) == pytest.approx([100], abs=4)


def test_the_name_is_in_the_tile(folder: Path, make_work: MakeWork) -> None:
    named = made(folder, make_work, seat("Ann", span("wide.mkv", 0, 1)), duration_s=0.5)
    corner = planes_of(picture_at(named, 0.2))[0][-30:, :60]
    assert corner.max() > 180
    assert corner.min() < 70
    plain = made(
        folder,
        make_work,
        seat("Ann", span("wide.mkv", 0, 1)),
        duration_s=0.5,
        canvas=SMALL.model_copy(update={"labels": False}),
    )
    assert np.ptp(planes_of(picture_at(plain, 0.2))[0][-30:, :60]) < 20


@pytest.mark.parametrize(("fps", "duration_s", "frames"), [("30", 2.0, 60), ("30", 2.01, 61), ("30000/1001", 1.0, 30)])
def test_the_rate_is_constant_and_the_end_is_covered(
    folder: Path, make_work: MakeWork, fps: str, duration_s: float, frames: int
) -> None:
    canvas = CanvasFormat(width=64, height=36, fps=fps)
    path = made(folder, make_work, seat("Ann", span("wide.mkv", 0, 1)), duration_s=duration_s, canvas=canvas)
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == frames


def test_nobody_there_is_a_plain_picture(folder: Path, make_work: MakeWork) -> None:
    path = made(folder, make_work, duration_s=0.5)
    assert np.ptp(planes_of(picture_at(path, 0.2))[0]) < 4


def test_a_screen_has_a_tile_while_it_is_shared() -> None:
    segments = [span("a", 1, 2), span("b", 3.25, 1), span("c", 8, 1)]
    assert list(screen_spans(segments)) == [
        Span(start_s=1, end_s=4.25),
        Span(start_s=8, end_s=9),
    ]
    assert list(screen_spans([])) == []
