"""A process that ran in the background, and is now waited for."""

import asyncio
import time
from collections.abc import Callable

from vmeet_core.child_process import leave_background

ROUND_S = 2.0  #: so long it is looked at before it is judged
ENOUGH = 0.5  #: of one processor


class Hastening:
    """From ``begin`` to ``end`` the process is one like others of its ``niceness``, where the system allows that.

    Where it does not, it goes on in the background, which costs nothing on a machine with nothing else to do; once it
    gets less than ``ENOUGH``, ``give_up`` is called: begun anew it would be faster.
    """

    def __init__(self, give_up: Callable[[], object], niceness: int) -> None:
        self.gave_up = False
        self._niceness = niceness
        self._give_up = give_up
        self._pid: int | None = None
        self._is_wanted = False
        self._cpu_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def started(self, pid: int) -> None:
        """Its process is there."""
        self._pid = pid
        self._look()

    def begin(self) -> None:
        """From now on it is waited for."""
        self._is_wanted = True
        self._look()

    def took(self, cpu_s: float) -> None:
        """So much processor time it has had so far."""
        self._cpu_s = cpu_s

    def end(self) -> None:
        """There is no process any more."""
        if self._task is not None:
            self._task.cancel()

    def _look(self) -> None:
        if self._is_wanted and self._pid is not None and self._task is None:
            self._task = asyncio.create_task(self._hasten(self._pid))

    async def _hasten(self, pid: int) -> None:
        """Again and again: when it has just begun, it goes to the background only then."""
        while True:
            began_s, had_s = time.monotonic(), self._cpu_s
            is_like_others = await asyncio.to_thread(leave_background, pid, self._niceness)
            await asyncio.sleep(ROUND_S)
            if not is_like_others and self._cpu_s - had_s < ENOUGH * (time.monotonic() - began_s):
                self.gave_up = True
                self._give_up()
                return
