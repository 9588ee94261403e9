"""Tests of the grid of pictures, on what comes out of the encoder."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from material import write_pictures

from vmeet_core.color import Plane
from vmeet_core.hookspecs import Permanent
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.frames import planes_of
from vmeet_core.media.layout import Rect, grid, stage
from vmeet_core.media.mux import KEYFRAME_S, join, picture_at
from vmeet_core.pipeline.prepared import CanvasFormat
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.layout import ROLE, VOICES, Params, SeatParams, frame_numbers, run, screen_spans
from vmeet_core.pipeline.steps.voices import FloorChange, Voices
from vmeet_core.recording.segment import SegmentWriter
from vmeet_core.timeline import SegmentSpan, Span

MakeWork = Callable[..., Work]
SMALL = CanvasFormat(width=640, height=360)


def span(file: str, start_s: float, duration_s: float) -> SegmentSpan:
    return SegmentSpan(file=file, codec="vp8", clock_hz=90_000, start_s=start_s, trim_s=0, duration_s=duration_s)


def seat(
    name: str,
    *segments: SegmentSpan,
    there: tuple[float, float] = (0, 99),
    muted: Any = (),
    is_screen: bool = False,
) -> SeatParams:
    return SeatParams(
        name=name,
        person=name,
        is_screen=is_screen,
        present=(Span(start_s=there[0], end_s=there[1]),),
        segments=segments,
        muted=muted,
    )


def made(
    folder: Path,
    make_work: MakeWork,
    *seats: SeatParams,
    duration_s: float,
    canvas: Any = SMALL,
    floor: list[tuple[float, str]] | None = None,
    name: str = "out.mp4",
    **given: Any,
) -> Path:
    """``floor`` is for the speaker's layout."""
    inputs = {}
    if floor is not None:
        changes = tuple(FloorChange(at_s=at_s, person=person) for at_s, person in floor)
        inputs[VOICES] = folder / "voices.json"
        inputs[VOICES].write_text(Voices(turns={}, floor=changes).model_dump_json())
        given["layout"] = "speaker"
    params = Params(canvas=canvas, duration_s=duration_s, seats=seats, **given)
    run(make_work(folder, params, inputs, {ROLE: folder / name}))
    return folder / name


def luma(path: Path, at_s: float, count: int) -> list[float]:
    """The mean luma in the middle of each cell of a grid of ``count``."""
    y = planes_of(picture_at(path, at_s))[0]
    return lumas(y, grid(count, y.shape[1], y.shape[0]))


def staged(path: Path, at_s: float, large: int, small: int) -> tuple[list[float], list[float]]:
    """The same for large and small pictures."""
    y = planes_of(picture_at(path, at_s))[0]
    first, second = stage(large, small, y.shape[1], y.shape[0])
    return lumas(y, first), lumas(y, second)


def lumas(y: Plane, cells: list[Rect]) -> list[float]:
    boxes = [(cell.x + cell.width // 2, cell.y + cell.height // 2) for cell in cells]
    return [float(y[row - 4 : row + 4, column - 4 : column + 4].mean()) for column, row in boxes]


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


def people(folder: Path, *lumas: int, duration_s: float = 4.0) -> list[SeatParams]:
    """Everybody is there from the start, each with a grey of their own."""
    seats = []
    for number, value in enumerate(lumas):
        write_pictures(folder / f"{number}.mkv", duration_s, lambda _, value=value: value)
        seats.append(seat(f"P{number}", span(f"{number}.mkv", 0, duration_s)))
    return seats


def test_the_speaker_is_large_and_the_others_are_in_a_strip(tmp_path: Path, make_work: MakeWork) -> None:
    seats = people(tmp_path, 60, 120, 180, 220)
    path = made(tmp_path, make_work, *seats, duration_s=4.0, floor=[(1.0, "P2"), (3.0, "P1")])
    for at_s, large, small in ((0.5, 60, [120, 180, 220]), (2.0, 180, [60, 120, 220]), (3.5, 120, [60, 180, 220])):
        first, second = staged(path, at_s, 1, 3)
        assert first == pytest.approx([large], abs=4)
        assert second == pytest.approx(small, abs=6)


def test_a_speaker_who_has_left_gives_the_place_to_the_one_before(tmp_path: Path, make_work: MakeWork) -> None:
    first, second, third = people(tmp_path, 60, 120, 200)
    gone = third.model_copy(update={"present": (Span(start_s=0, end_s=2.0),)})
    path = made(tmp_path, make_work, first, second, gone, duration_s=4.0, floor=[(0.5, "P1"), (1.0, "P2"), (2.5, "P2")])
    assert staged(path, 1.5, 1, 2)[0] == pytest.approx([200], abs=4)
    assert staged(path, 3.0, 1, 1)[0] == pytest.approx([120], abs=4)


def test_alone_in_the_speakers_layout_a_person_fills_the_picture(tmp_path: Path, make_work: MakeWork) -> None:
    path = made(tmp_path, make_work, *people(tmp_path, 100), duration_s=1.0, floor=[])
    assert luma(path, 0.5, 1) == pytest.approx([100], abs=4)
    assert made(tmp_path, make_work, duration_s=0.5, floor=[]).is_file()


@pytest.mark.parametrize("floor", [None, [(0.0, "P1")]])
def test_shared_screens_are_large_in_both_layouts(
    tmp_path: Path, make_work: MakeWork, floor: list[tuple[float, str]] | None
) -> None:
    seats = people(tmp_path, 60, 120)
    write_pictures(tmp_path / "s.mkv", 3.0, lambda _: 210, size_px=(480, 360))
    write_pictures(tmp_path / "t.mkv", 2.0, lambda _: 170, size_px=(480, 360))
    screen = seat("P0", span("s.mkv", 1.0, 3.0), there=(1, 4), is_screen=True)
    other = seat("P1", span("t.mkv", 2.0, 1.0), there=(2, 3), is_screen=True)
    path = made(tmp_path, make_work, screen, other, *seats, duration_s=4.0, floor=floor)
    for at_s, large in ((1.5, [210]), (2.5, [210, 170]), (3.5, [210])):
        first, second = staged(path, at_s, len(large), 2)
        assert first == pytest.approx(large, abs=4)
        assert second == pytest.approx([60, 120], abs=6)


def test_forty_nine_people_have_a_tile_each(tmp_path: Path, make_work: MakeWork) -> None:
    write_pictures(tmp_path / "a.mkv", 0.2, lambda _: 200, size_px=(64, 36))
    crowd = [seat(f"P{number}", span("a.mkv", 0, 0.2)) for number in range(49)]
    plain = CanvasFormat(labels=False)
    grid_path = made(tmp_path, make_work, *crowd, duration_s=0.2, canvas=plain)
    assert luma(grid_path, 0.1, 49) == pytest.approx([200] * 49, abs=8)
    path = made(tmp_path, make_work, *crowd, duration_s=0.2, canvas=plain, floor=[(0.0, "P48")])
    first, second = staged(path, 0.1, 1, 48)
    assert first + second == pytest.approx([200] * 49, abs=12)


def test_a_camera_that_is_turned_within_a_segment(tmp_path: Path, make_work: MakeWork) -> None:
    """A phone: the size of the picture changes with a keyframe, in one file."""
    frames = []
    for size_px in ((320, 180), (180, 320)):
        write_pictures(tmp_path / "one.mkv", 1.0, lambda _: 160, size_px=size_px)
        with av.open(str(tmp_path / "one.mkv")) as container:
            frames += [(bytes(packet), packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
    coded = [
        EncodedFrame("vp8", number * 3000, data, is_key, 1, number / 30) for number, (data, is_key) in enumerate(frames)
    ]
    writer = SegmentWriter(tmp_path / "turned.mkv", coded[0])
    for frame in coded:
        writer.write(frame)
    writer.close()
    path = made(tmp_path, make_work, seat("Ann", span("turned.mkv", 0, 2)), duration_s=2.0)
    y_wide, y_tall = (planes_of(picture_at(path, at_s))[0] for at_s in (0.5, 1.5))
    assert y_wide[180, 40:600].mean() == pytest.approx(160, abs=6)
    assert y_tall[180, 260:380].mean() == pytest.approx(160, abs=6)
    assert y_tall[180, 40:200].mean() < 40


class Pieces:
    """A meeting of 10 s in which everything happens: people come and go, cameras and screens turn on and off."""

    def __init__(self, folder: Path) -> None:
        write_pictures(folder / "ann.mkv", 10.0, lambda t: 60 + int(t * 12), size_px=(320, 180))
        write_pictures(folder / "bob1.mkv", 3.0, lambda t: 200 - int(t * 20), size_px=(180, 320))
        write_pictures(folder / "bob2.mkv", 4.0, lambda t: 90 + int(t * 30), size_px=(640, 480), codec="h264")
        write_pictures(folder / "screen.mkv", 3.0, lambda t: 220 - int(t * 9), size_px=(480, 300))
        off = (Span(start_s=5.5, end_s=6.5),)
        self.seats = (
            seat("Ann", span("screen.mkv", 5.1, 3.0), there=(5.1, 8.1), is_screen=True),
            seat("Ann", span("ann.mkv", 0, 10), muted=off),
            seat("Bob", span("bob1.mkv", 1.0, 3.0), span("bob2.mkv", 4.7, 4.0), there=(1, 9.4)),
        )
        self.floor = [(0.5, "Ann"), (2.7, "Bob"), (9.0, "Ann")]


def pictures_of(path: Path) -> tuple[list[int], list[Plane]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.pts for frame in frames], [planes_of(frame)[0].copy() for frame in frames]


def psnr_db(one: Plane, other: Plane) -> float:
    error = float(np.mean(np.square(one.astype(np.float64) - other)))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


@pytest.mark.parametrize(
    ("borders_s", "least_db"),
    [([2 * KEYFRAME_S], 45), ([KEYFRAME_S, 2 * KEYFRAME_S, 3 * KEYFRAME_S, 4 * KEYFRAME_S], 45), ([3.37, 7.011], 38)],
)
def test_parts_put_together_are_the_whole(
    tmp_path: Path, make_work: MakeWork, borders_s: list[float], least_db: float
) -> None:
    pieces = Pieces(tmp_path)
    known: dict[str, Any] = {"duration_s": 10.0, "floor": pieces.floor}
    whole = made(tmp_path, make_work, *pieces.seats, **known)
    spans = zip([0.0, *borders_s], [*borders_s, None], strict=True)
    parts = []
    for number, (from_s, until_s) in enumerate(spans):
        given = {"from_s": from_s, "until_s": until_s, "name": f"part{number}.mp4"}
        parts.append(made(tmp_path, lambda *given: fresh(make_work, *given), *pieces.seats, **known, **given))
    joined = tmp_path / "joined.mp4"
    join(joined, parts, None)
    times, pictures = pictures_of(whole)
    joined_times, joined_pictures = pictures_of(joined)
    assert len(times) == 300
    assert joined_times == times
    assert min(map(psnr_db, pictures, joined_pictures)) > least_db


def fresh(make_work: MakeWork, *given: Any) -> Work:
    """Progress begins anew with each part."""
    return replace(make_work(*given), progress=lambda share: None)


def test_every_part_begins_with_a_keyframe_and_needs_nothing_else(tmp_path: Path, make_work: MakeWork) -> None:
    pieces = Pieces(tmp_path)
    part = made(tmp_path, make_work, *pieces.seats, duration_s=10.0, from_s=4.0, until_s=8.0)
    with av.open(str(part)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    keys = [number for number, packet in enumerate(packets) if packet.is_keyframe]
    assert len(packets) == 120
    assert keys[0] == 0
    assert 60 in keys
    assert all(packet.pts == packet.dts for packet in packets)


def test_no_frame_is_in_two_parts_or_in_none(tmp_path: Path, make_work: MakeWork) -> None:
    borders_s = [0.0, 0.34, 1 / 3 + 1, 1.9999999, 2.0, 2.51]
    counts = []
    for from_s, until_s in itertools.pairwise(borders_s):
        params = Params(canvas=CanvasFormat(fps="30000/1001"), duration_s=2.5, seats=(), from_s=from_s, until_s=until_s)
        try:
            first, end = frame_numbers(params, Fraction(30_000, 1001))
        except Permanent:
            continue
        assert first == (counts[-1][1] if counts else 0)
        counts.append((first, end))
    assert counts[-1][1] == 75


def test_a_span_without_a_picture_is_refused(tmp_path: Path, make_work: MakeWork) -> None:
    with pytest.raises(Permanent, match=r"between 5\.0 s and 6\.0 s of 4\.0 s"):
        made(tmp_path, make_work, duration_s=4.0, from_s=5.0, until_s=6.0)
