"""Whether the machine's clock may be believed when something is to be deleted for its age.

A clock that is set years ahead makes everything old at once. What it said last is kept in a file: a jump of more than
some days is believed when it has lasted for a day.
"""

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

logger = logging.getLogger(__name__)
DAY_S = 86_400.0
JUMP_S = 3 * DAY_S  #: from one look to the next; a server that was off for longer waits as well
BELIEVED_AFTER_S = DAY_S


class Seen(BaseModel):
    """What the clock said last (Unix time), and since when it is doubted, by itself; None: it is not."""

    model_config = ConfigDict(frozen=True)
    at_s: float
    doubted_since_s: float | None = None

    def look(self, now_s: float) -> "Seen":
        """The clock says ``now_s`` now."""
        if now_s - self.at_s > JUMP_S:
            return Seen(at_s=now_s, doubted_since_s=now_s)
        since_s = self.doubted_since_s
        is_over = since_s is not None and not since_s <= now_s < since_s + BELIEVED_AFTER_S
        return Seen(at_s=now_s, doubted_since_s=None if is_over else since_s)


class ClockDoubt:
    """Keeps what the clock said in ``path``. Reads and writes files: not for event loops."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Seen | None = None

    def look(self, now_s: float, newest_s: float | None) -> float | None:
        """The clock says ``now_s`` now. None when it is believed, else when it will be if it goes on like this.

        ``newest_s`` is the end of the newest recording: what is known of the time where the clock was never looked at.
        """
        seen = self._seen or self._read() or Seen(at_s=now_s if newest_s is None else min(newest_s, now_s))
        now = seen.look(now_s)
        if now.doubted_since_s is not None and now.doubted_since_s != seen.doubted_since_s:
            days = (now_s - seen.at_s) / DAY_S
            logger.warning("the clock is %.0f days later than it was: for a day nothing is deleted for its age", days)
        self._seen = now
        self._write(now)
        return None if now.doubted_since_s is None else now.doubted_since_s + BELIEVED_AFTER_S

    def _read(self) -> Seen | None:
        try:
            return Seen.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            logger.warning("what the clock said last cannot be read from %s: %s", self._path, error)
            return None

    def _write(self, seen: Seen) -> None:
        """Whole or not at all; what cannot be written is known until the server ends."""
        partial = self._path.with_name(f".{self._path.name}.partial")
        try:
            partial.write_text(seen.model_dump_json(), encoding="utf-8")
            partial.replace(self._path)
        except OSError as error:
            logger.warning("what the clock says cannot be kept in %s: %s", self._path, error)
