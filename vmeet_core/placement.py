"""Where each segment of a recording begins, worked out from its journal alone.

A segment begins when its sender says so. The nearest RTCP sender report of its SSRC maps the RTP timestamp of its
first frame to the sender's clock (RFC 3550, 6.4.1), and one offset per person maps that clock to the server's: the
smallest delay between sending and arrival that was seen, so that sound and picture of a person stay exactly as far
apart as they were sent. A segment without any report begins when it arrived.

A recording in parts is worked on while it runs: there, nothing that comes later may move what has been placed.
- Of the sender reports only those count that came up to ``REPORT_WAIT_S`` after the segment's first frame.
- The offset is that of a part (``part_of``), from what came in it and in the ``PARTS_REMEMBERED`` - 1 before, and so
  follows clocks that drift; the reports themselves count, too. It is kept from part to part as long as it is right
  within ``STEADY_S``.
- Sound of one SSRC goes on by its RTP timestamps, as long as that is right within ``STEADY_S``: not a sample is lost or
  doubled where one segment follows another.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from vmeet_core.manifest import AnyEvent, SegmentStarted, SenderReport, Started, part_of

RTP_WRAP = 1 << 32
CLOCK_JUMP_S = 5.0  #: offsets of one person further apart than this are those of different clocks, not of the network
REPORT_WAIT_S = 12.0  #: in parts: a sender report that comes so long after a segment's first frame may still place it
PARTS_REMEMBERED = 10
#: So much longer a frame may be under way than a report, which is sent as it is made. Less than ``ROLL_AFTER_S``, or
#: what a new file begins with would be placed before its part.
SENDING_TAKES_S = 0.5
STEADY_S = 0.015  #: less than anybody hears or sees, and more than sender reports waver
ARRIVAL_WAVERS_S = 0.2  #: where no report says better, sound goes on by its RTP timestamps within this
#: Files of Opus say, as libopus does, that the sound lies so much later in the packets than it was heard (RFC 7845,
#: 4.2). It is dropped at the beginning of a file: where that repeats what was before, the rest lies too late by it.
OPUS_PRE_SKIP_S = 312 / 48_000

Starts = dict[str, float]


class TimelineError(ValueError):
    """The journal does not describe a recording; the message says what is wrong."""


def started_of(events: Iterable[AnyEvent]) -> Started:
    """The first line of a journal. Raises TimelineError when it is missing."""
    started = next((event for event in events if isinstance(event, Started)), None)
    if started is None:
        raise TimelineError("the manifest does not say when the recording started: its first line is missing")
    return started


def segments_of(events: Iterable[AnyEvent]) -> list[SegmentStarted]:
    """The beginnings of all segments. Raises TimelineError for a file outside the recording's folder."""
    segments = [event for event in events if isinstance(event, SegmentStarted)]
    for segment in segments:
        if PurePath(segment.file).name != segment.file or segment.file in ("", "..") or "\\" in segment.file:
            raise TimelineError(f"the manifest names a segment outside the recording's folder: {segment.file!r}")
    return segments


def segment_starts(events: Iterable[AnyEvent]) -> Starts:
    """Unix time, on the server's clock, of what each segment file gives from its ``preroll_s`` on.

    Raises TimelineError.
    """
    events = list(events)
    started, segments = started_of(events), segments_of(events)
    wait_s = float("inf") if started.part_s is None else REPORT_WAIT_S
    sent = _sender_times(segments, events, wait_s)
    starts = {each.file: each.wall_s for each in segments}
    people: dict[str, list[SegmentStarted]] = defaultdict(list)
    for each in segments:
        if each.file in sent:
            people[each.participant_id].append(each)
    reports: dict[str, list[SenderReport]] = defaultdict(list)
    for event in events:
        if isinstance(event, SenderReport):
            reports[event.participant_id].append(event)
    for theirs in people.values():
        if started.part_s is None:
            offsets = _offsets(theirs, sent)
        else:
            offsets = _offsets_by_part(started, theirs, sent, reports[theirs[0].participant_id])
        starts.update({file: sent[file] + offset_s for file, offset_s in offsets.items()})
    if started.part_s is None:
        return starts
    continued = _continued(segments, starts, sent)
    return {each.file: continued[each.file] - (OPUS_PRE_SKIP_S if each.preroll_s else 0.0) for each in segments}


def sender_time_s(segment: SegmentStarted, reports: Sequence[SenderReport]) -> float:
    """The sender's clock (NTP seconds) at the segment's first frame, from the nearest of ``reports``."""
    report = min(reports, key=lambda report: abs(report.at_s - segment.wall_s))
    return report.ntp_s + _apart_s(report.rtp, segment.rtp, segment.clock_hz, segment.wall_s - report.at_s)


def _apart_s(from_rtp: int, to_rtp: int, clock_hz: int, seen_s: float) -> float:
    """From one RTP timestamp to another.

    They wrap at 32 bits: of all the distances that they allow, the one nearest to what the server's clock saw between
    the two is taken.
    """
    ticks = (to_rtp - from_rtp) % RTP_WRAP
    ticks += round((seen_s * clock_hz - ticks) / RTP_WRAP) * RTP_WRAP
    return ticks / clock_hz


def _sender_times(segments: Iterable[SegmentStarted], events: Iterable[AnyEvent], wait_s: float) -> dict[str, float]:
    """By file, for those with a report."""
    reports: dict[tuple[str, str, int], list[SenderReport]] = defaultdict(list)
    for event in events:
        if isinstance(event, SenderReport):
            reports[event.participant_id, event.source, event.ssrc].append(event)
    times: dict[str, float] = {}
    for of_track in reports.values():
        of_track.sort(key=lambda report: report.at_s)
    for each in segments:
        of_track = reports.get((each.participant_id, each.source, each.ssrc), [])
        nearest = _around(of_track, each.wall_s, each.wall_s + wait_s)
        if nearest:
            times[each.file] = sender_time_s(each, nearest)
    return times


def _around(reports: Sequence[SenderReport], wall_s: float, until_s: float) -> list[SenderReport]:
    """Of reports in order of time, the last one before and the first one after; none from after ``until_s``."""
    after = bisect_right(reports, wall_s, key=lambda report: report.at_s)
    before = [reports[bisect_left(reports, reports[after - 1].at_s, key=lambda r: r.at_s)]] if after else []
    return [*before, *(report for report in reports[after : after + 1] if report.at_s <= until_s)]


def _offsets(segments: Iterable[SegmentStarted], sent: dict[str, float]) -> dict[str, float]:
    """For each file the smallest offset among those of the same clock (a rejoin may bring another device)."""
    return _smallest({each.file: each.wall_s - sent[each.file] for each in segments})


def _smallest(offsets: dict[str, float]) -> dict[str, float]:
    smallest: dict[str, float] = {}
    clock = last = float("-inf")
    for file, offset in sorted(offsets.items(), key=lambda item: item[1]):
        if offset - last > CLOCK_JUMP_S:
            clock = offset
        smallest[file] = clock
        last = offset
    return smallest


def _offsets_by_part(
    started: Started, segments: Iterable[SegmentStarted], sent: dict[str, float], reports: Iterable[SenderReport]
) -> dict[str, float]:
    """Reports, too, tell how long things are under way, and there are many more of them than first frames."""
    frames: dict[int, dict[str, float]] = defaultdict(dict)
    told: dict[int, dict[str, float]] = defaultdict(dict)
    for each in segments:
        frames[part_of(started, each.wall_s)][each.file] = each.wall_s - sent[each.file]
    for number, report in enumerate(reports):
        told[part_of(started, report.at_s)][f"/{number}"] = report.at_s - report.ntp_s
    used: list[float] = []  # of each clock, the offset that was used last
    found: dict[str, float] = {}
    for part in sorted(frames):
        of_frames = _remembered(frames, part)
        slowest, smallest = _smallest(of_frames), _smallest(of_frames | _remembered(told, part))
        for file in frames[part]:
            found[file] = _steady(max(smallest[file], slowest[file] - SENDING_TAKES_S), used)
    return found


def _remembered(parts: dict[int, dict[str, float]], part: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for number in range(part - PARTS_REMEMBERED + 1, part + 1):
        found.update(parts.get(number, {}))
    return found


def _steady(offset_s: float, used: list[float]) -> float:
    """The offset that was used of the same clock, where it is right; ``used`` is kept up to date."""
    for number, before_s in enumerate(used):
        if abs(offset_s - before_s) <= CLOCK_JUMP_S:
            if abs(offset_s - before_s) > STEADY_S:
                used[number] = offset_s
            return used[number]
    used.append(offset_s)
    return offset_s


def _continued(segments: Iterable[SegmentStarted], starts: Starts, sent: dict[str, float]) -> Starts:
    """Sound that goes on is placed right behind what it continues."""
    placed = dict(starts)
    before: dict[str, SegmentStarted] = {}
    for each in segments:
        if each.source != "microphone":
            continue
        last = before.get(each.participant_id)
        before[each.participant_id] = each
        if last is None or last.ssrc != each.ssrc:
            continue
        apart_s = _apart_s(last.rtp, each.rtp, each.clock_hz, each.wall_s - last.wall_s)
        right_s = STEADY_S if each.file in sent else ARRIVAL_WAVERS_S
        if abs(placed[last.file] + apart_s - starts[each.file]) <= right_s:
            placed[each.file] = placed[last.file] + apart_s
    return placed
