"""Tries again while a database is locked or cannot be reached; somebody is told when that begins and ends."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from vmeet_core.database.faults import DatabaseUnavailable, reason, will_pass

PATIENCE_S = 30.0  #: of whoever waits for an answer
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Patience:
    """For one database, called ``name``. ``on_trouble`` hears the reason when the first call has to wait, and None
    when none waits any more.
    """

    def __init__(self, name: str) -> None:
        self.on_trouble: Callable[[str | None], None] = lambda reason: None
        self.trouble: str | None = None
        self._name = name
        self._waiting = 0
        self._began_s = 0.0
        self._ends_s = float("inf")
        self._hurry = asyncio.Event()

    def hurry(self, most_s: float) -> None:
        """From now on nobody waits longer than this."""
        self._ends_s = time.monotonic() + most_s
        self._hurry.set()

    async def hold(self, attempt: Callable[[float], Awaitable[T]], patience_s: float) -> T:
        """What ``attempt(seconds left)`` returns, as soon as it succeeds. Raises DatabaseUnavailable when it has not
        within ``patience_s`` (at least one attempt is made), and at once what waiting does not cure.
        """
        began_s, pause_s, waits = time.monotonic(), FIRST_PAUSE_S, False
        try:
            while True:
                try:
                    return await attempt(self._left_s(began_s, patience_s))
                except Exception as error:
                    if not will_pass(error):
                        raise
                    waits = waits or self._begin(error)
                    left_s = self._left_s(began_s, patience_s)
                    if left_s <= 0:
                        text = f"the database {self._name} does not answer: {reason(error)}"
                        raise DatabaseUnavailable(text) from error
                await self._pause(min(pause_s, left_s))
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            if waits:
                self._end()

    def _left_s(self, began_s: float, patience_s: float) -> float:
        now_s = time.monotonic()
        return min(began_s + patience_s, self._ends_s) - now_s

    async def _pause(self, pause_s: float) -> None:
        if self._hurry.is_set():
            await asyncio.sleep(pause_s)
            return
        try:
            await asyncio.wait_for(self._hurry.wait(), pause_s)
        except TimeoutError:
            return

    def _begin(self, error: Exception) -> bool:
        self._waiting += 1
        if self._waiting == 1:
            self._began_s, self.trouble = time.monotonic(), reason(error)
            _log.warning("the database %s does not answer, trying again: %s", self._name, self.trouble)
            self.on_trouble(self.trouble)
        return True

    def _end(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self.trouble = None
            _log.warning("nobody waits for the database %s any more, after %.1f s", self._name, self._since_s())
            self.on_trouble(None)

    def _since_s(self) -> float:
        return time.monotonic() - self._began_s
