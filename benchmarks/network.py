"""How a meeting of real browsers bears a bad network: loss, a thin line, an outage, a change of address.

    python benchmarks/network.py --only loss5 throttle --seconds 60

Prints one JSON object as its last line: for each part the figures and whether its bar is met. Everything runs on this
machine, so the browsers compete with the server.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import browsers
from network_channel import Conditions
from network_emulator import Emulator
from network_probe import Look, Person, arrive, seen_by_all

NAMES = ("Anna", "Ben", "Carla")
WARM_UP_S = 12.0
PERIOD_S = 1.0
STEADY_S = 5.0
ENOUGH_FPS = 10
THIN_BPS = 300_000
OUTAGE_S = 5.0
Looks = list[Look]  #: one page over time
Media = dict[str, tuple[Path, Path]]


@contextlib.asynccontextmanager
async def meeting(media: tuple[Path, Path], names: tuple[str, ...]) -> AsyncIterator[list[Person]]:
    """So many people who see each other, each behind a line of their own; the host is none of them."""
    with tempfile.TemporaryDirectory() as folder, Emulator() as emulator:
        server = browsers.Server(Path(folder))
        await server.start()
        try:
            async with browsers.browser(media) as chromium:
                made = await asyncio.to_thread(server.new_meeting)
                people = [await arrive(chromium, emulator, server, made, name) for name in names]
                await seen_by_all(people)
                yield people
        finally:
            await asyncio.to_thread(server.stop)
            errors = [line for line in server.log().splitlines() if " ERROR " in line or "Traceback" in line]
            if errors:
                print("\n".join(errors[:5]), file=sys.stderr)


async def watch(people: list[Person], seconds: float, period_s: float = PERIOD_S) -> list[Looks]:
    """Look at every page again and again; one list a page."""
    clock = asyncio.get_running_loop()
    end_s = clock.time() + seconds
    rounds = [[await person.look() for person in people]]
    while clock.time() < end_s:
        await asyncio.sleep(period_s)
        rounds.append([await person.look() for person in people])
    return [list(looks) for looks in zip(*rounds, strict=True)]


def layer_of(sender: Look, receiver: Look) -> str | None:
    """Which of the sender's pictures the receiver is shown, by its width."""
    width = receiver.video(sender.me, "frameWidth")
    cameras = [name for name in sender.sent if name.startswith("camera")]
    return next((name for name in cameras if sender.sent[name].get("frameWidth") == width), None)


def pairs(pages: list[Looks]) -> list[tuple[Looks, Looks]]:
    """Each (sender, receiver)."""
    return list(itertools.permutations(pages, 2))


def decoded_share(sender: Looks, receiver: Looks) -> dict[str, Any]:
    """Of the pictures sent in the layer that is shown, those decoded; from stretches in which the layer stays."""
    sent = decoded = switches = 0.0
    layers = [layer_of(there, here) for there, here in zip(sender, receiver, strict=True)]
    for (old_sender, new_sender), (old, new), (before, after) in zip(
        itertools.pairwise(sender), itertools.pairwise(receiver), itertools.pairwise(layers), strict=True
    ):
        switches += before != after
        if before is None or before != after:
            continue
        sent += new_sender.sent[before]["framesSent"] - old_sender.sent[before]["framesSent"]
        decoded += new.video(new_sender.me, "framesDecoded") - old.video(old_sender.me, "framesDecoded")
    share = decoded / sent if sent else 0.0
    return {
        "sent": int(sent),
        "share": round(share, 4),
        "layers": sorted({str(each) for each in layers}),
        "switches": int(switches),
    }


def freeze_share(sender: Looks, receiver: Looks) -> float:
    """Share of the time in which the picture stood still (by the browser's own measure)."""
    first, last = receiver[0], receiver[-1]
    frozen_s = last.video(sender[0].me, "totalFreezesDuration") - first.video(sender[0].me, "totalFreezesDuration")
    return round(frozen_s / (last.at_s - first.at_s), 4)


def concealed_share(sender: Looks, receiver: Looks) -> float:
    """Share of the sound that the browser had to make up."""
    who = sender[0].me
    more = {
        name: receiver[-1].audio(who, name) - receiver[0].audio(who, name)
        for name in ("concealedSamples", "totalSamplesReceived")
    }
    return round(more["concealedSamples"] / max(more["totalSamplesReceived"], 1), 4)


def fps(looks: Looks, who: str) -> list[float]:
    """Decoded pictures a second of someone between each look and the next."""
    return [
        (new.video(who, "framesDecoded") - old.video(who, "framesDecoded")) / (new.at_s - old.at_s)
        for old, new in itertools.pairwise(looks)
    ]


def received_bps(looks: Looks) -> float:
    first, last = looks[0], looks[-1]
    return (last.received_bytes() - first.received_bytes()) * 8 / (last.at_s - first.at_s)


def counts(people: list[Person]) -> list[dict[str, Any]]:
    """What the lines did, for the record."""
    return [{way: count._asdict() for way, count in person.line.counts.items()} for person in people]


NOTICE_S = 5.0  # until the loss is noticed and the players wait for repairs: their delay grows by some pictures once


async def lossy(people: list[Person], share: float, seconds: float) -> list[Looks]:
    """Random loss both ways for everyone."""
    await asyncio.sleep(WARM_UP_S)
    for person in people:
        person.line.change(up=Conditions(loss=share), down=Conditions(loss=share))
        await person.listen()
    await asyncio.sleep(NOTICE_S)
    return await watch(people, seconds)


async def loss5(media: Media, seconds: float) -> dict[str, Any]:
    """5 % each way: pictures decoded, freezes."""
    async with meeting(media["small"], NAMES[:2]) as people:
        pages = await lossy(people, 0.05, seconds)
        streams = [decoded_share(*pair) | {"frozen": freeze_share(*pair)} for pair in pairs(pages)]
        decoded, frozen = min(each["share"] for each in streams), max(each["frozen"] for each in streams)
        figures = {"decoded_min": decoded, "frozen_max": frozen, "streams": streams, "lines": counts(people)}
        return {"met": decoded >= 0.99 and frozen < 0.01, **figures}


async def loss20(media: Media, seconds: float) -> dict[str, Any]:
    """20 % each way: gaps in a tone, sound that was made up."""
    async with meeting(media["small"], NAMES[:2]) as people:
        pages = await lossy(people, 0.2, seconds)
        heard = [await person.gaps_s() for person in people]
        longest_s = max((gap for gaps in heard for each in gaps.values() for gap in each), default=0.0)
        return {
            "met": longest_s <= 0.2 and all(len(gaps) == len(people) - 1 for gaps in heard),
            "longest_gap_ms": round(longest_s * 1000),
            "gaps_over_20_ms": sum(gap > 0.02 for gaps in heard for each in gaps.values() for gap in each),
            "concealed": [concealed_share(*pair) for pair in pairs(pages)],
            "pictures": [decoded_share(*pair) | {"frozen": freeze_share(*pair)} for pair in pairs(pages)],
        }


def stable_after_s(looks: Looks, who: str) -> float | None:
    """How long after the first look a picture has come to stay: no freeze and enough pictures for STEADY_S."""
    rates, steady = fps(looks, who), [False] * (len(looks) - 1)
    for index, (old, new) in enumerate(itertools.pairwise(looks)):
        freezes = new.video(who, "freezeCount") - old.video(who, "freezeCount")
        steady[index] = freezes == 0 and rates[index] >= ENOUGH_FPS
    for index in range(len(steady)):
        until = [i for i in range(index, len(steady)) if looks[i].at_s < looks[index].at_s + STEADY_S]
        if looks[-1].at_s >= looks[index].at_s + STEADY_S and all(steady[i] for i in until):
            return round(looks[index].at_s - looks[0].at_s, 1)
    return None


async def throttle(media: Media, seconds: float) -> dict[str, Any]:
    """One of three gets a thin line down: how soon its picture is stable, and whether the others notice."""
    async with meeting(media["small"], NAMES) as people:
        await asyncio.sleep(WARM_UP_S)
        before = await watch(people, 12)
        people[0].line.change(down=Conditions(rate_bps=THIN_BPS))
        await people[0].listen()
        after = await watch(people, max(seconds, 24), 0.5)
        thin, rest = after[0], slice(len(after[0]) // 2, None)
        others = [look[0].me for look in after[1:]]
        changes = [
            received_bps(now[rest]) / received_bps(then) - 1 for now, then in zip(after[1:], before[1:], strict=True)
        ]
        gaps = [gap for each in (await people[0].gaps_s()).values() for gap in each]
        stable = [stable_after_s(thin, who) for who in others]
        soonest = min((each for each in stable if each is not None), default=None)
        unchanged = all(abs(change) <= 0.05 for change in changes)
        return {
            "met": soonest is not None and soonest <= 5 and unchanged and max(gaps, default=0.0) <= 0.2,
            "stable_after_s": stable,
            "fps": [round(sum(rates) / len(rates), 1) for who in others if (rates := fps(thin[rest], who))],
            "size": [[thin[-1].video(who, name) for name in ("frameWidth", "frameHeight")] for who in others],
            "freezes_s": [thin[-1].video(who, "totalFreezesDuration") for who in others],
            "received_bps": round(received_bps(thin[rest])),
            "others_before_bps": [round(received_bps(then)) for then in before[1:]],
            "others_change": [round(change, 3) for change in changes],
            "longest_gap_ms": round(1000 * max(gaps, default=0.0)),
            "concealed": [concealed_share(sender, thin) for sender in after[1:]],
            "lines": counts(people),
        }


async def full(media: Media, seconds: float) -> dict[str, Any]:
    """1280x720 stays 1280x720 where nothing is in the way."""
    async with meeting(media["large"], NAMES[:2]) as people:
        await people[1].page.get_by_test_id("toggle-camera").click()  # two cores do not encode 720p twice
        pages = await watch(people, max(seconds, 30))
        sender, receiver = pages
        sent = [look.sent["camera"].get("frameWidth", 0) for look in sender]
        got = [look.video(sender[0].me, "frameWidth") for look in receiver]
        late = [index for index, look in enumerate(sender) if look.at_s - sender[0].at_s >= STEADY_S]
        return {
            "met": {sent[i] for i in late} == {1280} and {got[i] for i in late} == {1280},
            "sent_widths": sorted(set(sent)),
            "received_widths": sorted(set(got)),
            "limited_by": sorted({look.sent["camera"].get("qualityLimitationReason", "") for look in sender}),
            "fps": round(sum(fps(receiver, sender[0].me)) / (len(receiver) - 1), 1),
            "sent_bps": [round(look.sent["camera"].get("targetBitrate", 0)) for look in sender][::5],
            "frozen": freeze_share(sender, receiver),
        }


async def decoding_again(receiver: Person, who: str, within_s: float) -> float | None:
    """Seconds until five more pictures of someone are decoded; None when they are not. Counters may begin anew."""
    clock = asyncio.get_running_loop()
    began_s, last, more = clock.time(), (await receiver.look()).video(who, "framesDecoded"), 0.0
    while clock.time() - began_s < within_s:
        now = (await receiver.look()).video(who, "framesDecoded")
        more, last = more + (now - last if now >= last else now), now
        if more >= 5:
            return round(clock.time() - began_s, 1)
        await asyncio.sleep(0.1)
    return None


async def heal(people: list[Person], within_s: float) -> list[float | None]:
    """Seconds until the first sees the second again, and the second the first."""
    ids = [(await person.look()).me for person in people]
    return list(
        await asyncio.gather(
            decoding_again(people[0], ids[1], within_s),
            decoding_again(people[1], ids[0], within_s),
        )
    )


async def standstill_s(receiver: Person, who: str, seconds: float) -> float:
    """The longest time without a new picture of someone."""
    clock = asyncio.get_running_loop()
    began_s = changed_s = clock.time()
    last, longest_s = -1.0, 0.0
    while clock.time() - began_s < seconds:
        now, now_s = (await receiver.look()).video(who, "framesDecoded"), clock.time()
        longest_s = max(longest_s, now_s - changed_s)
        if now != last:
            last, changed_s = now, now_s
        await asyncio.sleep(0.1)
    return round(longest_s, 1)


async def move(person: Person, other: Person, seconds: float) -> list[float]:
    """The person comes from another address; the longest standstill at his page and at the other's."""
    ids = [(await each.look()).me for each in (person, other)]
    person.line.change_address()
    return list(await asyncio.gather(standstill_s(person, ids[1], seconds), standstill_s(other, ids[0], seconds)))


async def outage(media: Media, seconds: float) -> dict[str, Any]:
    """Nothing passes for 5 s, as in a tunnel; then another address, as from one wireless network to another."""
    async with meeting(media["small"], NAMES[:2]) as people:
        await asyncio.sleep(WARM_UP_S)
        people[0].line.black_out(True)
        await asyncio.sleep(OUTAGE_S)
        people[0].line.black_out(False)
        healed = await heal(people, 30)
        await asyncio.sleep(WARM_UP_S)
        moved = await move(people[0], people[1], 20)
        left = [(await person.look()).left for person in people]
        within = [each is not None and each <= limit for all_, limit in ((healed, 10), (moved, 5)) for each in all_]
        return {"met": all(within) and not any(left), "healed_s": healed, "moved_s": moved, "left": left}


PARTS: dict[str, Callable[[Media, float], Awaitable[dict[str, Any]]]] = {
    "loss5": loss5, "loss20": loss20, "throttle": throttle, "full": full, "outage": outage,
}  # fmt: skip


def cpu_times_s() -> tuple[float, float]:
    """Busy and idle time of all processors since the machine began (Linux)."""
    fields = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return float(sum(fields) - idle), float(idle)


async def measured(part: str, media: Media, seconds: float) -> dict[str, Any]:
    """One part's figures, or what kept it from having any. Where the machine was busy, they say little."""
    busy, idle = cpu_times_s()
    try:
        figures = await PARTS[part](media, seconds)
    except (TimeoutError, ValueError, RuntimeError) as error:
        figures = {"met": False, "error": f"{type(error).__name__}: {error}"}
    now_busy, now_idle = cpu_times_s()
    return figures | {"machine_busy": round((now_busy - busy) / (now_busy - busy + now_idle - idle), 2)}


async def run(only: list[str], seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        media = {}
        for size, pixels in {"small": (640, 360), "large": (1280, 720)}.items():
            if size == "small" or "full" in only:
                folder = Path(name) / size
                folder.mkdir()
                media[size] = await asyncio.to_thread(browsers.make_media, folder, *pixels)
        figures = {}
        for part in only:
            figures[part] = await measured(part, media, seconds)
            print(part, json.dumps(figures[part]), flush=True)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="the parts to measure")
    parser.add_argument("--seconds", type=float, default=60, help="how long each part is measured")
    args = parser.parse_args()
    print(json.dumps(asyncio.run(run(args.only, args.seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
