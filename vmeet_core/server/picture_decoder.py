"""An upload into the picture that is kept, in a process of its own: see ``picture_child``."""

import logging

from vmeet_core.asked_process import answer_of
from vmeet_core.effects.pictures import UnknownType
from vmeet_core.server.picture_child import BAD_PICTURE, OK, UNKNOWN_TYPE

logger = logging.getLogger(__name__)
MOST_S = 60.0  #: a busy machine is slow; the child has 30 s of processor time


async def decoded_upload(upload: bytes, most_s: float = MOST_S) -> bytes:
    """The JPEG: upright, small enough, nothing in it but the picture.

    Raises UnknownType or ValueError for what is no such picture. When cancelled, the process is gone before this ends.
    """
    try:
        code, out = await answer_of("vmeet_core.server.picture_child", given=upload, most_s=most_s)
    except TimeoutError:
        raise ValueError(f"the picture was not decoded within {most_s:g} s") from None
    return _kept(code, out)


def _kept(code: int, out: bytes) -> bytes:
    if code == OK:
        return out
    if code == UNKNOWN_TYPE:
        raise UnknownType(out.decode())
    if code == BAD_PICTURE:
        raise ValueError(out.decode())
    logger.error("the process that reads an uploaded picture ended with the code %s", code)
    raise ValueError("the picture cannot be decoded")
