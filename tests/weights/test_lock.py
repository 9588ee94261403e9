"""The lock between processes."""

import subprocess
import sys
from pathlib import Path

from vmeet_core.weights.lock import locked

OTHER = """
import sys
from pathlib import Path
from vmeet_core.weights.lock import locked
print("waiting", flush=True)
with locked(Path(sys.argv[1])):
    print("mine", Path(sys.argv[2]).exists(), flush=True)
    sys.stdin.read()
"""


def other(lock: Path, flag: Path) -> "subprocess.Popen[str]":
    """Takes the lock, says whether the flag is there, and holds the lock until its input ends."""
    command = [sys.executable, "-c", OTHER, str(lock), str(flag)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_another_process_waits(tmp_path):
    lock, flag = tmp_path / "lock", tmp_path / "flag"
    with locked(lock):
        process = other(lock, flag)
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        flag.touch()
    assert process.communicate(timeout=30)[0] == "mine True\n"


def test_a_lock_is_free_again_after_a_kill(tmp_path):
    holder = other(tmp_path / "lock", tmp_path / "flag")
    assert holder.stdout
    assert [holder.stdout.readline(), holder.stdout.readline()] == ["waiting\n", "mine False\n"]
    holder.kill()
    with locked(tmp_path / "lock"):
        assert holder.wait(timeout=30) != 0
    holder.communicate()
