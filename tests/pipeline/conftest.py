"""Recordings, settings and denoisers for the tests of the pipeline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from denoiser_kinds import PROVIDERS
from material import RecordingMaker
from transcriber_kinds import TRANSCRIBERS

from vmeet_core.database import Database
from vmeet_core.pipeline.backoff import Backoff
from vmeet_core.pipeline.scheduler import Scheduler
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.views import JobView
from vmeet_core.plugins import Registry, discover
from vmeet_core.settings import Settings, load_settings

#: Denoisers that halve the sound, each with another fault. ``folder`` is where they leave traces.
DENOISERS = """
import os, sys, time
from pathlib import Path
from vmeet_core.hookspecs import DenoiserStream, Options, Permanent, Retryable

KINDS = ("half", "slow", "flaky", "busy", "broken", "hopeless", "dying", "shaky", "greedy", "roomless")

class FakeOptions(Options):
    gain: float = 0.5
    folder: str = ""

class Stream(DenoiserStream):
    def __init__(self, options, kind):
        self.options, self.kind = options, kind
    def process(self, audio):
        print("a plugin that prints")
        folder = Path(self.options.folder)
        if self.kind == "slow":
            (folder / "pid").write_text(str(os.getpid()))
            (folder / "started").touch()
            while not (folder / "go").exists():
                time.sleep(0.02)
        if self.kind == "flaky":
            tries = folder / "tries"
            count = len(tries.read_text()) if tries.exists() else 0
            tries.write_text("x" * (count + 1))
            if count < 2:
                raise Retryable("the quota is spent", after_s=0.05)
        if self.kind == "busy":
            raise Retryable("the quota is spent", after_s=0.01)
        if self.kind == "broken":
            print("about to fail", file=sys.stderr)
            raise RuntimeError("the model exploded")
        if self.kind == "hopeless":
            raise Permanent("this sound cannot be cleaned")
        if self.kind == "dying":
            os.kill(os.getpid(), 9)
        if self.kind == "shaky":
            with (folder / "tries").open("a") as tries:
                tries.write("x")
            if len((folder / "tries").read_text()) == 1:
                (folder / "started").touch()
                os.kill(os.getpid(), 11)
        if self.kind == "roomless":
            with (folder / "tries").open("a") as tries:
                tries.write("x")
            if not (folder / "room").exists():
                Path("/dev/full").open("wb", buffering=0).write(b"x")
        if self.kind == "greedy":
            taken = []
            while True:
                taken.append(bytearray(b"x" * 20_000_000))
                time.sleep(0.02)
        return audio * self.options.gain
"""


@pytest.fixture
def recording(tmp_path: Path) -> RecordingMaker:
    return RecordingMaker(tmp_path / "recording")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    defaults = load_settings(None, {})
    return defaults.model_copy(update={"pipeline": defaults.pipeline.model_copy(update={"workers": 2})})


@pytest.fixture
def registry(use_plugin: Callable[[str, str], None]) -> Registry:
    """With the denoisers above installed, and a transcriber, for this process and the steps'."""
    use_plugin("fake-denoisers", DENOISERS + PROVIDERS)
    use_plugin("fake-transcribers", TRANSCRIBERS)
    return discover()


@pytest.fixture
def make_work(tmp_path: Path, settings: Settings) -> Callable[..., Work]:
    """``make_work(folder, params, inputs, outputs)``: what a step's function gets; progress must only rise."""

    def make(folder: Path, params: Any, inputs: dict[str, Path], outputs: dict[str, Path]) -> Work:
        last = 0.0

        def progress(share: float) -> None:
            nonlocal last
            assert last <= share <= 1
            last = share

        data = params.model_dump(mode="json") if params else {}
        return Work(folder, data, inputs, outputs, tmp_path, settings, 1, progress)

    return make


class Watcher:
    """Collects what a scheduler tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.views: list[JobView] = []
        self._news = asyncio.Event()

    def __call__(self, job: JobView) -> None:
        self.views.append(job)
        self._news.set()

    async def until(self, condition: Callable[[JobView], bool]) -> JobView:
        """The first view, old or new, that fits."""
        seen = 0
        while True:
            for view in self.views[seen:]:
                seen += 1
                if condition(view):
                    return view
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 60)

    async def ended(self, job_id: str) -> JobView:
        return await self.until(lambda job: job.id == job_id and job.state in ("done", "failed", "cancelled"))


MakeScheduler = Callable[..., Awaitable[tuple[Scheduler, Watcher]]]


@pytest.fixture
async def make_scheduler(tmp_path: Path, settings: Settings, registry: Registry) -> AsyncIterator[MakeScheduler]:
    """``await make_scheduler()``: a scheduler as a server starts it, over the same database each time."""
    opened: list[tuple[Scheduler, Database]] = []

    async def make(**given: Any) -> tuple[Scheduler, Watcher]:
        database = await Database.open(given.pop("address", tmp_path / "state.sqlite3"))
        watcher = Watcher()
        given = {"backoff": Backoff(first_s=0.05), **given}
        scheduler = Scheduler(database, given.pop("settings", settings), watcher, **{"registry": registry, **given})
        opened.append((scheduler, database))
        await scheduler.start()
        return scheduler, watcher

    yield make
    for scheduler, database in opened:
        await scheduler.close()
        await database.close()
