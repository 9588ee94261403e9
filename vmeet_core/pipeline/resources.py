"""What all running steps may take together, and what is left of it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from vmeet_core.pipeline.spec import Needs
from vmeet_core.settings import Pipeline

MB = 1_000_000
_WORKERS, _THREADS_PER_CORE = 3, 2  # sound, speech and picture of a meeting that has ended


@dataclass(frozen=True)
class Limits:
    """A limit that the settings name is strict. One that follows from the machine is not: a step that needs more
    than the machine has gets all of it, alone.
    """

    workers: int
    cpu: int
    gpu: int
    memory_bytes: int
    cpu_is_strict: bool
    memory_is_strict: bool

    @classmethod
    def of(cls, pipeline: Pipeline) -> "Limits":
        """Those of the settings and of this machine.

        Where neither says how much may run at once, more does than there are cores: what people wait for most has the
        highest priority (``niceness``), and what it leaves of the machine, the others use.
        """
        cores = os.cpu_count() or 1
        workers = pipeline.workers or max(_WORKERS, cores // 2)
        share = min(cores, ceil(_THREADS_PER_CORE * cores / workers))
        return cls(
            workers=workers,
            cpu=pipeline.cpu or (max(cores, workers) if pipeline.workers else share * workers),
            gpu=pipeline.gpu,
            memory_bytes=pipeline.memory_bytes or machine_memory_bytes(),
            cpu_is_strict=pipeline.cpu > 0,
            memory_is_strict=pipeline.memory_bytes > 0,
        )

    @property
    def share(self) -> int:
        """The threads of each of as many steps as there are workers."""
        return max(1, self.cpu // self.workers)

    def granted(self, needs: Needs) -> Needs:
        """What a step gets that may run."""
        return needs.model_copy(
            update={"cpu": min(needs.cpu, self.cpu), "memory_bytes": min(needs.memory_bytes, self.memory_bytes)}
        )

    def refusal(self, needs: Needs) -> str | None:
        """Why a step can never run; None when it can."""
        if needs.gpu > self.gpu:
            return f"it needs {needs.gpu} GPU, and pipeline.gpu allows {self.gpu}"
        if self.cpu_is_strict and needs.cpu > self.cpu:
            return f"it uses {needs.cpu} threads, and pipeline.cpu allows {self.cpu}"
        if self.memory_is_strict and needs.memory_bytes > self.memory_bytes:
            need_mb, allowed_mb = needs.memory_bytes // MB, self.memory_bytes // MB
            return f"it needs up to {need_mb} MB of memory, and pipeline.memory_bytes allows {allowed_mb} MB"
        return None

    def free(self, taken: Iterable[Needs]) -> "Free":
        """What is left beside running steps that were granted these."""
        left = Free(self.workers, self.cpu, self.gpu, self.memory_bytes)
        for needs in taken:
            left.take(needs)
        return left


@dataclass
class Free:
    """What is left to give, step by step."""

    workers: int
    cpu: int
    gpu: int
    memory_bytes: int

    def take(self, needs: Needs) -> bool:
        """False when it is not there. Then nothing of what lacks is given to those who come after, or a stream of
        small steps would keep a large one waiting for ever.
        """
        after = replace(
            self,
            workers=self.workers - 1,
            cpu=self.cpu - needs.cpu,
            gpu=self.gpu - needs.gpu,
            memory_bytes=self.memory_bytes - needs.memory_bytes,
        )
        names = ("workers", "cpu", "gpu", "memory_bytes")
        lacking = [name for name in names if getattr(after, name) < 0]
        for name in lacking or names:
            setattr(self, name, 0 if lacking else getattr(after, name))
        return not lacking


def machine_memory_bytes() -> int:
    """Of this machine, or of the container that this is."""
    found = [_physical_bytes()]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found.append(int(Path(file).read_text()))
        except (OSError, ValueError):  # another version of cgroups, or no limit: "max"
            continue
    return min(found)


def _physical_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return 1 << 62
