"""Real processes that sleep, that work, and that find no processor."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from vmeet_core.live import hang_watch
from vmeet_core.live.hang_watch import HangWatch

EVERY_S = 0.05
Run = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def run() -> Iterator[Run]:
    made: list[subprocess.Popen[bytes]] = []

    def start(code: str) -> subprocess.Popen[bytes]:
        made.append(subprocess.Popen([sys.executable, "-c", f"print(flush=True)\n{code}"], stdout=subprocess.PIPE))
        assert made[-1].stdout is not None
        made[-1].stdout.readline()
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def look_for(watch: HangWatch, time_s: float) -> float:
    until_s = time.monotonic() + time_s
    silent_s = 0.0
    while time.monotonic() < until_s:
        time.sleep(EVERY_S)
        silent_s = watch.look()
    return silent_s


def test_one_that_sleeps_hangs(run: Run) -> None:
    watch = HangWatch(run("import time; time.sleep(60)").pid, EVERY_S)
    assert look_for(watch, 1) > 0.5
    watch.heard()
    assert watch.silent_s == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who waits for a processor")
def test_time_in_which_it_had_no_processor_does_not_count(run: Run) -> None:
    """Two that work share one processor: neither could have answered in more than its own half of the time."""
    first, second = run("while True: pass"), run("while True: pass")
    cpu = min(os.sched_getaffinity(0))
    for process in (first, second):
        os.sched_setaffinity(process.pid, {cpu})
    watch = HangWatch(first.pid, 0.25)
    before_s, ran_before_s = time.monotonic(), watch._state()[1]
    for _ in range(12):
        time.sleep(0.25)
        watch.look()
    passed_s, ran_s = time.monotonic() - before_s, watch._state()[1] - ran_before_s
    assert ran_s < 0.75 * passed_s, "the other one had no part: nothing was tried"
    assert watch.silent_s < passed_s
    assert watch.silent_s >= ran_s - 0.1, "what it had counts"


def test_a_look_that_comes_late_counts_for_no_more_than_it_should(run: Run) -> None:
    watch = HangWatch(run("import time; time.sleep(60)").pid, EVERY_S)
    time.sleep(1)
    assert watch.look() <= 1.5 * EVERY_S


def test_nobody_waits_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hang_watch, "LONGEST_S", 0.5)
    process = run("import time; time.sleep(60)")
    os.kill(process.pid, signal.SIGSTOP)
    watch = HangWatch(process.pid, EVERY_S)
    time.sleep(0.6)
    watch.look()  # late itself
    assert look_for(watch, 0.3) == float("inf")


def test_one_that_has_gone_is_no_error(run: Run) -> None:
    process = run("")
    process.wait()
    assert HangWatch(process.pid, EVERY_S).look() >= 0
