"""Steps as tasks of a Dask cluster. Which worker takes a step is decided here, so that a try stays one try: Dask alone
would quietly begin it again elsewhere.
"""

import asyncio
import contextlib
import logging
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from distributed import Client, Future
from pydantic import ValidationError

from vmeet_core.pipeline.executors.area import Area, AreaError
from vmeet_core.pipeline.executors.cluster import RETRY_S, Cluster
from vmeet_core.pipeline.executors.dask_workers import GPU, DaskWorker
from vmeet_core.pipeline.executors.exchange import Exchange
from vmeet_core.pipeline.executors.executor import StepWaits
from vmeet_core.pipeline.executors.remote_messages import Exchanged, RemoteOrder, RemoteReport, Shared
from vmeet_core.pipeline.executors.remote_step import run_remote
from vmeet_core.pipeline.executors.remote_try import RemoteTry
from vmeet_core.pipeline.log_file import LogSection
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import Listener, StepFailed, run_process
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import Needs, StepSpec
from vmeet_core.settings import Problem, Settings, SettingsError

SILENT_S = 60.0  #: a worker of which nothing is heard for so long is lost
END_S = 5.0  #: for the word of a worker that the process has ended
_LOOK_EVERY_S = 1.0
_PARTIAL = ".partial"
_log = logging.getLogger(__name__)


class DaskExecutor:
    """Raises SettingsError when ``pipeline.files`` names what fsspec does not know."""

    def __init__(self, settings: Settings) -> None:
        self._cluster = Cluster(settings.pipeline, self._on_event)
        self._exchange = _exchange(settings)
        self._tries: dict[str, RemoteTry] = {}

    @property
    def limits(self) -> Limits:
        """Those of all workers that are there now."""
        return self._cluster.limits

    def start(self, on_room: Callable[[], None]) -> None:
        """Connects, and stays connected."""
        self._cluster.start(on_room)

    async def close(self) -> None:
        """Leaves the cluster, which drops whatever is still there of ours."""
        await self._cluster.close()
        if self._exchange is not None:
            self._exchange.close()

    async def run(
        self,
        order: Order,
        listener: Listener,
        *,
        spec: StepSpec,
        job_id: str,
        memory_bytes: int = 0,
        log_file: LogSection | None = None,
    ) -> None:
        """Raises StepFailed; and StepWaits while the cluster or the area is not there."""
        if spec.reads_folder:
            await run_process(order, listener, memory_bytes=memory_bytes, log_file=log_file)
            return
        await self._cluster.check(spec.needs)
        task = f"vmeet-{uuid.uuid4().hex}"
        if self._exchange is None:
            await self._run_shared(task, order, spec, RemoteTry(listener, log_file))
        else:
            await self._run_exchanged(self._exchange, task, job_id, order, spec, RemoteTry(listener, log_file))

    async def forget(self, job_id: str, results: Path) -> None:
        """Removes what tries have left in the results' folder, or in the area."""
        if self._exchange is not None:
            await self._exchange.forget(job_id)
        await asyncio.to_thread(_remove_partial, results)

    async def _run_shared(self, task: str, order: Order, spec: StepSpec, attempt: RemoteTry) -> None:
        """Each try has a folder of its own: one that nobody could stop disturbs no other."""
        results = order.temp_dir.parent / f".{task}{_PARTIAL}"
        try:
            await asyncio.to_thread(results.mkdir, parents=True)
            await self._run_on_worker(
                task, order, spec, Shared(folder=order.folder, results=results, inputs=order.inputs), attempt
            )
            for path in order.outputs.values():
                await asyncio.to_thread((results / path.name).replace, path)
        except OSError as error:
            raise StepFailed(
                f"{error.filename}: {error.strerror}: do all workers see the folder of the data?"
            ) from error
        finally:
            await asyncio.to_thread(shutil.rmtree, results, ignore_errors=True)

    async def _run_exchanged(
        self, exchange: Exchange, task: str, job_id: str, order: Order, spec: StepSpec, attempt: RemoteTry
    ) -> None:
        place = await exchange.place(job_id, task, order.folder, order.inputs, spec.files)
        try:
            await self._run_on_worker(task, order, spec, place, attempt)
            for path in order.outputs.values():
                await exchange.fetch(job_id, place, path.name, path)
        except BaseException:
            await exchange.drop(job_id, task)
            raise

    async def _run_on_worker(
        self, task: str, order: Order, spec: StepSpec, place: Shared | Exchanged, attempt: RemoteTry
    ) -> None:
        async with self._cluster.place(spec.needs) as (worker, granted):
            remote = _remote_order(task, order, spec, place, granted)
            self._tries[task] = attempt
            try:
                async with self._submitted(self._cluster.client, remote, worker, granted, attempt) as future:
                    report = await self._last_word(attempt, worker, future)
            finally:
                self._tries.pop(task)
                await attempt.write_log()
        if report.kind == "failed":
            raise StepFailed(report.message, report.retry_after_s, report.crashed, report.no_room)

    @contextlib.asynccontextmanager
    async def _submitted(
        self, client: Client, order: RemoteOrder, worker: DaskWorker, granted: Needs, attempt: RemoteTry
    ) -> AsyncIterator[Future[Any]]:
        """In the end the process is gone, as far as the worker can still be reached."""
        future = client.submit(
            run_remote,
            order.model_dump_json(),
            client.id,
            key=order.task,
            pure=False,
            retries=0,
            workers=[worker.address],
            allow_other_workers=False,
            resources={GPU: granted.gpu} if granted.gpu else None,
        )
        try:
            yield future
        finally:
            if not attempt.ended.done() and not worker.lost.is_set():
                with contextlib.suppress(Exception):  # a client whose connection breaks just now: the scheduler notices
                    await client.cancel([future], force=True)
                if attempt.heard_s is not None:
                    lost = asyncio.create_task(worker.lost.wait())
                    await _any_of({attempt.ended, lost}, END_S)
                    lost.cancel()
            future.release()

    async def _last_word(self, attempt: RemoteTry, worker: DaskWorker, future: Future[Any]) -> RemoteReport:
        """Raises StepFailed when the worker is lost or Dask fails, StepWaits when the connection is lost."""
        fate = asyncio.create_task(_fate(future))
        lost = asyncio.create_task(worker.lost.wait())
        again = asyncio.create_task(attempt.began_again.wait())
        try:
            while not attempt.ended.done():
                await _any_of({attempt.ended, fate, lost, again}, _LOOK_EVERY_S)
                await attempt.write_log()
                if fate.done() and not attempt.ended.done():
                    await _any_of({attempt.ended, lost}, END_S)
                if not attempt.ended.done():
                    self._check_alive(attempt, worker)
                if not attempt.ended.done() and fate.done():
                    raise fate.result()
            return attempt.ended.result()
        finally:
            for watch in (fate, lost, again):
                watch.cancel()

    def _check_alive(self, attempt: RemoteTry, worker: DaskWorker) -> None:
        if worker.lost.is_set() or attempt.began_again.is_set() or attempt.silent_s() > SILENT_S:
            _ = self._cluster.client  # without a connection the worker may well be alive: that is said first
            if attempt.heard_s is None:
                raise StepWaits(f"its worker {worker.address} went before the step began", after_s=0.0)
            raise StepFailed(f"its worker {worker.address} was lost before the step was done", crashed=True)

    def _on_event(self, event: Any) -> None:
        """Also Dask's own come here."""
        if not isinstance(event, str):
            return
        try:
            report = RemoteReport.model_validate_json(event)
        except ValidationError as error:
            _log.warning("a Dask worker tells what is no report: %s", error)
            return
        if report.task in self._tries:
            self._tries[report.task].hear(report)


async def _any_of(waited: set[asyncio.Future[Any]], timeout_s: float) -> None:
    """Until one of these is done; nothing of them is cancelled."""
    await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)


async def _fate(future: Future[Any]) -> Exception:
    """When Dask says that the task has ended, or cannot begin: what to raise if the worker has said nothing."""
    try:
        error = await future.exception()
    except Exception as lost:  # of Dask: cancelled by the scheduler, or lost with the connection to it
        return StepWaits(f"the Dask scheduler has dropped the step: {lost}", RETRY_S)
    if error is None:
        return StepFailed("its worker ended it without a word", crashed=True)
    return StepFailed(f"the Dask cluster: {type(error).__name__}: {error}", crashed=True)


def _remote_order(task: str, order: Order, spec: StepSpec, place: Shared | Exchanged, granted: Needs) -> RemoteOrder:
    return RemoteOrder(
        task=task,
        function=order.function,
        params=order.params,
        outputs={role: path.name for role, path in order.outputs.items()},
        place=place,
        plugin=spec.plugin,
        threads=max(1, min(order.threads, granted.cpu)),
        memory_bytes=granted.memory_bytes,
        video=order.settings.video,
        device=order.settings.pipeline.device,
        allow_leaving_host=order.settings.server.allow_leaving_host,
    )


def _exchange(settings: Settings) -> Exchange | None:
    pipeline = settings.pipeline
    if not pipeline.files:
        return None
    try:
        return Exchange(pipeline.files, Area(pipeline.files, pipeline.files_options))
    except AreaError as error:
        remedy = "Meaning of the key: an address that fsspec knows; some need a package of their own."
        raise SettingsError([Problem(str(settings.file or ""), "pipeline.files", f"{error}.", remedy)]) from error


def _remove_partial(results: Path) -> None:
    for left in results.glob(f".vmeet-*{_PARTIAL}"):
        shutil.rmtree(left, ignore_errors=True)
