"""The files of one try on a worker: copies from the area, kept for the next steps as far as there is room."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vmeet_core.pipeline.executors.area import Area, AreaError
from vmeet_core.pipeline.executors.remote_messages import Exchanged
from vmeet_core.pipeline.process import StepFailed
from vmeet_core.settings import Pipeline

_AGAIN_S = 10.0


class RemoteFiles:
    """``own`` is this try's folder, ``cache`` all tries': nothing in there changes, since no name is used twice."""

    def __init__(self, place: Exchanged, own: Path, cache: Path, pipeline: Pipeline) -> None:
        """Blocking. Raises StepFailed."""
        self._place, self._cache, self._limit_bytes = place, cache, pipeline.files_cache_bytes
        self.folder, self.results = own / "recording", own / "results"
        for folder in (self.folder, self.results, own / "read", cache):
            folder.mkdir(parents=True, exist_ok=True)
        self._read = own / "read"
        try:
            self._area = Area(place.url, pipeline.files_options)
        except AreaError as error:
            raise StepFailed(str(error), retry_after_s=_AGAIN_S) from error

    async def bring(self, params: dict[str, Any]) -> tuple[dict[str, Path], dict[str, Any]]:
        """Where the inputs are, and the parameters with what they name of absolute paths. Raises StepFailed."""
        inputs: dict[str, Path] = {}
        absolute: dict[str, str] = {}
        for number, (role, name) in enumerate(self._place.inputs.items()):
            inputs[role] = self._read / f"{number}-{Path(name).name}"
            await self._in_thread(self._bring, name, inputs[role])
        for number, (file, name) in enumerate(self._place.files.items()):
            if Path(file).is_absolute():
                target = self._read / f"file-{number}{Path(file).suffix}"
                absolute[file] = str(target)
            else:
                target = self._inside(file)
            await self._in_thread(self._bring, name, target)
        return inputs, _renamed(params, absolute)

    async def send(self, names: Iterable[str]) -> None:
        """Raises StepFailed."""
        for name in names:
            await self._in_thread(self._area.put, self.results / name, f"{self._place.results}/{name}")

    async def _in_thread(self, function: Any, *args: Any) -> None:
        try:
            await asyncio.to_thread(function, *args)
        except (AreaError, OSError) as error:
            raise StepFailed(str(error), retry_after_s=_AGAIN_S) from error

    def _inside(self, file: str) -> Path:
        target = self.folder / file
        if ".." in target.parts:
            raise StepFailed(f"{file} is no file of the recording")
        return target

    def _bring(self, name: str, target: Path) -> None:
        kept = self._cache / name.replace("/", "_")
        target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                target.hardlink_to(kept)  # from now on, it stays, even if it goes from the cache
                break
            except FileNotFoundError:
                self._fetch(name, kept)
        os.utime(target)
        self._make_room()

    def _fetch(self, name: str, kept: Path) -> None:
        unfinished = self._cache / f".{uuid.uuid4().hex}"
        try:
            self._area.get(name, unfinished)
            unfinished.replace(kept)
        finally:
            unfinished.unlink(missing_ok=True)

    def _make_room(self) -> None:
        """What was used last stays."""
        found = []
        for entry in os.scandir(self._cache):
            with contextlib.suppress(FileNotFoundError):  # another step was faster
                stat = entry.stat()
                found.append((stat.st_mtime, stat.st_size, entry.path))
        total_bytes = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total_bytes <= self._limit_bytes:
                return
            Path(path).unlink(missing_ok=True)
            total_bytes -= size


def _renamed(params: Any, absolute: dict[str, str]) -> Any:
    """Wherever a parameter is exactly such a path."""
    if isinstance(params, str):
        return absolute.get(params, params)
    if isinstance(params, list):
        return [_renamed(each, absolute) for each in params]
    if isinstance(params, dict):
        return {key: _renamed(each, absolute) for key, each in params.items()}
    return params
