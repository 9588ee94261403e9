"""All that a step wrote, as a file: what its row keeps is only the end."""

import logging
from pathlib import Path

MAX_BYTES = 8 << 20
_log = logging.getLogger(__name__)


class LogFile:
    """Grows from try to try up to ``MAX_BYTES``. A full disk ends the log, never the step. Not for event loops."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left_bytes: int | None = None  # not looked yet

    def write(self, data: bytes) -> None:
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
