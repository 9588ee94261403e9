"""The picture that one source shows at a moment; every segment is decoded once, and one picture ahead is held.

A source is not opened before its time, and nothing is held that is not seen any more.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from av.video.frame import VideoFrame

from vmeet_core.media.segments import segment_pictures
from vmeet_core.timeline import SegmentSpan, Span

HOLD_S = 0.5  #: how long the last picture of a segment stays, to bridge the change to the next segment


class _Shown(NamedTuple):
    from_s: float
    until_s: float
    frame: VideoFrame


class Pictures:
    """Asked for moments that only go forward, none of them before ``from_s``."""

    def __init__(
        self,
        folder: Path,
        segments: Sequence[SegmentSpan],
        muted: Sequence[Span],
        threads: int = 1,
        from_s: float = 0.0,
    ) -> None:
        self._muted = muted
        self._frames = self._decoded(folder, segments, threads, from_s)
        self._opens_s = segments[0].start_s - HOLD_S if segments else float("inf")
        self._now: _Shown | None = None
        self._next: _Shown | None = None

    def at(self, time_s: float) -> VideoFrame | None:
        """The latest picture of that moment; None while the source is off."""
        if time_s < self._opens_s:
            return None
        if self._now is None and self._next is None:
            self._next = next(self._frames, None)
        while self._next is not None and self._next.from_s <= time_s:
            self._now, self._next = self._next, next(self._frames, None)
        if self._now is None or time_s >= self._now.until_s:
            self._now = None
            return None
        if any(span.start_s <= time_s < span.end_s for span in self._muted):
            return None
        return self._now.frame

    @staticmethod
    def _decoded(folder: Path, segments: Sequence[SegmentSpan], threads: int, begin_s: float) -> Iterator[_Shown]:
        for segment in segments:
            if segment.end_s + HOLD_S <= begin_s:
                continue
            inside_s = begin_s - segment.start_s + segment.trim_s
            for at_s, frame in segment_pictures(folder / segment.file, threads, inside_s):
                from_s = segment.start_s + at_s - segment.trim_s
                if from_s > segment.end_s + HOLD_S:
                    break
                yield _Shown(from_s, segment.end_s + HOLD_S, frame)
