"""The server's connection to a Dask cluster: kept up, with the workers that are there now."""

import asyncio
import contextlib
import importlib.metadata
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from distributed import Client, Security

from vmeet_core.pipeline.executors.dask_workers import DaskWorker, choose, together, why_none
from vmeet_core.pipeline.executors.executor import StepWaits
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import Needs
from vmeet_core.settings import Pipeline

CONNECT_S = 5.0
ANSWER_S = 10.0  #: what a cluster that is there takes at most to say so
LOOK_EVERY_S = 1.0
RETRY_S = 5.0
ENDED = "the server ends"
PACKAGES = ("vmeet-core", "distributed")  #: must be the same everywhere
_log = logging.getLogger(__name__)


class Unfit(Exception):
    """The cluster is there, and cannot be used; the text says why."""


class Cluster:
    """``on_event`` gets what workers tell, ``on_change`` is called when there may be room for more."""

    def __init__(self, pipeline: Pipeline, on_event: Callable[[Any], None]) -> None:
        self._address, self._security = pipeline.dask_scheduler, _security(pipeline)
        self._on_event = on_event
        self._on_change: Callable[[], None] = lambda: None
        self._client: Client | None = None
        self._workers: dict[str, DaskWorker] = {}
        self._trouble: str | None = "it has not been reached yet"
        self._tried = asyncio.Event()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def limits(self) -> Limits:
        return together(self._workers.values())

    def start(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        if self._task is None:
            self._task = asyncio.create_task(self._stay_connected(), name="dask")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    @property
    def client(self) -> Client:
        """Raises StepWaits while there is no connection."""
        if self._client is None:
            raise StepWaits(str(self._trouble), RETRY_S)
        return self._client

    async def check(self, needs: Needs) -> None:
        """Raises StepWaits when the cluster as it is now would never take a step that needs this."""
        await self._tried.wait()
        why = self._trouble or why_none(self._workers.values(), needs)
        if why is not None:
            raise StepWaits(why, RETRY_S)

    @contextlib.asynccontextmanager
    async def place(self, needs: Needs) -> AsyncIterator[tuple[DaskWorker, Needs]]:
        """A worker with room for it, and what it is granted there; waits for room. Raises StepWaits as ``check``."""
        while True:
            await self.check(needs)
            worker = choose(self._workers.values(), needs)
            if worker is not None:
                break
            await self._news.wait()
        granted = worker.limits.granted(needs)
        worker.taken.append(granted)
        try:
            yield worker, granted
        finally:
            worker.taken.remove(granted)
            self._tell()

    async def _stay_connected(self) -> None:
        try:
            while True:
                try:
                    await self._session()
                except Unfit as error:
                    self._lost(str(error))
                except (OSError, TimeoutError) as error:
                    self._lost(f"the Dask scheduler {self._address} cannot be reached: {error or 'no answer'}")
                except Exception as error:
                    _log.exception("the Dask scheduler %s", self._address)
                    self._lost(f"the Dask scheduler {self._address}: {type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_S)
        finally:
            self._lost(ENDED)

    async def _session(self) -> None:
        """From a connection to its end. Raises OSError, TimeoutError, Unfit, or whatever Dask does."""
        client = Client(
            self._address, asynchronous=True, timeout=CONNECT_S, set_as_default=False, security=self._security
        )
        try:
            await client
            await self._check_scheduler(client)
            client.subscribe_topic(client.id, lambda event: self._on_event(event[1]))
            await self._watch(client)
        finally:
            await client.close()

    async def _watch(self, client: Client) -> None:
        """Until the connection ends; raises as ``_session``."""
        while client.status == "running" and client.scheduler is not None:
            async with asyncio.timeout(ANSWER_S):
                told = await client.scheduler.identity(n_workers=-1)
                await self._update(client, told["workers"])
            if self._client is None:
                _log.info("connected to the Dask scheduler %s, %d workers", self._address, len(self._workers))
                self._client, self._trouble = client, None
                self._tried.set()
                self._tell()
            await asyncio.sleep(LOOK_EVERY_S)
        raise OSError("it closed the connection")

    async def _check_scheduler(self, client: Client) -> None:
        for package in PACKAGES:
            async with asyncio.timeout(ANSWER_S):
                try:
                    found = await client.run_on_scheduler(importlib.metadata.version, package)
                except importlib.metadata.PackageNotFoundError:
                    found = None
            why = _other_version(f"the Dask scheduler {self._address}", package, found)
            if why:
                raise Unfit(why)

    async def _update(self, client: Client, told: dict[str, Any]) -> None:
        """Who has come, who has gone."""
        gone = [self._workers.pop(address) for address in list(self._workers) if address not in told]
        for worker in gone:
            _log.info("the Dask worker %s has gone", worker.address)
            worker.lost.set()
        come = [DaskWorker.of(address, each) for address, each in told.items() if address not in self._workers]
        if come:
            await self._check_workers(client, come)
        for worker in come:
            self._workers[worker.address] = worker
            if worker.unfit:
                _log.warning("%s", worker.unfit)
        if gone or come:
            self._tell()

    async def _check_workers(self, client: Client, come: list[DaskWorker]) -> None:
        for package in PACKAGES:
            found = await client.run(
                importlib.metadata.version, package, workers=[worker.address for worker in come], on_error="return"
            )
            for worker in come:
                version = found.get(worker.address)
                known = version if isinstance(version, str) else None
                worker.unfit = worker.unfit or _other_version(f"the Dask worker {worker.address}", package, known)

    def _lost(self, trouble: str) -> None:
        if trouble not in (self._trouble, ENDED):
            _log.warning("%s", trouble)
        self._client, self._trouble = None, trouble
        for worker in self._workers.values():
            worker.lost.set()
        self._workers.clear()
        self._tried.set()
        self._tell()

    def _tell(self) -> None:
        """Those who wait for room look again, and so does the scheduler of jobs."""
        news, self._news = self._news, asyncio.Event()
        news.set()
        self._on_change()


def _other_version(whose: str, package: str, found: str | None) -> str | None:
    own = importlib.metadata.version(package)
    if found == own:
        return None
    has = f"has {package} {found}" if found else f"has no {package}"
    return f"{whose} {has}, this server has {own}: install the same version there"


def _security(pipeline: Pipeline) -> Security | None:
    if not pipeline.dask_scheduler.startswith("tls://"):
        return None
    files = {
        "tls_ca_file": pipeline.dask_tls_ca,
        "tls_client_cert": pipeline.dask_tls_cert,
        "tls_client_key": pipeline.dask_tls_key,
    }
    return Security(require_encryption=True, **{name: str(path) for name, path in files.items() if path is not None})
