"""Runs jobs, each step in a process of its own: the most urgent first (``queue``), as far as there is room
(``resources``).

Nothing polls: whatever may make a step ready (a submission, an end, a timer) leads to ``_dispatch``. A step is done
when its row says so; everything that was not done when the server ended is run again by the next one.
"""

import asyncio
import hashlib
import logging
import os
import re
import shutil
import time
import uuid
import weakref
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from vmeet_core.database import PATIENCE_S, Database, DatabaseUnavailable
from vmeet_core.full_disk import is_full
from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline import graph
from vmeet_core.pipeline.backoff import Backoff
from vmeet_core.pipeline.executors import Executor, StepWaits, make_executor
from vmeet_core.pipeline.hastening import Hastening
from vmeet_core.pipeline.job import Job, Step
from vmeet_core.pipeline.leftovers import remove_leftovers
from vmeet_core.pipeline.log_file import LogFile, LogSection
from vmeet_core.pipeline.messages import NO_ROOM, Order
from vmeet_core.pipeline.notifier import Notifier
from vmeet_core.pipeline.plan import niceness, planned
from vmeet_core.pipeline.prepared import Prepared
from vmeet_core.pipeline.process import Listener, StepFailed
from vmeet_core.pipeline.queue import is_behind, next_time_s, room_behind, waiting
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import Needs, StepSpec, keyed
from vmeet_core.pipeline.steps import prepare
from vmeet_core.pipeline.store import JobStore, Outputs
from vmeet_core.pipeline.trouble import trouble
from vmeet_core.pipeline.views import JobView, Priority, ProcessRequest
from vmeet_core.plugins import Registry, discover
from vmeet_core.settings import Settings

RESULTS = "results"  #: the folder of all jobs' results, inside the recording's
LOGS = "logs"  #: and that of their steps' logs
MAX_ATTEMPTS = 3
MAX_WAIT_S = 600.0
FULL_DISK_WAIT_S = 15.0  #: at least, until a step that found no room is tried again
LAST_WRITE_S = 5.0  #: what a database that does not answer may delay the end of the server
EVER = float("inf")  #: what a step has done is kept until it can be written: nobody waits for the answer
_log = logging.getLogger(__name__)
_Run = tuple[str, str]  # job and step name


class UnknownJob(LookupError):
    """There is no job of this id, or no such step of it."""


class Scheduler:
    """The pipeline as the server sees it. ``on_change`` is called in the event loop for every visible change.

    ``registry`` defaults to what is installed; ``first_step`` is what every job begins with, ``ahead_step`` what one on
    a recording that still runs does; ``backoff`` is for steps that ended suddenly.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        on_change: Callable[[JobView], None],
        *,
        registry: Registry | None = None,
        first_step: StepSpec | None = None,
        ahead_step: StepSpec | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._database = database
        self._store = JobStore(database)
        self._settings = settings
        self._registry = registry
        self._first_step = first_step or graph.prepare_recording()
        self._ahead_step = ahead_step or graph.prepare_recording(ahead=True)
        self._backoff = backoff or Backoff()
        self._executor: Executor = make_executor(settings)
        self._notifier = Notifier(on_change)
        self._active: dict[str, Job] = {}
        self._ending: set[str] = set()  #: jobs whose end is being written
        self._renew_again: set[str] = set()  #: jobs whose first step is to be run once more after it has ended
        self._runs: dict[_Run, asyncio.Task[None]] = {}
        self._steps: dict[_Run, Step] = {}  #: which one it is: the job may have another one of that name by now
        self._processes: dict[_Run, asyncio.Task[None]] = {}
        self._background: dict[_Run, Hastening] = {}
        self._taken: dict[_Run, tuple[tuple[str, str], Needs]] = {}  #: which work, and what it was granted
        self._logs: weakref.WeakValueDictionary[Path, LogFile] = weakref.WeakValueDictionary()  #: that are written to
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False

    async def start(self) -> None:
        """Go on with what was queued or running when the server ended; that it ended is no failure of a step."""
        latest_s = time.time() + MAX_WAIT_S
        for job in await self._store.unfinished():
            for step in job.steps:
                step.not_before_s = min(step.not_before_s, latest_s)  # the clock may have been put right
                if step.state == "running":
                    step.requeue()
            await self._refresh(job)
            self._active[job.id] = job
            await self._ended(job)
        self._dispatch()

    async def close(self) -> None:
        """End all processes; the jobs go on at the next start. Twice does no harm."""
        self._closing = True
        self._database.patience.hurry(LAST_WRITE_S)
        if self._timer is not None:
            self._timer.cancel()
        await self._stop(list(self._runs))
        await self._executor.close()
        self._notifier.close()

    async def submit(
        self,
        recording_id: str,
        folder: Path,
        request: ProcessRequest,
        patience_s: float = PATIENCE_S,
        *,
        first_step: StepSpec | None = None,
        priority: Priority = "fresh",
        name: str = "",
    ) -> str:
        """A new job on the recording in ``folder``; its id. ``name`` is what the user calls what will come of it.

        ``first_step`` is what this one begins with, where that is not what every job begins with. Raises Permanent for
        a request that cannot be met, and DatabaseUnavailable.
        """
        registry = await self._plugins()
        graph.check_request(request, self._settings, registry)
        (first,) = planned([first_step or self._first_step], self._settings, registry, self._limits)
        job = self._new_job(recording_id, folder, request, first)
        job.priority, job.name = priority, name
        await self._store.save(job, patience_s)
        self._active[job.id] = job
        self._notifier.now(job)
        self._dispatch()
        return job.id

    async def begin_ahead(
        self, recording_id: str, folder: Path, request: ProcessRequest, patience_s: float = PATIENCE_S
    ) -> str:
        """A job on a recording that still runs; its id. It has no end until ``finish_ahead``, its steps run in the
        background, one at a time, and what fails is nobody's business until then.

        Raises as ``submit``.
        """
        first = self._ahead_step
        return await self.submit(recording_id, folder, request, patience_s, first_step=first, priority="ahead")

    def renew(self, job_id: str) -> None:
        """Look again at a recording that still runs; the job gets the steps of what is there now, and those that were
        the same stay as they are. Nothing happens to a job that is not there any more, or does not run ahead.
        """
        job = self._active.get(job_id)
        if job is None or not job.is_ahead:
            return
        if (job_id, graph.PREPARE) in self._runs:
            self._renew_again.add(job_id)
            return
        job.steps[0] = _first(job.steps[0].spec)
        self._dispatch()

    async def finish_ahead(
        self,
        job_id: str,
        request: ProcessRequest | None = None,
        patience_s: float = PATIENCE_S,
        *,
        first_step: StepSpec | None = None,
        priority: Priority = "fresh",
        name: str = "",
    ) -> None:
        """The recording has ended: the job becomes one like others. What is the same of its steps stays as it is, also
        while it runs; what is not needed is stopped and forgotten. Without a ``request`` it is as it was.

        Raises UnknownJob when there is no such job that runs ahead, and otherwise as ``submit``.
        """
        registry = await self._plugins()
        (first,) = planned([first_step or self._first_step], self._settings, registry, self._limits)
        job = self._active.get(job_id)
        if job is None or not job.is_ahead:
            raise UnknownJob(f"there is no job {job_id} that runs ahead")
        request = request or job.request
        graph.check_request(request, self._settings, registry)
        self._renew_again.discard(job_id)
        job.finish(_first(first), request)
        job.priority, job.name, job.queued_at_s = priority, name or job.name, time.time()
        self._stop_unneeded(job)
        for run in self._of(job):
            if run in self._background:
                self._background[run].begin()
        await self._commit(job, patience_s)
        self._dispatch()

    def ahead(self) -> dict[str, str]:
        """The jobs that run ahead: their ids by recording."""
        return {job.recording_id: job.id for job in self._active.values() if job.is_ahead}

    async def cancel(self, job_id: str) -> None:
        """End its processes; what is done stays. Nothing happens to a job that has ended. Raises UnknownJob."""
        job = await self._job(job_id)
        if not job.is_active:
            return
        job.cancel()
        await self._stop(self._of(job), PATIENCE_S)
        self._active.pop(job_id, None)
        await self._executor.forget(job.id, job.folder / RESULTS / job.id)
        await self._commit(job)

    async def retry(self, job_id: str) -> None:
        """Run what is not done of a job that has ended, or what was deleted since. Raises UnknownJob."""
        job = await self._job(job_id)
        if job.is_active:
            return
        job.retry()
        job.queued_at_s = time.time()
        await self._refresh(job)
        if job_id in self._active:  # somebody else was faster
            return
        self._active[job_id] = job
        await self._ended(job)
        self._dispatch()

    async def move_to_front(self, job_id: str) -> None:
        """Its steps come before those of all other jobs. Nothing happens to a job that has ended, or whose recording
        still runs. Raises UnknownJob.
        """
        job = await self._job(job_id)
        if not job.is_active or job.is_ahead:
            return
        job.priority, job.moved_at_s = "front", time.time()
        await self._commit(job)
        self._dispatch()

    async def rename(self, job_id: str, name: str) -> None:
        """What the user calls what came of it; "" to take the name away. Raises UnknownJob."""
        job = self._active.get(job_id)
        if job is not None:
            job.name = name
            await self._commit(job)
            return
        view = await self._store.rename(job_id, name)
        if view is None:
            raise UnknownJob(f"there is no job {job_id}")
        self._notifier.tell(view)

    async def log_file(self, job_id: str, step_name: str) -> Path:
        """The whole log of a step or of a group, which may not be there; that of a group holds all its steps'.

        Raises UnknownJob.
        """
        job = await self._job(job_id)
        for step in job.steps:
            if step_name in (step.spec.name, step.spec.group):
                return _log_path(job, step.shown_as)
        raise UnknownJob(f"the job {job_id} has no step {step_name}")

    async def jobs_of(self, recording_ids: Sequence[str]) -> dict[str, list[JobView]]:
        """All jobs of these recordings, of each the oldest first, without the logs of jobs that have ended."""
        return await self._store.views(recording_ids, logs=False, active=self._view)

    async def jobs(self, recording_id: str) -> list[JobView]:
        """All jobs of a recording, the oldest first."""
        return (await self._store.views([recording_id], logs=True, active=self._view)).get(recording_id, [])

    def _view(self, job_id: str) -> JobView | None:
        job = self._active.get(job_id)
        return job.view() if job is not None else None

    async def delete(self, recording_id: str) -> None:
        """Cancel and forget every job of the recording; its files are the caller's."""
        for job in [job for job in self._active.values() if job.recording_id == recording_id]:
            job.cancel()
            self._active.pop(job.id, None)
            await self._stop(self._of(job), PATIENCE_S)
            await self._executor.forget(job.id, job.folder / RESULTS / job.id)
            self._notifier.forget(job)
        await self._store.delete(recording_id)

    def _new_job(self, recording_id: str, folder: Path, request: ProcessRequest, first_step: StepSpec) -> Job:
        first = _first(first_step)
        now_s = time.time()
        job_id = uuid.uuid4().hex[:16]
        return Job(job_id, recording_id, folder.absolute(), request, now_s, [first], queued_at_s=now_s)

    @property
    def _limits(self) -> Limits:
        """As the executor has them now: a cluster grows and shrinks."""
        return self._executor.limits

    async def _plugins(self) -> Registry:
        if self._registry is None:
            self._registry = await asyncio.to_thread(discover)
        return self._registry

    async def _job(self, job_id: str) -> Job:
        job = self._active.get(job_id) or await self._store.load(job_id)
        if job is None:
            raise UnknownJob(f"there is no job {job_id}")
        return job

    def _of(self, job: Job) -> list[_Run]:
        return [run for run in self._runs if run[0] == job.id]

    def _stop_unneeded(self, job: Job) -> None:
        """End the processes of steps that the job does not have any more; nobody waits for that."""
        for run in self._of(job):
            if run in self._processes and not job.has(self._steps[run]):
                self._processes[run].cancel()

    async def _stop(self, runs: list[_Run], patience_s: float | None = None) -> None:
        """Raises DatabaseUnavailable when what they have done cannot be written within ``patience_s``."""
        for run in runs:
            if run in self._processes:
                self._processes[run].cancel()
        tasks = [self._runs[run] for run in runs if run in self._runs]
        if tasks and (await asyncio.wait(tasks, timeout=patience_s))[1]:
            raise DatabaseUnavailable("the steps have been stopped, but what they did cannot be written yet")

    async def _commit(self, job: Job, patience_s: float = PATIENCE_S) -> None:
        await self._store.save(job, patience_s)
        if job.id not in self._ending:
            self._notifier.now(job)

    def _dispatch(self) -> None:
        """Start whatever is ready, as far as there is room. Of steps that do the same work in a recording one runs; the
        others wait, and find it done.
        """
        if self._closing:
            return
        now_s = time.time()
        works = {work for work, _ in self._taken.values()}
        free = self._limits.free(needs for _, needs in self._taken.values())
        ahead = sum(job_id in self._active and self._active[job_id].is_ahead for job_id, _ in self._taken)
        room = room_behind(self._active.values(), self._limits.workers) - sum(
            is_behind(self._steps[run].spec) for run in self._taken
        )
        for job, step in waiting(self._active.values(), now_s):
            run = (job.id, step.spec.name)
            if run in self._runs or (job.is_ahead and ahead):  # an older one of that name ends first
                continue
            if is_behind(step.spec) and room <= 0:
                continue
            work, needs = (job.recording_id, step.key), self._limits.granted(step.spec.needs)
            if self._limits.refusal(step.spec.needs):
                needs = Needs(cpu=0)  # it only fails
            if work not in works and free.take(needs):
                works.add(work)
                ahead += job.is_ahead
                room -= is_behind(step.spec)
                step.state = job.state = "running"
                self._taken[run] = (work, needs)
                self._steps[run] = step
                self._runs[run] = asyncio.create_task(self._run(job, step), name=f"step {run}")
        self._wake(next_time_s(self._active.values(), now_s), now_s)

    def _wake(self, at_s: float | None, now_s: float) -> None:
        """Look again when the next step's back-off is over."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if at_s is None else loop.call_later(min(at_s - now_s, MAX_WAIT_S), self._dispatch)

    async def _run(self, job: Job, step: Step) -> None:
        """One step from start to commit. Never cancelled itself: only its process is."""
        run = (job.id, step.spec.name)
        try:
            await self._commit(job, EVER)
            if not await self._reuse(job, step):
                await self._execute(job, step)
            if step is job.steps[0] and step.spec.name == graph.PREPARE and step.state == "done":
                await self._expand(job, step)
        except (SQLAlchemyError, DatabaseUnavailable) as error:  # the server ends: no fault of the step
            _log.warning("the step %s of job %s is left to the next start: %s", *reversed(run), error)
            if step.state != "cancelled":
                step.requeue()
        except Exception as error:
            if is_full(error):
                self._failed(job, step, StepFailed(NO_ROOM, no_room=True))
            else:
                _log.exception("the step %s of job %s", *reversed(run))
                step.state, step.error = "failed", f"{type(error).__name__}: {error}"
        try:
            await self._ended(job)
        except (SQLAlchemyError, DatabaseUnavailable):
            _log.exception("the end of step %s of job %s could not be written", *reversed(run))
        finally:
            del self._runs[run], self._taken[run], self._steps[run]
            if job.id in self._renew_again and step.spec.name == graph.PREPARE:
                self._renew_again.discard(job.id)
                self.renew(job.id)
            self._dispatch()

    async def _ended(self, job: Job) -> None:
        self._notifier.forget(job)  # progress that is still to be told would tell of an end that is not written yet
        job.settle()
        if job.id in self._active:
            if job.is_active:
                await self._commit(job, EVER)
            else:
                self._active.pop(job.id)
                await self._commit_end(job)

    async def _tidy(self, job: Job) -> None:
        """Files of steps that no job of the recording has any more are of no use."""
        others = [other for other in self._active.values() if other.recording_id == job.recording_id]
        named = await self._store.files(job.recording_id, EVER)
        named |= {path for each in (job, *others) for step in each.steps for path in step.outputs.values()}
        removed = await asyncio.to_thread(
            remove_leftovers, job.folder / RESULTS / job.id, {job.folder / path for path in named}
        )
        if removed:
            _log.info("job %s: %d files were not needed any more", job.id, len(removed))

    async def _commit_end(self, job: Job) -> None:
        """Whoever is told of an end finds it written, also when an earlier state is being written still."""
        self._ending.add(job.id)
        try:
            if job.state == "done":
                await self._tidy(job)
            await self._executor.forget(job.id, job.folder / RESULTS / job.id)  # nobody would, after the end
            await self._store.save(job, EVER)
        finally:
            self._ending.discard(job.id)
        self._notifier.now(job)

    async def _reuse(self, job: Job, step: Step) -> bool:
        """Take over what an earlier job made, if it is still there."""
        await self._reuse_all(job, [step])
        return step.state == "done"

    async def _reuse_all(self, job: Job, steps: Sequence[Step]) -> None:
        """Those that somebody else starts meanwhile look themselves."""
        before = [(step, step.state) for step in steps]
        done = await self._store.done(job.recording_id, {step.key for step in steps}, EVER)
        found = await asyncio.to_thread(_there, job.folder, done) if done else {}
        for step, state in before:
            if step.key in found and step.state == state:
                step.outputs, step.state, step.progress, step.error = dict(found[step.key]), "done", 1.0, None
                step.seconds, step.cpu_s = 0.0, 0.0

    async def _execute(self, job: Job, step: Step) -> None:
        began_s = time.monotonic()
        if self._is_unwanted(job, step):
            return
        refusal = await asyncio.to_thread(trouble, job, step, self._limits)
        if refusal:
            self._failed(job, step, StepFailed(refusal))
            return
        if self._redo_lost(job, step):
            return
        order = self._order(job, step)
        log = self._log_section(job, step)
        await asyncio.to_thread(log.begin)
        if self._is_unwanted(job, step):
            return
        listener = _StepListener(job, step, self._notifier)
        process = await self._process(job, step, order, listener, log)
        await asyncio.to_thread(log.end)
        step.seconds = round(time.monotonic() - began_s, 3)
        error = StepFailed("stopped") if process.cancelled() else process.exception()
        if error is None:
            step.outputs = {role: path.relative_to(job.folder).as_posix() for role, path in order.outputs.items()}
            step.state, step.progress, step.error = "done", 1.0, None
            return
        await asyncio.to_thread(shutil.rmtree, order.temp_dir, ignore_errors=True)
        if isinstance(error, StepWaits):
            step.requeue()
            step.error, step.not_before_s = str(error), time.time() + error.after_s
        elif not process.cancelled():
            self._failed(job, step, error)
        elif listener.is_slow and not self._is_unwanted(job, step):
            _log.info("job %s: %s is begun anew: in the background it takes too long", job.id, step.spec.name)
            step.requeue()

    async def _process(
        self, job: Job, step: Step, order: Order, listener: "_StepListener", log: LogSection
    ) -> asyncio.Task[None]:
        """The task that was the step's process, when it has ended."""
        run = (job.id, step.spec.name)
        memory_bytes = self._taken[run][1].memory_bytes
        step.seconds = step.cpu_s = step.peak_memory_bytes = None
        self._executor.start(self._dispatch)
        running = self._executor.run(
            order, listener, spec=step.spec, job_id=job.id, memory_bytes=memory_bytes, log_file=log
        )
        process = asyncio.create_task(running)
        self._processes[run] = process
        if order.background:
            self._background[run] = listener.hastening = Hastening(process.cancel, order.niceness)
            if not job.is_ahead:  # not any more
                listener.hastening.begin()
        try:
            await asyncio.wait({process})
        finally:
            del self._processes[run]
            if listener.hastening is not None:
                self._background.pop(run).end()
        return process

    def _is_unwanted(self, job: Job, step: Step) -> bool:
        return self._closing or job.state == "cancelled" or not job.has(step)

    def _log_section(self, job: Job, step: Step) -> LogSection:
        """Of one file all that write to it at the same time need the same."""
        path = _log_path(job, step.shown_as)
        file = self._logs.get(path) or LogFile(path)
        self._logs[path] = file
        return LogSection(file, _log_heading(step))

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
            temp_dir=target / f".{_file_name(step.spec.name)}.partial",
            settings=self._settings,
            threads=max(1, self._taken[job.id, step.spec.name][1].cpu),
            parent_pid=os.getpid(),
            background=job.is_ahead,
            niceness=niceness(step.spec),
        )

    def _redo_lost(self, job: Job, step: Step) -> bool:
        """Where somebody has deleted what the step reads, that is made again first."""
        lost = job.lost(step)
        for other in lost:
            _log.info("job %s: what %s made is gone and is made again", job.id, other.spec.name)
            other.reset()
        if lost:
            step.requeue()
        return bool(lost)

    def _failed(self, job: Job, step: Step, failure: BaseException) -> None:
        if not isinstance(failure, StepFailed):
            raise failure
        plugin = f"{step.spec.plugin.name}: " if step.spec.plugin else ""
        step.state, step.error, step.progress = "failed", f"{plugin}{failure}", 0.0
        # A disk that stays full is no reason to give up, nor to count its tries against later ones.
        step.attempts = max(step.attempts, 1) if failure.no_room else step.attempts + 1
        wait_s = self._wait_s(failure, step)
        level = logging.INFO if job.is_ahead else logging.WARNING
        _log.log(level, "job %s: %s failed: %s (try %d)", job.id, step.spec.name, step.error, step.attempts)
        if wait_s is not None and (failure.no_room or step.attempts < MAX_ATTEMPTS):
            step.state, step.not_before_s = "queued", time.time() + wait_s

    def _wait_s(self, failure: StepFailed, step: Step) -> float | None:
        """Until another try; None when there is no sense in it."""
        if failure.no_room:
            return min(max(FULL_DISK_WAIT_S, step.seconds or 0.0), MAX_WAIT_S)  # half of the time is spent in vain
        if failure.retry_after_s is not None:
            return min(max(0.0, failure.retry_after_s), MAX_WAIT_S)
        return self._backoff.wait_s(step.attempts) if failure.crashed else None

    async def _expand(self, job: Job, first: Step) -> None:
        """The rest of the graph, from what the first step found; of what was done before nothing is lost."""
        try:
            specs = await self._specs(job, first)
        except Permanent as error:
            first.state, first.error = "failed", str(error)
            return
        await self._take_over(job, specs)

    async def _specs(self, job: Job, first: Step) -> list[StepSpec]:
        """Raises Permanent when the request cannot be met (any more), or OSError, ValueError."""
        path = job.folder / first.outputs[prepare.ROLE]
        prepared = Prepared.model_validate_json(await asyncio.to_thread(path.read_bytes))
        registry = await self._plugins()

        def build() -> list[StepSpec]:
            specs = graph.build_graph(prepared, job.request, self._settings, registry)
            return planned(specs, self._settings, registry, self._limits)

        return await asyncio.to_thread(build)  # of a long recording there are hundreds

    async def _take_over(self, job: Job, specs: list[StepSpec]) -> None:
        """These are the job's steps: as they were where they were the same, as an earlier job did them, or new."""
        found = await asyncio.to_thread(keyed, specs, {graph.PREPARED: job.steps[0].key})
        known = {(step.spec.name, step.key): step for step in job.steps[1:]}
        steps = []
        for spec, key in found:
            step = known.get((spec.name, key)) or Step(spec, key)
            step.spec = spec
            steps.append(step)
        job.steps[1:] = steps
        self._stop_unneeded(job)
        await self._reuse_all(job, [step for step in steps if step.state == "queued"])

    async def _refresh(self, job: Job) -> None:
        """Before a job goes on: plugins, settings or this program may have changed since its graph was built."""
        first = job.steps[0]
        if first.state != "done":
            return
        try:
            await self._take_over(job, await self._specs(job, first))
        except Permanent as error:
            for step in job.steps:
                if step.spec.plugin is not None and step.state == "queued":
                    step.state, step.error = "failed", str(error)
        except Exception as error:  # whatever it is, the first step will say so: the server must start
            _log.warning("job %s begins anew: %r", job.id, error)
            first.reset()


class _StepListener(Listener):
    """Writes what a process tells into its step."""

    def __init__(self, job: Job, step: Step, notifier: Notifier) -> None:
        self.hastening: Hastening | None = None
        self._job, self._step, self._notifier = job, step, notifier

    @property
    def is_slow(self) -> bool:
        return self.hastening is not None and self.hastening.gave_up

    def started(self, pid: int) -> None:
        if self.hastening is not None:
            self.hastening.started(pid)

    def progress(self, share: float) -> None:
        self._step.progress = share
        self._notifier.soon(self._job)

    def log(self, line: str) -> None:
        self._step.log.add(line)

    def usage(self, cpu_s: float, peak_memory_bytes: int) -> None:
        self._step.cpu_s, self._step.peak_memory_bytes = round(cpu_s, 3), peak_memory_bytes
        if self.hastening is not None:
            self.hastening.took(cpu_s)


def _first(spec: StepSpec) -> Step:
    """Never reused: it looks at what is there now."""
    return Step(spec, key=f"first:{uuid.uuid4().hex}")


def _there(folder: Path, done: dict[str, list[Outputs]]) -> dict[str, Outputs]:
    """By key, of what was made what nobody has deleted."""
    found = {}
    for key, made in done.items():
        for outputs in made:
            if all((folder / path).is_file() for path in outputs.values()):
                found[key] = outputs
                break
    return found


def _log_path(job: Job, name: str) -> Path:
    return job.folder / LOGS / job.id / f"{_file_name(name)}.log"


def _file_name(name: str) -> str:
    """Of any name one for a file, another one for each."""
    readable = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:40]
    return f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _log_heading(step: Step) -> bytes:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return f"--- {step.spec.title}, try {step.attempts + 1}, {now} ---\n".encode()
