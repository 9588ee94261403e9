"""Work on a recording that still runs: its job is begun with its first part, and gets more to do with each other."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from vmeet_core.database import DatabaseUnavailable
from vmeet_core.hookspecs import Permanent
from vmeet_core.readiness import SETTLES_S

logger = logging.getLogger(__name__)
SETTLED_S = SETTLES_S + 0.2  #: so long after its end a part is whole: then the journal is told so
WRITTEN_S = 0.8  #: and so long after that it says so


class WorkAhead:
    """After the end of each part of ``part_s`` seconds ``mark`` tells the journal that what came before is in it;
    ``begin`` queues the job and gives its id, ``renew`` has it look at what is there by now. What goes wrong is logged:
    the recording is processed when it has ended.
    """

    def __init__(
        self,
        started_at_s: float,
        part_s: float,
        mark: Callable[[], None],
        begin: Callable[[], Awaitable[str]],
        renew: Callable[[str], None],
        settled_s: float = SETTLED_S,
        written_s: float = WRITTEN_S,
    ) -> None:
        self._started_at_s = started_at_s
        self._part_s = part_s
        self._mark = mark
        self._begin = begin
        self._renew = renew
        self._settled_s = settled_s
        self._written_s = written_s
        self._job_id: str | None = None
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._work())

    async def end(self) -> None:
        """Nothing more is asked for; what is being written is waited for."""
        self._over.set()
        await asyncio.wait({self._task})

    async def _work(self) -> None:
        while not await self._is_over_by_the_next_part():
            self._mark()
            if await self._is_over_within(self._written_s):
                return
            try:
                if self._job_id is None:
                    self._job_id = await self._begin()
                else:
                    self._renew(self._job_id)
            except Permanent as error:  # it will be said when the recording has ended
                logger.info("nothing is done ahead: %s", error)
                return
            except DatabaseUnavailable as error:
                logger.warning("nothing is done ahead for now: %s", error)
            except Exception:
                logger.exception("nothing is done ahead for now")

    async def _is_over_by_the_next_part(self) -> bool:
        """A clock that was put right changes when that is by less than a part."""
        since_s = max(0.0, time.time() - self._started_at_s - self._settled_s)
        return await self._is_over_within(self._part_s - since_s % self._part_s)

    async def _is_over_within(self, wait_s: float) -> bool:
        try:
            await asyncio.wait_for(self._over.wait(), wait_s)
        except TimeoutError:
            return False
        return True
