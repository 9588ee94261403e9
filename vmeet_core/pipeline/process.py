"""The server's side of a step's process: start it, listen to it, and stop it when nobody wants it any more."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process

from pydantic import ValidationError

from vmeet_core.pipeline.log_file import LogWriter
from vmeet_core.pipeline.messages import Order, Report
from vmeet_core.usage import usage_of

_DRAIN_S = 1.0  # for the rest of the log, when something that the step started still holds it open
_MAX_LINE_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 12
_WATCH_EVERY_S = 0.1
_MB = 1_000_000


class StepFailed(Exception):
    """The step did not get done. ``retry_after_s`` is set when it knows that another try may succeed; ``crashed`` when
    its process ended without a word, so that nobody knows; ``no_room`` when the disk was full, which is no fault of it.
    """

    def __init__(
        self, message: str, retry_after_s: float | None = None, crashed: bool = False, no_room: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.crashed = crashed
        self.no_room = no_room


class Listener:
    """What wants to know of a process; overridden as needed."""

    def started(self, pid: int) -> None:
        """It runs on this machine."""

    def progress(self, share: float) -> None:
        """0 to 1."""

    def log(self, line: str) -> None:
        """A line that the step wrote."""

    def usage(self, cpu_s: float, peak_memory_bytes: int) -> None:
        """What it has taken so far."""


async def start_process() -> Process:
    """One that waits for its order, and ends when nobody is left who could give it one. Raises OSError."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "vmeet_core.pipeline.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_MAX_LINE_BYTES,
        start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
    )


async def run_process(
    order: Order,
    listener: Listener,
    *,
    process: Process | None = None,
    memory_bytes: int = 0,
    log_file: LogWriter | None = None,
) -> None:
    """Run the step to its end. Raises StepFailed. When cancelled, the process is gone before this returns.

    ``process`` is one that waits; without it, one is started. A process with more resident memory than
    ``memory_bytes`` (0: no limit) is ended, where there is proc(5).
    """
    process = process or await start_process()
    listener.started(process.pid)
    logging = asyncio.create_task(_read_log(_pipe(process.stderr), listener, log_file))
    watching = asyncio.create_task(_watch(process, listener, memory_bytes))
    try:
        await _order(process, order)
        ending = await _read_reports(_pipe(process.stdout), listener)
        code = await process.wait()
        await asyncio.wait({logging}, timeout=_DRAIN_S)
    finally:
        watching.cancel()
        await _finish(process, logging)
    if ending is None:
        raise _sudden_end(code, watching, memory_bytes)
    if ending.kind == "failed":
        raise StepFailed(ending.message, ending.retry_after_s, ending.crashed, ending.no_room)


def _pipe(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    assert stream is not None  # all three are pipes
    return stream


async def _order(process: Process, order: Order) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its exit code says more
        process.stdin.write(order.model_dump_json().encode() + b"\n")
        await process.stdin.drain()


async def _read_reports(stream: asyncio.StreamReader, listener: Listener) -> Report | None:
    """Until the process closes its end; the last word, if there was one."""
    ending = None
    async for line in stream:
        try:
            report = Report.model_validate_json(line)
        except ValidationError:  # cut short by a kill
            continue
        if report.kind == "progress":
            listener.progress(report.progress)
        else:
            ending = report
            if report.cpu_s is not None and report.peak_memory_bytes is not None:
                listener.usage(report.cpu_s, report.peak_memory_bytes)
    return ending


async def _watch(process: Process, listener: Listener, memory_bytes: int) -> bool:
    """Whether it had to be ended. Of a process that is killed, no more will be known than was seen here."""
    while process.returncode is None and (usage := usage_of(process.pid)) is not None:
        listener.usage(usage.cpu_s, usage.peak_memory_bytes)
        if 0 < memory_bytes < usage.memory_bytes:
            _kill(process)
            return True
        await asyncio.sleep(_WATCH_EVERY_S)
    return False


async def _read_log(stream: asyncio.StreamReader, listener: Listener, log_file: LogWriter | None) -> None:
    rest = ""
    while chunk := await stream.read(_CHUNK_BYTES):
        if log_file is not None:
            await asyncio.to_thread(log_file.write, chunk)
        *lines, rest = (rest + chunk.decode(errors="replace")).split("\n")
        for line in lines:
            listener.log(line)
        rest = rest[-_CHUNK_BYTES:]
    listener.log(rest)


async def end_process(process: Process) -> None:
    """At once: a step may be killed at any moment, its results appear only at its end."""
    _kill(process)
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()


async def _finish(process: Process, logging: asyncio.Task[None]) -> None:
    await end_process(process)
    logging.cancel()
    await asyncio.wait({logging})


def _kill(process: Process) -> None:
    """The step, and whatever it started and left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _sudden_end(code: int, watching: asyncio.Task[bool], memory_bytes: int) -> StepFailed:
    if watching.done() and not watching.cancelled() and watching.result():
        return StepFailed(f"it used more than {memory_bytes // _MB} MB of memory")
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
        return StepFailed(f"its process was ended by {name}{hint}", crashed=True)
    return StepFailed(f"its process ended with exit code {code} before the step was done", crashed=True)
