"""What every process that the server starts does first."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
ORPHANED = 3  #: exit code of a process whose parent has gone
LOWEST = 19  #: niceness
GROUP_TRIES, GROUP_PAUSE_S = 5, 0.11


def die_with_parent(parent_pid: int) -> None:
    """On Linux the kernel sees to it, even within a long call; elsewhere the end of a pipe has to be watched."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:
            os._exit(ORPHANED)


def limit_memory(limit_bytes: int) -> None:
    """A plugin that wants everything gets a MemoryError, and the machine lives on. 0: no limit."""
    if limit_bytes and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def be_nice(niceness: int) -> None:
    """Make way for meetings. Niceness counts within a session alone where Linux groups processes by it
    (sched(7), autogroup): a process with a session of its own lowers its group too.
    """
    if not hasattr(os, "nice"):
        return
    os.nice(niceness)
    if sys.platform == "linux" and os.getsid(0) == os.getpid():
        _group_niceness(os.getpid(), niceness)


def be_in_background(niceness: int) -> None:
    """Run only while nobody else wants to, as far as this system has that: ``niceness`` and SCHED_IDLE (sched(7)), and
    of the session, where it has a group of its own, the lowest priority.
    """
    idle = getattr(os, "SCHED_IDLE", None)
    if idle is None:
        be_nice(LOWEST)
        return
    be_nice(niceness)
    with contextlib.suppress(OSError):  # a sandbox may refuse it
        os.sched_setscheduler(0, idle, os.sched_param(0))
    if os.getsid(0) == os.getpid():
        _group_niceness(os.getpid(), LOWEST)


def leave_background(pid: int, niceness: int) -> bool:
    """Give a process that called ``be_in_background`` what others with that ``niceness`` have; whether that is so now.

    All its threads have to leave SCHED_IDLE, which Linux allows to root, to whoever has CAP_SYS_NICE, and to others
    whose RLIMIT_NICE is 20 less the niceness.
    """
    if not hasattr(os, "SCHED_IDLE"):
        return False
    _group_niceness(pid, niceness)
    try:
        threads = [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()]
        for thread in threads:
            if os.sched_getscheduler(thread) == os.SCHED_IDLE:
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
    except (ProcessLookupError, FileNotFoundError):  # it ends just now, or a thread of it: nothing is left to wait for
        return True
    except OSError:
        return False
    return True


def _group_niceness(pid: int, niceness: int) -> None:
    """Linux takes a change every tenth of a second, of all sessions together."""
    for _ in range(GROUP_TRIES):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(f"{niceness}\n")
            return
        except BlockingIOError:
            time.sleep(GROUP_PAUSE_S)
        except OSError:  # a kernel without autogroups
            return
