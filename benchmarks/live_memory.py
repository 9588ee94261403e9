"""Whether the memory of a worker grows while video of changing sizes goes through a filter.

    python benchmarks/live_memory.py --minutes 30

As fast as the worker can, or with ``--real-time`` at 30 pictures a second. Every sixth size the track is closed and
opened anew. Growth is from minute 2 on. Prints one JSON object as its last line. Linux only.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from live_clips import FPS, Camera, encode

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.worker import Events, LiveWorker, Track
from vmeet_core.settings import load_settings

SIZES_PX = ((1280, 720), (640, 360), (360, 640), (960, 540), (320, 180), (720, 1280))
SIZES = ((180, 100_000), (0, 1_800_000))
CHANGE_EVERY = 90  #: pictures
PATIENCE_S = 2.0  #: a picture that has not come back by then never will
MAX_LOST = 10
SAMPLE_S = 5.0
SETTLED_S = 120.0
MB = 1 << 20


class Sample(NamedTuple):
    """``uss_bytes``: what would be free if it ended."""

    at_s: float
    rss_bytes: int
    uss_bytes: int


def sample(pid: int, began_s: float) -> Sample:
    """Of a process, now."""
    kilobytes: dict[str, int] = {}
    for line in Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        kilobytes[name.rstrip(":")] = int(value)
    own = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return Sample(time.monotonic() - began_s, kilobytes["Rss"] << 10, own << 10)


class Run(Events):
    """One worker, one track at a time."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._worker = LiveWorker(self)
        self._clips = [encode(*size) for size in SIZES_PX]
        self._camera = Camera(self._clips[0])
        self._answered = asyncio.Event()
        self._track = 0
        self.samples: list[Sample] = []
        self.came = self.lost = 0
        self.failure = ""

    def frame(self, track: int, frame: LiveFrame) -> None:
        if frame.size == len(SIZES) - 1:
            self.came += 1
            self._answered.set()

    def keyframe_wanted(self, track: int) -> None:
        self._camera.start_anew()

    def fault(self, track: int, filter_name: str, text: str) -> None:
        self.failure = text

    def dead(self, reason: str) -> None:
        self.failure = reason

    async def run(self) -> dict[str, Any]:
        """For so many minutes; returns what the JSON holds."""
        await self._worker.start()
        try:
            await self._worker.load(load_settings(self._args.settings, {}), [self._args.filter])
            began_s = time.monotonic()
            watching = asyncio.create_task(self._watch(began_s))
            await self._send(began_s + 60 * self._args.minutes)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        finally:
            await self._worker.close()
        return self._result()

    async def _send(self, until_s: float) -> None:
        changes, due_s = 0, time.monotonic()
        while time.monotonic() < until_s:
            self._camera.change(self._clips[changes % len(self._clips)])
            if changes % len(self._clips) == 0:
                self._open_anew()
            changes += 1
            for _ in range(CHANGE_EVERY):
                await self._hand_over()
                if self._args.real_time:
                    due_s += 1 / FPS
                    await asyncio.sleep(due_s - time.monotonic())

    async def _hand_over(self) -> None:
        """One at a time: what waits behind another one would be left out."""
        self._answered.clear()
        if not self._worker.frame(self._track, self._camera.frame()):
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._answered.wait()
        except TimeoutError:
            self.lost += 1
            if self.failure or self.lost > MAX_LOST:
                raise RuntimeError(self.failure or "pictures do not come back") from None

    def _open_anew(self) -> None:
        self._worker.close_track(self._track)
        self._track += 1
        self._worker.open(self._track, Track(((self._args.filter, {}),), SIZES))

    async def _watch(self, began_s: float) -> None:
        process = self._worker.process_id
        while True:
            await asyncio.sleep(SAMPLE_S)
            self.samples.append(sample(process, began_s))
            now = self.samples[-1]
            print(f"{now.at_s:7.1f} s  RSS {now.rss_bytes / MB:7.1f} MB  USS {now.uss_bytes / MB:7.1f} MB  "
                  f"{self.came} pictures", file=sys.stderr, flush=True)  # fmt: skip

    def _result(self) -> dict[str, Any]:
        """Medians of a minute each, since memory goes up and down with the size of the picture."""
        settled = [each for each in self.samples if SETTLED_S <= each.at_s < SETTLED_S + 60] or self.samples[:1]
        last = [each for each in self.samples if each.at_s >= self.samples[-1].at_s - 60]
        found: dict[str, Any] = {
            "filter": self._args.filter,
            "minutes": self._args.minutes,
            "video_minutes": round(self.came / FPS / 60, 1),
            "tracks": self._track,
            "lost": self.lost,
        }
        for name in ("rss_bytes", "uss_bytes"):
            before, after = (float(np.median([getattr(each, name) for each in part])) for part in (settled, last))
            label = name.removesuffix("_bytes")
            found[f"{label}_settled_mb"], found[f"{label}_end_mb"] = round(before / MB, 1), round(after / MB, 1)
            found[f"{label}_growth"] = round(after / before - 1, 4)
        return found


async def run(args: argparse.Namespace) -> dict[str, Any]:
    return await Run(args).run()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--filter", default="brightness", help="a frame filter that is installed")
    parser.add_argument("--real-time", action="store_true", help="30 pictures a second, not as many as can be")
    parser.add_argument("--settings", type=Path, help="a vmeet.toml, for filters that need settings or weights")
    print(json.dumps(asyncio.run(run(parser.parse_args()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
