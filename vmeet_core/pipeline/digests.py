"""What is in a recording's files, by size and SHA-256; each file is read once, unless it changes."""

import hashlib
import json
import logging
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FILE_NAME = "digests.json"  #: in the recording's folder; it may be deleted at any time
_log = logging.getLogger(__name__)


class Digests:
    """``with Digests(folder) as known: known.of("segments/1.mkv")``; what was found is kept for the next time.

    A file counts as the same while its size and its time of modification (in nanoseconds) are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Any] = {}
        self._changed = False

    def __enter__(self) -> Self:
        try:
            self._known = dict(json.loads((self._folder / FILE_NAME).read_bytes()))
        except (OSError, ValueError, TypeError):  # none yet, or cut short: they are found anew
            self._known = {}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not self._changed:
            return
        path = self._folder / f".{FILE_NAME}.{os.getpid()}"
        try:
            path.write_text(json.dumps(self._known), encoding="utf-8")
            path.replace(self._folder / FILE_NAME)
        except OSError as failure:  # of a full disk, say: it only costs time
            _log.warning("what is known of the files cannot be kept: %s", failure)
            path.unlink(missing_ok=True)

    def of(self, file: str) -> str:
        """``size:SHA-256`` of a file, by its path from the recording's folder or from the root. Raises OSError."""
        path = self._folder / file
        state = path.stat()
        found = self._known.get(file)
        if not isinstance(found, list) or found[:2] != [state.st_size, state.st_mtime_ns]:
            found = [state.st_size, state.st_mtime_ns, _sha256(path)]
            self._known[file] = found
            self._changed = True
        return f"{state.st_size}:{found[2]}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
