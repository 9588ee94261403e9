"""Everyone's picture on one canvas, encoded as it is made.

Layout and encoding are one step: raw frames are 40 MB a second, and a file of them would serve nobody. One pass, in
constant memory: of each person the latest picture is held, and only tiles that changed are painted.

What is seen at a moment depends on that moment alone. So any span of the recording can be made by itself; where spans
begin at whole multiples of ``KEYFRAME_S``, the parts put together (``join``) are the whole.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path

from av.video.frame import VideoFrame
from pydantic import BaseModel

from vmeet_core.hookspecs import Permanent
from vmeet_core.media.frames import Planes, Scaler, upright_size
from vmeet_core.media.layout import Canvas, Rect, fitted, stage
from vmeet_core.media.mux import PictureWriter
from vmeet_core.media.titles import Titles
from vmeet_core.pipeline.prepared import CanvasFormat
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.pictures import HOLD_S, Pictures
from vmeet_core.pipeline.steps.voices import FloorChange, read_voices
from vmeet_core.settings import LayoutName
from vmeet_core.timeline import SegmentSpan, Span

VERSION = 2
VOICES, ROLE = "voices", "picture"


class SeatParams(BaseModel):
    """A person's camera or screen: when it has a tile, and what is seen there. ``person`` is an id."""

    name: str
    present: tuple[Span, ...]
    segments: tuple[SegmentSpan, ...]
    muted: tuple[Span, ...]
    person: str = ""
    is_screen: bool = False


class Params(BaseModel):
    """Seats in the order of the grid, and the span that is made: up to ``until_s``, or to the end."""

    canvas: CanvasFormat
    duration_s: float
    seats: tuple[SeatParams, ...]
    layout: LayoutName = "grid"
    from_s: float = 0.0
    until_s: float | None = None


def run(work: Work) -> None:
    """Needs ``VOICES`` for the speaker's layout, unless nobody was heard."""
    params = Params.model_validate(work.params)
    fps = Fraction(params.canvas.fps)
    first, end = frame_numbers(params, fps)
    floor = read_voices(work.inputs[VOICES]).floor if VOICES in work.inputs else ()
    # A single picture may use all threads to decode; with several, one thread each is faster.
    decoding = work.threads if len(params.seats) == 1 else 1
    seats = [Seat(seat, work.folder, decoding, float(first / fps)) for seat in params.seats]
    stage = Stage(params.canvas, seats, Director(params.layout, floor))
    with PictureWriter(work.outputs[ROLE], params.canvas.width, params.canvas.height, fps, work.threads) as writer:
        for number in range(first, end):
            writer.write(stage.at(float(number / fps)))
            work.progress((number + 1 - first) / (end - first))


def frame_numbers(params: Params, fps: Fraction) -> tuple[int, int]:
    """The first frame, and the one after the last; each belongs to one part alone. Raises Permanent for no frame."""
    total = max(1, _frames(params.duration_s, fps))
    end = total if params.until_s is None else min(total, _frames(params.until_s, fps))
    first = _frames(params.from_s, fps)
    if not 0 <= first < end:
        raise Permanent(f"no picture lies between {params.from_s} s and {params.until_s} s of {params.duration_s} s")
    return first, end


def _frames(time_s: float, fps: Fraction) -> int:
    """How many frames begin before that time."""
    return ceil(round(time_s * fps, 6))


def screen_spans(segments: Sequence[SegmentSpan]) -> Iterator[Span]:
    """A screen has a tile only while it is shared; short breaks between segments do not take it away."""
    start_s: float | None = None
    end_s = 0.0
    for segment in segments:
        if start_s is not None and segment.start_s > end_s + HOLD_S:
            yield Span(start_s=start_s, end_s=end_s)
            start_s = None
        start_s = segment.start_s if start_s is None else start_s
        end_s = max(end_s, segment.end_s)
    if start_s is not None:
        yield Span(start_s=start_s, end_s=end_s)


class Seat:
    """One source of pictures, and what of it is on the canvas."""

    def __init__(self, params: SeatParams, folder: Path, threads: int, from_s: float) -> None:
        self.name, self.person, self.is_screen = params.name, params.person, params.is_screen
        self._present = params.present
        self.pictures = Pictures(folder, params.segments, params.muted, threads, from_s)
        self.scaler = Scaler()
        self.arrange(Rect(0, 0, 2, 2))

    def arrange(self, cell: Rect) -> None:
        """A new place on the canvas, where nothing is painted yet."""
        self.cell = cell
        self.place: Rect | None = None  #: where in the cell a picture lies; None for the card
        self.painted: VideoFrame | None = None
        self.is_painted = False

    def is_there(self, time_s: float) -> bool:
        return any(span.start_s <= time_s < span.end_s for span in self._present)


class Director:
    """Says who is large, at moments that only go forward. Shared screens always are."""

    def __init__(self, layout: LayoutName, floor: Sequence[FloorChange]) -> None:
        self._layout = layout
        self._coming = deque(floor)
        self._heard: list[str] = []  # those who had the floor, the latest first

    def arrange(self, shown: Sequence[Seat], time_s: float) -> tuple[list[Seat], list[Seat]]:
        """(large, small); with nobody in the one, the others share the canvas."""
        while self._coming and self._coming[0].at_s <= time_s:
            person = self._coming.popleft().person
            self._heard = [person, *(each for each in self._heard if each != person)]
        screens = [seat for seat in shown if seat.is_screen]
        people = [seat for seat in shown if not seat.is_screen]
        if screens or self._layout == "grid" or not people:
            return screens, people
        there = {seat.person: seat for seat in people}
        large = next((there[person] for person in self._heard if person in there), people[0])
        return [large], [seat for seat in people if seat is not large]


class Stage:
    """The canvas and who is on it."""

    def __init__(self, canvas: CanvasFormat, seats: Sequence[Seat], director: Director) -> None:
        self._canvas = Canvas(canvas.width, canvas.height)
        self._labels = canvas.labels
        self._titles = Titles()
        self._seats = seats
        self._director = director
        self._shown: tuple[list[Seat], list[Seat]] = ([], [])

    def at(self, time_s: float) -> Planes:
        """The whole picture; the planes are painted over by the next call."""
        there = [seat for seat in self._seats if seat.is_there(time_s)]
        shown = self._director.arrange(there, time_s)
        if shown != self._shown:
            self._arrange(*shown)
        for seat in there:
            frame = seat.pictures.at(time_s)
            if not seat.is_painted or frame is not seat.painted:
                self._paint(seat, frame)
        return self._canvas.planes

    def _arrange(self, large: list[Seat], small: list[Seat]) -> None:
        self._canvas.fill(Rect(0, 0, self._canvas.width, self._canvas.height))
        cells = stage(len(large), len(small), self._canvas.width, self._canvas.height)
        for seats, places in zip((large, small), cells, strict=True):
            for seat, cell in zip(seats, places, strict=True):
                seat.arrange(cell)
        self._shown = (large, small)

    def _paint(self, seat: Seat, frame: VideoFrame | None) -> None:
        place = fitted(*upright_size(frame), seat.cell) if frame else None
        if place != seat.place:
            self._canvas.fill(seat.cell)
        if frame is not None and place is not None:
            self._canvas.paste(seat.scaler.scale(frame, place.width, place.height), place)
        elif self._labels:
            self._canvas.paste(self._titles.card(seat.name, seat.cell.width, seat.cell.height), seat.cell)
        if self._labels:
            self._label(seat.name, place or seat.cell)
        seat.place, seat.painted, seat.is_painted = place, frame, True

    def _label(self, name: str, rect: Rect) -> None:
        patch = self._titles.label(name, rect.width, rect.height)
        height = patch.planes[0].shape[0]
        if height <= rect.height:
            self._canvas.blend(patch, rect.x, rect.y + rect.height - height)
