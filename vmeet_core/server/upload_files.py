"""The bytes of an upload as they come, in the folder of the recording that it becomes: then nothing has to be moved.

How much has come is the length of the file and nothing else: a kill at any moment loses no byte that is counted.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from vmeet_core.media.media_type import HEAD_BYTES, kept_suffix

UPLOAD = "upload"  #: the folder of the file, inside the recording's


class DiskNearlyFull(Exception):
    """There is no room for the file; the text says how much there is and what to do."""


def media_path(filename: str) -> str:
    """Where in the recording's folder the file lies: under a name of ours, with the suffix if it is one of media."""
    return f"{UPLOAD}/original{kept_suffix(filename)}"


def size_of(path: Path) -> int:
    """How much has come."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def head_of(path: Path) -> bytes:
    """The first bytes."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def check_room(folder: Path, more_bytes: int, min_free_bytes: int) -> None:
    """Raises DiskNearlyFull."""
    folder.mkdir(parents=True, exist_ok=True)
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes - more_bytes < min_free_bytes:
        raise DiskNearlyFull(
            f"the server's disk has no room for this file: {free_bytes >> 20} MiB are free, {more_bytes >> 20} MiB "
            f"are wanted for uploads, and {min_free_bytes >> 20} MiB are kept free. Delete recordings, or have the one "
            "who runs the server lower recording.min_free_bytes"
        )


class Appender:
    """Writes at the end of a file. Every call touches the disk: not for the event loop, and one at a time."""

    def __init__(self, path: Path, offset_bytes: int, check: Callable[[], None]) -> None:
        self._path = path
        self._check = check
        self.offset_bytes = offset_bytes
        self._file: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Raises OSError and whatever ``check`` raises; then nothing, or a part of it, is counted."""
        self._check()
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab", buffering=0)
        view = memoryview(data)
        while view:
            written = self._file.write(view) or 0
            self.offset_bytes += written
            view = view[written:]

    def close(self) -> None:
        """What was written is on the disk when this returns. Twice does no harm."""
        if self._file is not None:
            getattr(os, "fdatasync", os.fsync)(self._file.fileno())
            self._file.close()
            self._file = None
