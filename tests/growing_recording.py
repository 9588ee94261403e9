"""A recording of test steps that grows: the file ``parts`` says how much of it is there, ``hold-NAME`` holds a step."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from processes import appeared

from vmeet_core.pipeline.prepared import Prepared
from vmeet_core.pipeline.scheduler import Scheduler
from vmeet_core.pipeline.spec import Output, StepSpec
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.plugins import Registry
from vmeet_core.settings import Settings

MakeScheduler = Callable[..., Awaitable[tuple[Any, Any]]]
STEPS = """
import os, sys, time
from vmeet_core.pipeline.prepared import Prepared
from vmeet_core.timeline import Timeline

def _hold(work, name):
    (work.folder / f"pid-{name}").write_text(str(os.getpid()))
    (work.folder / f"began-{name}").touch()
    while (work.folder / f"hold-{name}").exists():
        if (work.folder / "spin").exists():
            sum(range(100_000))
        else:
            time.sleep(0.01)
    if (work.folder / f"fail-{name}").exists():
        raise RuntimeError(f"{name} fails")

def prepare(work):
    parts = int((work.folder / "parts").read_text())
    _hold(work, "prepare")
    timeline = Timeline(
        recording_id="r", title="", duration_s=float(parts), complete=work.params["complete"], people=()
    )
    work.outputs["prepared"].write_text(Prepared(timeline=timeline, canvas=None, digests={}).model_dump_json())

def make(work):
    name, lines = work.params["name"], work.params.get("lines", 3)
    for number in range(lines):
        sys.stderr.write(f"{name} says")
        sys.stderr.flush()
        time.sleep(0.002)
        sys.stderr.write(f" {number}\\n")
    _hold(work, name)
    parts = [path.read_text() for path in work.inputs.values()]
    with (work.folder / "made").open("a") as made:
        made.write(name + "\\n")
    work.outputs["out"].write_text(" ".join(parts) or work.params["text"])
"""


def first_step(complete: bool) -> StepSpec:
    """Of a recording that still runs, or has ended."""
    return StepSpec(
        name="prepare",
        title="Read the recording",
        function="growing_steps:prepare",
        version=1,
        params={"complete": complete},
        outputs={"prepared": Output(result="prepared", file="prepared.json")},
    )


def part(number: int, text: str) -> StepSpec:
    """One of a group."""
    name = f"layout:{number}"
    return StepSpec(
        name=name,
        title=f"Part {number}",
        function="growing_steps:make",
        version=1,
        params={"name": name, "text": text},
        outputs={"out": Output(result=f"picture:{number}", file=f"picture-{number}.txt")},
        group="layout",
        group_title="Layout and encode",
    )


def build_graph(prepared: Prepared, request: ProcessRequest, settings: Settings, registry: Registry) -> list[StepSpec]:
    """A part for each second, which depends on the denoiser, and at the end what joins them."""
    parts = [part(number, f"{number}{request.denoiser or ''}") for number in range(round(prepared.timeline.duration_s))]
    if not prepared.timeline.complete:
        return parts
    join = StepSpec(
        name="join",
        title="Join",
        function="growing_steps:make",
        version=1,
        params={"name": "join", "text": ""},
        inputs={str(number): f"picture:{number}" for number in range(len(parts))},
        outputs={"out": Output(result="video", file="video.txt")},
    )
    return [*parts, join]


class Stage:
    """A recording's folder, and a scheduler over it as a server starts it."""

    def __init__(self, folder: Path, make_scheduler: MakeScheduler, **given: Any) -> None:
        self.folder = folder
        folder.mkdir()
        self._make = make_scheduler
        self._given = {"first_step": first_step(True), "ahead_step": first_step(False), **given}
        self.scheduler: Scheduler
        self.watcher: Any = None
        self.parts(0)

    async def open(self) -> None:
        """Start a server."""
        self.scheduler, self.watcher = await self._make(**self._given)

    async def begin(self, parts: int, **request: Any) -> str:
        """The id of the job that works ahead."""
        self.parts(parts)
        return await self.scheduler.begin_ahead("r", self.folder, ProcessRequest(**request))

    def parts(self, number: int) -> None:
        (self.folder / "parts").write_text(str(number))

    def hold(self, name: str) -> None:
        (self.folder / f"hold-{name}").touch()

    def free(self, name: str) -> None:
        (self.folder / f"hold-{name}").unlink()

    async def began(self, name: str) -> int:
        """The process that runs the step."""
        path = self.folder / f"began-{name}"
        await appeared(path)
        path.unlink()
        return int((self.folder / f"pid-{name}").read_text())

    def made(self) -> list[str]:
        """The steps that have been run to their end, in their order; not ``prepare``."""
        path = self.folder / "made"
        return path.read_text().split() if path.exists() else []

    async def until_parts(self, done: int) -> JobView:
        """Until so many parts are done in all."""
        view: JobView = await self.watcher.until(
            lambda job: any(step.name == "layout" and step.parts_done == done for step in job.steps)
        )
        return view

    async def job(self) -> JobView:
        """The only one."""
        (job,) = await self.scheduler.jobs("r")
        return job

    def left(self, job_id: str) -> set[str]:
        """The files among the results."""
        return {path.name for path in (self.folder / "results" / job_id).iterdir()}

    async def settled(self) -> None:
        """Until nothing runs any more."""
        while runs := list(self.scheduler._runs.values()):
            await asyncio.wait(runs)
