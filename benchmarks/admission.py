"""What a few workers do when one after another comes with a filtered 720p camera: who gets what, and how fast it is.

    python benchmarks/admission.py [--workers 2] [--filter brightness] [--publishers 1,2,3,4,5]

Prints one JSON object as its last line.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from live_clips import FPS, Camera, Coded, encode

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import LivePool, LiveTrack, NoRoom, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.settings import Settings, load_settings

WIDTH_PX, HEIGHT_PX = 1280, 720
SIZES = ((180, 100_000), (0, 1_800_000))
COME_S = 1.0  #: between two that come
SETTLE_S = 3.0


class Publisher(TrackEvents):
    """Sends its camera in real time, and notes what comes back of the large size."""

    def __init__(self, pool: LivePool, name: str, clip: list[Coded]) -> None:
        self.track: LiveTrack | None = None
        self.arrived: list[tuple[float, float]] = []  # when, and how late
        self.size_px = (0, 0)
        self.changes = 0
        self.failure = ""
        self._camera = Camera(clip)
        self._sent_s: dict[int, float] = {}
        try:
            self.track = pool.open(Track(((name, {}),), SIZES), self)
        except NoRoom as error:
            self.failure = str(error)
        self._task = asyncio.create_task(self._send())

    def frame(self, frame: LiveFrame) -> None:
        if frame.size != len(SIZES) - 1:
            return
        now_s = time.monotonic()
        self.arrived.append((now_s, now_s - self._sent_s.get(frame.rtp_timestamp, now_s)))
        if frame.keyframe:  # VP8's head tells the size
            head = frame.data[6:10]
            self.size_px = int.from_bytes(head[:2], "little"), int.from_bytes(head[2:], "little")

    def keyframe_wanted(self) -> None:
        self._camera.start_anew()

    def limited(self, reduced: bool) -> None:
        self.changes += 1

    def failed(self, filter_name: str, reason: str) -> None:
        self.track, self.failure = None, f"{filter_name}: {reason}"

    async def _send(self) -> None:
        due_s = time.monotonic()
        while self.track is not None:
            frame = self._camera.frame()
            self._sent_s[frame.rtp_timestamp] = time.monotonic()
            self.track.frame(frame)
            due_s += 1 / FPS
            await asyncio.sleep(due_s - time.monotonic())

    def figures(self, since_s: float, until_s: float) -> dict[str, Any]:
        """Of the time between."""
        if self.track is None:
            return {"state": "refused", "why": self.failure}
        late_ms = [1000 * late_s for at_s, late_s in self.arrived if since_s <= at_s < until_s]
        p50, p95 = np.percentile(late_ms, [50, 95]) if late_ms else (0, 0)
        return {
            "state": "reduced" if self.track.reduced else "full",
            "size": "x".join(map(str, self.size_px)),
            "fps": round(len(late_ms) / (until_s - since_s), 2),
            "latency_p50_ms": round(float(p50), 1),
            "latency_p95_ms": round(float(p95), 1),
            "changes": self.changes,
        }

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def measure(settings: Settings, args: argparse.Namespace, clip: list[Coded], count: int) -> dict[str, Any]:
    """One after the other comes; then all of them are watched for a while."""
    pool = LivePool(settings, [args.filter], workers=args.workers)
    await pool.start()
    people: list[Publisher] = []
    try:
        for _ in range(count):
            people.append(Publisher(pool, args.filter, clip))
            await asyncio.sleep(COME_S)
        await asyncio.sleep(SETTLE_S)
        since_s = time.monotonic()
        await asyncio.sleep(args.seconds)
        until_s = time.monotonic()
        found = [person.figures(since_s, until_s) for person in people]
        room = pool.room
        cost = pool.cost(Track(((args.filter, {}),), SIZES))
    finally:
        for person in people:
            await person.stop()
        await pool.close()
    for number, each in enumerate(found, 1):
        print(f"{count} publishers, number {number}: {each}", file=sys.stderr, flush=True)
    return {"tracks": found, "used": round(room.used, 3), "cost": [round(share, 3) for share in cost]}


async def run(args: argparse.Namespace) -> dict[str, Any]:
    settings = load_settings(args.settings, {})
    clip = encode(WIDTH_PX, HEIGHT_PX, args.video)
    counts = [int(text) for text in args.publishers.split(",")]
    runs = {str(count): await measure(settings, args, clip, count) for count in counts}
    first_two = [each["fps"] for found in runs.values() for each in found["tracks"][:2] if each["state"] == "full"]
    return {
        "filter": args.filter,
        "workers": args.workers,
        "first_two_least_fps": min(first_two, default=None),
        "publishers": runs,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--filter", default="brightness", help="a frame filter that is installed")
    parser.add_argument("--publishers", default="1,2,3,4,5", help="how many, with commas: each is a run of its own")
    parser.add_argument("--seconds", type=float, default=8, help="length of the measured window")
    parser.add_argument("--video", type=Path, help="what the cameras see; otherwise something made up")
    parser.add_argument("--settings", type=Path, help="a vmeet.toml, for filters that need settings or weights")
    print(json.dumps(asyncio.run(run(parser.parse_args()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
