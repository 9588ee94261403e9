"""Tests of the priorities of processes: real ones, of root and of others."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vmeet_core.child_process import leave_background

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sched(7)")
NOBODY, NICENESS = 65534, 10
CODE = """
import sys, threading, time
from vmeet_core.child_process import be_in_background
be_in_background(10)
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print("there", flush=True)
sys.stdin.read()
"""
Start = Callable[[], int]


@pytest.fixture
def start() -> Iterator[Start]:
    """``start()``: the pid of a process in the background, with a second thread."""
    started = []

    def begin() -> int:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, "-c", CODE], start_new_session=True, **pipes)  # type: ignore[call-overload]
        started.append(process)
        assert process.stdout.readline() == b"there\n"
        return int(process.pid)

    yield begin
    for process in started:
        process.communicate()


def policies(pid: int) -> list[int]:
    return [os.sched_getscheduler(int(each.name)) for each in Path(f"/proc/{pid}/task").iterdir()]


def group_niceness(pid: int) -> int:
    return int(Path(f"/proc/{pid}/autogroup").read_text().split()[-1])


def test_it_runs_only_while_nobody_else_wants_to(start: Start) -> None:
    pid = start()
    assert policies(pid) == [os.SCHED_IDLE] * 2
    assert os.getpriority(os.PRIO_PROCESS, pid) == NICENESS
    if Path(f"/proc/{pid}/autogroup").exists():
        assert group_niceness(pid) == 19


def may_raise() -> bool:
    """CAP_SYS_NICE, which root has, but not in every container."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return bool(int(status["CapEff"], 16) >> 23 & 1)


def test_who_may_lets_all_its_threads_out(start: Start) -> None:
    if not may_raise():
        pytest.skip("this process has no CAP_SYS_NICE")
    pid = start()
    assert leave_background(pid, NICENESS)
    assert policies(pid) == [os.SCHED_OTHER] * 2
    if Path(f"/proc/{pid}/autogroup").exists():
        assert group_niceness(pid) == NICENESS


def as_nobody(pid: int, niceness_limit: int) -> bool:
    """What another user is told who may raise processes as far as this limit; the process is that user's."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_NICE, (niceness_limit, niceness_limit))
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writer, b"1" if leave_background(pid, NICENESS) else b"0")
        os._exit(0)
    os.waitpid(child, 0)
    answer = os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    return answer == b"1"


def test_who_may_not_is_told_so(start: Start) -> None:
    """An ordinary user's limit is 0; one of 10 allows it."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    pid = os.fork()
    if pid == 0:  # a process of that user, with nothing of this one's but its memory
        os.setsid()
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.nice(NICENESS)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while True:
            os.read(os.pipe()[0], 1)
    try:
        while os.sched_getscheduler(pid) != os.SCHED_IDLE:
            pass
        limit = resource.getrlimit(resource.RLIMIT_NICE)[1]
        assert not as_nobody(pid, 0)
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        if limit >= NICENESS:
            assert as_nobody(pid, NICENESS)
            assert os.sched_getscheduler(pid) == os.SCHED_OTHER
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_a_process_that_has_gone_needs_nothing(start: Start) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert leave_background(process.pid, NICENESS)
