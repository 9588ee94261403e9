"""What the kinds of source share: the error, progress, and a file that is checked before it takes its name."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from vmeet_core.hookspecs import Permanent, Weight

Progress = Callable[[str, int, int], None]
"""Called with (what is transferred, bytes so far, bytes in all or 0 where that is unknown); may go back to 0."""

CHUNK_BYTES = 1 << 20


class WeightError(Permanent):
    """A model file cannot be had; the text says why and what to do."""


class SourceError(Exception):
    """One source of a model file failed; another may do."""


def no_progress(label: str, done_bytes: int, total_bytes: int) -> None:
    """For those who do not want to know."""


def fault_of(path: Path, weight: Weight) -> str | None:
    """What keeps the file from being the weight; None where size and SHA-256 are right. Raises OSError."""
    size = path.stat().st_size
    if size != weight.size_bytes:
        return f"has {size} bytes instead of {weight.size_bytes}"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return None if digest == weight.sha256 else f"has the SHA-256 {digest} instead of {weight.sha256}"


def adopt(part: Path, target: Path, weight: Weight) -> None:
    """Give the finished ``part`` its name, if it is the weight; else delete it and raise SourceError."""
    fault = fault_of(part, weight)
    if fault:
        part.unlink()
        raise SourceError(f"what it delivers {fault}; it was deleted")
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
