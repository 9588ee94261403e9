"""What every process that the server starts does first."""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
ORPHANED = 3  #: exit code of a process whose parent has gone


def die_with_parent(parent_pid: int) -> None:
    """On Linux the kernel sees to it, even within a long call; elsewhere the end of a pipe has to be watched."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            os._exit(ORPHANED)


def be_nice(niceness: int) -> None:
    """Make way for meetings. Niceness counts within a session alone where Linux groups processes by it
    (sched(7), autogroup): a process with a session of its own lowers its group too.
    """
    if not hasattr(os, "nice"):
        return
    os.nice(niceness)
    if sys.platform == "linux" and os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # a kernel without autogroups, or one that has been asked too often
            Path("/proc/self/autogroup").write_text(f"{niceness}\n")
