"""A process that waits for the next step while one runs.

To start Python and to read what every step uses takes half a second, as long as many a step itself.
"""

import asyncio
import contextlib
from asyncio.subprocess import Process

from vmeet_core.pipeline.process import end_process, start_process

KEPT_S = 60.0  #: so long one waits; while a meeting is recorded there are steps twice a minute


class Spare:
    """One process at most. All of it belongs to one event loop."""

    def __init__(self, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._process: Process | None = None
        self._work: asyncio.Task[None] | None = None  #: that starts or ends it
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> Process:
        """The one that waits, or else a new one; now it is the caller's. Raises OSError."""
        if self._work is not None:
            await asyncio.shield(self._work)  # when this is cancelled, the next step has it
        process, self._process = self._process, None
        return process if process is not None and process.returncode is None else await start_process()

    def prepare(self) -> None:
        """Have one ready soon, for a while."""
        self._forget_timer()
        self._timer = asyncio.get_running_loop().call_later(self._kept_s, self._drop)
        if self._is_idle and (self._process is None or self._process.returncode is not None):
            self._work = asyncio.create_task(self._start())

    async def close(self) -> None:
        """None is left. Twice does no harm."""
        self._forget_timer()
        if self._work is not None:
            await self._work
        await self._end()

    @property
    def _is_idle(self) -> bool:
        return self._work is None or self._work.done()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _drop(self) -> None:
        if self._is_idle:
            self._work = asyncio.create_task(self._end())

    async def _start(self) -> None:
        await self._end()
        with contextlib.suppress(OSError):  # the next step will say so, if it cannot be started either
            self._process = await start_process()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await end_process(process)
