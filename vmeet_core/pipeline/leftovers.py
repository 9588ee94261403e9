"""What lies in a folder of results though nobody names it: parts of another denoiser, what a kill left half made."""

import contextlib
import logging
import shutil
from collections.abc import Collection
from pathlib import Path

_log = logging.getLogger(__name__)


def remove_leftovers(results: Path, named: Collection[Path]) -> list[str]:
    """Delete everything in the folder that is not among ``named``; the names of what was. Not for event loops."""
    removed = []
    with contextlib.suppress(FileNotFoundError):
        for path in results.iterdir():
            if path in named:
                continue
            try:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed.append(path.name)
            except OSError as error:
                _log.warning("%s is not needed any more, but cannot be deleted: %s", path, error)
    return removed
