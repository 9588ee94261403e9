"""Single steps on a real Dask cluster: schedulers and workers are processes, started by their own commands."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dask_processes import DaskProcesses
from executor_stage import Stage, dask_settings, with_workers
from processes import appeared, gone, is_running

from vmeet_core.pipeline.executors.dask_executor import DaskExecutor
from vmeet_core.pipeline.executors.executor import StepWaits
from vmeet_core.pipeline.process import StepFailed
from vmeet_core.pipeline.spec import Needs, PluginUse
from vmeet_core.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
MakeExecutor = Callable[[Settings], DaskExecutor]


async def test_a_step_runs_on_a_worker_and_all_it_says_comes_back(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    executor = make_executor(dask_settings(cluster.address))
    await with_workers(executor, 2)
    assert (executor.limits.workers, executor.limits.gpu) == (2, 1)
    read = stage.folder / "in.txt"
    read.write_text("words")
    assert await stage.run(executor, "copy", inputs={"in": read}) == "words"
    assert "copied here" in stage.notes.lines
    assert stage.notes.shares == [0.5]
    assert stage.notes.costs[-1][0] > 0
    assert stage.notes.costs[-1][1] > 1_000_000
    assert [path.name for path in stage.results.iterdir()] == ["copy.txt"]


async def test_no_secret_of_the_server_reaches_a_worker(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    settings = dask_settings(cluster.address, files_options={"secret": "hidden"})
    server = settings.server.model_copy(
        update={
            "database": "postgresql+asyncpg://u:hidden@h/n",
            "access_key": "hidden",
            "allow_leaving_host": ("google",),
        }
    )
    plugins = {"denoisers": {"dtln": {"credential": "hidden"}}}
    settings = settings.model_copy(update={"server": server, "plugins": plugins})
    text = await stage.run(make_executor(settings), "settings", settings=settings)
    assert "hidden" not in text
    assert json.loads(text)["server"]["allow_leaving_host"] == ["google"]
    assert "hidden" not in cluster.log()


async def test_a_segmentation_fault_ends_the_step_and_not_the_worker(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    executor = make_executor(dask_settings(cluster.address))
    with pytest.raises(StepFailed, match="SIGSEGV") as caught:
        await stage.run(executor, "fault")
    assert caught.value.crashed
    await with_workers(executor, 2)
    assert list(stage.results.iterdir()) == []


async def test_a_log_that_comes_too_fast_is_cut_and_says_so(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    await stage.run(make_executor(dask_settings(cluster.address)), "chatter")
    assert sum(map(len, stage.notes.lines)) < 1_000_000
    assert any("came too fast" in line for line in stage.notes.lines)


async def test_a_cancelled_step_ends_on_the_worker(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    executor = make_executor(dask_settings(cluster.address))
    running = asyncio.create_task(stage.run(executor, "wait", params={"traces": str(stage.traces)}))
    await appeared(stage.traces / "started")
    ((process, _),) = stage.runs()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert not is_running(process)  # it was gone before the cancellation was
    assert list(stage.results.iterdir()) == []


async def test_a_killed_worker_fails_the_try_as_a_crash_and_takes_the_process_along(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    executor = make_executor(dask_settings(cluster.address))
    running = asyncio.create_task(stage.run(executor, "wait", params={"traces": str(stage.traces)}))
    await appeared(stage.traces / "started")
    ((process, worker),) = stage.runs()
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(StepFailed, match="was lost before the step was done") as caught:
        await running
    assert caught.value.crashed
    await gone(process)
    (stage.traces / "go").touch()
    assert await stage.run(executor, "wait", params={"traces": str(stage.traces)}) == "waited"
    assert len(stage.runs()) == 2
    await with_workers(executor, 2)  # the nanny has started it again


async def test_a_step_for_a_gpu_goes_to_the_worker_that_has_one(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    executor = make_executor(dask_settings(cluster.address))
    await with_workers(executor, 2)
    (stage.traces / "go").touch()
    gpu, other = Needs(gpu=1), Needs()
    for needs in (gpu, gpu, other):
        await stage.run(executor, "wait", params={"traces": str(stage.traces)}, needs=needs)
    workers = [worker for _, worker in stage.runs()]
    assert workers[0] == workers[1] != workers[2]


async def test_a_plugin_that_differs_on_the_worker_fails_the_step_with_the_remedy(
    cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    executor = make_executor(dask_settings(cluster.address))
    use = PluginUse(kind="denoisers", name="patient", version="2", weights={}, options={})
    with pytest.raises(StepFailed, match='has version 1 of "patient", and the server has 2: install the same'):
        await stage.run(executor, "copy", plugin=use)
    with pytest.raises(StepFailed, match="no installed plugin offers"):
        await stage.run(executor, "copy", plugin=use.model_copy(update={"name": "absent"}))


async def test_without_a_cluster_a_step_waits_and_says_why(
    empty_cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage, worker_environment: dict[str, str]
) -> None:
    """Then it comes piece by piece: a scheduler, a worker of another version, one that fits; and goes again."""
    executor = make_executor(dask_settings(empty_cluster.address))
    with pytest.raises(StepWaits, match=f"the Dask scheduler {empty_cluster.address} cannot be reached"):
        await stage.run(executor, "copy")
    empty_cluster.start_scheduler()
    await says(executor, stage, "has no workers: start one with dask worker")
    other = stage.folder / "other"
    (other / "vmeet_core-0.0.1.dist-info").mkdir(parents=True)
    (other / "vmeet_core-0.0.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: vmeet-core\nVersion: 0.0.1\n"
    )
    path = os.pathsep.join([str(other), worker_environment["PYTHONPATH"]])
    unfit = empty_cluster.start_worker(PYTHONPATH=path)
    await says(executor, stage, "has vmeet-core 0.0.1, this server has .*: install the same version there")
    fit = empty_cluster.start_worker()
    read = stage.folder / "in.txt"
    read.write_text("at last")
    async with asyncio.timeout(90):
        while True:
            try:
                assert await stage.run(executor, "copy", inputs={"in": read}) == "at last"
                break
            except StepWaits:
                await asyncio.sleep(0.2)
    for worker in (fit, unfit):
        empty_cluster.end(worker)
    await gone_from(executor)
    await says(executor, stage, "has no workers")


async def gone_from(executor: DaskExecutor) -> None:
    """Until no worker takes a step any more."""
    async with asyncio.timeout(30):
        while executor.limits.memory_bytes < 1 << 62:
            await asyncio.sleep(0.1)


async def says(executor: DaskExecutor, stage: Stage, why: str) -> None:
    """Until a step waits for just that."""
    found = ""
    try:
        async with asyncio.timeout(90):
            while True:
                try:
                    await stage.run(executor, "copy")
                except StepWaits as waits:
                    found = str(waits)
                    if re.search(why, found):
                        return
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"it says {found!r}")


async def test_a_step_that_reads_the_folder_itself_runs_on_the_server(
    empty_cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    read = stage.folder / "in.txt"
    read.write_text("here")
    executor = make_executor(dask_settings(empty_cluster.address))
    assert await stage.run(executor, "copy", inputs={"in": read}, reads_folder=True) == "here"
