"""The chat of one meeting: in memory only, gone with the meeting."""

from collections import deque

from vmeet_core.protocol import MAX_CHAT_KEPT, ChatEntry

RATE_COUNT = 10
RATE_S = 10.0  #: a person may write RATE_COUNT texts within this time


class ChatTooFast(Exception):
    """A person writes more than the others can read; the text says when to go on."""


class ChatLog:
    """``entries`` are the last MAX_CHAT_KEPT texts, for those who come later; numbers count up from 1."""

    def __init__(self) -> None:
        self.entries: deque[ChatEntry] = deque(maxlen=MAX_CHAT_KEPT)
        self._number = 0
        self._written_s: dict[str, deque[float]] = {}

    def add(self, participant_id: str, name: str, text: str, now_s: float, wall_s: float) -> ChatEntry:
        """Keep a text. ``now_s`` is of a clock that never goes back, ``wall_s`` is Unix time. Raises ChatTooFast."""
        written = self._written_s.setdefault(participant_id, deque(maxlen=RATE_COUNT))
        if len(written) == RATE_COUNT and now_s - written[0] < RATE_S:
            wait_s = max(round(RATE_S - (now_s - written[0])), 1)
            raise ChatTooFast(f"more than {RATE_COUNT} texts in {RATE_S:g} s; the next one is taken in {wait_s} s")
        written.append(now_s)
        self._number += 1
        entry = ChatEntry(number=self._number, participant_id=participant_id, name=name, text=text, at_s=wall_s)
        self.entries.append(entry)
        return entry

    def forget(self, participant_id: str) -> None:
        """The person has left; what they wrote stays. Harmless when unknown."""
        self._written_s.pop(participant_id, None)
