"""Tests of what is known of a process."""

import os
import subprocess
import sys
import time

import pytest

from vmeet_core.usage import own_usage, usage_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="proc(5)")


def test_a_running_process_is_measured() -> None:
    before = usage_of(os.getpid())
    until_s = time.process_time() + 0.3
    while time.process_time() < until_s:
        pass
    after = usage_of(os.getpid())
    assert before is not None
    assert after is not None
    assert 0.2 <= after.cpu_s - before.cpu_s < 2
    assert 1_000_000 < after.memory_bytes <= after.peak_memory_bytes


def test_a_process_that_has_ended_is_not_there() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert usage_of(process.pid) is None  # a zombie
    process.wait()
    assert usage_of(process.pid) is None


def test_what_children_did_counts_as_ones_own() -> None:
    before = own_usage()
    spin = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", spin], check=True)
    after = own_usage()
    assert before is not None
    assert after is not None
    assert after.cpu_s - before.cpu_s >= 0.5


def test_a_peak_that_is_forgotten_counts_no_more() -> None:
    """In a process of its own: one that holds much already finds room for more without growing."""
    code = """if True:
        import os
        from vmeet_core.usage import forget_peak, own_usage
        held = bytearray(os.urandom(1)) * 60_000_000
        del held
        before = own_usage()
        forget_peak()
        print(before.peak_memory_bytes - own_usage().peak_memory_bytes)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 40_000_000
