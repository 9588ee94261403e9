"""Single steps for executors: what tests need beside a cluster."""

import asyncio
import os
from pathlib import Path
from typing import Any

from vmeet_core.pipeline.executors.dask_executor import DaskExecutor
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import Listener
from vmeet_core.pipeline.spec import Output, StepSpec
from vmeet_core.settings import Settings, load_settings


def dask_settings(address: str, **pipeline: Any) -> Settings:
    defaults = load_settings(None, {})
    update = {"executor": "dask", "dask_scheduler": address, **pipeline}
    return defaults.model_copy(update={"pipeline": defaults.pipeline.model_copy(update=update)})


class Notes(Listener):
    """All that a step told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shares: list[float] = []
        self.costs: list[tuple[float, int]] = []

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def usage(self, cpu_s: float, peak_memory_bytes: int) -> None:
        self.costs.append((cpu_s, peak_memory_bytes))


class Stage:
    """Runs single steps through an executor, in a recording's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.notes = folder / "recording", Notes()
        self.results = self.folder / "results" / "job"
        self.results.mkdir(parents=True)
        self.traces = folder / "traces"
        self.traces.mkdir()

    def runs(self) -> list[tuple[int, int]]:
        """Process and parent of each run of a step that waits."""
        lines = (self.traces / "runs").read_text().splitlines()
        return [(int(line.split()[0]), int(line.split()[1])) for line in lines]

    async def run(
        self,
        executor: DaskExecutor,
        function: str,
        *,
        inputs: dict[str, Path] | None = None,
        params: dict[str, Any] | None = None,
        settings: Settings | None = None,
        **spec: Any,
    ) -> str:
        """What it wrote."""
        target = self.results / f"{function}.txt"
        order = Order(
            function=f"remote_steps:{function}",
            folder=self.folder,
            params=params or {},
            inputs=inputs or {},
            outputs={"out": target},
            temp_dir=self.results / ".1.partial",
            settings=settings or load_settings(None, {}),
            threads=1,
            parent_pid=os.getpid(),
        )
        step = StepSpec(
            name=function,
            title=function,
            function=order.function,
            version=1,
            outputs={"out": Output(result="out", file=target.name)},
            **spec,
        )
        await executor.run(order, self.notes, spec=step, job_id="job")
        return await asyncio.to_thread(target.read_text)


async def with_workers(executor: DaskExecutor, count: int) -> None:
    """Until the executor knows of so many threads."""
    async with asyncio.timeout(90):
        while executor.limits.cpu < count:
            await asyncio.sleep(0.1)
