"""Bounds how many do something at one time."""

import contextlib
from collections.abc import Iterator


class NoPlace(Exception):
    """As many as may be are at it."""


class Places:
    """Whoever finds none free is turned away, not kept waiting."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Raises NoPlace."""
        if not self._free:
            raise NoPlace
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
