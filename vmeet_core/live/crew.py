"""The worker processes of a pool: so many with the same engines, and new ones for those that end."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

from vmeet_core.live.cost import Costs
from vmeet_core.live.worker import LiveWorker
from vmeet_core.settings import Settings

logger = logging.getLogger(__name__)
FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 30.0  #: between tries to start a worker


class Engines(NamedTuple):
    """What every worker has loaded, in the order in which it was asked for."""

    frame_filters: tuple[str, ...] = ()
    denoisers: tuple[str, ...] = ()

    def with_more(self, frame_filters: Iterable[str], denoisers: Iterable[str]) -> "Engines":
        """These and those."""
        return Engines(
            tuple(dict.fromkeys((*self.frame_filters, *frame_filters))),
            tuple(dict.fromkeys((*self.denoisers, *denoisers))),
        )


class Crew:
    """``make`` gives a worker that is not started yet; ``on_new`` is told when one is there for one that has ended."""

    def __init__(
        self, settings: Settings, wanted: int, make: Callable[[], LiveWorker], on_new: Callable[[], None]
    ) -> None:
        self.wanted = wanted
        self.workers: list[LiveWorker] = []
        self.engines = Engines()
        self.costs = Costs()  #: as they were measured when these engines were loaded
        self.closed = False
        self._settings = settings
        self._make = make
        self._on_new = on_new
        self._loading: set[LiveWorker] = set()
        self._refilling: asyncio.Task[None] | None = None

    @property
    def ready(self) -> list[LiveWorker]:
        """Those that can work now."""
        return [worker for worker in self.workers if worker.state == "ready"]

    async def train(self, engines: Engines, gently: bool) -> list[LiveWorker]:
        """New workers, all that are wanted, with these engines; they are not in the crew yet. One of them measures.

        ``gently``: one after the other, since others need the processor more. Raises RuntimeError with the plugin's
        words when an engine cannot be loaded; then there are none.
        """
        fresh = [self._make() for _ in range(self.wanted)]
        at_once = asyncio.Semaphore(1 if gently else self.wanted)

        async def load(worker: LiveWorker) -> None:
            async with at_once:
                await self._load(worker, engines, measure=worker is fresh[0])

        jobs = [asyncio.create_task(load(worker)) for worker in fresh]
        failure: BaseException | None = None
        try:
            await asyncio.wait(jobs, return_when=asyncio.FIRST_EXCEPTION)
            failure = next((job.exception() for job in jobs if job.done() and job.exception() is not None), None)
        finally:  # cancelling a job would cut short its tidying up
            if failure is not None or not all(job.done() for job in jobs):
                await close_all(fresh)
            await asyncio.gather(*jobs, return_exceptions=True)
        ready = [worker for worker in fresh if worker.state == "ready"]
        if failure is not None or self.closed or not ready:
            await close_all(fresh)
            raise failure or RuntimeError("the workers ended as soon as they were there")
        return ready

    async def _load(self, worker: LiveWorker, engines: Engines, measure: bool) -> None:
        self._loading.add(worker)
        try:
            await worker.start()
            await worker.load(self._settings, *engines, measure=measure)
        except BaseException:
            await worker.close()
            raise
        finally:
            self._loading.discard(worker)

    def replace(self, fresh: list[LiveWorker], engines: Engines) -> list[LiveWorker]:
        """New ones are the crew from now on; returns those before, which are to be closed."""
        old, self.workers, self.engines = self.workers, fresh, engines
        self.costs = next((worker.costs for worker in fresh if worker.costs is not None), Costs())
        self._refill()
        return old

    def lose(self, worker: LiveWorker) -> None:
        """It has ended."""
        if worker in self.workers:
            self.workers.remove(worker)
            self._refill()

    def _refill(self) -> None:
        if self._refilling is None and not self.closed:
            self._refilling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        """Start workers until there are enough, with patience."""
        pause_s = FIRST_PAUSE_S
        try:
            while len(self.workers) < self.wanted and not self.closed:
                try:
                    await self._add()
                    pause_s = FIRST_PAUSE_S
                except (OSError, RuntimeError) as error:
                    logger.warning("a live worker cannot be started: %s", error)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, MAX_PAUSE_S)
        finally:
            self._refilling = None

    async def _add(self) -> None:
        engines, worker = self.engines, self._make()
        await self._load(worker, engines, measure=False)
        if engines is self.engines and len(self.workers) < self.wanted and not self.closed:
            self.workers.append(worker)
            self._on_new()
        else:  # others have taken over meanwhile
            await worker.close()

    async def close(self) -> None:
        """End all of them, those too that are being trained."""
        self.closed = True
        workers, self.workers = self.workers, []
        await close_all((*workers, *self._loading))
        if self._refilling is not None:
            self._refilling.cancel()
            await asyncio.gather(self._refilling, return_exceptions=True)


async def close_all(workers: Iterable[LiveWorker]) -> None:
    """At the same time."""
    await asyncio.gather(*(worker.close() for worker in workers))
