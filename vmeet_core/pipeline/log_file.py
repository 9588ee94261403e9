"""All that a step wrote, as a file: what its row keeps is only the end."""

import logging
import threading
from pathlib import Path
from typing import Protocol

MAX_BYTES = 8 << 20
MAX_LINE_BYTES = 1 << 16
_log = logging.getLogger(__name__)


class LogWriter(Protocol):
    """What takes the bytes of a log as they come. Not for event loops."""

    def write(self, data: bytes) -> None:
        """All of it, or as much as there is room for."""


class LogFile:
    """Grows from try to try up to ``MAX_BYTES``. A full disk ends the log, never the step. Not for event loops."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left_bytes: int | None = None  # not looked yet
        self._lock = threading.Lock()
        self._section: LogSection | None = None  # whose lines the last ones are

    def write(self, data: bytes) -> None:
        with self._lock:
            self._try(data)

    def write_of(self, section: "LogSection", lines: bytes) -> None:
        """Whole lines of one of several that write at the same time: its heading stands before them."""
        with self._lock:
            heading = b"" if self._section is section else section.heading
            self._section = section
            self._try(heading + lines)

    def _try(self, data: bytes) -> None:
        if self._left_bytes == 0:
            return
        try:
            self._write(data)
        except OSError as error:
            _log.warning("the log %s ends here: %s", self._path, error)
            self._left_bytes = 0

    def _write(self, data: bytes) -> None:
        if self._left_bytes is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            written = self._path.stat().st_size if self._path.exists() else 0
            self._left_bytes = max(0, MAX_BYTES - written)
        kept = data[: self._left_bytes]
        self._left_bytes -= len(kept)
        with self._path.open("ab") as file:
            file.write(kept)
            if kept and not self._left_bytes:
                file.write(b"\n... the log is cut here\n")


class LogSection:
    """What one step writes into a file that several share; ``heading`` is a line that tells them apart."""

    def __init__(self, file: LogFile, heading: bytes) -> None:
        self.heading = heading
        self._file = file
        self._rest = b""

    def begin(self) -> None:
        """The heading, though nothing may follow."""
        self._file.write_of(self, b"")

    def write(self, data: bytes) -> None:
        """Lines go to the file when they are whole."""
        lines, end, rest = (self._rest + data).rpartition(b"\n")
        self._rest = rest
        if end:
            self._file.write_of(self, lines + end)
        if len(self._rest) > MAX_LINE_BYTES:
            self.end()

    def end(self) -> None:
        """The last line, which had no end."""
        rest, self._rest = self._rest, b""
        if rest:
            self._file.write_of(self, rest + b"\n")
