"""What a live filter costs: pictures a second of one core, the mask alone, and what the whole live path adds.

    python benchmarks/filter.py [--clip FILE] [--rounds 3] [--seconds 10] [--core 0] [--realtime]

Wants the plugin vmeet-pointrend. One JSON object is the last line. The times of one core are CPU times, so that other
work on the machine counts less; ``fps_one_core_wall`` is by the clock. docs/benchmarks.md says what each figure means.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filter_clip import FPS, again, drawn, encoded, filmed
from vmeet_pointrend import MODEL, PointRendProvider
from vmeet_pointrend.engine import PointRendEngine
from vmeet_pointrend.network import Network

from vmeet_core.builtin import BrightnessProvider
from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.seam import Mask
from vmeet_core.hookspecs import Frame, FrameStream, Options
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.picture_track import Filter, PictureTrack, Size
from vmeet_core.live.pool import LivePool, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.settings import load_settings
from vmeet_core.weights import WeightStore

SIZES = (Size(180, 100_000), Size(0, 1_800_000))  #: what a page sends, and what the worker makes of it
WARM_UP = 30  # frames that are not counted
Clock = Callable[[], float]
Chain = tuple[tuple[str, dict[str, Any]], ...]
CHAINS: dict[str, Chain] = {"no_filter": (), "blur": (("pointrend", {}),)}


class TimedFinder:
    """The network, and how long each mask took, in CPU seconds."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.seconds: list[float] = []

    def mask(self, frame: Frame) -> Mask:
        started_s = time.thread_time()
        mask = self._network.mask(frame)
        self.seconds.append(time.thread_time() - started_s)
        return mask


class TimedStream(FrameStream):
    """A filter, and how long each picture took, in CPU seconds."""

    def __init__(self, stream: FrameStream) -> None:
        self._stream = stream
        self.seconds: list[float] = []

    def process(self, frame: Frame, pts_s: float) -> Frame:
        started_s = time.thread_time()
        out = self._stream.process(frame, pts_s)
        self.seconds.append(time.thread_time() - started_s)
        return out


class Run(NamedTuple):
    """Of one pass through a track."""

    cpu_ms: float
    wall_ms: float


# ---- one core ----


@contextmanager
def one_core(core: int) -> Iterator[None]:
    """This process runs on one core alone, where the system has such a thing."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def passed(frames: Sequence[LiveFrame], filters: Sequence[Filter], sizes: Sequence[Size]) -> Run:
    """Means of a picture: decoded, filtered, encoded in ``sizes``."""
    track = PictureTrack(filters, sizes, 1, lambda: None)
    source = again(list(frames))
    for _ in range(WARM_UP):
        track.process(next(source))
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    for _ in range(len(frames)):
        if len(track.process(next(source))) != len(sizes):
            raise RuntimeError("a picture was left out")
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    track.close()
    return Run(1000 * cpu_s / len(frames), 1000 * wall_s / len(frames))


def on_one_core(frames: Sequence[LiveFrame], rounds: int) -> dict[str, Any]:
    """Of several rounds the fastest counts, since other work on the machine only adds."""
    provider, brightness = PointRendProvider(), BrightnessProvider().load(Options(), None)  # type: ignore[arg-type]
    store = WeightStore(Path("weights"), offline=True)
    finder = TimedFinder(Network(store.path(MODEL), threads=1))
    engine = PointRendEngine(finder)
    streams: list[TimedStream] = []

    def blur() -> list[Filter]:
        streams.append(TimedStream(engine.open(EffectOptions())))
        return [Filter(provider.name, streams[-1])]

    def both() -> list[Filter]:
        return [Filter("brightness", brightness.open(BrightnessProvider.options())), *blur()]

    def best(filters: Callable[[], list[Filter]], sizes: Sequence[Size] = SIZES) -> Run:
        runs = [passed(frames, filters(), sizes) for _ in range(rounds)]
        return Run(min(run.cpu_ms for run in runs), min(run.wall_ms for run in runs))

    whole, large, lit, bare = best(blur), best(blur, SIZES[1:]), best(both), best(list)
    return {
        "fps_one_core": round(1000 / whole.cpu_ms, 1),
        "mask_ms": median_ms(finder.seconds),
        "fps_one_core_wall": round(1000 / whole.wall_ms, 1),
        "fps_large_only": round(1000 / large.cpu_ms, 1),
        "fps_with_brightness": round(1000 / lit.cpu_ms, 1),
        "fps_no_filter": round(1000 / bare.cpu_ms, 1),
        "filter_ms": median_ms([each for stream in streams for each in stream.seconds]),
    }


def median_ms(seconds: Sequence[float]) -> float:
    return round(1000 * float(np.median(seconds)), 2)


# ---- the whole live path ----


class Stopwatch(TrackEvents):
    """Notes how long after its encoded frame was handed over each picture came back, the large one, which is the last.

    What was handed over before ``since_s`` (monotonic) does not count.
    """

    def __init__(self, since_s: float) -> None:
        self.seconds: list[float] = []
        self._since_s = since_s
        self.failure = ""

    def frame(self, frame: LiveFrame) -> None:
        if frame.size == len(SIZES) - 1 and frame.sent_s >= self._since_s:
            self.seconds.append(time.monotonic() - frame.sent_s)

    def failed(self, filter_name: str, reason: str) -> None:
        self.failure = f"{filter_name}: {reason}"


async def latencies_s(pool: LivePool, frames: list[LiveFrame], chain: Chain, seconds: float) -> list[float]:
    """Of a camera in real time, through a worker process, without the first second."""
    started_s = time.monotonic()
    watch = Stopwatch(started_s + 1)
    track = pool.open(Track(chain, SIZES, 1), watch)
    source, count = again(frames), int((seconds + 1) * FPS)
    for number in range(count):
        await asyncio.sleep(max(0.0, started_s + number / FPS - time.monotonic()))
        track.frame(next(source))
    await asyncio.sleep(0.5)
    pool.close_track(track)
    if watch.failure or not watch.seconds:
        raise RuntimeError(watch.failure or "no picture came back")
    return watch.seconds


async def on_the_path(frames: list[LiveFrame], rounds: int, seconds: float) -> dict[str, Any]:
    """The filter and no filter in turns, each in the same worker; of several rounds the least counts."""
    pool = LivePool(load_settings(None, {}), ["pointrend"])
    await pool.start()
    found: dict[str, list[list[float]]] = {name: [] for name in CHAINS}
    try:
        for _ in range(rounds):
            for name, chain in CHAINS.items():
                found[name].append(await latencies_s(pool, frames, chain, seconds))
    finally:
        await pool.close()

    def least_ms(name: str, percent: float) -> float:
        return round(1000 * min(float(np.percentile(each, percent)) for each in found[name]), 1)

    return {
        "added_p95_ms": least_ms("blur", 95),
        "added_p50_ms": least_ms("blur", 50),
        "no_filter_p95_ms": least_ms("no_filter", 95),
        "no_filter_p50_ms": least_ms("no_filter", 50),
        "p95_ratio": round(least_ms("blur", 95) / least_ms("no_filter", 95), 2),
        "delivered": round(min(1.0, sum(map(len, found["blur"])) / (rounds * seconds * FPS)), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="a film of somebody; without one, somebody is drawn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="of each real-time run")
    parser.add_argument("--core", type=int, default=0, help="which one, for the figures of one core")
    parser.add_argument("--realtime", action="store_true", help="before all other work of the machine (Linux, root)")
    given = parser.parse_args()
    if given.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))  # the workers inherit it
    frames = encoded(filmed(given.clip) if given.clip else drawn())
    with one_core(given.core):
        results = on_one_core(frames, given.rounds)
    results |= asyncio.run(on_the_path(frames, given.rounds, given.seconds))
    results["load"] = round(os.getloadavg()[0], 1)
    for name, value in results.items():
        print(f"{name:22} {value:8}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
