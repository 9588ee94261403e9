"""What was sent on one connection, by transport-wide sequence number, until the receiver tells what became of it."""

from collections.abc import Callable
from typing import NamedTuple

from vmeet_core.sfu.transport_feedback import Arrivals

KEPT = 4096  #: a power of two
WIRE_BYTES = 44  #: that SRTP's tag, UDP and IP add to a packet: with small packets a tenth of all


class Delivery(NamedTuple):
    """A packet and what became of it: ``arrived_s`` is of the receiver's clock, None when it was lost.

    ``size_bytes`` is that on the wire; ``ssrc`` and ``sequence`` are those of its RTP header.
    """

    sent_s: float
    arrived_s: float | None
    size_bytes: int
    ssrc: int = 0
    sequence: int = 0


class SentPackets:
    """``next`` is called for every packet that goes out, so it does little."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.untold: list[Delivery] = []  #: what the latest report should have told of, had none before it been lost
        self._told = 0  # the next report begins here
        self._sequence = -1
        self._sent_s = [0.0] * KEPT
        self._size_bytes = [0] * KEPT
        self._ssrc = [0] * KEPT
        self._rtp_sequence = [0] * KEPT

    def next(self, size_bytes: int, ssrc: int = 0, rtp_sequence: int = 0) -> int:
        """The transport-wide sequence number of a packet that is sent now."""
        sequence = self._sequence = self._sequence + 1
        slot = sequence & KEPT - 1
        self._sent_s[slot] = self._clock()
        self._size_bytes[slot] = size_bytes
        self._ssrc[slot] = ssrc
        self._rtp_sequence[slot] = rtp_sequence
        return sequence & 0xFFFF

    def match(self, arrivals: Arrivals) -> list[Delivery]:
        """What a report is about; packets that are too old to be known, or were told of before, are left out."""
        self.untold = self._skipped(arrivals.base)
        self._told = arrivals.base + len(arrivals.times_s) & 0xFFFF
        found = []
        for offset, arrived_s in enumerate(arrivals.times_s):
            age = (self._sequence - arrivals.base - offset) & 0xFFFF
            if age >= KEPT or age > self._sequence:
                continue
            slot = self._sequence - age & KEPT - 1
            size_bytes = self._size_bytes[slot]
            if not size_bytes:
                continue
            if arrived_s is not None:
                self._size_bytes[slot] = 0
            found.append(
                Delivery(
                    self._sent_s[slot], arrived_s, size_bytes + WIRE_BYTES, self._ssrc[slot], self._rtp_sequence[slot]
                )
            )
        return found

    def _skipped(self, base: int) -> list[Delivery]:
        """Packets between the report before and this one."""
        if (base - self._told & 0xFFFF) >= KEPT // 4:
            return []
        ages = range(self._sequence - self._told & 0xFFFF, self._sequence - base & 0xFFFF, -1)
        slots = [self._sequence - age & KEPT - 1 for age in ages if age < KEPT]
        return [
            Delivery(self._sent_s[slot], None, self._size_bytes[slot], self._ssrc[slot], self._rtp_sequence[slot])
            for slot in slots
            if self._size_bytes[slot]
        ]
