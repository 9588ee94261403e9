"""Tests of jobs that are begun while their recording still runs: real processes, a real database."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from growing_recording import STEPS, MakeScheduler, Stage, build_graph
from processes import gone, is_running

from vmeet_core.hookspecs import Permanent
from vmeet_core.pipeline import scheduler as scheduler_module
from vmeet_core.pipeline.executors import local
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.scheduler import UnknownJob
from vmeet_core.pipeline.store import JobStore
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.settings import Settings


@pytest.fixture
async def quiet_stage(
    tmp_path: Path, make_scheduler: MakeScheduler, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> Stage:
    """Whose steps work in the background."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "growing_steps.py").write_text(STEPS)
    paths = [str(tmp_path / "modules"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setattr(scheduler_module.graph, "build_graph", build_graph)
    opened = Stage(tmp_path / "r", make_scheduler)
    await opened.open()
    return opened


@pytest.fixture
def stage(quiet_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Whose steps do not: where many tests run at once, nothing would ever come to them."""
    run_process = local.run_process

    async def in_the_foreground(order: Order, *args: Any, **options: Any) -> None:
        await run_process(order.model_copy(update={"background": False}), *args, **options)

    monkeypatch.setattr(local, "run_process", in_the_foreground)
    return quiet_stage


def layout(job: JobView) -> Any:
    return next(step for step in job.steps if step.name == "layout")


async def test_a_job_grows_with_its_recording_and_is_the_same_in_the_end(stage: Stage) -> None:
    job_id = await stage.begin(2)
    view = await stage.until_parts(2)
    assert (view.state, view.priority, view.results) == ("running", "ahead", {})
    stage.parts(4)
    stage.scheduler.renew(job_id)
    view = await stage.until_parts(4)
    assert (layout(view).state, layout(view).parts) == ("done", 4)
    assert stage.made() == [f"layout:{number}" for number in range(4)]
    await stage.settled()
    assert (await stage.job()).state == "running"
    stage.parts(5)
    await stage.scheduler.finish_ahead(job_id, ProcessRequest(), name="週會")
    job = await stage.watcher.ended(job_id)
    assert (job.id, job.state, job.priority, job.name) == (job_id, "done", "fresh", "週會")
    assert stage.made() == [*(f"layout:{number}" for number in range(5)), "join"]
    assert (stage.folder / job.results["video"]).read_text() == "0 1 2 3 4"
    assert stage.scheduler.ahead() == {}
    ended = [view.state for view in stage.watcher.views if view.state not in ("queued", "running")]
    assert ended == ["done"]


async def test_a_renewal_while_the_first_step_runs_comes_after_it(stage: Stage) -> None:
    stage.hold("prepare")
    job_id = await stage.begin(1)
    await stage.began("prepare")
    stage.parts(3)
    for _ in range(3):
        stage.scheduler.renew(job_id)
    stage.free("prepare")
    await stage.until_parts(3)
    await stage.settled()
    assert stage.made() == ["layout:0", "layout:1", "layout:2"]
    stage.scheduler.renew("absent")


async def test_one_process_works_ahead_at_a_time_and_others_run_beside_it(stage: Stage) -> None:
    for name in ("layout:0", "join"):
        stage.hold(name)
    await stage.begin(3)
    await stage.began("layout:0")
    fresh = await stage.scheduler.submit("other", stage.folder, ProcessRequest())
    await stage.watcher.until(lambda job: job.id == fresh and any(step.state == "done" for step in job.steps))
    ahead = await stage.job()
    assert [step.state for step in ahead.steps] == ["done", "running"]
    assert layout(ahead).parts_done == 0
    stage.free("layout:0")
    await stage.began("join")
    stage.free("join")
    await stage.until_parts(3)
    running = [
        sum(one.state == "running" for one in job.steps)
        for view in stage.watcher.views
        if (job := view).priority == "ahead"
    ]
    assert max(running) == 1


async def test_the_meeting_ends_while_a_step_runs_which_goes_on(stage: Stage) -> None:
    stage.hold("layout:1")
    job_id = await stage.begin(2)
    pid = await stage.began("layout:1")
    stage.parts(3)
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    await stage.watcher.until(lambda job: any(step.name == "join" for step in job.steps))
    assert is_running(pid)
    stage.free("layout:1")
    job = await stage.watcher.ended(job_id)
    assert job.state == "done"
    assert sorted(stage.made()) == ["join", "layout:0", "layout:1", "layout:2"]


async def test_the_meeting_ends_while_the_first_step_runs_which_is_run_anew(stage: Stage) -> None:
    stage.hold("prepare")
    job_id = await stage.begin(1)
    pid = await stage.began("prepare")
    stage.free("prepare")
    os.kill(pid, signal.SIGSTOP)  # it would never end
    stage.parts(2)
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    await gone(pid)
    job = await stage.watcher.ended(job_id)
    assert (job.state, (stage.folder / job.results["video"]).read_text()) == ("done", "0 1")


async def test_another_denoiser_at_the_end_stops_what_is_not_needed_and_leaves_no_files(stage: Stage) -> None:
    stage.hold("layout:2")
    job_id = await stage.begin(4)
    pid = await stage.began("layout:2")
    os.kill(pid, signal.SIGSTOP)
    stage.free("layout:2")
    (stage.folder / "results" / job_id / "picture-9.txt").write_text("of a part that is none any more")
    (stage.folder / "results" / job_id / ".left.partial").mkdir()
    await stage.scheduler.finish_ahead(job_id, ProcessRequest(denoiser="half"))
    await gone(pid)
    job = await stage.watcher.ended(job_id)
    assert job.state == "done"
    assert (stage.folder / job.results["video"]).read_text() == "0half 1half 2half 3half"
    assert stage.left(job_id) == {"prepared.json", "video.txt", *(f"picture-{number}.txt" for number in range(4))}
    await stage.settled()
    assert len((await JobStore(stage.scheduler._database).of_recording("r"))[0].steps) == 6


async def test_fewer_parts_at_the_end_leave_no_files(stage: Stage) -> None:
    job_id = await stage.begin(3)
    await stage.until_parts(3)
    stage.parts(2)
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    job = await stage.watcher.ended(job_id)
    assert (job.state, layout(job).parts) == ("done", 2)
    assert stage.left(job_id) == {"prepared.json", "video.txt", "picture-0.txt", "picture-1.txt"}


async def test_files_that_another_job_of_the_recording_names_stay(stage: Stage) -> None:
    job_id = await stage.begin(2)
    await stage.until_parts(2)
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    await stage.watcher.ended(job_id)
    stage.parts(3)
    again = await stage.scheduler.submit("r", stage.folder, ProcessRequest())
    await stage.watcher.ended(again)
    assert stage.made().count("layout:0") == 1
    stage.parts(1)
    (stage.folder / "results" / job_id / "video.txt").unlink()
    (stage.folder / "results" / job_id / "prepared.json").unlink()
    await stage.scheduler.retry(job_id)
    await stage.watcher.until(lambda job: job.id == job_id and job.state == "running")
    await stage.settled()
    assert {"picture-0.txt", "picture-1.txt"} <= stage.left(job_id)


async def test_a_failure_ahead_is_told_nowhere_and_tried_again_at_the_end(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (stage.folder / "fail-layout:0").touch()
    (stage.folder / "fail-prepare").touch()
    job_id = await stage.begin(2)
    await stage.began("prepare")
    await stage.settled()
    assert (await stage.job()).state == "running"
    (stage.folder / "fail-prepare").unlink()
    stage.scheduler.renew(job_id)
    await stage.until_parts(1)
    await stage.settled()
    job = await stage.job()
    assert (job.state, layout(job).state, layout(job).error) == ("running", "queued", None)
    assert all(step.error is None and step.state != "failed" for view in stage.watcher.views for step in view.steps)
    assert "layout:0 fails" in caplog.text
    (stage.folder / "fail-layout:0").unlink()
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    job = await stage.watcher.ended(job_id)
    assert (job.state, layout(job).attempts) == ("done", 0)
    assert stage.made() == ["layout:1", "layout:0", "join"]


async def test_a_cancelled_job_is_not_there_and_can_be_tried_again(stage: Stage) -> None:
    stage.hold("layout:0")
    job_id = await stage.begin(1)
    pid = await stage.began("layout:0")
    await stage.scheduler.cancel(job_id)
    assert not is_running(pid)
    assert (await stage.job()).state == "cancelled"
    stage.scheduler.renew(job_id)
    assert stage.scheduler.ahead() == {}
    with pytest.raises(UnknownJob):
        await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    stage.free("layout:0")
    await stage.scheduler.retry(job_id)
    await stage.until_parts(1)
    assert stage.scheduler.ahead() == {"r": job_id}
    await stage.scheduler.finish_ahead(job_id)
    await stage.watcher.until(lambda job: job.state == "done")


async def test_it_cannot_be_moved_to_the_front_and_can_be_deleted(stage: Stage) -> None:
    stage.hold("layout:0")
    job_id = await stage.begin(1)
    pid = await stage.began("layout:0")
    await stage.scheduler.move_to_front(job_id)
    assert (await stage.job()).priority == "ahead"
    await stage.scheduler.delete("r")
    assert not is_running(pid)
    assert (stage.scheduler.ahead(), await stage.scheduler.jobs("r")) == ({}, [])


async def test_what_cannot_be_had_at_the_end_is_refused_and_changes_nothing(stage: Stage) -> None:
    job_id = await stage.begin(1)
    with pytest.raises(Permanent, match="nothing"):
        await stage.scheduler.finish_ahead(job_id, ProcessRequest(denoiser="nothing"))
    assert stage.scheduler.ahead() == {"r": job_id}


async def test_the_next_server_goes_on_with_it(stage: Stage) -> None:
    stage.hold("layout:1")
    job_id = await stage.begin(2)
    await stage.began("layout:1")
    await stage.scheduler.close()
    await stage.open()
    assert stage.scheduler.ahead() == {"r": job_id}
    await stage.began("layout:1")  # still held: it is run again, and what was done is not
    stage.free("layout:1")
    stage.parts(3)
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    job = await stage.watcher.ended(job_id)
    assert job.state == "done"
    assert stage.made().count("layout:0") == 1


async def test_logs_of_parts_are_in_one_file_and_no_line_is_torn(stage: Stage) -> None:
    stage.parts(6)
    job_id = await stage.scheduler.submit("r", stage.folder, ProcessRequest())
    job = await stage.watcher.ended(job_id)
    path = await stage.scheduler.log_file(job_id, "layout")
    assert await stage.scheduler.log_file(job_id, "layout:3") == path
    lines, section, said = path.read_text().splitlines(), "", []
    for line in lines:
        if line.startswith("---"):
            section = line.split(",")[0].removeprefix("--- Part ")
        else:
            assert line.startswith(f"layout:{section} says"), lines
            said.append(line)
    assert sorted(said) == sorted(f"layout:{part} says {number}" for part in range(6) for number in range(3))
    assert layout(job).log_tail == [f"layout:5 says {number}" for number in range(3)]


@pytest.mark.skipif(sys.platform != "linux", reason="sched(7)")
async def test_it_runs_in_the_background_until_it_is_waited_for(quiet_stage: Stage) -> None:
    stage = quiet_stage
    stage.hold("layout:0")
    job_id = await stage.begin(1)
    pid = await stage.began("layout:0")
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    async with asyncio.timeout(20):
        while is_running(pid) and os.sched_getscheduler(pid) == os.SCHED_IDLE:
            await asyncio.sleep(0.05)
    stage.free("layout:0")
    assert (await stage.watcher.ended(job_id)).state == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="sched(7)")
async def test_where_it_cannot_leave_the_background_it_is_begun_anew_once_it_starves(
    quiet_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmeet_core.pipeline.hastening.leave_background", lambda pid, niceness: False)
    monkeypatch.setattr("vmeet_core.pipeline.hastening.ROUND_S", 0.3)
    stage = quiet_stage
    stage.hold("layout:0")  # it sleeps: no processor time comes to it
    job_id = await stage.begin(1)
    first = await stage.began("layout:0")
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    await gone(first)
    second = await stage.began("layout:0")
    assert second != first
    assert os.sched_getscheduler(second) == os.SCHED_OTHER
    stage.free("layout:0")
    job = await stage.watcher.ended(job_id)
    assert (job.state, layout(job).attempts, layout(job).error) == ("done", 0, None)


SERVER = """
import asyncio, sys
from pathlib import Path
import growing_recording as growing
from vmeet_core.database import Database
from vmeet_core.pipeline import scheduler as scheduler_module
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import discover
from vmeet_core.settings import load_settings

async def main():
    scheduler_module.graph.build_graph = growing.build_graph
    database = await Database.open(Path(sys.argv[1]))
    steps = {"first_step": growing.first_step(True), "ahead_step": growing.first_step(False)}
    made = {"registry": discover(), **steps}
    scheduler = scheduler_module.Scheduler(database, load_settings(None, {}), lambda job: None, **made)
    await scheduler.start()
    print(await scheduler.begin_ahead("r", Path(sys.argv[2]), ProcessRequest()), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_server_that_is_killed_while_a_step_runs_ahead_loses_that_step_alone(
    stage: Stage, tmp_path: Path, settings: Settings
) -> None:
    await stage.scheduler.close()
    stage.parts(3)
    stage.hold("layout:2")
    paths = os.pathsep.join([*sys.path, os.environ["PYTHONPATH"]])
    command = [sys.executable, "-c", SERVER, str(tmp_path / "state.sqlite3"), str(stage.folder)]
    server = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}
    )
    assert server.stdout is not None
    job_id = (await asyncio.wait_for(server.stdout.readline(), 60)).decode().strip()
    pid = await stage.began("layout:2")
    server.kill()
    await server.wait()
    await gone(pid)
    stage.free("layout:2")
    await stage.open()
    assert stage.scheduler.ahead() == {"r": job_id}
    await stage.scheduler.finish_ahead(job_id, ProcessRequest())
    job = await stage.watcher.ended(job_id)
    assert (job.state, (stage.folder / job.results["video"]).read_text()) == ("done", "0 1 2")
    assert sorted(stage.made()) == ["join", "layout:0", "layout:1", "layout:2"]
    assert not [name for name in stage.left(job_id) if name.startswith(".")]
