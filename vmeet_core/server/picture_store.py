"""The pictures that people have uploaded, as files in one folder; those that nobody uses go first."""

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

from vmeet_core.effects.picture_shelf import is_upload_name, upload_file, upload_name

MOST_KEPT_BYTES = 500_000_000
_PART = ".part"  # what a killed server may leave


class DiskNearlyFull(Exception):
    """There is no room for another picture; the text says how much there is and what to do."""


class PictureStore:
    """Every call touches the disk: not for the event loop, and one at a time.

    When a file was last used is its modification time: whoever shows the picture, a worker too, sets it.
    """

    def __init__(self, folder: Path, min_free_bytes: int, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self.folder = folder
        self._min_free_bytes = min_free_bytes
        self._most_bytes = most_bytes

    def tidy(self) -> None:
        """Remove what was being written when a server ended."""
        for part in self.folder.glob(f"*{_PART}"):
            part.unlink(missing_ok=True)

    def add(self, jpeg: bytes) -> str:
        """Keep a picture; its name, which is the same for the same picture. Raises DiskNearlyFull and keeps nothing."""
        name = upload_name(jpeg)
        if self._touched(name):
            return name
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_room(len(jpeg))
        free_bytes = shutil.disk_usage(self.folder).free
        if free_bytes - len(jpeg) < self._min_free_bytes:
            raise DiskNearlyFull(
                f"the server's disk is nearly full: {free_bytes >> 20} MiB are free, {self._min_free_bytes >> 20} MiB "
                "are kept free. Whoever runs the server can delete recordings or lower recording.min_free_bytes"
            )
        try:
            self._write(name, jpeg)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskNearlyFull(f"the server's disk is full: {error.strerror}. Delete recordings") from error
            raise
        return name

    def read(self, name: str) -> bytes | None:
        """The JPEG; None where there is none of that name, whatever the name."""
        if not is_upload_name(name) or not self._touched(name):
            return None
        with contextlib.suppress(FileNotFoundError):
            return upload_file(self.folder, name).read_bytes()
        return None

    def _touched(self, name: str) -> bool:
        try:
            os.utime(upload_file(self.folder, name))
        except FileNotFoundError:
            return False
        return True

    def _make_room(self, size_bytes: int) -> None:
        """Until another file of that size fits, those used least recently go."""
        kept = [(entry.stat(), entry.path) for entry in os.scandir(self.folder) if is_upload_name(entry.name[:-4])]
        over_bytes = sum(stat.st_size for stat, _ in kept) + size_bytes - self._most_bytes
        for stat, path in sorted(kept, key=lambda each: each[0].st_mtime_ns):
            if over_bytes <= 0:
                return
            Path(path).unlink(missing_ok=True)
            over_bytes -= stat.st_size

    def _write(self, name: str, jpeg: bytes) -> None:
        """All of it or nothing: whoever reads at the same time never meets half a file."""
        descriptor, part = tempfile.mkstemp(suffix=_PART, dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(jpeg)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(upload_file(self.folder, name))
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
