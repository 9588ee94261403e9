"""Steps as processes of this machine."""

from collections.abc import Callable
from pathlib import Path

from vmeet_core.pipeline.log_file import LogSection
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import Listener, run_process
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.settings import Pipeline


class LocalExecutor:
    """Has nothing to start or to end: each process ends with its step."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._limits = Limits.of(pipeline)

    @property
    def limits(self) -> Limits:
        """Those of the settings and of this machine."""
        return self._limits

    def start(self, on_room: Callable[[], None]) -> None:
        """There is always as much room as there was."""

    async def close(self) -> None:
        """Nothing is open."""

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
        """Raises StepFailed."""
        await run_process(order, listener, memory_bytes=memory_bytes, log_file=log_file)

    async def forget(self, job_id: str, results: Path) -> None:
        """A step leaves nothing: the scheduler removes its folder."""
