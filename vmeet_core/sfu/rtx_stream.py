"""The stream in which packets of an outgoing picture go again, under numbers of its own (RFC 4588)."""

from typing import Protocol

from vmeet_core.sfu.packet import Wire

MAX_REPAIRS = 1024


class PacketSender(Protocol):
    """The way to the receiver: what ``MediaTransport`` is to a stream."""

    def send_wire(
        self, wire: Wire, second: int, sequence: int, timestamp: int, ssrc: int, picture_id: int, tl0: int
    ) -> bool:
        """Patch a prepared packet and send it."""


class RtxStream:
    """Knows what went again, when, and under which number. ``out`` is a packet's number in the stream itself."""

    def __init__(self, ssrc: int, media: PacketSender) -> None:
        self._ssrc = ssrc
        self._media = media
        self._sequence = 0
        self._carried: dict[int, int] = {}  # the packet inside, by the number here
        self._repaired_s: dict[int, float] = {}

    def is_due(self, out: int, wait_s: float, now_s: float) -> bool:
        """Whether to send it again: not when that was done less than ``wait_s`` ago. Then it counts as done."""
        if now_s - self._repaired_s.get(out, -1e9) < wait_s:
            return False
        if len(self._repaired_s) >= MAX_REPAIRS:
            self._repaired_s.clear()
        self._repaired_s[out] = now_s
        return True

    def note(self, out: int) -> None:
        """What is sent next is a repair of this packet."""
        if len(self._carried) >= MAX_REPAIRS:
            self._carried.clear()
        self._carried[self._sequence] = out

    def lose(self, sequence: int) -> int | None:
        """The packet that was inside a lost repair: it is due again at once. None for padding."""
        out = self._carried.pop(sequence, None)
        if out is not None:
            self._repaired_s.pop(out, None)
        return out

    def send(self, patched: bytearray, wire: Wire, out: int, second: int, timestamp: int) -> int:
        """Send a packet with its own number in front of the payload; the bytes sent, 0 when that failed.

        ``patched`` are the bytes of ``wire`` as they went the first time; ``second`` is the second byte of the header.
        """
        patched[wire.payload_at : wire.payload_at] = out.to_bytes(2)
        again = Wire(bytes(patched), 0, 0, wire.payload_at, wire.transport_at)
        if not self._media.send_wire(again, second, self._sequence, timestamp, self._ssrc, -1, -1):
            return 0
        self._sequence = self._sequence + 1 & 0xFFFF
        return len(patched)
