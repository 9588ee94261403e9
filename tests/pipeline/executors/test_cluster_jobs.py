"""Whole jobs on a Dask cluster, with real media; workers and servers are killed."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from dask_processes import DaskProcesses
from executor_stage import dask_settings
from material import RATE_HZ, RecordingMaker, flash, tone
from processes import appeared, gone
from s3_server import BUCKET, make_bucket, s3_server

from vmeet_core.media.audio import read_all
from vmeet_core.pipeline.executors.area import Area
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.plugins import Registry, discover

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
MakeScheduler = Callable[..., Awaitable[tuple[Any, Any]]]
SECONDS = 2.0
SERVER = """
import asyncio, sys
from pathlib import Path
from vmeet_core.database import Database
from vmeet_core.pipeline.scheduler import Scheduler
from vmeet_core.pipeline.executors.area import Area
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.settings import load_settings

async def main(address, database, folder, traces):
    environment = {"VMEET_PIPELINE__EXECUTOR": "dask", "VMEET_PIPELINE__DASK_SCHEDULER": address}
    scheduler = Scheduler(await Database.open(Path(database)), load_settings(None, environment), lambda job: None)
    await scheduler.start()
    request = ProcessRequest(denoiser="patient", options={"patient": {"folder": traces}})
    await scheduler.submit("r1", Path(folder), request)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def patient(plugin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """With the denoiser that the workers have, too."""
    monkeypatch.syspath_prepend(str(plugin_folder))
    monkeypatch.setenv("PYTHONPATH", str(plugin_folder))
    return discover()


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    folder = tmp_path / "traces"
    folder.mkdir()
    return folder


def runs(traces: Path) -> list[list[int]]:
    """Process and worker of each run of the denoiser."""
    return [[int(each) for each in line.split()] for line in (traces / "runs").read_text().splitlines()]


def request(traces: Path) -> ProcessRequest:
    return ProcessRequest(denoiser="patient", options={"patient": {"folder": str(traces)}})


def heard(recording: RecordingMaker) -> Path:
    recording.join("ann")
    recording.sound("ann", 0.0, SECONDS, tone())
    return recording.write(SECONDS)


def attempts(job: JobView) -> dict[str, int]:
    return {step.name: step.attempts for step in job.steps if step.attempts}


async def test_a_worker_killed_half_way_costs_one_try_of_one_step(
    cluster: DaskProcesses, recording: RecordingMaker, make_scheduler: MakeScheduler, patient: Registry, traces: Path
) -> None:
    for person in ("ann", "bob"):
        recording.join(person)
        recording.sound(person, 0.0, SECONDS, tone())
        recording.pictures(person, 0.0, SECONDS, flash(1.0))
    folder = recording.write(SECONDS)
    scheduler, watcher = await make_scheduler(settings=dask_settings(cluster.address), registry=patient)
    job_id = await scheduler.submit("r1", folder, request(traces))
    await appeared(traces / "started", 120)
    os.kill(runs(traces)[0][1], signal.SIGKILL)
    await watcher.until(lambda job: 1 in attempts(job).values())
    (traces / "go").touch()
    job = await watcher.ended(job_id)
    assert job.state == "done", [(step.name, step.error) for step in job.steps]
    assert (
        sum(attempts(job).values()) <= 2
    )  # of the worker's other thread there was none; a second denoiser may wait there
    assert all(name.startswith("denoise") for name in attempts(job))
    for person in ("ann", "bob"):
        assert len(read_all(folder / job.results[f"audio-denoised:{person}"], RATE_HZ)) == SECONDS * RATE_HZ
    assert (folder / job.results["video"]).stat().st_size > 10_000
    ran_here = {step.name for step in job.steps if step.seconds is not None}
    assert ran_here == {step.name for step in job.steps}
    assert not list(folder.glob("results/*/.*"))


async def test_a_killed_server_leaves_no_step_behind_and_the_next_one_goes_on(
    cluster: DaskProcesses, recording: RecordingMaker, make_scheduler: MakeScheduler, patient: Registry, traces: Path
) -> None:
    folder, state = heard(recording), traces.parent / "state.sqlite3"
    command = [sys.executable, "-c", SERVER, cluster.address, str(state), str(folder), str(traces)]
    server = await asyncio.create_subprocess_exec(*command)
    await appeared(traces / "started", 120)
    server.send_signal(signal.SIGKILL)
    await server.wait()
    await gone(runs(traces)[0][0])
    (traces / "go").touch()
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("results/*/audio-*.flac")}
    assert len(finished) == 1
    scheduler, watcher = await make_scheduler(settings=dask_settings(cluster.address), registry=patient)
    (before,) = await scheduler.jobs("r1")
    job = await watcher.ended(before.id)
    assert job.state == "done", [(step.name, step.error) for step in job.steps]
    assert attempts(job) == {}
    assert len(runs(traces)) == 2
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert not list(folder.glob("results/*/.*"))


async def test_jobs_wait_for_a_cluster_that_is_not_there_and_say_so(
    empty_cluster: DaskProcesses,
    recording: RecordingMaker,
    make_scheduler: MakeScheduler,
    patient: Registry,
    traces: Path,
) -> None:
    (traces / "go").touch()
    scheduler, watcher = await make_scheduler(settings=dask_settings(empty_cluster.address), registry=patient)
    job_id = await scheduler.submit("r1", heard(recording), request(traces))
    why = f"the Dask scheduler {empty_cluster.address} cannot be reached"
    waiting = await watcher.until(lambda job: any(why in (step.error or "") for step in job.steps))
    assert waiting.state == "running"
    empty_cluster.start_scheduler()
    empty_cluster.start_worker("--nthreads", "2")
    job = await watcher.ended(job_id)
    assert job.state == "done", [(step.name, step.error) for step in job.steps]
    assert attempts(job) == {}
    assert not any(step.error for step in job.steps)


async def test_a_whole_job_reads_and_writes_through_s3(
    empty_cluster: DaskProcesses,
    recording: RecordingMaker,
    make_scheduler: MakeScheduler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The workers see neither the folder of the recording nor that of the results, but for what they copy."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    recording.join("ann")
    recording.sound("ann", 0.0, SECONDS, tone())
    recording.pictures("ann", 0.0, SECONDS, flash(1.0))
    folder = recording.write(SECONDS)
    with s3_server(tmp_path / "s3.log") as address:
        await asyncio.to_thread(make_bucket, address)
        own = tmp_path / "worker.toml"
        own.write_text(f'[pipeline]\nfiles_options = {{ endpoint_url = "{address}" }}\n')
        empty_cluster.start_scheduler()
        empty_cluster.start_worker("--nthreads", "2", VMEET_SETTINGS=str(own))
        place = {"files": f"s3://{BUCKET}/folder", "files_options": {"endpoint_url": address}}
        scheduler, watcher = await make_scheduler(settings=dask_settings(empty_cluster.address, **place))
        job = await watcher.ended(await scheduler.submit("r1", folder, ProcessRequest()))
        assert job.state == "done", [(step.name, step.error) for step in job.steps]
        assert await asyncio.to_thread(Area(place["files"], place["files_options"]).names, "jobs") == []
        sent = (tmp_path / "s3.log").read_text()
    assert len(read_all(folder / job.results["audio:ann"], RATE_HZ)) == SECONDS * RATE_HZ
    assert (folder / job.results["video"]).stat().st_size > 10_000
    put = [line.partition("PUT ")[2].split()[0] for line in sent.splitlines() if "PUT " in line and "/jobs/" in line]
    assert len([name for name in put if "/in/" in name]) == 2  # the segments: what a worker has made is there
    assert len(put) == len(set(put)) > len(job.steps)
