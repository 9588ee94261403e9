"""Runs jobs: at most ``pipeline.workers`` steps at once, the oldest job first, each step in a process of its own.

Nothing polls: whatever may make a step ready (a submission, an end, a timer) leads to ``_dispatch``. A step is done
when its row says so; everything that was not done when the server ended is run again by the next one.
"""

import asyncio
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from vmeet_core.database import Database
from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline import graph
from vmeet_core.pipeline.job import Job, Step
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.notifier import Notifier
from vmeet_core.pipeline.prepared import Prepared
from vmeet_core.pipeline.process import StepFailed, run_process
from vmeet_core.pipeline.spec import StepSpec, keyed
from vmeet_core.pipeline.steps import prepare
from vmeet_core.pipeline.store import JobStore
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.plugins import Registry, discover
from vmeet_core.settings import Settings

RESULTS = "results"  #: the folder of all jobs' results, inside the recording's
MAX_ATTEMPTS = 3
MAX_WAIT_S = 600.0
_log = logging.getLogger(__name__)


class UnknownJob(LookupError):
    """There is no job of this id."""


class Scheduler:
    """The pipeline as the server sees it. ``on_change`` is called in the event loop for every visible change.

    ``registry`` defaults to what is installed; ``first_step`` is what every job begins with.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        on_change: Callable[[JobView], None],
        *,
        registry: Registry | None = None,
        first_step: StepSpec | None = None,
    ) -> None:
        self._store = JobStore(database)
        self._settings = settings
        self._registry = registry
        self._first_step = first_step or graph.prepare_recording()
        self._notifier = Notifier(on_change)
        self._active: dict[str, Job] = {}
        self._runs: dict[tuple[str, str], asyncio.Task[None]] = {}  #: by job and step name
        self._processes: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._closing = False

    async def start(self) -> None:
        """Go on with what was queued or running when the server ended."""
        for job in await self._store.unfinished():
            for step in job.steps:
                if step.state == "running":
                    step.reset()
            self._active[job.id] = job
        self._dispatch()

    async def close(self) -> None:
        """End all processes; the jobs go on at the next start. Twice does no harm."""
        self._closing = True
        for timer in self._timers:
            timer.cancel()
        await self._stop(list(self._runs))
        self._notifier.close()

    async def submit(
        self, recording_id: str, folder: Path, request: ProcessRequest, first_step: StepSpec | None = None
    ) -> str:
        """A new job on the recording in ``folder``; its id. Raises Permanent for a request that cannot be met.

        ``first_step`` is what this one begins with, where that is not what every job begins with.
        """
        graph.check_request(request, self._settings, await self._plugins())
        job = self._new_job(recording_id, folder, request, first_step or self._first_step)
        await self._store.save(job)
        self._active[job.id] = job
        self._notifier.now(job)
        self._dispatch()
        return job.id

    async def cancel(self, job_id: str) -> None:
        """End its processes; what is done stays. Nothing happens to a job that has ended. Raises UnknownJob."""
        job = await self._job(job_id)
        if not job.is_active:
            return
        job.cancel()
        await self._stop([run for run in self._runs if run[0] == job_id])
        self._active.pop(job_id, None)
        await self._commit(job)

    async def retry(self, job_id: str) -> None:
        """Run what is not done of a job that failed or was cancelled. Raises UnknownJob."""
        job = await self._job(job_id)
        if job.is_active:
            return
        job.retry()
        await self._commit(job)
        self._active[job_id] = job
        self._dispatch()

    async def jobs(self, recording_id: str) -> list[JobView]:
        """All jobs of a recording, the oldest first."""
        return [self._active.get(job.id, job).view() for job in await self._store.of_recording(recording_id)]

    async def delete(self, recording_id: str) -> None:
        """Cancel and forget every job of the recording; its files are the caller's."""
        for job in [job for job in self._active.values() if job.recording_id == recording_id]:
            job.cancel()
            self._active.pop(job.id, None)
            await self._stop([run for run in self._runs if run[0] == job.id])
            self._notifier.forget(job)
        await self._store.delete(recording_id)

    def _new_job(self, recording_id: str, folder: Path, request: ProcessRequest, first_step: StepSpec) -> Job:
        first = Step(first_step, key=f"first:{uuid.uuid4().hex}")  # never reused: it looks at what is there now
        return Job(uuid.uuid4().hex[:16], recording_id, folder.absolute(), request, time.time(), [first])

    async def _plugins(self) -> Registry:
        if self._registry is None:
            self._registry = await asyncio.to_thread(discover)
        return self._registry

    async def _job(self, job_id: str) -> Job:
        job = self._active.get(job_id) or await self._store.load(job_id)
        if job is None:
            raise UnknownJob(f"there is no job {job_id}")
        return job

    async def _stop(self, runs: list[tuple[str, str]]) -> None:
        for run in runs:
            if run in self._processes:
                self._processes[run].cancel()
        await asyncio.gather(*(self._runs[run] for run in runs if run in self._runs))

    async def _commit(self, job: Job) -> None:
        await self._store.save(job)
        self._notifier.now(job)

    def _dispatch(self) -> None:
        """Start whatever is ready, as far as there are workers; two steps of one key never run at once."""
        now_s = asyncio.get_running_loop().time()
        keys = {step.key for job in self._active.values() for step in job.steps if step.state == "running"}
        for job in self._active.values():
            for step in job.ready(now_s):
                if self._closing or len(self._runs) >= self._settings.pipeline.workers:
                    return
                if step.key not in keys:
                    keys.add(step.key)
                    step.state = job.state = "running"
                    run = (job.id, step.spec.name)
                    self._runs[run] = asyncio.create_task(self._run(job, step), name=f"step {run}")

    async def _run(self, job: Job, step: Step) -> None:
        """One step from start to commit. Never cancelled itself: only its process is."""
        run = (job.id, step.spec.name)
        try:
            await self._commit(job)
            if not await self._reuse(job, step):
                await self._execute(job, step)
            if step.spec.name == graph.PREPARE and step.state == "done":
                await self._expand(job, step)
        except Exception as error:
            _log.exception("the step %s of job %s", *reversed(run))
            step.state, step.error = "failed", f"{type(error).__name__}: {error}"
        try:
            await self._ended(job)
        except SQLAlchemyError:
            _log.exception("the end of step %s of job %s could not be written", *reversed(run))
        finally:
            self._runs.pop(run)
            self._dispatch()

    async def _ended(self, job: Job) -> None:
        job.settle()
        if job.id in self._active:
            if not job.is_active:
                self._active.pop(job.id)
            await self._commit(job)

    async def _reuse(self, job: Job, step: Step) -> bool:
        """Take over what an earlier job made, if it is still there."""
        for outputs in await self._store.done(job.recording_id, step.key):
            if all((job.folder / path).is_file() for path in outputs.values()):
                step.outputs, step.state, step.progress, step.seconds = outputs, "done", 1.0, 0.0
                return True
        return False

    async def _execute(self, job: Job, step: Step) -> None:
        run = (job.id, step.spec.name)
        began_s = time.monotonic()
        order = self._order(job, step)
        if self._closing or job.state == "cancelled":
            return
        self._processes[run] = asyncio.create_task(
            run_process(order, lambda progress: self._progressed(job, step, progress), step.log.add)
        )
        try:
            await asyncio.wait({self._processes[run]})
        finally:
            process = self._processes.pop(run)
        step.seconds = round(time.monotonic() - began_s, 3)
        error = StepFailed("stopped") if process.cancelled() else process.exception()
        if error is not None:
            await asyncio.to_thread(shutil.rmtree, order.temp_dir, ignore_errors=True)
        if error is None:
            step.outputs = {role: path.relative_to(job.folder).as_posix() for role, path in order.outputs.items()}
            step.state, step.progress, step.error = "done", 1.0, None
        elif not process.cancelled():
            self._failed(job, step, error)

    def _order(self, job: Job, step: Step) -> Order:
        there = job.results()
        target = job.folder / RESULTS / job.id
        target.mkdir(parents=True, exist_ok=True)
        return Order(
            function=step.spec.function,
            folder=job.folder,
            params=step.spec.params,
            inputs={role: job.folder / there[result] for role, result in step.spec.inputs.items()},
            outputs={role: target / output.file for role, output in step.spec.outputs.items()},
            temp_dir=target / f".{job.steps.index(step)}.partial",
            settings=self._settings,
            threads=max(1, (os.cpu_count() or 1) // self._settings.pipeline.workers),
            parent_pid=os.getpid(),
        )

    def _progressed(self, job: Job, step: Step, progress: float) -> None:
        step.progress = progress
        self._notifier.soon(job)

    def _failed(self, job: Job, step: Step, failure: BaseException) -> None:
        if not isinstance(failure, StepFailed):
            raise failure
        plugin = f"{step.spec.plugin.name}: " if step.spec.plugin else ""
        step.state, step.error, step.progress = "failed", f"{plugin}{failure}", 0.0
        step.attempts += 1
        if failure.retry_after_s is None or step.attempts >= MAX_ATTEMPTS:
            _log.warning("job %s: %s failed: %s", job.id, step.spec.name, step.error)
            return
        wait_s = min(max(0.0, failure.retry_after_s), MAX_WAIT_S)
        loop = asyncio.get_running_loop()
        step.state, step.not_before_s = "queued", loop.time() + wait_s
        step.error = f"{step.error} (another try in {wait_s:.0f} s)"
        self._timers = {timer for timer in self._timers if timer.when() > loop.time()}
        self._timers.add(loop.call_at(step.not_before_s, self._dispatch))

    async def _expand(self, job: Job, first: Step) -> None:
        """The rest of the graph, from what the first step found."""
        path = job.folder / first.outputs[prepare.ROLE]
        prepared = Prepared.model_validate_json(await asyncio.to_thread(path.read_bytes))
        try:
            specs = graph.build_graph(prepared, job.request, self._settings, await self._plugins())
        except Permanent as error:
            first.state, first.error = "failed", str(error)
            return
        job.steps[1:] = [Step(spec, key) for spec, key in keyed(specs, {graph.PREPARED: first.key})]
