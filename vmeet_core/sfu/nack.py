"""Which packets of a stream are missing, and when to ask for them (again) (RFC 4585, section 6.2.1)."""

from vmeet_core.sfu.packet import sequence_newer

MAX_MISSING = 256
MAX_AGE_S = 1.0
RETRY_S = 0.05


class MissingPackets:
    """The gaps in a sequence of packets; each is asked for until it is filled or too old."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: dict[int, tuple[float, float]] = {}  # sequence -> (missing since, asked last)

    def __len__(self) -> int:
        return len(self._missing)

    def add(self, sequence: int, now_s: float) -> None:
        """A packet has come, by itself or as a retransmission."""
        if self._highest is None:
            self._highest = sequence
        elif not sequence_newer(sequence, self._highest):
            self._missing.pop(sequence, None)
        else:
            gap = (sequence - self._highest - 1) & 0xFFFF
            if gap > MAX_MISSING:
                self._missing.clear()
            else:
                self._missing.update({(self._highest + 1 + i) & 0xFFFF: (now_s, -1.0) for i in range(gap)})
            self._highest = sequence
        while len(self._missing) > MAX_MISSING:
            del self._missing[next(iter(self._missing))]

    def due(self, now_s: float) -> list[int]:
        """The sequence numbers to ask for now; those that are too old are given up."""
        self._missing = {n: times for n, times in self._missing.items() if now_s - times[0] < MAX_AGE_S}
        due = [n for n, (_, asked_s) in self._missing.items() if now_s - asked_s >= RETRY_S]
        self._missing.update({n: (self._missing[n][0], now_s) for n in due})
        return due
