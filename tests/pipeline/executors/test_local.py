"""Tests of steps as processes of this machine."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from vmeet_core.pipeline.executors.local import LocalExecutor
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import Listener
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.settings import Pipeline, Settings

STEP = """
import os, time
def run(work):
    work.outputs["out"].write_text(str(os.getpid()))
    time.sleep(2)  # until the next one waits
"""


async def test_the_next_step_gets_the_process_that_waited(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "local_step.py").write_text(STEP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    executor = LocalExecutor(Pipeline())
    order = Order(
        function="local_step:run",
        folder=tmp_path,
        params={},
        inputs={},
        outputs={"out": tmp_path / "pid"},
        temp_dir=tmp_path / ".partial",
        settings=settings,
        threads=1,
        parent_pid=os.getpid(),
    )
    spec = StepSpec(name="a", title="a", function=order.function, version=1)
    waiting = []
    for _ in range(3):
        await executor.run(order, Listener(), spec=spec, job_id="j")
        waiting.append((int((tmp_path / "pid").read_text()), executor._spare._process))
    for (_, waited), (pid, _) in pairwise(waiting):
        assert waited is not None
        assert waited.pid == pid
    await executor.close()
