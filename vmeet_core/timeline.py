"""A recording's time line, worked out from its journal alone: who was there, and where each segment belongs.

All times are seconds from the start of the recording (``Started.at_s``). Where segments begin is worked out in
``placement``. Of a recording that still runs, what is said of the time before ``readiness.ready_s`` is final.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    SourceKind,
    Started,
    Stopped,
    part_of,
)
from vmeet_core.placement import OPUS_PRE_SKIP_S, segment_starts, segments_of, started_of

EventT = TypeVar("EventT", bound=Event)
#: What a segment may give after its end: the rest of its last packet, and its last picture, which is held.
LINGERS_S = 0.5


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
    started, segments = started_of(events), segments_of(events)
    lengths = _lengths(events, segments, file_duration_s)
    starts = {file: at - started.at_s for file, at in segment_starts(events).items()}
    ends = [starts[each.file] + lengths[each.file] - each.preroll_s for each in segments]
    duration_s = _duration_s(events, started, ends)
    spans = {each.file: _placed(started, each, starts[each.file], lengths[each.file], duration_s) for each in segments}
    of_each = _by_person(events)
    in_parts = started.part_s is not None
    people = {each: _person(of_each[each], each, started.at_s, duration_s, spans, in_parts) for each in of_each}
    return Timeline(
        recording_id=started.recording_id,
        title=started.title,
        duration_s=duration_s,
        complete=any(isinstance(event, Stopped) for event in events),
        people=tuple(person for each, person in people.items() if not _is_left_out_throughout(of_each[each], person)),
    )


def clipped(timeline: Timeline, from_s: float, until_s: float) -> Timeline:
    """What a timeline says of a span, in the times of the recording: its presence and mutes cut there, and the segments
    that give something in it, whole. People stay who are present in it, or of whom there is a segment.

    Of two timelines of one recording that say the same of the span, this is the same, up to names that have changed.
    """
    people = tuple(_clipped_person(person, from_s, until_s) for person in timeline.people)
    return timeline.model_copy(
        update={
            "duration_s": min(timeline.duration_s, until_s),
            "complete": timeline.complete or timeline.duration_s >= until_s,
            "people": tuple(person for person in people if person.present or any(t.segments for t in person.tracks)),
        }
    )


def _clipped_person(person: Person, from_s: float, until_s: float) -> Person:
    tracks = [
        Track(
            source=track.source,
            segments=segments_within(track.segments, from_s, until_s),
            muted=clipped_spans(track.muted, from_s, until_s),
        )
        for track in person.tracks
    ]
    return person.model_copy(
        update={
            "present": clipped_spans(person.present, from_s, until_s),
            "tracks": tuple(track for track in tracks if track.segments or track.muted),
        }
    )


def segments_within(segments: Iterable[SegmentSpan], from_s: float, until_s: float) -> tuple[SegmentSpan, ...]:
    """Those that may give something in a span, whole."""
    return tuple(each for each in segments if each.start_s < until_s and each.end_s + LINGERS_S > from_s)


def clipped_spans(spans: Iterable[Span], from_s: float, until_s: float) -> tuple[Span, ...]:
    """What of spans lies in another one."""
    within = (Span(start_s=max(span.start_s, from_s), end_s=min(span.end_s, until_s)) for span in spans)
    return tuple(span for span in within if span.start_s < span.end_s)


def _of(events: Iterable[AnyEvent], kind: type[EventT]) -> list[EventT]:
    return [event for event in events if isinstance(event, kind)]


def _lengths(
    events: Sequence[AnyEvent], segments: Iterable[SegmentStarted], file_duration_s: Callable[[str], float]
) -> dict[str, float]:
    """Of the files, what they repeat included."""
    ended = {event.file: event.duration_s for event in _of(events, SegmentEnded)}
    return {each.file: ended[each.file] if each.file in ended else file_duration_s(each.file) for each in segments}


def _duration_s(events: Sequence[AnyEvent], started: Started, ends: Iterable[float]) -> float:
    stopped = _of(events, Stopped)
    if stopped:
        return max(0.0, stopped[-1].at_s - started.at_s)
    return max(0.0, max(event.at_s for event in events) - started.at_s, *ends)


def _placed(
    started: Started, segment: SegmentStarted, start_s: float, length_s: float, duration_s: float
) -> SegmentSpan:
    """Without what lies before the recording, or before the part that it counts to; and without what lies after the
    end, which is known too late for parts: there nothing does but for rounding.
    """
    first_s = part_of(started, segment.wall_s) * (started.part_s or 0.0)
    early_s = max(0.0, first_s - start_s)
    start_s, trim_s = start_s + early_s, segment.preroll_s + early_s
    if early_s and not segment.preroll_s and segment.codec == "opus" and started.part_s is not None:
        trim_s += OPUS_PRE_SKIP_S  # as behind a repetition: what is cut is no beginning any more
    room_s = duration_s - start_s if started.part_s is None else float("inf")
    return SegmentSpan(
        file=f"{SEGMENTS}/{segment.file}",
        codec=segment.codec,
        clock_hz=segment.clock_hz,
        start_s=start_s,
        trim_s=trim_s,
        duration_s=max(0.0, min(length_s - trim_s, room_s)),
    )


def _by_person(events: Iterable[AnyEvent]) -> dict[str, list[AnyEvent]]:
    """What is told of everyone who joined or left a segment, in order of appearance; without what places segments."""
    found: dict[str, list[AnyEvent]] = {}
    told: dict[str, list[AnyEvent]] = defaultdict(list)
    for event in events:
        if isinstance(event, Joined | Left | LeftOut | Muted | SegmentStarted):
            told[event.participant_id].append(event)
            if isinstance(event, Joined | SegmentStarted):
                found.setdefault(event.participant_id, told[event.participant_id])
    return found


def _person(
    events: Sequence[AnyEvent],
    person: str,
    zero_s: float,
    duration_s: float,
    spans: dict[str, SegmentSpan],
    in_parts: bool,
) -> Person:
    """``events`` are those of that person."""
    names = [event.name for event in _of(events, Joined)]
    tracks = _tracks(events, zero_s, duration_s, spans)
    present = _on_spans(_presence(events, zero_s), duration_s)
    hull = _hull(tracks, duration_s if in_parts else None)
    return Person(id=person, name=names[-1] if names else person, present=present or hull, tracks=tracks)


def _presence(events: Iterable[AnyEvent], zero_s: float) -> Iterator[tuple[float, bool]]:
    """When somebody comes and goes. Whoever is left out has no place in the picture, not even an empty one."""
    here = left_out = False
    for event in events:
        if not isinstance(event, Joined | Left | LeftOut):
            continue
        if isinstance(event, LeftOut):
            left_out = event.left_out
        else:
            here = isinstance(event, Joined)
        yield event.at_s - zero_s, here and not left_out


def _is_left_out_throughout(events: Iterable[AnyEvent], person: Person) -> bool:
    """Whether nothing of them was recorded because they were left out: then they are no part of the recording."""
    recorded = person.present or any(track.segments for track in person.tracks)
    return not recorded and bool(_of(events, LeftOut))


def _tracks(
    events: Iterable[AnyEvent], zero_s: float, duration_s: float, spans: dict[str, SegmentSpan]
) -> tuple[Track, ...]:
    found: dict[SourceKind, list[SegmentSpan]] = defaultdict(list)
    mutes: dict[SourceKind, list[tuple[float, bool]]] = defaultdict(list)
    for event in events:
        if isinstance(event, SegmentStarted):
            found[event.source].append(spans[event.file])
        elif isinstance(event, Muted):
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


def _hull(tracks: Iterable[Track], end_s: float | None) -> tuple[Span, ...]:
    """For a person whose joining was not noted: the time from the first thing heard or seen to the last one; or, where
    that may not be known yet, to the end.
    """
    segments = [span for track in tracks for span in track.segments]
    if not segments:
        return ()
    last_s = max(span.end_s for span in segments) if end_s is None else end_s
    return (Span(start_s=min(span.start_s for span in segments), end_s=last_s),)
