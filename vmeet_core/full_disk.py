"""Whether it was a full disk that made something fail: there may be room again later, so nothing is given up for it."""

import errno
import os


def is_full(error: BaseException) -> bool:
    """A disk, or what somebody may have of it, had no room left; also where another error was made of that one."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT):  # FFmpeg's own errors have it, too
            return True
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return False


def reason(error: OSError) -> str:
    """What failed, for everybody to read; words of our own stay as they are."""
    words = error.strerror or str(error)
    return "the disk is full" if is_full(error) and words == os.strerror(error.errno or 0) else words
