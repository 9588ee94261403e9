"""What every process that the server starts does first."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
ORPHANED = 3  #: exit code of a process whose parent has gone


def die_with_parent(parent_pid: int) -> None:
    """On Linux the kernel sees to it, even within a long call; elsewhere the end of a pipe has to be watched."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            os._exit(ORPHANED)
