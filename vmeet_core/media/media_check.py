"""Whether a file is sound or video, found out in a process of its own: see ``media_child``."""

import json
from pathlib import Path

from vmeet_core.asked_process import answer_of
from vmeet_core.media.media_child import NO_MEDIA, OK

MOST_S = 120.0  #: a busy machine is slow; the child has 60 s of processor time


class NoMedia(Exception):
    """The file holds no sound or video that can be read; the text says why, without the file's name."""


async def checked_media(path: Path, most_s: float = MOST_S) -> float | None:
    """The length that the file's header tells, in seconds; None when it does not.

    Raises NoMedia, and OSError where no process can be started. When cancelled, the process is gone before this ends.
    """
    try:
        code, out = await answer_of("vmeet_core.media.media_child", str(path), most_s=most_s, quiet=True)
    except TimeoutError:
        raise NoMedia(f"it could not be read within {most_s:g} s") from None
    if code == OK:
        duration_s = json.loads(out)["duration_s"]
        return None if duration_s is None else float(duration_s)
    if code == NO_MEDIA:
        raise NoMedia(out.decode())
    raise NoMedia(f"reading it broke the process that tried (code {code})")
