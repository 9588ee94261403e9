"""The results of a job side by side under plain names, and the folder of all jobs behind them."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

FILE_NAMES = {"audio:file": "audio.flac", "audio-denoised:file": "audio-denoised.flac"}
PART = ".part"  #: the end of the name of a copy that is being made
LOCK = "lock"


def collect(results: Mapping[str, str], work: Path, folder: Path) -> dict[str, bool]:
    """Put the results into ``folder``, without a second copy where the file system can: file name → whether it is new.

    Each is there whole or as it was before, whenever this is killed. Raises OSError.
    """
    changed = {}
    for part in folder.glob(f".*{PART}"):  # of a run that was killed
        part.unlink(missing_ok=True)
    for name, path in sorted(results.items()):
        source = work / path
        target = folder / FILE_NAMES.get(name, source.name)
        changed[target.name] = not _is_there(source, target)
        if changed[target.name]:
            _put(source, target)
    return changed


def _is_there(source: Path, target: Path) -> bool:
    """The same file, or a copy that we made: those keep the time of change, as exactly as the file system has it."""
    try:
        there = target.stat()
    except FileNotFoundError:
        return False
    made = source.stat()
    is_same = (there.st_dev, there.st_ino) == (made.st_dev, made.st_ino)
    return is_same or (there.st_size == made.st_size and abs(there.st_mtime - made.st_mtime) < 0.01)


def _put(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}{PART}")
    part.unlink(missing_ok=True)
    try:
        try:
            part.hardlink_to(source)
        except OSError:
            shutil.copy2(source, part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def tidied(work: Path) -> Iterator[bool]:
    """Hold the folder of all jobs, and remove what killed steps left there; False where another process holds it."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / LOCK).open("a+b") as file:
        if not _locked(file.fileno()):
            yield False
            return
        for partial in work.glob("results/*/.*.partial"):
            shutil.rmtree(partial, ignore_errors=True)
        yield True


def _locked(descriptor: int) -> bool:
    """The system releases it when the process dies."""
    try:
        import fcntl
    except ImportError:  # Windows: there two at once are not told apart
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
