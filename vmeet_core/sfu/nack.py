"""Which packets of a stream are missing, and when to ask for them (again) (RFC 4585, section 6.2.1)."""

from typing import NamedTuple

MAX_MISSING = 512
MAX_AGE_S = 1.0
FIRST_RETRY_S, MIN_RETRY_S, MAX_RETRY_S = 0.05, 0.02, 0.25
PATIENCE = 1.5  #: times the usual answer
SMOOTHING = 0.125  #: as of the round-trip time of TCP (RFC 6298)


class _Gap(NamedTuple):
    since_s: float
    asked_s: float
    asks: int


class MissingPackets:
    """The gaps in a sequence of packets; each is asked for, every round trip, until it is filled or too old.

    ``answer_s`` is how long an answer takes, None while there was none: about the round-trip time.
    """

    def __init__(self) -> None:
        self.answer_s: float | None = None
        self._highest: int | None = None
        self._missing: dict[int, _Gap] = {}

    def __len__(self) -> int:
        return len(self._missing)

    @property
    def retry_s(self) -> float:
        """After so long without an answer it is asked again."""
        if self.answer_s is None:
            return FIRST_RETRY_S
        return min(max(PATIENCE * self.answer_s, MIN_RETRY_S), MAX_RETRY_S)

    def add(self, sequence: int, now_s: float) -> bool:
        """A packet has come, by itself or as a retransmission; whether that opened a gap."""
        highest = self._highest
        if highest is None:
            self._highest = sequence
            return False
        gap = (sequence - highest - 1) & 0xFFFF
        if not gap:
            self._highest = sequence
            return False
        if gap >= 0x7FFF:  # not newer
            self._fill(sequence, now_s)
            return False
        self._highest = sequence
        if gap > MAX_MISSING:
            self._missing.clear()
            return False
        self._missing.update({(highest + 1 + i) & 0xFFFF: _Gap(now_s, -1.0, 0) for i in range(gap)})
        while len(self._missing) > MAX_MISSING:
            del self._missing[next(iter(self._missing))]
        return True

    def _fill(self, sequence: int, now_s: float) -> None:
        gap = self._missing.pop(sequence, None)
        if gap is not None and gap.asks == 1:  # else nobody knows which question was answered (Karn)
            answer_s = now_s - gap.asked_s
            before_s = answer_s if self.answer_s is None else self.answer_s
            self.answer_s = before_s + SMOOTHING * (answer_s - before_s)

    def due(self, now_s: float) -> list[int]:
        """The sequence numbers to ask for now; those that are too old are given up."""
        retry_s = self.retry_s
        self._missing = {n: gap for n, gap in self._missing.items() if now_s - gap.since_s < MAX_AGE_S}
        due = [n for n, gap in self._missing.items() if now_s - gap.asked_s >= retry_s]
        for n in due:
            gap = self._missing[n]
            self._missing[n] = _Gap(gap.since_s, now_s, gap.asks + 1)
        return due
