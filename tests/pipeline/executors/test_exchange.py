"""Files of steps through an area: an S3 server over real sockets, and a folder; with real workers."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dask_processes import DaskProcesses
from executor_stage import Stage, dask_settings, with_workers
from processes import appeared
from s3_server import BUCKET, make_bucket, s3_server

from vmeet_core.pipeline.executors.area import Area, AreaError
from vmeet_core.pipeline.executors.dask_executor import DaskExecutor
from vmeet_core.pipeline.executors.exchange import Exchange
from vmeet_core.pipeline.executors.executor import StepWaits
from vmeet_core.pipeline.process import StepFailed
from vmeet_core.settings import Settings

MakeExecutor = Callable[[Settings], DaskExecutor]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture(params=["s3", "file"])
def area(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """URL and options."""
    if request.param == "file":
        yield f"file://{tmp_path}/area", {}
        return
    with s3_server(tmp_path / "s3.log") as address:
        make_bucket(address)
        yield f"s3://{BUCKET}/folder", {"endpoint_url": address}


@pytest.fixture
def distant_cluster(empty_cluster: DaskProcesses, area: tuple[str, dict[str, Any]], tmp_path: Path) -> DaskProcesses:
    """Two workers with settings of their own."""
    own = tmp_path / "worker.toml"
    options = ", ".join(f'{name} = "{value}"' for name, value in area[1].items())
    own.write_text(f"[pipeline]\nfiles_options = {{ {options} }}\n")
    empty_cluster.start_scheduler()
    for _ in range(2):
        empty_cluster.start_worker(VMEET_SETTINGS=str(own))
    return empty_cluster


async def test_steps_find_what_they_read_and_give_back_what_they_made(
    area: tuple[str, dict[str, Any]], distant_cluster: DaskProcesses, make_executor: MakeExecutor, stage: Stage
) -> None:
    """Also when a worker is killed half-way; in the end nothing is left of the job."""
    url, options = area
    executor = make_executor(dask_settings(distant_cluster.address, files=url, files_options=options))
    await with_workers(executor, 2)
    seen = Area(url, options)
    first, (inside, outside) = stage.folder / "in.txt", (stage.folder / "segments" / "a.mkv", stage.traces / "film.mkv")
    inside.parent.mkdir()
    for path in (first, inside, outside):
        path.write_text(f"{path.name} ")
    files = {"segments/a.mkv": "6:abc", str(outside): "9:def"}
    wrote = await stage.run(executor, "copy", inputs={"in": first}, params={"files": list(files)}, files=files)
    assert wrote == "in.txt a.mkv film.mkv "
    sent = await asyncio.to_thread(seen.names, "jobs/job/in")
    assert len(sent) == 3
    made = stage.results / "copy.txt"
    (stage.traces / "go").touch()
    assert await stage.run(executor, "wait", params={"traces": str(stage.traces)}, inputs={"in": made}) == "waited"
    assert await asyncio.to_thread(seen.names, "jobs/job/in") == sent  # what a step made is there already

    (stage.traces / "go").unlink()
    (stage.traces / "started").unlink()
    running = asyncio.create_task(stage.run(executor, "wait", params={"traces": str(stage.traces)}))
    await appeared(stage.traces / "started")
    os.kill(stage.runs()[-1][1], signal.SIGKILL)
    with pytest.raises(StepFailed, match="was lost before the step was done"):
        await running
    (stage.traces / "go").touch()
    assert await stage.run(executor, "wait", params={"traces": str(stage.traces)}) == "waited"
    assert len(stage.runs()) == 3
    await executor.forget("job", stage.results)
    assert await asyncio.to_thread(seen.names, "jobs") == []
    assert sorted(path.name for path in stage.results.iterdir()) == ["copy.txt", "wait.txt"]


async def test_while_the_area_is_away_steps_wait_and_say_so(stage: Stage, tmp_path: Path) -> None:
    with s3_server(tmp_path / "s3.log") as address:
        area = Area(f"s3://{BUCKET}/none", {"endpoint_url": address})
        exchange = Exchange("s3://x", area)
        read = stage.folder / "in.txt"
        read.write_text("words")
        with pytest.raises(StepWaits, match=f"pipeline.files: s3://{BUCKET}/none cannot be used: .*bucket"):
            await exchange.place("job", "try", stage.folder, {"in": read}, {})
        await asyncio.to_thread(make_bucket, address)
        placed = await exchange.place("job", "try", stage.folder, {"in": read}, {})
        assert await asyncio.to_thread(area.has, placed.inputs["in"], 5)
    exchange.close()


def test_what_was_cut_short_is_not_there(tmp_path: Path) -> None:
    area = Area(f"file://{tmp_path}/area", {})
    whole = tmp_path / "whole"
    whole.write_text("whole")
    assert not area.has("one", 5)
    area.put(whole, "one")
    assert area.has("one", 5)
    (tmp_path / "area" / "one").write_text("who")
    assert not area.has("one", 5)
    area.remove("one")
    area.remove("one")
    assert area.names("") == []
    with pytest.raises(AreaError, match=r"area cannot be used: FileNotFoundError"):
        area.get("one", tmp_path / "two")
