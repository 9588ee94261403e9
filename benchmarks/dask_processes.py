"""A Dask cluster on loopback, started by the commands that docs/pipeline.md gives."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

DASK = Path(sys.executable).parent / "dask"


class DaskProcesses:
    """A scheduler and workers; ``folder`` holds their logs and what the workers keep."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, {**os.environ, **environment}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.protocol = "tcp"
        self._all: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        return f"{self.protocol}://127.0.0.1:{self._port}"

    def start_scheduler(self, *options: str) -> subprocess.Popen[bytes]:
        given = ["--no-dashboard", "--host", "127.0.0.1", "--port", str(self._port), *options]
        return self._start("scheduler", *given)

    def start_worker(self, *options: str, core: int | None = None, **environment: str) -> subprocess.Popen[bytes]:
        """The process returned is Dask's nanny: it starts the worker, again and again if need be.

        With ``core`` both keep to that one, and the steps with them, where there is taskset(1).
        """
        folder = self._folder / f"worker-{len(self._all)}"
        given = ["--no-dashboard", "--nthreads", "1", "--local-directory", str(folder), *options]
        prefix = ("taskset", "-c", str(core)) if core is not None and shutil.which("taskset") else ()
        return self._start("worker", self.address, *given, prefix=prefix, **environment)

    def log(self) -> str:
        """What all of them wrote."""
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._all.remove(process)

    def end_all(self) -> None:
        for process in reversed(list(self._all)):
            self.end(process)

    def _start(self, *command: str, prefix: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[bytes]:
        log = self._folder / f"{len(self._all)}-{command[0]}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*prefix, str(DASK), *command],
                stdout=output,
                stderr=output,
                env={**self._environment, **environment},
                cwd=self._folder,
            )
        self._all.append(process)
        return process
