"""Tests of a step's process, with real processes: ``process`` is the server's side, ``child`` the step's."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import appeared, gone

from vmeet_core.pipeline.log_file import LogFile
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.process import Listener, StepFailed, run_process
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

def fault(work):
    import faulthandler
    print("before the fault", file=sys.stderr)
    faulthandler._sigsegv()

def starved(work):
    raise MemoryError("no more")

def greedy(work):
    taken = []
    while True:
        taken.append(bytearray(b"x" * 20_000_000))
        time.sleep(0.02)

def busy(work):
    kept = bytearray(b"x" * 100_000_000)
    until = time.process_time() + 0.5
    while time.process_time() < until:
        pass
    (work.folder / "started").touch()
    if work.params["text"] == "hang":
        time.sleep(600)
    work.outputs["out"].touch()

def told_to_end(work):
    import signal
    os.kill(os.getpid(), signal.SIGTERM)
    work.outputs["out"].touch()

def chatter(work):
    sys.stderr.write("x" * 3_000_000 + "\\n")
    sys.stderr.write("the end\\n")
    work.outputs["out"].touch()
"""

MakeOrder = Callable[[str], Order]


class Notes(Listener):
    """All that a process told."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.lines: list[str] = []
        self.costs: list[tuple[float, int]] = []

    def progress(self, share: float) -> None:
        self.shares.append(share)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def usage(self, cpu_s: float, peak_memory_bytes: int) -> None:
        self.costs.append((cpu_s, peak_memory_bytes))


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
    notes = Notes()
    await run_process(order, notes)
    return notes.shares, notes.lines


async def test_a_step_writes_under_another_name_and_reports(tmp_path: Path, make_order: MakeOrder) -> None:
    progress, log = await ran(make_order("write"))
    assert (tmp_path / "out.txt").read_text() == "before after"
    assert progress == [0.25, 0.75]
    assert {"printed, not reported", "written to stdout itself", "logged"} <= set(log)
    assert not (tmp_path / ".partial").exists()
    assert any(line.startswith("nice") and int(line.split()[1]) >= 10 for line in log)
    if AUTOGROUPS:  # where there are, niceness alone counts for nothing between sessions
        assert any(line.startswith("group") and int(line.split()[1]) >= 10 for line in log)


async def test_a_step_of_less_urgency_is_nicer(make_order: MakeOrder) -> None:
    _, log = await ran(make_order("write").model_copy(update={"niceness": 14}))
    assert any(line.startswith("nice") and int(line.split()[1]) >= 14 for line in log)
    if AUTOGROUPS:
        assert any(line.startswith("group") and int(line.split()[1]) >= 14 for line in log)


async def test_a_failure_leaves_no_result(tmp_path: Path, make_order: MakeOrder) -> None:
    with pytest.raises(StepFailed, match="No space left on device") as failure:
        await ran(make_order("half"))
    assert (failure.value.retry_after_s, failure.value.no_room) == (None, True)
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


@pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")
@pytest.mark.parametrize(
    ("function", "message"),
    [("fault", "SIGSEGV"), ("leave", "exit code 5"), ("starved", "memory ran out: no more")],
)
async def test_a_sudden_end_is_worth_another_try(make_order: MakeOrder, function: str, message: str) -> None:
    with pytest.raises(StepFailed, match=message) as failure:
        await ran(make_order(function))
    assert failure.value.crashed


async def test_a_fault_of_the_step_itself_is_no_sudden_end(make_order: MakeOrder) -> None:
    with pytest.raises(StepFailed, match="AttributeError") as failure:
        await ran(make_order("absent"))
    assert not failure.value.crashed


async def test_of_a_segmentation_fault_the_log_says_where(tmp_path: Path, make_order: MakeOrder) -> None:
    notes = Notes()
    with pytest.raises(StepFailed):
        await run_process(make_order("fault"), notes, log_file=LogFile(tmp_path / "logs" / "fault.log"))
    whole = (tmp_path / "logs" / "fault.log").read_text()
    assert whole.index("before the fault") < whole.index("Segmentation fault") < whole.index("in fault")
    assert any("in fault" in line for line in notes.lines)


@pytest.mark.skipif(sys.platform != "linux", reason="proc(5)")
async def test_a_step_that_uses_too_much_memory_is_ended(make_order: MakeOrder) -> None:
    notes = Notes()
    with pytest.raises(StepFailed, match=r"^it used more than 300 MB of memory$") as failure:
        await run_process(make_order("greedy"), notes, memory_bytes=300_000_000)
    assert not failure.value.crashed
    assert 300_000_000 < notes.costs[-1][1] < 1_000_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="proc(5)")
@pytest.mark.parametrize("killed", [False, True])
async def test_what_a_step_took_is_known_even_of_one_that_is_killed(
    tmp_path: Path, make_order: MakeOrder, killed: bool
) -> None:
    """The peak is its own: Linux would count what this process had when it forked."""
    ballast: Any = bytearray(b"x" * 400_000_000)
    order, notes = make_order("busy"), Notes()
    if not killed:
        await run_process(order, notes)
    else:
        order = order.model_copy(update={"params": {"text": "hang"}})
        running = asyncio.create_task(run_process(order, notes))
        await appeared(tmp_path / "started")
        seen = len(notes.costs)
        async with asyncio.timeout(30):
            while len(notes.costs) < seen + 2:
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.wait({running})
    cpu_s, peak_bytes = notes.costs[-1]
    assert 0.5 <= cpu_s < 5
    assert 100_000_000 < peak_bytes < 300_000_000
    del ballast


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_step_goes_on_when_everything_is_told_to_end(tmp_path: Path, make_order: MakeOrder) -> None:
    """As systemd tells it to all processes of a service: the server decides, and starts it again later."""
    await ran(make_order("told_to_end"))
    assert (tmp_path / "out.txt").exists()
