"""Where the servers run: a network namespace with a veth pair where that can be had, a core of their own, a clock."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from forwarding_path import _TIMESPEC, SO_TIMESTAMPNS

PREFIX = "vmeet-bench-"
CLONE_NEWNET = 0x40000000
CPUCLOCK_SCHED = 2
NAMESPACES = Path("/run/netns")


def why_no_namespace() -> str | None:
    """None where one can be made."""
    if os.name != "posix" or not Path("/proc/self/ns/net").exists():
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "a network namespace needs root"
    if shutil.which("ip") is None:
        return "the command ip is absent; on Debian: apt-get install iproute2"
    return None


def _ip(*arguments: str) -> None:
    subprocess.run(("ip", *arguments), check=True, capture_output=True, timeout=20)


class Place:
    """Where a server is reached; ``namespace`` is None on loopback."""

    def __init__(self, namespace: str | None, server_address: str, own_address: str) -> None:
        self.namespace = namespace
        self.server_address = server_address
        self.own_address = own_address

    def command(self, command: Sequence[str], cores: set[int]) -> list[str]:
        """``command`` in this place, on these cores, and ended with its parent."""
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        pinned = ["taskset", "-c", ",".join(map(str, sorted(cores)))] if cores and shutil.which("taskset") else []
        bound = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        return [*inside, *pinned, *bound, *command]

    def new_socket(self) -> socket.socket:
        """A UDP socket where the server is; a socket stays where it was made."""
        if self.namespace is None:
            return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made: list[socket.socket] = []
        thread = threading.Thread(target=self._make_socket, args=(made,))
        thread.start()
        thread.join()
        return made[0]

    def _make_socket(self, made: list[socket.socket]) -> None:
        """In a thread of its own: only it enters the namespace, and it ends there."""
        assert self.namespace is not None
        libc = ctypes.CDLL(None, use_errno=True)
        with (NAMESPACES / self.namespace).open("rb") as namespace:
            if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "the network namespace cannot be entered")
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))


@contextlib.contextmanager
def place(use_namespace: bool) -> Iterator[Place]:
    """A namespace that is gone afterwards, or loopback."""
    if not use_namespace:
        yield Place(None, "127.0.0.1", "127.0.0.1")
        return
    _remove_stale()
    number = os.getpid()
    name, ours, theirs = f"{PREFIX}{number}", f"vmb{number}a", f"vmb{number}b"
    network = f"10.{200 + number % 50}.{number // 50 % 250}"
    try:
        _ip("netns", "add", name)
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        _ip("address", "add", f"{network}.1/24", "dev", ours)
        _ip("link", "set", ours, "up")
        for arguments in (("address", "add", f"{network}.2/24", "dev", theirs), ("link", "set", theirs, "up")):
            _ip("-n", name, *arguments)
        _ip("-n", name, "link", "set", "lo", "up")
        yield Place(name, f"{network}.2", f"{network}.1")
    finally:
        subprocess.run(("ip", "netns", "delete", name), check=False, capture_output=True, timeout=20)
        subprocess.run(("ip", "link", "delete", ours), check=False, capture_output=True, timeout=20)


def _remove_stale() -> None:
    """What a run left that was killed."""
    for path in NAMESPACES.glob(f"{PREFIX}*"):
        number = path.name.removeprefix(PREFIX)
        if number.isdigit() and not Path("/proc", number).exists():
            _ip("netns", "delete", path.name)


def split_cores() -> tuple[set[int], set[int]]:
    """Cores for the server and for the generator; empty sets on a machine of one core, where nothing is pinned."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        return set(), set()
    return {cores[-1]}, {cores[0]}


def baseline_ms(where: Place, packets: int = 600) -> tuple[float, float]:
    """p50 and p95 of one way through the path itself, without any server, in ms."""
    with where.new_socket() as there, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        there.bind((where.server_address, 0))
        there.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        there.settimeout(1.0)
        here.bind((where.own_address, 0))
        waited_ms = []
        for number in range(packets):
            sent_ns = time.time_ns()
            here.sendto(bytes(1180), there.getsockname())
            _, ancillary, _, _ = there.recvmsg(2048, 64)
            seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
            waited_ms.append((seconds * 1_000_000_000 + nanoseconds - sent_ns) / 1e6)
            time.sleep(0.0005 if number % 5 == 0 else 0)
    return float(np.percentile(waited_ms, 50)), float(np.percentile(waited_ms, 95))


class ServerProcess:
    """A server that is measured: started in its place, ended with everything that it started."""

    def __init__(self, where: Place, command: Sequence[str], cores: set[int], folder: Path) -> None:
        self._command = where.command(command, cores)
        self._folder = folder
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin it; its output goes to a log. It ends with the thread that calls this."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VMEET_")}
        self._log = (self._folder / "server.log").open("ab")
        self._process = subprocess.Popen(
            self._command, stdout=self._log, stderr=self._log, cwd=self._folder, env=environment
        )

    @property
    def pid(self) -> int:
        """ip, taskset and setpriv become what they start."""
        assert self._process is not None
        return self._process.pid

    def check(self) -> None:
        """Raises RuntimeError with the end of its log when it has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{self.log()[-2000:]}")

    def log(self) -> str:
        """What it has printed."""
        return (self._folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def cpu_ns(self) -> int:
        """CPU time so far of all its threads, ended ones too, and of its children, in ns."""
        total = 0
        for pid in family(self.pid):
            with contextlib.suppress(OSError):
                total += time.clock_gettime_ns(~pid << 3 | CPUCLOCK_SCHED)
        return total

    def stop(self) -> None:
        """As Ctrl-C does, or for good when it does not listen."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        if self._log is not None:
            self._log.close()


def family(pid: int) -> list[int]:
    """A process and all that come from it."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found
