"""Tells of changes: at once for those of state, at most four times a second and job for progress."""

import asyncio
import logging
from collections.abc import Callable

from vmeet_core.pipeline.job import Job
from vmeet_core.pipeline.views import JobView

INTERVAL_S = 0.25
_log = logging.getLogger(__name__)


class Notifier:
    """Calls ``on_change`` in the event loop; what it raises is logged."""

    def __init__(self, on_change: Callable[[JobView], None]) -> None:
        self._on_change = on_change
        self._pending: dict[str, asyncio.TimerHandle] = {}

    def now(self, job: Job) -> None:
        self.forget(job)
        self.tell(job.view())

    def tell(self, view: JobView) -> None:
        """Of a job that nothing else will be told of."""
        try:
            self._on_change(view)
        except Exception:
            _log.exception("on_change of job %s", view.id)

    def soon(self, job: Job) -> None:
        """Within the interval, with whatever else has changed by then."""
        if job.id not in self._pending:
            self._pending[job.id] = asyncio.get_running_loop().call_later(INTERVAL_S, self.now, job)

    def forget(self, job: Job) -> None:
        """Nothing more is told until the next change."""
        timer = self._pending.pop(job.id, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        for timer in self._pending.values():
            timer.cancel()
        self._pending.clear()
