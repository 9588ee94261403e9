"""The workers of a Dask cluster, without I/O: what each has room for, and which is to take a step."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import Needs

GPU = "GPU"  #: as Dask's own documentation calls that resource
_UNLIMITED_BYTES = 1 << 62


@dataclass
class DaskWorker:
    """``taken`` are the needs of the steps that it runs for us; ``lost`` is set when the cluster has it no more.

    ``unfit`` says why it gets no step.
    """

    address: str
    limits: Limits
    unfit: str | None = None
    taken: list[Needs] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, address: str, told: Mapping[str, Any]) -> "DaskWorker":
        """From what the scheduler tells of it: its threads are how many steps it runs at the same time."""
        return cls(address, worker_limits(told))

    def has_room(self, needs: Needs) -> bool:
        return self.limits.free(self.taken).take(self.limits.granted(needs))

    @property
    def free_threads(self) -> int:
        return self.limits.free(self.taken).cpu


def worker_limits(told: Mapping[str, Any]) -> Limits:
    threads = max(1, int(told["nthreads"]))
    return Limits(
        workers=threads,
        cpu=threads,
        gpu=int(told.get("resources", {}).get(GPU, 0)),
        memory_bytes=int(told.get("memory_limit") or _UNLIMITED_BYTES),
        cpu_is_strict=False,
        memory_is_strict=False,
    )


def together(workers: Iterable[DaskWorker]) -> Limits:
    """Of the whole cluster. Never less than one step, so that one says what it waits for; a GPU that is not there may
    come.
    """
    all_limits = [worker.limits for worker in workers if worker.unfit is None]
    threads = max(1, sum(limits.cpu for limits in all_limits))
    return Limits(
        workers=threads,
        cpu=threads,
        gpu=max(1, sum(limits.gpu for limits in all_limits)),
        memory_bytes=sum(limits.memory_bytes for limits in all_limits) or _UNLIMITED_BYTES,
        cpu_is_strict=False,
        memory_is_strict=False,
    )


def choose(workers: Iterable[DaskWorker], needs: Needs) -> DaskWorker | None:
    """The one with most room; None while none has enough. One without a GPU before one with, where none is needed."""
    able = [worker for worker in workers if worker.unfit is None and worker.has_room(needs)]
    return max(able, key=lambda worker: (worker.limits.gpu == 0 or needs.gpu > 0, worker.free_threads), default=None)


def why_none(workers: Iterable[DaskWorker], needs: Needs) -> str | None:
    """Why no worker that is there now will ever take the step, and what to do; None when one will."""
    there = list(workers)
    fit = [worker for worker in there if worker.unfit is None]
    if not there:
        return "the Dask cluster has no workers: start one with dask worker"
    if not fit:
        return "no worker of the Dask cluster can be used: " + "; ".join(sorted({str(w.unfit) for w in there}))
    if needs.gpu > max(worker.limits.gpu for worker in fit):
        return f'no worker of the Dask cluster has a GPU: start one with dask worker --resources "{GPU}=1"'
    return None
