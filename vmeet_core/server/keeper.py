"""Deletes by itself, now and then, what the settings say is too old or too much; and tells what is next."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from vmeet_core.server.clock_doubt import ClockDoubt
from vmeet_core.server.folder_sizes import folder_bytes
from vmeet_core.server.hall import Hall
from vmeet_core.server.retention import Due, Held, due_now, ended_at_s, next_due

logger = logging.getLogger(__name__)
ROUND_S = 600.0
CLOCK = "clock.json"  #: what the clock said last, in the data folder
REASONS = {"age": "it ended more than {age} days ago", "size": "all recordings take more than {size} bytes"}


class Keeper:
    """``in_use`` says of a recording's id whether somebody is just taking it away as a file."""

    def __init__(self, hall: Hall, in_use: Callable[[str], bool], clock: Callable[[], float] = time.time) -> None:
        self._hall = hall
        self._in_use = in_use
        self._clock = clock
        self._rules = hall.settings.recording
        self._doubt = ClockDoubt(Path(hall.settings.server.data_dir) / CLOCK)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Rounds, beginning at once."""
        task = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _rounds(self) -> None:
        while True:
            try:
                await self.round()
            except Exception:
                logger.exception("recordings that are too old could not be looked for")
            await asyncio.sleep(ROUND_S)

    async def round(self) -> list[str]:
        """Delete what is due; the ids of what was. A deletion that could not be finished is tried again."""
        await self._hall.finish_deletions()
        if not (self._rules.max_age_days or self._rules.max_total_bytes):
            return []
        held = await self._held()
        believed_s = await self._believed_s(held)
        rules = self._rules if believed_s is None else self._rules.model_copy(update={"max_age_days": 0})
        dues = due_now(held, rules, self._clock())
        return [due.recording.id for due in dues if await self._delete(due)]

    async def _believed_s(self, held: list[Held]) -> float | None:
        """None when the clock is believed; else when it will be: until then nothing is too old."""
        newest_s = max((each.ended_at_s for each in held), default=None)
        return await asyncio.to_thread(self._doubt.look, self._clock(), newest_s)

    async def _delete(self, due: Due) -> bool:
        recording = due.recording
        reason = REASONS[due.reason].format(age=self._rules.max_age_days, size=self._rules.max_total_bytes)
        try:
            gone = await self._hall.delete(recording.id, only_if_spare=True)
        except OSError as error:
            logger.error("recording %s cannot be deleted; it is tried again later: %s", recording.id, error)
            return False
        if gone:
            logger.info("recording %s (%s, %d bytes) deleted: %s", *recording[:2], recording.size_bytes, reason)
        return gone

    async def describe(self) -> dict[str, Any]:
        """The rules, how much there is, and what goes next."""
        held = await self._held()
        due = next_due(held, self._rules, self._clock())
        if due is not None and due.reason == "age" and (believed_s := await self._believed_s(held)) is not None:
            due = due._replace(at_s=max(due.at_s or 0.0, believed_s))
        told = (
            {"id": due.recording.id, "title": due.recording.title, "reason": due.reason, "at_s": due.at_s}
            if due
            else None
        )
        return {
            "max_age_days": self._rules.max_age_days,
            "max_total_bytes": self._rules.max_total_bytes,
            "total_bytes": sum(each.size_bytes for each in held),
            "next": told,
        }

    async def _held(self) -> list[Held]:
        rows = await self._hall.store.recordings()
        busy = await self._hall.store.with_active_jobs()
        sizes = await asyncio.to_thread(lambda: [folder_bytes(self._hall.recordings_dir / row.id) for row in rows])
        return [
            Held(
                id=row.id,
                title=row.title,
                ended_at_s=ended_at_s(row),
                size_bytes=size_bytes,
                spare=row.state == "recorded" and not row.kept and row.id not in busy and not self._in_use(row.id),
            )
            for row, size_bytes in zip(rows, sizes, strict=True)
        ]
