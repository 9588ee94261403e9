"""Unpacks the files of a model from a tar archive: only those that are needed, into one flat folder, all or nothing."""

import logging
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from vmeet_core.hookspecs import Permanent
from vmeet_core.weights.lock import locked

MOST_BYTES = 16 << 30  #: of everything in an archive, unpacked
MOST_MEMBERS = 10_000
_WANTED_SUFFIXES = (".onnx", ".data", ".weights")
_WANTED_NAMES = ("tokens.txt", "bpe.vocab", "LICENSE")
_CHUNK_BYTES = 1 << 20


def unpacked(archive: Path, sha256: str, folder: Path, logger: logging.Logger, most_bytes: int = MOST_BYTES) -> Path:
    """The folder inside ``folder`` with the files of ``archive``, whose hash names it; unpacked unless it is there.

    Safe in several processes at once, and when one is killed: a folder has its name only once it is complete.
    Raises Permanent for an archive that is damaged, too large or not to be trusted, and where nothing can be written.
    """
    target = folder / f"sherpa-{sha256[:16]}"
    if target.is_dir():
        return target
    try:
        with locked(folder / f".{target.name}.lock"):
            if not target.is_dir():  # another process may have been faster
                logger.info("unpacking %s, once", archive.name)
                _unpack(archive, target, most_bytes)
    except OSError as error:
        raise Permanent(
            f"{archive.name} cannot be unpacked in {folder}: {error.strerror or error}. Free some space, or set "
            "weights.dir to a folder that can be written"
        ) from None
    return target


def _unpack(archive: Path, target: Path, most_bytes: int) -> None:
    for left in target.parent.glob(f".{target.name}-*"):  # of a process that was killed; the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in _members(tar, archive.name, most_bytes):
                source = tar.extractfile(member)
                assert source is not None  # a regular file
                with source:
                    _copy(source, unfinished / PurePosixPath(member.name).name, member.size)
            # After the last file stands an empty block: tarfile takes the end of a shortened archive for it.
            if tar.fileobj is None or tar.fileobj.tell() < tar.offset + tarfile.BLOCKSIZE:
                raise tarfile.ReadError("it ends too early")
        unfinished.chmod(0o755)
        _sync(unfinished)
        unfinished.replace(target)
        _sync(target.parent)
    except (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise Permanent(f"{archive.name} is no archive that can be read: {error}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _members(tar: tarfile.TarFile, name: str, most_bytes: int) -> Iterator[tarfile.TarInfo]:
    """Those that a model needs. Raises Permanent as soon as one gives reason not to trust the archive."""
    total_bytes, found = 0, set[str]()
    for number, member in enumerate(tar):
        total_bytes += member.size
        if number >= MOST_MEMBERS or total_bytes > most_bytes:
            raise Permanent(f"{name} holds more than {MOST_MEMBERS} files or {most_bytes} bytes: that is no model")
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
            raise Permanent(f"{name} holds {member.name!r}, which leads out of its folder: do not use this archive")
        if not _is_wanted(path):
            continue
        if not member.isreg() or member.issparse():
            raise Permanent(f"{name} holds {member.name!r}, which is no plain file: do not use this archive")
        if path.name in found:
            raise Permanent(f"{name} holds two files {path.name}: unpack the one you want, and name its folder instead")
        found.add(path.name)
        yield member


def _is_wanted(path: PurePosixPath) -> bool:
    """Directly in the archive or in its one folder: recordings to try it with lie deeper."""
    return len(path.parts) <= 2 and (path.name in _WANTED_NAMES or path.name.endswith(_WANTED_SUFFIXES))


def _copy(source: IO[bytes], target: Path, size_bytes: int) -> None:
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            file.write(chunk)
        if file.tell() != size_bytes:
            raise tarfile.ReadError(f"it ends in the middle of {target.name}")
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """So that after a power cut the name is not there without the files."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
