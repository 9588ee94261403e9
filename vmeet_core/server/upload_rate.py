"""How often one meeting may upload a picture."""

from collections import deque

RATE_COUNT = 30
RATE_S = 600.0  #: a meeting may try RATE_COUNT uploads within this time


class UploadsTooFast(Exception):
    """The text says when the next one is taken, and so does ``wait_s``."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"more than {RATE_COUNT} pictures in {RATE_S / 60:g} minutes; try again in {wait_s} s")
        self.wait_s = wait_s


class UploadRate:
    """Counts the tries, those refused later too: it is they that cost. Meetings without any take no memory."""

    def __init__(self) -> None:
        self._tried_s: dict[str, deque[float]] = {}

    def admit(self, meeting_id: str, now_s: float) -> None:
        """``now_s`` is of a clock that never goes back. Raises UploadsTooFast, and does not count it then."""
        for quiet in [key for key, tried in self._tried_s.items() if now_s - tried[-1] >= RATE_S]:
            del self._tried_s[quiet]
        tried = self._tried_s.setdefault(meeting_id, deque(maxlen=RATE_COUNT))
        if len(tried) == RATE_COUNT and now_s - tried[0] < RATE_S:
            raise UploadsTooFast(max(round(RATE_S - (now_s - tried[0])), 1))
        tried.append(now_s)
