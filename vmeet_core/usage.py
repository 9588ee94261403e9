"""What a process takes of the machine."""

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """CPU time so far, resident memory now and at its highest."""

    cpu_s: float
    memory_bytes: int
    peak_memory_bytes: int


def usage_of(pid: int) -> Usage | None:
    """Of a running process, without its children; None when it has ended, and where there is no proc(5)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        memory = _memory(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return None
    if memory is None:
        return None
    user, system = stat.rpartition(")")[2].split()[11:13]
    return Usage((int(user) + int(system)) / os.sysconf("SC_CLK_TCK"), *memory)


def own_usage() -> Usage | None:
    """Of this process and those of its children that have ended; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    seen = usage_of(os.getpid())
    if seen is not None:  # Linux counts in ru_maxrss what the parent had when it forked
        return Usage(cpu_s, seen.memory_bytes, seen.peak_memory_bytes)
    peak_bytes = own.ru_maxrss if sys.platform == "darwin" else own.ru_maxrss * 1024
    return Usage(cpu_s, peak_bytes, peak_bytes)


def forget_peak() -> None:
    """From now on this process's highest memory is counted anew, where the system can (proc_pid_clear_refs(5))."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _memory(status: str) -> tuple[int, int] | None:
    """Now and at its highest; a process that has ended has none."""
    found = {}
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "VmHWM"):
            found[name] = int(value.split()[0]) * 1024
    return (found["VmRSS"], found["VmHWM"]) if len(found) == 2 else None
