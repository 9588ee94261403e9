"""A recording's time line, worked out from its journal alone: who was there, and where each segment belongs.

All times are seconds from the start of the recording (``Started.at_s``).

A segment begins when its sender says so. The nearest RTCP sender report of its SSRC maps the RTP timestamp of its
first frame to the sender's clock (RFC 3550, 6.4.1), and one offset per person maps that clock to the server's: the
smallest delay between sending and arrival that was seen, so that sound and picture of a person stay exactly as far
apart as they were sent. A segment without any report begins when it arrived.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from vmeet_core.manifest import (
    SEGMENTS,
    AnyEvent,
    Event,
    Joined,
    Left,
    LeftOut,
    Muted,
    SegmentEnded,
    SegmentStarted,
    SenderReport,
    SourceKind,
    Started,
    Stopped,
)

RTP_WRAP = 1 << 32
CLOCK_JUMP_S = 5.0  #: offsets of one person further apart than this are those of different clocks, not of the network

EventT = TypeVar("EventT", bound=Event)


class TimelineError(ValueError):
    """The journal does not describe a recording; the message says what is wrong."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Span(_Model):
    """From ``start_s`` up to, but without, ``end_s``."""

    start_s: float
    end_s: float


class SegmentSpan(_Model):
    """``duration_s`` of a media file, from ``trim_s`` of its own time on, placed at ``start_s``."""

    file: str  #: path relative to the recording's folder, or absolute
    codec: str
    clock_hz: int
    start_s: float
    trim_s: float
    duration_s: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


class Track(_Model):
    """All segments of one source of one person, in order, and when it was muted."""

    source: SourceKind
    segments: tuple[SegmentSpan, ...]
    muted: tuple[Span, ...] = ()


class Person(_Model):
    """``name`` is the last one used; ``present`` are the times in the meeting."""

    id: str
    name: str
    present: tuple[Span, ...]
    tracks: tuple[Track, ...]

    def segments(self, source: SourceKind) -> tuple[SegmentSpan, ...]:
        return next((track.segments for track in self.tracks if track.source == source), ())

    def muted(self, source: SourceKind) -> tuple[Span, ...]:
        return next((track.muted for track in self.tracks if track.source == source), ())


class Timeline(_Model):
    """A whole recording; people in the order in which they came."""

    recording_id: str
    title: str
    duration_s: float
    complete: bool  #: False when the journal ends without Stopped: the server was killed
    people: tuple[Person, ...]


def build_timeline(events: Sequence[AnyEvent], file_duration_s: Callable[[str], float]) -> Timeline:
    """Place everything that ``events`` tell of.

    ``file_duration_s`` gives the length of a segment file that was never finished (0 for one without content).
    Raises TimelineError for a journal without Started, or with a segment file outside the recording's folder.
    """
    started = _started(events)
    lengths = _lengths(events, file_duration_s)
    starts = {file: at - started.at_s for file, at in segment_starts(events).items()}
    duration_s = _duration_s(events, started, [starts[file] + lengths[file] for file in starts])
    spans = {file: _clipped(segment, starts[file], lengths[file], duration_s) for file, segment in _files(events)}
    return Timeline(
        recording_id=started.recording_id,
        title=started.title,
        duration_s=duration_s,
        complete=any(isinstance(event, Stopped) for event in events),
        people=tuple(
            person
            for person in (_person(events, each, started.at_s, duration_s, spans) for each in _ids(events))
            if not _is_left_out_throughout(events, person)
        ),
    )


def segment_starts(events: Iterable[AnyEvent]) -> dict[str, float]:
    """Unix time, on the server's clock, of the first frame of each segment file."""
    events = list(events)
    reports: dict[tuple[str, str, int], list[SenderReport]] = defaultdict(list)
    for report in _of(events, SenderReport):
        reports[report.participant_id, report.source, report.ssrc].append(report)
    starts: dict[str, float] = {}
    sent: dict[str, dict[str, float]] = defaultdict(dict)
    for file, segment in _files(events):
        starts[file] = segment.wall_s
        known = reports.get((segment.participant_id, segment.source, segment.ssrc))
        if known:
            sent[segment.participant_id][file] = sender_time_s(segment, known)
    for times in sent.values():
        offsets = _smallest_offsets({file: starts[file] - at for file, at in times.items()})
        starts.update({file: at + offsets[file] for file, at in times.items()})
    return starts


def sender_time_s(segment: SegmentStarted, reports: Sequence[SenderReport]) -> float:
    """The sender's clock (NTP seconds) at the segment's first frame, from the nearest of ``reports``.

    RTP timestamps wrap at 32 bits: of all the distances that they allow, the one nearest to what the server's
    clock saw between the two is taken.
    """
    report = min(reports, key=lambda report: abs(report.at_s - segment.wall_s))
    expected = (segment.wall_s - report.at_s) * segment.clock_hz
    ticks = (segment.rtp - report.rtp) % RTP_WRAP
    ticks += round((expected - ticks) / RTP_WRAP) * RTP_WRAP
    return report.ntp_s + ticks / segment.clock_hz


def _smallest_offsets(offsets: dict[str, float]) -> dict[str, float]:
    """For each file the smallest offset among those of the same clock (a rejoin may bring another device)."""
    smallest: dict[str, float] = {}
    clock = last = float("-inf")
    for file, offset in sorted(offsets.items(), key=lambda item: item[1]):
        if offset - last > CLOCK_JUMP_S:
            clock = offset
        smallest[file] = clock
        last = offset
    return smallest


def _of(events: Iterable[AnyEvent], kind: type[EventT]) -> list[EventT]:
    return [event for event in events if isinstance(event, kind)]


def _started(events: Sequence[AnyEvent]) -> Started:
    started = next(iter(_of(events, Started)), None)
    if started is None:
        raise TimelineError("the manifest does not say when the recording started: its first line is missing")
    return started


def _files(events: Iterable[AnyEvent]) -> list[tuple[str, SegmentStarted]]:
    segments = _of(events, SegmentStarted)
    for segment in segments:
        if PurePath(segment.file).name != segment.file or segment.file in ("", "..") or "\\" in segment.file:
            raise TimelineError(f"the manifest names a segment outside the recording's folder: {segment.file!r}")
    return [(segment.file, segment) for segment in segments]


def _lengths(events: Sequence[AnyEvent], file_duration_s: Callable[[str], float]) -> dict[str, float]:
    ended = {event.file: event.duration_s for event in _of(events, SegmentEnded)}
    return {file: ended[file] if file in ended else file_duration_s(file) for file, _ in _files(events)}


def _duration_s(events: Sequence[AnyEvent], started: Started, ends: Iterable[float]) -> float:
    stopped = _of(events, Stopped)
    if stopped:
        return max(0.0, stopped[-1].at_s - started.at_s)
    return max(0.0, max(event.at_s for event in events) - started.at_s, *ends)


def _clipped(segment: SegmentStarted, start_s: float, length_s: float, duration_s: float) -> SegmentSpan:
    trim_s = max(0.0, -start_s)
    start_s = max(0.0, start_s)
    return SegmentSpan(
        file=f"{SEGMENTS}/{segment.file}",
        codec=segment.codec,
        clock_hz=segment.clock_hz,
        start_s=start_s,
        trim_s=trim_s,
        duration_s=max(0.0, min(length_s - trim_s, duration_s - start_s)),
    )


def _ids(events: Iterable[AnyEvent]) -> list[str]:
    """Everyone who joined or left a segment, in order of appearance."""
    return list(dict.fromkeys(e.participant_id for e in events if isinstance(e, Joined | SegmentStarted)))


def _person(
    events: Sequence[AnyEvent], person: str, zero_s: float, duration_s: float, spans: dict[str, SegmentSpan]
) -> Person:
    names = [event.name for event in _of(events, Joined) if event.participant_id == person]
    tracks = _tracks(events, person, zero_s, duration_s, spans)
    present = _on_spans(_presence(events, person, zero_s), duration_s)
    return Person(id=person, name=names[-1] if names else person, present=present or _hull(tracks), tracks=tracks)


def _presence(events: Iterable[AnyEvent], person: str, zero_s: float) -> Iterator[tuple[float, bool]]:
    """When somebody comes and goes. Whoever is left out has no place in the picture, not even an empty one."""
    here = left_out = False
    for event in events:
        if not isinstance(event, Joined | Left | LeftOut) or event.participant_id != person:
            continue
        if isinstance(event, LeftOut):
            left_out = event.left_out
        else:
            here = isinstance(event, Joined)
        yield event.at_s - zero_s, here and not left_out


def _is_left_out_throughout(events: Iterable[AnyEvent], person: Person) -> bool:
    """Whether nothing of them was recorded because they were left out: then they are no part of the recording."""
    recorded = person.present or any(track.segments for track in person.tracks)
    return not recorded and any(event.participant_id == person.id for event in _of(events, LeftOut))


def _tracks(
    events: Sequence[AnyEvent], person: str, zero_s: float, duration_s: float, spans: dict[str, SegmentSpan]
) -> tuple[Track, ...]:
    found: dict[SourceKind, list[SegmentSpan]] = defaultdict(list)
    mutes: dict[SourceKind, list[tuple[float, bool]]] = defaultdict(list)
    for event in events:
        if isinstance(event, SegmentStarted) and event.participant_id == person:
            found[event.source].append(spans[event.file])
        elif isinstance(event, Muted) and event.participant_id == person:
            mutes[event.source].append((event.at_s - zero_s, event.muted))
    return tuple(
        Track(
            source=source,
            segments=tuple(
                sorted((span for span in found[source] if span.duration_s > 0), key=lambda span: span.start_s)
            ),
            muted=_on_spans(mutes[source], duration_s),
        )
        for source in sorted(found.keys() | mutes.keys())  # sorted: the keys of steps depend on it
    )


def _on_spans(switches: Iterable[tuple[float, bool]], end_s: float) -> tuple[Span, ...]:
    """The spans between each first True and the next False; the last one may stay open until the end."""
    spans: list[Span] = []
    since: float | None = None
    for at_s, on in [*switches, (end_s, False)]:
        if on and since is None:
            since = max(0.0, at_s)
        elif not on and since is not None:
            if min(at_s, end_s) > since:
                spans.append(Span(start_s=since, end_s=min(at_s, end_s)))
            since = None
    return tuple(spans)


def _hull(tracks: Iterable[Track]) -> tuple[Span, ...]:
    """For a person whose joining was not noted: the time from the first to the last thing heard or seen."""
    segments = [span for track in tracks for span in track.segments]
    if not segments:
        return ()
    return (Span(start_s=min(s.start_s for s in segments), end_s=max(s.end_s for s in segments)),)


def ready_s(events: Sequence[AnyEvent]) -> float:
    return 0.0
