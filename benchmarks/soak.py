"""Ten people for ten minutes: whether VMeet's memory grows, and what is left when everyone has gone.

    python benchmarks/soak.py --people 10 --minutes 10 --churn 20

Prints one JSON object as its last line. Everybody sends a 720p camera and a microphone to all others, out of the load
generator of forwarding.py. With ``--churn SECONDS`` somebody leaves and somebody new comes that often.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from forwarding import end_on_sigterm
from forwarding_figures import Layout
from forwarding_load import Load
from forwarding_network import family, place, split_cores, why_no_namespace
from forwarding_path import gather_only
from forwarding_server import FLOWING_S
from forwarding_vmeet import VMeet

SETTLED_S = 120.0  #: from here on memory should not grow
SAMPLE_S = 30.0
WINDOW_S = 5.0
GONE_S = 40.0  #: within this time nothing should be left of those who have gone
TASKS = "vmeet_tasks"


class Sample(NamedTuple):
    """What the server's process and its children hold; ``tasks`` is None where the server does not tell."""

    at_s: float
    rss_bytes: int
    descriptors: int
    threads: int
    tasks: float | None

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "at_s": round(self.at_s, 1)}


class Soak:
    """One run against one server."""

    def __init__(self, server: VMeet, load: Load, people: int, seconds: float, churn_s: float) -> None:
        self._server = server
        self._load = load
        self._people = people
        self._seconds = seconds
        self._churn_s = churn_s
        self._began_s = time.monotonic()
        self._next_index = people
        self.samples: list[Sample] = []
        self.came_and_went = 0

    async def sample(self) -> Sample:
        """Now."""
        tasks = None
        with contextlib.suppress(Exception):  # an older server has no metrics
            tasks = (await self._server.metrics()).get(TASKS)
        folders = [Path("/proc", str(pid)) for pid in family(self._server.process.pid)]
        pages = sum(int((folder / "statm").read_text().split()[1]) for folder in folders)
        return Sample(
            at_s=time.monotonic() - self._began_s,
            rss_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
            descriptors=sum(len(list((folder / "fd").iterdir())) for folder in folders),
            threads=sum(len(list((folder / "task").iterdir())) for folder in folders),
            tasks=tasks,
        )

    async def run(self, layout: Layout) -> dict[str, Any]:
        """The whole run; returns what the JSON holds."""
        before = await self._warm_up()
        self._began_s = time.monotonic()
        await self._server.connect(layout, self._load)
        await self._load.flowing(layout.receivers, FLOWING_S)
        await self._stay()
        await self._load.flowing(layout.receivers, FLOWING_S)
        figures = await self._server.measure(layout, self._load, WINDOW_S)
        end = await self.sample()
        for index in [person.index for person in self._load.receivers]:
            await self._leave(index)
        return self._result(end, before, await self._after(before)) | {"delivery_at_end": round(figures.delivery, 6)}

    async def _warm_up(self) -> Sample:
        """Two people come and go first: what is made once and kept is there before anything is compared."""
        layout = Layout.parse("2x2")
        await self._server.connect(layout, self._load)
        await self._load.flowing(layout.receivers, FLOWING_S)
        for index in range(layout.people):
            await self._leave(index)
        await asyncio.sleep(GONE_S / 2)
        return await self.sample()

    async def _stay(self) -> None:
        """Sample now and then; let people come and go."""
        sample_s = churn_s = time.monotonic()
        while (now_s := time.monotonic()) - self._began_s < self._seconds:
            if now_s >= sample_s:
                sample_s += SAMPLE_S
                self.samples.append(await self.sample())
                print(self.samples[-1], file=sys.stderr, flush=True)
            if self._churn_s and now_s - churn_s >= self._churn_s:
                churn_s = now_s
                await self._churn()
            await asyncio.sleep(0.2)

    async def _churn(self) -> None:
        await self._leave(min(person.index for person in self._load.receivers))
        await self._server.enter(self._next_index, self._people, self._load)
        self._next_index += 1
        self.came_and_went += 1

    async def _leave(self, index: int) -> None:
        await self._server.leave(index)
        await self._load.drop(index)

    async def _after(self, before: Sample) -> Sample:
        """As soon as nothing is left, or when it should have been."""
        deadline_s = time.monotonic() + GONE_S
        while True:
            sample = await self.sample()
            left = sample.descriptors > before.descriptors or sample.threads > before.threads
            if time.monotonic() > deadline_s or not (left or (sample.tasks or 0) > (before.tasks or 0)):
                return sample
            await asyncio.sleep(1)

    def _result(self, end: Sample, before: Sample, after: Sample) -> dict[str, Any]:
        settled = next((sample for sample in self.samples if sample.at_s >= SETTLED_S), self.samples[0])
        left = {name: getattr(after, name) - getattr(before, name) for name in ("descriptors", "threads")}
        if after.tasks is not None and before.tasks is not None:
            left["tasks"] = after.tasks - before.tasks
        return {
            "people": self._people,
            "minutes": round(self._seconds / 60, 2),
            "came_and_went": self.came_and_went,
            "settled": settled.as_json(),
            "end": end.as_json(),
            "rss_growth": round(end.rss_bytes / settled.rss_bytes - 1, 4),
            "before": before.as_json(),
            "after": after.as_json(),
            "left": left,
        }


async def run(args: argparse.Namespace) -> dict[str, Any]:
    end_on_sigterm()
    server_cores, own_cores = split_cores()
    if own_cores:
        os.sched_setaffinity(0, own_cores)
    with place(why_no_namespace() is None) as where, tempfile.TemporaryDirectory(prefix="vmeet-soak-") as folder:
        gather_only(where.own_address)
        server, load = VMeet(where, server_cores, Path(folder)), Load()
        try:
            await server.start()
            async with load.running():
                soak = Soak(server, load, args.people, args.minutes * 60, args.churn)
                return await soak.run(Layout.parse(f"{args.people}x{args.people}"))
        finally:
            await load.close()
            await server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10, help="how long they stay (default: 10)")
    parser.add_argument(
        "--churn", type=float, default=0, help="seconds between one leaving and another coming; 0: none"
    )
    try:
        found = asyncio.run(run(parser.parse_args()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("ended before it was done", file=sys.stderr)
        return 130
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
