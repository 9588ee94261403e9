"""Work on a recording that still runs: its job is begun with its first part, and gets more to do with each other."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from vmeet_core.database import DatabaseUnavailable
from vmeet_core.hookspecs import Permanent
from vmeet_core.readiness import SETTLES_S
from vmeet_core.recording.recorder import REPORT_EVERY_S

logger = logging.getLogger(__name__)
#: So long after its end a part is whole, and the journal, in which sender reports are thinned out, tells so.
SETTLED_S = SETTLES_S + REPORT_EVERY_S + 1.0


class WorkAhead:
    """``begin`` queues the job and gives its id, ``renew`` has it look at what is there by now; both after the end of
    each part of ``part_s`` seconds. What goes wrong is logged: the recording is processed when it has ended.
    """

    def __init__(
        self,
        started_at_s: float,
        part_s: float,
        begin: Callable[[], Awaitable[str]],
        renew: Callable[[str], None],
        settled_s: float = SETTLED_S,
    ) -> None:
        self._started_at_s = started_at_s
        self._part_s = part_s
        self._begin = begin
        self._renew = renew
        self._settled_s = settled_s
        self._job_id: str | None = None
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._work())

    async def end(self) -> None:
        """Nothing more is asked for; what is being written is waited for."""
        self._over.set()
        await asyncio.wait({self._task})

    async def _work(self) -> None:
        while not await self._is_over_by_the_next_part():
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
        try:
            await asyncio.wait_for(self._over.wait(), self._part_s - since_s % self._part_s)
        except TimeoutError:
            return False
        return True
