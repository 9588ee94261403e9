"""Whether anything of a room gets out when the filter that hides it fails: forced failures, watched in real receivers.

    python benchmarks/leak.py --failures 200

A real server with real workers; everything runs on this machine. Prints a table, and one JSON object as its last line;
the exit code is 1 when anything raw was seen, or when the run proves nothing.
"""

import argparse
import asyncio
import json
import logging
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import leak_filter
from aiortc.exceptions import InvalidStateError
from forwarding import end_on_sigterm
from leak_peers import SMALL_PX
from leak_scene import RAW_CONTRAST
from leak_stage import Entry, Failure, Found, LeakMeeting, Outcome, Stage, running

from vmeet_core.server.app import new_event_loop

KINDS = tuple(kind for kind in get_args(leak_filter.Kind) if kind != "none")
ON_WAYS: tuple[Entry, ...] = ("update", "restart")  #: to a failure, where privacy is asked for all the time
OFF_WAYS: tuple[Entry, ...] = ("off", "tint")
MAX_GOOD_PICTURES = 12
THUMBNAIL_FAILURES = 2
THUMBNAIL_S = 2.0  #: length of the recording with the filter off


class Plan:
    """Failures, one after another, of all kinds in turn; the same for the same seed."""

    def __init__(self, count: int, kinds: Sequence[leak_filter.Kind], seed: int) -> None:
        self._random = random.Random(seed)
        self._kinds = kinds
        self._numbers = iter(range(count))
        self._extra = iter(range(count, 2 * count + 100))
        self._ways: dict[bool, Iterator[Entry]] = {}

    def next(self, goes_off: bool) -> Failure | None:
        """The next for a meeting of this sort; None when all have been given."""
        number = next(self._numbers, None)
        return None if number is None else self._failure(number, goes_off)

    def extra(self, goes_off: bool) -> Failure:
        """One more."""
        return self._failure(next(self._extra), goes_off)

    def _failure(self, number: int, goes_off: bool) -> Failure:
        chance = self._random
        kind = self._kinds[number % len(self._kinds)]
        where = chance.choices(("picture", "open", "update"), (8, 1, 1))[0]
        ways = OFF_WAYS if goes_off and chance.random() < 0.75 else ON_WAYS
        entry = {"update": "update", "open": "restart"}.get(where) if ways is ON_WAYS else None
        entry = "update" if where == "update" else entry or chance.choice(ways)
        often = kind in ("kill", "hang") and where != "update" and chance.random() < 0.1
        return Failure(
            number=number,
            kind=kind,
            where=where,  # type: ignore[arg-type]
            entry=entry,  # type: ignore[arg-type]
            after=0 if chance.random() < 0.2 else chance.randint(0, MAX_GOOD_PICTURES),
            times=3 if often else 1,  # so often that the track is given up
            variant=number // len(self._kinds),
            waits=chance.random() < 0.5,
        )


async def fail_in(meeting: LeakMeeting, plan: Plan, outcomes: list[Outcome], deadline_s: float) -> list[str]:
    """One failure after another until there are no more; what did not happen as it should."""
    troubles: list[str] = []
    while time.monotonic() < deadline_s and (failure := plan.next(meeting.goes_off)) is not None:
        try:
            outcomes.append(await meeting.fail(failure))
            print(_line(outcomes[-1], meeting.log.raw_packets), file=sys.stderr, flush=True)
        except TimeoutError:
            troubles.append(f"{failure} did not happen, or the person did not come back ({meeting.anna.effects})")
            print(troubles[-1], file=sys.stderr, flush=True)
    return troubles


def _line(outcome: Outcome, raw_packets: int) -> str:
    failure = outcome.failure
    where = f"{failure.kind} {failure.entry} {failure.where} {failure.after} x{failure.times} v{failure.variant}"
    return f"{failure.number:4} {where:36} {outcome.shown} {outcome.shown_s:.2f} s, {raw_packets} raw packets"


class Thumbnails(NamedTuple):
    """Contrast of the pattern in the thumbnails that the pipeline makes of two short recordings; None: not in time."""

    private: float | None = None
    off: float | None = None


async def make_thumbnails(meeting: LeakMeeting, plan: Plan) -> Thumbnails:
    """Of a recording in which privacy was asked for all the time, with failures, and of one with the filter off."""
    for _ in range(THUMBNAIL_FAILURES):
        await meeting.fail(plan.extra(goes_off=False))
    await meeting.stop_recording()
    private = await meeting.thumbnail_contrast()
    await meeting.show_raw()
    await meeting.record()
    await asyncio.sleep(THUMBNAIL_S)
    await meeting.stop_recording()
    return Thumbnails(private, await meeting.thumbnail_contrast())


async def run(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole run; what the JSON holds."""
    end_on_sigterm()
    plan, outcomes = Plan(args.failures, args.kinds, args.seed), list[Outcome]()
    began_s = time.monotonic()
    async with running(folder, args.meetings, args.rate) as stage:
        meetings = [
            LeakMeeting(stage, args.height, args.rate, goes_off=index > 0, seed=args.seed + index)
            for index in range(args.meetings)
        ]
        try:
            await asyncio.gather(*(meeting.begin() for meeting in meetings))
            deadline_s = began_s + args.minutes * 60
            troubles = await asyncio.gather(*(fail_in(each, plan, outcomes, deadline_s) for each in meetings))
            for meeting in meetings:
                await meeting.stop_recording()
                await meeting.cancel_jobs()
                await meeting.end()
            alone = LeakMeeting(stage, args.height, args.rate, goes_off=False, seed=args.seed, alone=True)
            meetings.append(alone)
            await alone.begin()
            try:
                thumbnails = await make_thumbnails(alone, plan)
            except TimeoutError:
                thumbnails = Thumbnails()
        finally:
            for meeting in meetings:
                await meeting.end()
        found = [each for meeting in meetings for each in meeting.findings()]
        found += [await asyncio.to_thread(meeting.recorded) for meeting in meetings]
        result = summary(stage, meetings, outcomes, found)
    return result | {
        "troubles": sum(len(each) for each in troubles),
        "thumbnail_contrast": thumbnails._asdict(),
        "minutes": round((time.monotonic() - began_s) / 60, 1),
    }


def summary(
    stage: Stage, meetings: Sequence[LeakMeeting], outcomes: Sequence[Outcome], found: Sequence[Found]
) -> dict[str, Any]:
    """What all of them have seen."""
    watched: Counter[str] = Counter()
    seen_raw: Counter[str] = Counter()
    for each in found:
        watched[each.name] += each.watched
        for height_px, count in each.allowed.items():
            seen_raw[f"{each.name} {'small' if height_px <= SMALL_PX else 'full'}"] += count
        for leak in each.leaks[:5]:
            print(f"RAW in {each.name}: {leak}", file=sys.stderr)
    return {
        "failures": len(outcomes),
        "raw_frames": sum(len(each.leaks) for each in found),
        "raw_packets": sum(meeting.log.raw_packets for meeting in meetings),
        "stale_pictures": sum(meeting.log.stale_pictures for meeting in meetings),
        "frames_watched": sum(watched.values()),
        "watched": dict(watched),
        "pattern_seen_when_off": dict(seen_raw),
        "longest_gap_s": round(max(meeting.longest_gap_s() for meeting in meetings), 2),
        "kinds": by_kind(outcomes),
        "from_off": sum(outcome.failure.entry in OFF_WAYS for outcome in outcomes),
        "stuck": sum(outcome.shown is None for outcome in outcomes),
        "worker_deaths": stage.deaths,
        "memory_without_limit": stage.unlimited,
        "lost_packets": sum(meeting.lossy.lost_packets for meeting in meetings),
        "repaired_packets": sum(meeting.lossy.repaired_packets for meeting in meetings),
    }


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Failures, and the time until something was shown again, of each kind."""
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.failure.kind].append(outcome)
    return {
        kind: {
            "failures": len(each),
            "card": sum(outcome.shown == "card" for outcome in each),
            "median_s": round(statistics.median(outcome.shown_s for outcome in each), 2),
            "longest_s": round(max(outcome.shown_s for outcome in each), 2),
        }
        for kind, each in sorted(kinds.items())
    }


def is_met(found: dict[str, Any]) -> bool:
    """Nothing raw was seen; everything happened; and the pattern was seen by all who might when the filter was off."""
    silent = (
        "raw_frames",
        "raw_packets",
        "stale_pictures",
        "stuck",
        "troubles",
        "memory_without_limit",
        "server_errors",
    )
    proofs = ("full full", "small small", "recording full")
    proven = all(found["pattern_seen_when_off"].get(each) for each in proofs) if found["from_off"] else False
    thumbnails = found["thumbnail_contrast"]
    known = None not in thumbnails.values()
    hidden = known and thumbnails["private"] < RAW_CONTRAST < thumbnails["off"]
    return proven and hidden and not any(found[key] for key in silent)


def show(found: dict[str, Any]) -> None:
    """A table for people."""
    print(f"{'kind':8} {'failures':>8} {'card':>5} {'median s':>9} {'longest s':>9}")
    for kind, each in found["kinds"].items():
        print(f"{kind:8} {each['failures']:8} {each['card']:5} {each['median_s']:9.2f} {each['longest_s']:9.2f}")
    print(f"{found['raw_frames']} raw of {found['frames_watched']} pictures while privacy was asked for")


class Errors(logging.Handler):
    """Counts what the server says of its own faults."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.count = 0
        for name in ("vmeet_core", "asyncio"):
            logging.getLogger(name).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """One more, unless a peer left while it connected: aiortc's own task then ends so, and nobody can await it."""
        error = record.exc_info[1] if record.exc_info else None
        self.count += not isinstance(error, InvalidStateError)


def kinds_of(text: str) -> tuple[str, ...]:
    """Names with commas between them. Raises ArgumentTypeError."""
    wanted = tuple(text.split(","))
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(KINDS)}")
    return wanted


def main() -> int:
    """0: not one raw frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--failures", type=int, default=200)
    parser.add_argument("--kinds", type=kinds_of, default=KINDS, help=f"of {','.join(KINDS)} (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--meetings", type=int, default=3, help="how many at once (default: 3)")
    parser.add_argument("--height", type=int, default=720, help="of the camera, in pixels (default: 720)")
    parser.add_argument("--rate", type=int, default=10, help="pictures a second (default: 10)")
    parser.add_argument("--minutes", type=float, default=60, help="begin no failure after so long (default: 60)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    errors = Errors()
    with (
        tempfile.TemporaryDirectory(prefix="vmeet-leak-") as folder,
        asyncio.Runner(loop_factory=new_event_loop) as own,
    ):
        try:
            found = own.run(run(args, Path(folder)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            print("ended before it was done", file=sys.stderr)
            return 130
    found["server_errors"] = errors.count
    show(found)
    print(json.dumps(found))
    return 0 if is_met(found) else 1


if __name__ == "__main__":
    sys.exit(main())
