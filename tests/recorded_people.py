"""People who meet a real recorder in simulated time: late packets, wrong clocks, mutes, comings and goings."""

import heapq
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vmeet_core.manifest import (
    AnyEvent,
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
    read_manifest,
)
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.recording.recorder import Recorder

NTP_S = 2_208_988_800.0  # from 1900 to 1970
SOUND = bytes((11 << 3,)) + b"\1" * 20  # 60 ms
KEY = b"\x10\0\0\x9d\x01\x2a\x40\x01\xb4\0" + b"\0" * 40  # VP8, 320x180
DELTA = b"\x11\0\0" + b"\0" * 40


class Item(NamedTuple):
    """Something for the recorder, at a time of the simulation (Unix time)."""

    at_s: float
    number: int
    hand_over: Callable[[Recorder, float], None]


class Line:
    """One track on its way: sent in time, there later, in order."""

    def __init__(self, rng: random.Random, source: SourceKind) -> None:
        self.source = source
        self.ssrc, self.first_rtp = rng.getrandbits(32), rng.getrandbits(32)
        self.last_s = self.queued_s = 0.0


class Simulation:
    """``record(folder)`` gives the journal. All that happens depends on ``seed`` alone."""

    def __init__(self, seed: int, seconds: float, part_s: float) -> None:
        self.rng = random.Random(seed)
        self.zero_s, self.seconds, self.part_s = 1_700_000_000.0, seconds, part_s
        self._items: list[Item] = []
        for name in ("anna", "ben", "carla")[: self.rng.randint(1, 3)]:
            self._person(name)

    def record(self, folder: Path) -> list[AnyEvent]:
        started = Started(at_s=self.zero_s, recording_id="r", meeting_id="m", title="t", part_s=self.part_s)
        recorder = Recorder(folder, started, 0, print)
        while self._items:
            item = heapq.heappop(self._items)
            while recorder._queue.qsize() > 4000:
                time.sleep(0.001)
            item.hand_over(recorder, item.at_s)
        recorder.stop("enough")
        return list(self._in_simulated_time(read_manifest(folder)))

    def _in_simulated_time(self, events: list[AnyEvent]) -> Iterator[AnyEvent]:
        """What is written by a thread of its own is written late, by a slow disk."""
        written_s = 0.0
        for event in events:
            if isinstance(event, SegmentStarted):
                written_s = max(written_s, event.wall_s) + self.rng.expovariate(0.5)
            elif isinstance(event, Stopped):
                written_s = self.zero_s + self.seconds + 2
            late = isinstance(event, SegmentStarted | SegmentEnded | Stopped)
            yield event.model_copy(update={"at_s": written_s}) if late else event

    def _put(self, at_s: float, hand_over: Callable[[Recorder, float], None]) -> None:
        heapq.heappush(self._items, Item(at_s, len(self._items), hand_over))

    def _event(self, at_s: float, kind: Any, **values: Any) -> None:
        self._put(at_s, lambda recorder, now_s: recorder.event(kind(at_s=now_s, **values)))

    def _person(self, name: str) -> None:
        rng = self.rng
        clock_s, drift = rng.uniform(-3600, 3600), rng.uniform(-2e-4, 2e-4)
        from_s = rng.choice([0.0, rng.uniform(0, self.seconds / 2)])
        while from_s < self.seconds:
            until_s = min(self.seconds, from_s + rng.choice([self.seconds, rng.uniform(5, 60)]))
            self._event(self.zero_s + from_s, Joined, participant_id=name, name=f"{name} {from_s:.0f}")
            for source in ("microphone", "camera"):
                self._track(name, Line(rng, source), from_s, until_s, clock_s, drift)  # type: ignore[arg-type]
            if rng.random() < 0.3:
                out_s = rng.uniform(from_s, until_s)
                for at_s, out in ((out_s, True), (min(until_s, out_s + 7), False)):
                    self._event(self.zero_s + at_s, LeftOut, participant_id=name, left_out=out, by="self")
            if until_s < self.seconds:
                self._event(self.zero_s + until_s, Left, participant_id=name)
            from_s = until_s + rng.uniform(0.5, 30)
            clock_s += rng.choice([0.0, 7200.0])

    def _track(self, name: str, line: Line, from_s: float, until_s: float, clock_s: float, drift: float) -> None:
        """On and off, as somebody mutes it; a network that stands still now and then."""
        rng = self.rng
        base_s, stall_s = rng.uniform(0.01, 0.2), 0.0
        step_s = 0.06 if line.source == "microphone" else 0.2
        on_until_s = from_s + rng.expovariate(1 / 40)
        silent, key_at_s, report_s = False, from_s, from_s + rng.uniform(0, 3)
        for number in range(round((until_s - from_s) / step_s)):
            true_s = from_s + number * step_s
            if true_s > on_until_s:
                silent = not silent
                on_until_s = true_s + rng.expovariate(1 / (5 if silent else 40))
                self._event(self.zero_s + true_s, Muted, participant_id=name, source=line.source, muted=silent)
                key_at_s = true_s
            if silent:
                continue
            if rng.random() < step_s / 40:
                stall_s = rng.uniform(0.2, 2.5)
            stall_s = max(0.0, stall_s - step_s)
            border_s = true_s // self.part_s * self.part_s + 1.2
            if key_at_s < border_s <= true_s:  # a keyframe was asked for, and comes, or does not
                key_at_s = true_s + (rng.uniform(0.1, 0.6) if rng.random() < 0.9 else self.part_s)
            key = line.source == "microphone" or key_at_s - step_s < true_s <= key_at_s or number % 200 == 0
            self._frame(name, line, true_s, base_s + stall_s + rng.expovariate(50), key, drift)
            if true_s > report_s:
                report_s = true_s + 5
                self._report(name, line, true_s, base_s + stall_s, clock_s, drift)

    def _rtp(self, line: Line, true_s: float) -> int:
        clock_hz = 48_000 if line.source == "microphone" else 90_000
        return (line.first_rtp + round(true_s * clock_hz)) % 2**32

    def _frame(self, name: str, line: Line, true_s: float, delay_s: float, key: bool, drift: float) -> None:
        line.last_s = max(line.last_s, self.zero_s + true_s * (1 + drift) + delay_s)
        sound = line.source == "microphone"
        data = SOUND if sound else KEY if key else DELTA
        frame = EncodedFrame("opus" if sound else "vp8", self._rtp(line, true_s), data, key, line.ssrc, line.last_s)
        repaired_s = self.rng.choice([0.0] * 9 + [0.3])  # it waits for a packet that is sent once more
        line.queued_s = max(line.queued_s, frame.wall_s + repaired_s)
        self._put(line.queued_s, lambda recorder, now_s: recorder.frame(name, line.source, frame))

    def _report(self, name: str, line: Line, true_s: float, delay_s: float, clock_s: float, drift: float) -> None:
        """As exact as browsers are: to some milliseconds."""
        rtp = self._rtp(line, true_s + self.rng.gauss(0, 0.003))
        self._put(
            self.zero_s + true_s * (1 + drift) + delay_s,
            lambda recorder, now_s: recorder.note(
                SenderReport(
                    at_s=now_s,
                    participant_id=name,
                    source=line.source,
                    ssrc=line.ssrc,
                    ntp_s=NTP_S + self.zero_s + clock_s + true_s,
                    rtp=rtp,
                )
            ),
        )
