"""A question that may break whoever answers it, put to a process of its own that never outlives it."""

import asyncio
import contextlib
import os
import sys


async def answer_of(
    module: str, *arguments: str, given: bytes = b"", most_s: float, quiet: bool = False
) -> tuple[int, bytes]:
    """Exit code and standard output of ``python -m module PARENT_PID *arguments``, which reads ``given``.

    What it writes to standard error is lost if ``quiet``, and goes where the server's own goes otherwise.

    Raises TimeoutError after ``most_s``, and OSError where no process can be started. When this is cancelled or raises,
    the process is gone before it ends.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, str(os.getpid()), *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL if quiet else None,
        start_new_session=True,  # Ctrl-C is for the parent
    )
    try:
        async with asyncio.timeout(most_s):
            out, _ = await process.communicate(given)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert process.returncode is not None  # communicate waits for it
    return process.returncode, out
