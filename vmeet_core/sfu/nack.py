"""Which packets of a stream are missing, and when to ask for them (again) (RFC 4585, section 6.2.1)."""

MAX_MISSING = 512
MAX_AGE_S = 1.0
FIRST_RETRY_S = 0.05


class MissingPackets:
    """The gaps in a sequence of packets; each is asked for, every round trip, until it is filled or too old."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: dict[int, tuple[float, float]] = {}  # sequence -> (missing since, asked last)
        self.retry_s = FIRST_RETRY_S  #: how long an answer may take

    def __len__(self) -> int:
        return len(self._missing)

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
            self._missing.pop(sequence, None)
            return False
        self._highest = sequence
        if gap > MAX_MISSING:
            self._missing.clear()
            return False
        self._missing.update({(highest + 1 + i) & 0xFFFF: (now_s, -1.0) for i in range(gap)})
        while len(self._missing) > MAX_MISSING:
            del self._missing[next(iter(self._missing))]
        return True

    def due(self, now_s: float) -> list[int]:
        """The sequence numbers to ask for now; those that are too old are given up."""
        self._missing = {n: times for n, times in self._missing.items() if now_s - times[0] < MAX_AGE_S}
        due = [n for n, (_, asked_s) in self._missing.items() if now_s - asked_s >= self.retry_s]
        self._missing.update({n: (self._missing[n][0], now_s) for n in due})
        return due
