"""Steps as processes of this machine."""

from collections.abc import Callable
from pathlib import Path

from vmeet_core.pipeline.executors.spare import Spare
from vmeet_core.pipeline.log_file import LogSection
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import Listener, run_process
from vmeet_core.pipeline.resources import Limits
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.settings import Pipeline


class LocalExecutor:
    """Each process ends with its step; while one runs, and for a while after it, another one waits for the next."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._limits = Limits.of(pipeline)
        self._spare = Spare()

    @property
    def limits(self) -> Limits:
        """Those of the settings and of this machine."""
        return self._limits

    def start(self, on_room: Callable[[], None]) -> None:
        """There is always as much room as there was."""

    async def close(self) -> None:
        """Twice does no harm."""
        await self._spare.close()

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
        process = await self._spare.take()
        self._spare.prepare()
        await run_process(order, listener, process=process, memory_bytes=memory_bytes, log_file=log_file)

    async def forget(self, job_id: str, results: Path) -> None:
        """A step leaves nothing: the scheduler removes its folder."""
