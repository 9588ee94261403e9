"""An upload into the picture that is kept, in a process of its own: see ``picture_child``."""

import asyncio
import contextlib
import logging
import os
import sys

from vmeet_core.effects.pictures import UnknownType
from vmeet_core.server.picture_child import BAD_PICTURE, OK, UNKNOWN_TYPE

logger = logging.getLogger(__name__)
MOST_S = 60.0  #: a busy machine is slow; the child has 30 s of processor time


async def decoded_upload(upload: bytes, most_s: float = MOST_S) -> bytes:
    """The JPEG: upright, small enough, nothing in it but the picture.

    Raises UnknownType or ValueError for what is no such picture. When cancelled, the process is gone before this ends.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "vmeet_core.server.picture_child", str(os.getpid())),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the parent
    )
    try:
        async with asyncio.timeout(most_s):
            out, _ = await process.communicate(upload)
    except TimeoutError:
        raise ValueError(f"the picture was not decoded within {most_s:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return _kept(process.returncode, out)


def _kept(code: int | None, out: bytes) -> bytes:
    if code == OK:
        return out
    if code == UNKNOWN_TYPE:
        raise UnknownType(out.decode())
    if code == BAD_PICTURE:
        raise ValueError(out.decode())
    logger.error("the process that reads an uploaded picture ended with the code %s", code)
    raise ValueError("the picture cannot be decoded")
