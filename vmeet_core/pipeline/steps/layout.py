"""Everyone's picture in a grid, encoded as it is made.

Layout and encoding are one step: raw frames are 40 MB a second, and a file of them would serve nobody. One pass, in
constant memory: of each person the latest picture is held, and only tiles that changed are painted.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path

from av.video.frame import VideoFrame
from pydantic import BaseModel

from vmeet_core.media.frames import Planes, Scaler, upright_size
from vmeet_core.media.layout import Canvas, Rect, fitted, grid
from vmeet_core.media.mux import PictureWriter
from vmeet_core.media.titles import Titles
from vmeet_core.pipeline.prepared import CanvasFormat
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.pictures import HOLD_S, Pictures
from vmeet_core.timeline import SegmentSpan, Span

VERSION = 1
ROLE = "picture"


class SeatParams(BaseModel):
    """A person's camera or screen: when it has a tile, and what is seen there."""

    name: str
    present: tuple[Span, ...]
    segments: tuple[SegmentSpan, ...]
    muted: tuple[Span, ...]


class Params(BaseModel):
    """Seats in the order of the grid."""

    canvas: CanvasFormat
    duration_s: float
    seats: tuple[SeatParams, ...]


def run(work: Work) -> None:
    params = Params.model_validate(work.params)
    fps = Fraction(params.canvas.fps)
    # A single picture may use all threads to decode; with several, one thread each is faster.
    decoding = work.threads if len(params.seats) == 1 else 1
    seats = [Seat(seat, work.folder, decoding) for seat in params.seats]
    stage = Stage(params.canvas, seats)
    total = max(1, ceil(round(params.duration_s * fps, 6)))
    with PictureWriter(work.outputs[ROLE], params.canvas.width, params.canvas.height, fps, work.threads) as writer:
        for number in range(total):
            writer.write(stage.at(float(number / fps)))
            work.progress((number + 1) / total)


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

    def __init__(self, params: SeatParams, folder: Path, threads: int) -> None:
        self.name, self._present = params.name, params.present
        self.pictures = Pictures(folder, params.segments, params.muted, threads)
        self.scaler = Scaler()
        self.arrange(Rect(0, 0, 2, 2))

    def arrange(self, cell: Rect) -> None:
        """A new place in the grid, where nothing is painted yet."""
        self.cell = cell
        self.place: Rect | None = None  #: where in the cell a picture lies; None for the card
        self.painted: VideoFrame | None = None
        self.is_painted = False

    def is_there(self, time_s: float) -> bool:
        return any(span.start_s <= time_s < span.end_s for span in self._present)


class Stage:
    """The canvas and who is on it."""

    def __init__(self, canvas: CanvasFormat, seats: Sequence[Seat]) -> None:
        self._canvas = Canvas(canvas.width, canvas.height)
        self._labels = canvas.labels
        self._titles = Titles()
        self._seats = seats
        self._shown: list[Seat] = []

    def at(self, time_s: float) -> Planes:
        """The whole picture; the planes are painted over by the next call."""
        shown = [seat for seat in self._seats if seat.is_there(time_s)]
        if shown != self._shown:
            self._arrange(shown)
        for seat in shown:
            frame = seat.pictures.at(time_s)
            if not seat.is_painted or frame is not seat.painted:
                self._paint(seat, frame)
        return self._canvas.planes

    def _arrange(self, shown: list[Seat]) -> None:
        self._canvas.fill(Rect(0, 0, self._canvas.width, self._canvas.height))
        for seat, cell in zip(shown, grid(len(shown), self._canvas.width, self._canvas.height), strict=True):
            seat.arrange(cell)
        self._shown = shown

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
