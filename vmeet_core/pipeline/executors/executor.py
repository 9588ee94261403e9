"""What the scheduler asks of whatever runs its steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from vmeet_core.pipeline.log_file import LogSection
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import Listener
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import StepSpec


class StepWaits(Exception):
    """The step cannot run now, which is no failure of the step; it is worth another look ``after_s`` from now."""

    def __init__(self, message: str, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s


class Executor(Protocol):
    """Runs steps. All of it belongs to one event loop."""

    @property
    def limits(self) -> Limits:
        """What all running steps may take together, as it is now."""

    def start(self, on_room: Callable[[], None]) -> None:
        """Before the first ``run``; again does no harm. ``on_room`` is called when there may be room for more."""

    async def close(self) -> None:
        """When no ``run`` runs any more. Twice does no harm."""

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
        """Run the step to its end: its outputs are then where the order says. When cancelled, its process is gone
        before this returns, or can no longer reach the outputs.

        ``memory_bytes`` is what it may hold (0: no limit). Raises StepFailed and StepWaits.
        """

    async def forget(self, job_id: str, results: Path) -> None:
        """The job has ended: whatever tries that were cut short have left goes. ``results`` is the job's folder."""
