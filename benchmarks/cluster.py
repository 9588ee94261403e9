"""How much faster two Dask workers are than one, and what is lost when one of them is killed.

    python benchmarks/cluster.py                          # the bar: ten minutes, four people, DTLN
    python benchmarks/cluster.py --kill                   # and once more with two, one of them killed half-way
    python benchmarks/cluster.py --minutes 0.5 --denoiser none    # in little time

The recording of four people is that of ``step_memory``. A scheduler and workers are started by their own commands on
loopback; a worker has one thread and keeps to one core. Each run begins with a fresh database and no results. Prints a
JSON object as its last line: ``{"minutes", "one_worker_s", "two_workers_s", "speedup", "killed_s", "killed_lost"}``.
``killed_lost`` is how many results of the undisturbed runs are absent after the kill, or not as long; null without
``--kill``.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from dask_processes import DaskProcesses
from step_memory import camera_size, say, write_recording

from vmeet_core.database import Database, sqlite_address
from vmeet_core.media.probe import probe
from vmeet_core.pipeline.executors.dask_executor import DaskExecutor
from vmeet_core.pipeline.scheduler import Scheduler
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.plugins import Registry, discover
from vmeet_core.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]
START_S = 120.0  #: what workers take at most to be there
LENGTH_S = 0.1  #: results whose lengths differ by more are not the same
KILL_AT = 0.5  #: of the work
ENDED = ("done", "failed", "cancelled")


def of(settings: Settings, address: str) -> Settings:
    update = {"executor": "dask", "dask_scheduler": address}
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update=update)})


async def workers_there(settings: Settings, count: int) -> None:
    """A job must not begin with fewer workers than it is measured with."""
    news = asyncio.Event()
    executor = DaskExecutor(settings)
    executor.start(news.set)
    try:
        async with asyncio.timeout(START_S):
            while executor.limits.cpu < count or executor.limits.memory_bytes == 1 << 62:
                await news.wait()
                news.clear()
    finally:
        await executor.close()


async def job(
    folder: Path, settings: Settings, registry: Registry, request: ProcessRequest, on_half: Callable[[], None]
) -> tuple[float, JobView]:
    """Seconds from the submission to the end, and the job. ``on_half`` is called once, half-way."""
    ended: asyncio.Future[JobView] = asyncio.get_running_loop().create_future()
    told = False

    def on_change(view: JobView) -> None:
        nonlocal told
        if len(view.steps) > 1 and not told and share(view) > KILL_AT and view.state == "running":
            told = True
            on_half()
        if view.state in ENDED and not ended.done():
            ended.set_result(view)

    database = await Database.open(sqlite_address(folder / "state.sqlite3"))
    scheduler = Scheduler(database, settings, on_change, registry=registry)
    try:
        began_s = time.monotonic()
        await scheduler.submit("r", folder, request)
        view = await ended
        return time.monotonic() - began_s, view
    finally:
        await scheduler.close()
        await database.close()


def share(view: JobView) -> float:
    return sum(step.progress for step in view.steps) / len(view.steps)


def kill_a_worker(nannies: list[subprocess.Popen[bytes]]) -> None:
    """One that runs a step, which it takes along; its nanny starts another one. Raises RuntimeError when none does."""
    below = [child for nanny in nannies for child in psutil.Process(nanny.pid).children(recursive=True)]
    step = next((child for child in below if "vmeet_core.pipeline.child" in child.cmdline()), None)
    if step is None:
        raise RuntimeError("no worker runs a step half-way: nothing could be killed")
    os.kill(step.ppid(), signal.SIGKILL)
    say(f"killed the worker {step.ppid()}, and with it its step")


def run_once(
    recording: Path, work: Path, count: int, settings_file: Path, request: ProcessRequest, kill: bool
) -> tuple[float, dict[str, float]]:
    """Seconds, and how long each result is. Raises RuntimeError when the job does not get done."""
    folder = work / "recording"
    shutil.copytree(recording, folder, copy_function=os.link)
    (work / "dask").mkdir()
    processes = DaskProcesses(work / "dask", {"VMEET_SETTINGS": str(settings_file.absolute())})
    settings = of(load_settings(settings_file, {}), processes.address)
    try:
        processes.start_scheduler()
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
        nannies = [processes.start_worker(core=cores[number % len(cores)]) for number in range(count)]
        asyncio.run(workers_there(settings, count))
        on_half = (lambda: kill_a_worker(nannies)) if kill else (lambda: None)
        seconds, view = asyncio.run(job(folder, settings, discover(), request, on_half))
    finally:
        processes.end_all()
    if view.state != "done":
        raise RuntimeError("; ".join(f"{step.name}: {step.error}" for step in view.steps if step.error))
    for step in view.steps:
        say(f"    {step.name}: {step.seconds} s, tries that failed: {step.attempts}")
    return seconds, {name: length_s(folder / path) for name, path in view.results.items()}


def length_s(path: Path) -> float:
    """Of media; of anything else, its size."""
    if path.suffix in (".mp4", ".m4a", ".flac"):
        return probe(path).duration_s
    return float(path.stat().st_size)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    request = ProcessRequest(denoiser=None if args.denoiser == "none" else args.denoiser, layout=args.layout)
    with tempfile.TemporaryDirectory(dir=args.work) as temporary:
        work = Path(temporary)
        write_recording(work / "recorded", args.minutes * 60, args.camera)
        found = {}
        for name, count, kill in (("one", 1, False), ("two", 2, False), *([("killed", 2, True)] if args.kill else [])):
            (work / name).mkdir()
            found[name] = run_once(work / "recorded", work / name, count, args.settings, request, kill)
            say(f"{name}: {found[name][0]:.1f} s")
    whole = found["one"][1]
    after = found["killed"][1] if args.kill else None
    return {
        "minutes": args.minutes,
        "one_worker_s": round(found["one"][0], 1),
        "two_workers_s": round(found["two"][0], 1),
        "speedup": round(found["one"][0] / found["two"][0], 2),
        "killed_s": round(found["killed"][0], 1) if args.kill else None,
        "killed_lost": None if after is None else lost(whole, after),
    }


def lost(whole: dict[str, float], after: dict[str, float]) -> int:
    """How many results are absent, or not as long."""
    return sum(name not in after or abs(after[name] - length) > LENGTH_S for name, length in whole.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="how long the recording is")
    parser.add_argument("--camera", type=camera_size, default=(640, 360), help="the size of the cameras, WxH")
    parser.add_argument("--layout", choices=["grid", "speaker"], default="grid")
    parser.add_argument("--denoiser", default="dtln", help='a denoiser that is installed, or "none" (default: dtln)')
    parser.add_argument("--settings", type=Path, default=ROOT / "vmeet.example.toml", help="of server and workers")
    parser.add_argument("--kill", action="store_true", help="once more with two workers, one killed half-way")
    parser.add_argument("--work", type=Path, help="a folder with room for the recordings")
    print(json.dumps(measure(parser.parse_args())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
