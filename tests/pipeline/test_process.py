"""Tests of a step's process, with real processes: ``process`` is the server's side, ``child`` the step's."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import appeared, gone

from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import StepFailed, run_process
from vmeet_core.settings import Settings

AUTOGROUPS = Path("/proc/self/autogroup").exists()
STEPS = """
import os, subprocess, sys, time
from vmeet_core.hookspecs import Permanent, Retryable

def write(work):
    work.progress(0.25)
    print("printed, not reported")
    os.write(1, b"written to stdout itself\\n")
    print("logged", file=sys.stderr)
    work.outputs["out"].write_text(work.inputs["in"].read_text() + work.params["text"])
    print("nice", os.nice(0), file=sys.stderr)
    if os.path.exists("/proc/self/autogroup"):
        print("group", open("/proc/self/autogroup").read().split()[-1], file=sys.stderr)
    time.sleep(0.11)
    work.progress(0.75)

def half(work):
    work.outputs["out"].write_text("half")
    raise OSError(28, "No space left on device")

def permanent(work):
    raise Permanent("no")

def retryable(work):
    raise Retryable("later", after_s=7)

def forget(work):
    pass

def leave(work):
    os._exit(5)

def hang(work):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (work.folder / "pids").write_text(f"{os.getpid()} {child.pid}")
    (work.folder / "started").touch()
    time.sleep(600)

def stubborn(work):
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang(work)

def chatter(work):
    sys.stderr.write("x" * 3_000_000 + "\\n")
    sys.stderr.write("the end\\n")
    work.outputs["out"].touch()
"""

MakeOrder = Callable[[str], Order]


@pytest.fixture
def make_order(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> MakeOrder:
    (tmp_path / "some_steps.py").write_text(STEPS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "in.txt").write_text("before ")

    def make(function: str) -> Order:
        return Order(
            function=f"some_steps:{function}",
            folder=tmp_path,
            params={"text": "after"},
            inputs={"in": tmp_path / "in.txt"},
            outputs={"out": tmp_path / "out.txt"},
            temp_dir=tmp_path / ".partial",
            settings=settings,
            threads=1,
            parent_pid=os.getpid(),
        )

    return make


async def ran(order: Order) -> tuple[list[float], list[str]]:
    progress: list[float] = []
    log: list[str] = []
    await run_process(order, progress.append, log.append)
    return progress, log


async def test_a_step_writes_under_another_name_and_reports(tmp_path: Path, make_order: MakeOrder) -> None:
    progress, log = await ran(make_order("write"))
    assert (tmp_path / "out.txt").read_text() == "before after"
    assert progress == [0.25, 0.75]
    assert {"printed, not reported", "written to stdout itself", "logged"} <= set(log)
    assert not (tmp_path / ".partial").exists()
    assert any(line.startswith("nice") and int(line.split()[1]) >= 10 for line in log)
    if AUTOGROUPS:  # where there are, niceness alone counts for nothing between sessions
        assert any(line.startswith("group") and int(line.split()[1]) >= 10 for line in log)


async def test_a_failure_leaves_no_result(tmp_path: Path, make_order: MakeOrder) -> None:
    with pytest.raises(StepFailed, match="No space left on device") as failure:
        await ran(make_order("half"))
    assert failure.value.retry_after_s is None
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize(
    ("function", "message", "retry_after_s"),
    [
        ("permanent", "^no$", None),
        ("retryable", "^later$", 7.0),
        ("forget", "FileNotFoundError", None),
        ("leave", "exit code 5", None),
        ("absent", "AttributeError", None),
    ],
)
async def test_what_went_wrong_is_told(
    make_order: MakeOrder, function: str, message: str, retry_after_s: float | None
) -> None:
    with pytest.raises(StepFailed, match=message) as failure:
        await ran(make_order(function))
    assert failure.value.retry_after_s == retry_after_s


async def test_a_log_without_end_does_no_harm(make_order: MakeOrder) -> None:
    _, log = await ran(make_order("chatter"))
    assert "the end" in log
    assert sum(map(len, log)) < 20_000


@pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
@pytest.mark.parametrize("function", ["hang", "stubborn"])
async def test_a_step_that_is_stopped_is_gone_with_all_that_it_started(
    tmp_path: Path, make_order: MakeOrder, function: str
) -> None:
    running = asyncio.create_task(ran(make_order(function)))
    await appeared(tmp_path / "started")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        await gone(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
async def test_a_step_that_is_killed_says_so(tmp_path: Path, make_order: MakeOrder) -> None:
    running = asyncio.create_task(ran(make_order("hang")))
    await appeared(tmp_path / "started")
    step, other = map(int, (tmp_path / "pids").read_text().split())
    os.kill(step, signal.SIGKILL)
    os.kill(other, signal.SIGKILL)
    with pytest.raises(StepFailed, match="SIGKILL"):
        await running
