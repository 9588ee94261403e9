"""The place that the server and the workers of a cluster exchange files through, whatever fsspec makes of its URL."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec

_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "s3": {"max_concurrency": 2, "use_listings_cache": False},  # parts of 50 MB are in memory at the same time
    "file": {"auto_mkdir": True},
}


class AreaError(Exception):
    """The area cannot be used; the text names it and says why."""


class Area:
    """Blocking: for threads. Every method raises AreaError. Names are relative to the URL."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        protocol = url.partition("://")[0]
        self._url = url
        with self._named():
            self._system, self._root = fsspec.core.url_to_fs(url, **{**_OPTIONS.get(protocol, {}), **options})

    def has(self, name: str, size_bytes: int) -> bool:
        """Whether it is there as a whole: what was cut short is smaller."""
        with self._named():
            self._system.invalidate_cache()
            try:
                return bool(self._system.info(self._path(name))["size"] == size_bytes)
            except FileNotFoundError:
                return False

    def put(self, source: Path, name: str) -> None:
        with self._named():
            self._system.put_file(str(source), self._path(name))

    def get(self, name: str, target: Path) -> None:
        """``target`` is not whole before this returns."""
        with self._named():
            self._system.get_file(self._path(name), str(target))

    def remove(self, name: str) -> None:
        """All below that name; nothing happens where there is nothing."""
        with self._named():
            self._system.invalidate_cache()
            with contextlib.suppress(FileNotFoundError):
                self._system.rm(self._path(name), recursive=True)

    def names(self, name: str) -> list[str]:
        """The files below that name."""
        with self._named():
            self._system.invalidate_cache()
            return [path.removeprefix(self._root).lstrip("/") for path in self._system.find(self._path(name))]

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    @contextlib.contextmanager
    def _named(self) -> Any:
        try:
            yield
        except Exception as error:  # of any file system, with exceptions of its own
            raise AreaError(f"{self._url} cannot be used: {type(error).__name__}: {error}") from error
