"""The server's side of a step's process: start it, listen to it, and stop it when nobody wants it any more."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable

from pydantic import ValidationError

from vmeet_core.pipeline.messages import Order, Report

STOP_S = 3.0  #: between asking a process to end and killing it
_DRAIN_S = 1.0  # for the rest of the log, when something that the step started still holds it open
_MAX_LINE_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 12


class StepFailed(Exception):
    """The step did not get done. ``retry_after_s`` is set when another try may succeed."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


async def run_process(order: Order, on_progress: Callable[[float], None], log: Callable[[str], None]) -> None:
    """Run the step to its end. Raises StepFailed. When cancelled, the process is gone before this returns."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "vmeet_core.pipeline.child"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_MAX_LINE_BYTES,
        start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
    )
    logging = asyncio.create_task(_read_log(_pipe(process.stderr), log))
    try:
        await _order(process, order)
        ending = await _read_reports(_pipe(process.stdout), on_progress)
        code = await process.wait()
        await asyncio.wait({logging}, timeout=_DRAIN_S)
    finally:
        await _finish(process, logging)
    if ending is None:
        raise StepFailed(_sudden_end(code))
    if ending.kind == "failed":
        raise StepFailed(ending.message, ending.retry_after_s)


def _pipe(stream: asyncio.StreamReader | None) -> asyncio.StreamReader:
    assert stream is not None  # all three are pipes
    return stream


async def _order(process: asyncio.subprocess.Process, order: Order) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its exit code says more
        process.stdin.write(order.model_dump_json().encode() + b"\n")
        await process.stdin.drain()


async def _read_reports(stream: asyncio.StreamReader, on_progress: Callable[[float], None]) -> Report | None:
    """Until the process closes its end; the last word, if there was one."""
    ending = None
    async for line in stream:
        try:
            report = Report.model_validate_json(line)
        except ValidationError:  # cut short by a kill
            continue
        if report.kind == "progress":
            on_progress(report.progress)
        else:
            ending = report
    return ending


async def _read_log(stream: asyncio.StreamReader, log: Callable[[str], None]) -> None:
    rest = ""
    while chunk := await stream.read(_CHUNK_BYTES):
        *lines, rest = (rest + chunk.decode(errors="replace")).split("\n")
        for line in lines:
            log(line)
        rest = rest[-_CHUNK_BYTES:]
    log(rest)


async def _finish(process: asyncio.subprocess.Process, logging: asyncio.Task[None]) -> None:
    if process.returncode is None:
        _signal(process, "SIGTERM")
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            _signal(process, "SIGKILL")
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()
    logging.cancel()
    await asyncio.wait({logging})


def _signal(process: asyncio.subprocess.Process, name: str) -> None:
    """To the step and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.Signals[name])


def _sudden_end(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {code} before the step was done"
