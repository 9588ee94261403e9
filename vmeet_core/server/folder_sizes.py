"""How much room folders take. A long recording has thousands of files: they are counted again only after a change."""

import contextlib
import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

REMEMBERED = 2000
SETTLED_S = 2.0  #: times of files are coarse: a folder that has just changed may change again without looking so


@dataclass(frozen=True)
class _Measured:
    """``folders`` are all of them, with the times of their last change."""

    total_bytes: int
    folders: dict[str, int]

    def holds(self) -> bool:
        with contextlib.suppress(OSError):
            return all(Path(folder).stat().st_mtime_ns == changed for folder, changed in self.folders.items())
        return False


class FolderSizes:
    """Of folders whose files get their names when they are whole: what grows in its place is seen with the next file
    that comes or goes. May be used by several threads.
    """

    def __init__(self) -> None:
        self._measured: OrderedDict[Path, _Measured] = OrderedDict()

    def bytes_of(self, folder: Path) -> int:
        """Size of all files below a folder; files that vanish meanwhile do not count."""
        known = self._measured.get(folder)
        if known is not None and known.holds():
            return known.total_bytes
        began_ns = time.time_ns()
        measured = _measure(folder)
        self._measured.pop(folder, None)
        if measured.folders and max(measured.folders.values()) < began_ns - SETTLED_S * 1e9:
            self._measured[folder] = measured
            while len(self._measured) > REMEMBERED:
                with contextlib.suppress(KeyError):  # another thread was faster
                    self._measured.popitem(last=False)
        return measured.total_bytes


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder, counted now."""
    return _measure(folder).total_bytes


def _measure(folder: Path) -> _Measured:
    total, left, folders = 0, [str(folder)], {}
    while left:
        path = left.pop()
        with contextlib.suppress(OSError), os.scandir(path) as entries:
            folders[path] = Path(path).stat().st_mtime_ns
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                    continue
                with contextlib.suppress(OSError):
                    total += entry.stat().st_size if entry.is_file() else 0
    return _Measured(total, folders)
