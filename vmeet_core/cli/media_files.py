"""The media files that a command line means, folders included, and where the results of each go."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from vmeet_core.cli.common import CommandError
from vmeet_core.media.media_check import NoMedia, checked_media
from vmeet_core.media.media_type import HEAD_BYTES, told_by_head, told_by_name

RESULTS_SUFFIX = ".vmeet"
WORK = ".vmeet"  #: inside the results' folder: the database and all jobs' files


class MediaFile(NamedTuple):
    """``shown`` is as the person gave or would give it; ``results`` is the folder for what is made of it."""

    path: Path
    shown: Path
    results: Path


class Found(NamedTuple):
    """``faults`` are those of single arguments; ``left_out`` counts files in folders that are no media."""

    files: list[MediaFile]
    faults: list[str]
    left_out: int


def media_files(given: list[Path], out: Path | None) -> Found:
    """Files as given, those of a folder sorted by path; each once. Raises CommandError for one that cannot be read."""
    found = Found([], [], 0)
    alone = len(given) == 1
    for argument in given:
        if argument.is_dir():
            found = _with_folder(found, argument, out, alone)
        elif argument.is_file():
            results = _beside(argument) if out is None else out if alone else out / f"{argument.name}{RESULTS_SUFFIX}"
            found.files.append(MediaFile(argument.resolve(), argument, results))
        else:
            found.faults.append(f"{argument}: no such file")
    return _without_clashes(found)


def _with_folder(found: Found, folder: Path, out: Path | None, alone: bool) -> Found:
    media, left_out = _split(_walked(folder, out))
    if not media:
        found.faults.append(f"{folder}: holds no sound or video file")
    for path in media:
        if out is None:
            results = _beside(path)
        else:
            inside = path.relative_to(folder)
            top = out if alone else out / folder.resolve().name
            results = top / inside.with_name(f"{inside.name}{RESULTS_SUFFIX}")
        found.files.append(MediaFile(path.resolve(), path, results))
    return found._replace(left_out=found.left_out + left_out)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{RESULTS_SUFFIX}")


def _walked(folder: Path, out: Path | None) -> Iterator[Path]:
    """Files below a folder, in a stable order; without hidden ones, and without what we made ourselves."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror}") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_file():
            yield entry
        elif entry.is_dir() and not entry.is_symlink() and not _is_ours(entry, out):  # a link may lead in circles
            yield from _walked(entry, out)


def _is_ours(folder: Path, out: Path | None) -> bool:
    return (folder / WORK).is_dir() or (out is not None and folder.resolve() == out.resolve())


def _split(paths: Iterable[Path]) -> tuple[list[Path], int]:
    """Those that are media, and how many are not."""
    told = [(path, _is_media(path)) for path in paths]
    return [path for path, is_media in told if is_media], sum(not is_media for _, is_media in told)


def _is_media(path: Path) -> bool:
    """By its name, else by its first bytes, else by opening it in a process of its own."""
    by_name = told_by_name(path)
    if by_name is not None:
        return by_name
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if told_by_head(head) is False:
            return False
        asyncio.run(checked_media(path))
    except (NoMedia, OSError):
        return False
    return True


def _without_clashes(found: Found) -> Found:
    """A file that was given twice is processed once; two may not share a folder for their results."""
    seen: dict[Path, None] = {}
    owners: dict[Path, MediaFile] = {}
    files, faults = [], list(found.faults)
    for file in found.files:
        if file.path in seen:
            continue
        seen[file.path] = None
        owner = owners.setdefault(file.results.resolve(), file)
        if owner is file:
            files.append(file)
        else:
            text = f"its results would go where those of {owner.shown} go, {file.results}; run it with another --out"
            faults.append(f"{file.shown}: {text}")
    return Found(files, faults, found.left_out)
