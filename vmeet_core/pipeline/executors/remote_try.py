"""One try of a step on a worker, as the server hears of it."""

import asyncio
import time

from vmeet_core.pipeline.executors.remote_messages import RemoteReport
from vmeet_core.pipeline.log_file import LogSection
from vmeet_core.pipeline.process import Listener

MAX_LOG_BYTES = 1 << 20  #: what waits for the disk


class RemoteTry:
    """``ended`` holds its last word. ``began_again``: Dask gave it to a worker a second time, so the first is gone."""

    def __init__(self, listener: Listener, log_file: LogSection | None) -> None:
        self.ended: asyncio.Future[RemoteReport] = asyncio.get_running_loop().create_future()
        self.began_again = asyncio.Event()
        self.heard_s: float | None = None  #: monotonic; None before it has begun
        self._listener, self._log_file = listener, log_file
        self._unwritten = bytearray()

    def hear(self, report: RemoteReport) -> None:
        if report.kind == "started" and self.heard_s is not None:
            self.began_again.set()
        self.heard_s = time.monotonic()
        for line in report.lines:
            self._listener.log(line)
            if self._log_file is not None and len(self._unwritten) < MAX_LOG_BYTES:
                self._unwritten += line.encode(errors="replace") + b"\n"
        if report.progress is not None:
            self._listener.progress(report.progress)
        if report.cpu_s is not None and report.peak_memory_bytes is not None:
            self._listener.usage(report.cpu_s, report.peak_memory_bytes)
        if report.kind in ("done", "failed") and not self.ended.done():
            self.ended.set_result(report)

    def silent_s(self) -> float:
        """For how long nothing has been heard of it; 0 before it has begun."""
        return 0.0 if self.heard_s is None else time.monotonic() - self.heard_s

    async def write_log(self) -> None:
        """What has come since."""
        if self._log_file is not None and self._unwritten:
            data = bytes(self._unwritten)
            self._unwritten.clear()
            await asyncio.to_thread(self._log_file.write, data)
