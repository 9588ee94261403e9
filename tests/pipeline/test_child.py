"""Tests of what happens to a step when the server is killed: real servers, real kills."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from material import RecordingMaker, tone
from processes import appeared, gone, is_running

from vmeet_core.pipeline.messages import Order
from vmeet_core.settings import Settings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")

SERVER = """
import asyncio, sys
from pathlib import Path
from vmeet_core.database import Database
from vmeet_core.pipeline.scheduler import Scheduler
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.settings import load_settings

async def main(database, folder, traces):
    scheduler = Scheduler(await Database.open(Path(database)), load_settings(None, {}), lambda job: None)
    await scheduler.start()
    request = ProcessRequest(denoiser="slow", options={"slow": {"folder": traces}})
    await scheduler.submit("r1", Path(folder), request)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.usefixtures("registry")
async def test_a_killed_server_takes_the_step_along_and_the_next_one_finishes_the_job(
    recording: RecordingMaker, make_scheduler: Callable[..., Awaitable[tuple[Any, Any]]], tmp_path: Path
) -> None:
    recording.join("ann")
    recording.sound("ann", 0.0, 2.0, tone())
    folder = recording.write(2.0)
    command = [sys.executable, "-c", SERVER, str(tmp_path / "state.sqlite3"), str(folder), str(tmp_path)]
    server = await asyncio.create_subprocess_exec(*command)
    await appeared(tmp_path / "started")
    step = int((tmp_path / "pid").read_text())
    assert is_running(step)
    server.send_signal(signal.SIGKILL)
    await server.wait()
    await gone(step, within_s=3)
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("results/*/audio-*.flac")}
    assert len(finished) == 1

    (tmp_path / "go").touch()
    scheduler, watcher = await make_scheduler()
    (before,) = await scheduler.jobs("r1")
    seconds = {one.name: one.seconds for one in before.steps if one.state == "done"}
    assert {"prepare", "audio:ann"} <= seconds.keys()
    assert "denoise:ann" not in seconds
    assert {one.attempts for one in before.steps} == {0}
    job = await watcher.ended(before.id)
    assert job.state == "done"
    assert {one.name: one.seconds for one in job.steps if one.name in seconds} == seconds
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert not list(folder.glob("results/*/.*"))


def order(folder: Path, settings: Settings, parent_pid: int) -> Order:
    return Order(
        function="waiting_step:run",
        folder=folder,
        params={},
        inputs={},
        outputs={},
        temp_dir=folder / ".partial",
        settings=settings,
        threads=1,
        parent_pid=parent_pid,
    )


@pytest.fixture
async def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> asyncio.subprocess.Process:
    """A step's process that waits for its order."""
    (tmp_path / "waiting_step.py").write_text(
        "import time\ndef run(work):\n    (work.folder / 'started').touch()\n    time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vmeet_core.pipeline.child"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )


async def test_the_end_of_stdin_ends_the_step(
    child: asyncio.subprocess.Process, tmp_path: Path, settings: Settings
) -> None:
    assert child.stdin is not None
    child.stdin.write(order(tmp_path, settings, os.getpid()).model_dump_json().encode() + b"\n")
    await appeared(tmp_path / "started")
    child.stdin.close()
    assert await asyncio.wait_for(child.wait(), 10) == 3


async def test_the_end_of_stdin_ends_one_that_waits_for_its_order_without_a_word() -> None:
    waiting = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vmeet_core.pipeline.child"), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert waiting.stdin is not None
    waiting.stdin.close()
    assert await asyncio.wait_for(waiting.communicate(), 10) == (None, b"")
    assert waiting.returncode == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent dies")
async def test_a_step_whose_parent_died_before_it_could_ask_to_be_told_ends(
    child: asyncio.subprocess.Process, tmp_path: Path, settings: Settings
) -> None:
    assert child.stdin is not None
    child.stdin.write(order(tmp_path, settings, parent_pid=1).model_dump_json().encode() + b"\n")
    assert await asyncio.wait_for(child.wait(), 10) == 3
    assert not (tmp_path / "started").exists()
    child.stdin.close()
