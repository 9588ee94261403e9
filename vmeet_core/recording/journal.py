"""The journal of a recording while it is written: every line is there as a whole or not at all."""

import os
from pathlib import Path


class Journal:
    """Appends to ``path``, without buffers. Raises OSError when the disk does not take it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def append(self, line: bytes) -> None:
        """On a disk that gets full the kernel takes a part of a line: that is taken back, since another line after it
        would make a journal that cannot be read. Raises OSError.
        """
        begins_at = self._file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(begins_at)
            raise

    def close(self) -> None:
        """Twice does no harm."""
        self._file.close()
