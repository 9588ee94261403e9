"""How much of a recording that still runs is settled: nothing that comes can change what its journal says of it."""

import math
from collections.abc import Sequence

from vmeet_core.manifest import (
    ROLL_AFTER_S,
    AnyEvent,
    Left,
    LeftOut,
    Muted,
    SegmentEnded,
    SegmentStarted,
    Stopped,
    part_of,
)
from vmeet_core.placement import REPORT_WAIT_S, segment_starts, segments_of, started_of

SETTLES_S = ROLL_AFTER_S + REPORT_WAIT_S  #: so long after a border all that places what lies before it has come


def ready_s(events: Sequence[AnyEvent]) -> float:
    """The latest border between parts, in seconds of the recording, before which everything is settled.

    All segments that begin before it are finished files, and ``build_timeline`` says the same of the time before it for
    every journal that begins with ``events``. 0.0 when there is none, or the recording is not in parts. Raises
    TimelineError.
    """
    started = started_of(events)
    if started.part_s is None:
        return 0.0
    stopped = [event for event in events if isinstance(event, Stopped)]
    if stopped:
        return _border_s(stopped[-1].at_s - started.at_s, started.part_s)
    ready = _border_s(_told_until_s(events) - started.at_s - SETTLES_S, started.part_s)
    starts = segment_starts(events)
    for segment in _open(events):
        start_s = max(starts[segment.file] - started.at_s, part_of(started, segment.wall_s) * started.part_s)
        ready = min(ready, _border_s(start_s, started.part_s))
    return ready


def _border_s(time_s: float, part_s: float) -> float:
    """The last border at or before that time; 0.0 before the first one."""
    return max(0, math.floor(time_s / part_s)) * part_s


def _told_until_s(events: Sequence[AnyEvent]) -> float:
    """All that came before this Unix time is in the journal: things are written in the order in which they came.

    When a file was begun or finished says how far the writing was, which may be later.
    """
    came = [event.at_s for event in events if not isinstance(event, SegmentStarted | SegmentEnded)]
    return max([*came, *(event.wall_s for event in events if isinstance(event, SegmentStarted))])


def _open(events: Sequence[AnyEvent]) -> list[SegmentStarted]:
    """The files that may still grow. One that failed has no end in the journal, but something that ended it."""
    tracks = {each.file: (each.participant_id, each.source) for each in segments_of(events)}
    found: dict[tuple[str, str], SegmentStarted] = {}
    for event in events:
        if isinstance(event, SegmentStarted):
            found[tracks[event.file]] = event
        elif isinstance(event, SegmentEnded):
            found.pop(tracks[event.file], None)
        elif isinstance(event, Muted):
            found.pop((event.participant_id, event.source), None)
        elif isinstance(event, Left | LeftOut):
            found = {track: each for track, each in found.items() if track[0] != event.participant_id}
    return list(found.values())
