"""When each packet arrived: told to publishers, so that they can judge their way to us, and read from receivers.

Format: draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1 (RTPFB, FMT 15).
"""

import struct
from typing import NamedTuple

from vmeet_core.sfu.packet import sequence_newer

TRANSPORT_SEQUENCE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
TICK_S = 0.00025
REFERENCE_TICKS = 256  #: 64 ms
MAX_PACKETS = 1500  #: in one report; a longer gap begins anew
MAX_READ = 8192
_MISSING, _SMALL, _LARGE = 0, 1, 2


class TransportFeedback:
    """Collects arrival times by transport-wide sequence number; ``take`` writes the next report."""

    def __init__(self) -> None:
        self._arrived: dict[int, float] = {}
        self._next: int | None = None
        self._count = 0

    def add(self, sequence: int, now_s: float) -> None:
        """A packet arrived, of whatever stream."""
        if self._next is None:
            self._next = sequence
        if (sequence - self._next & 0xFFFF) >= MAX_PACKETS:
            if sequence_newer(self._next, sequence):
                return  # reported already
            self._arrived.clear()
            self._next = sequence
        self._arrived[sequence] = now_s

    def take(self, media_ssrc: int) -> bytes | None:
        """The RTCP packet about all that came since the one before; None when nothing did."""
        if not self._arrived or self._next is None:
            return None
        base = self._next
        offsets = {sequence - base & 0xFFFF: at_s for sequence, at_s in self._arrived.items()}
        total = max(offsets) + 1
        symbols, deltas, reference = _deltas(offsets, total)
        body = struct.pack("!HH", base, total) + (reference & 0xFFFFFF).to_bytes(3) + bytes((self._count,))
        body += _chunks(symbols) + deltas
        body += bytes(-len(body) % 4)
        self._next, self._count = base + total & 0xFFFF, self._count + 1 & 0xFF
        self._arrived.clear()
        return struct.pack("!BBHII", 0x80 | 15, 205, 2 + len(body) // 4, 1, media_ssrc) + body


def _deltas(offsets: dict[int, float], total: int) -> tuple[list[int], bytes, int]:
    """Status of every packet, the receive deltas, and the reference time in units of 64 ms."""
    reference = int(offsets[min(offsets)] / TICK_S) // REFERENCE_TICKS
    tick, symbols, deltas = reference * REFERENCE_TICKS, [], bytearray()
    for offset in range(total):
        arrived_s = offsets.get(offset)
        if arrived_s is None:
            symbols.append(_MISSING)
            continue
        delta = max(-0x8000, min(int(arrived_s / TICK_S) - tick, 0x7FFF))
        tick += delta
        symbols.append(_SMALL if 0 <= delta <= 255 else _LARGE)
        deltas += delta.to_bytes(1) if 0 <= delta <= 255 else delta.to_bytes(2, signed=True)
    return symbols, bytes(deltas), reference


def _chunks(symbols: list[int]) -> bytes:
    """Runs of one status, or seven statuses of two bits each."""
    out, position = bytearray(), 0
    while position < len(symbols):
        symbol, end = symbols[position], position + 1
        while end < len(symbols) and symbols[end] == symbol and end - position < 0x1FFF:
            end += 1
        if end - position >= 7 or end == len(symbols):
            out += (symbol << 13 | end - position).to_bytes(2)
        else:
            end = min(position + 7, len(symbols))
            word = 0xC000
            for index, each in enumerate(symbols[position:end]):
                word |= each << 12 - 2 * index
            out += word.to_bytes(2)
        position = end
    return bytes(out)


class Arrivals(NamedTuple):
    """What a report tells: arrival times in seconds of the other side's clock, from ``base`` on; None for the lost."""

    base: int
    times_s: list[float | None]


def read_feedback(block: bytes) -> Arrivals:
    """The RTCP packet, header included, of a receiver. Raises ValueError when it is cut short."""
    if len(block) < 20:
        raise ValueError("the transport feedback is cut short")
    base, total = struct.unpack_from("!HH", block, 12)
    if not total or total > MAX_READ:
        raise ValueError(f"the transport feedback tells of {total} packets")
    tick = int.from_bytes(block[16:19]) * REFERENCE_TICKS
    try:
        symbols, position = _read_chunks(block, total)
        return Arrivals(base, _read_deltas(block, symbols, position, tick))
    except IndexError:
        raise ValueError("the transport feedback is cut short") from None


def _read_chunks(block: bytes, total: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    position = 20
    while len(symbols) < total:
        chunk = block[position] << 8 | block[position + 1]
        position += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13] * (chunk & 0x1FFF)
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:total], position


def _read_deltas(block: bytes, symbols: list[int], position: int, tick: int) -> list[float | None]:
    times_s: list[float | None] = []
    for symbol in symbols:
        if symbol == _MISSING:
            times_s.append(None)
            continue
        if symbol == _SMALL:
            tick += block[position]
            position += 1
        else:
            tick += int.from_bytes((block[position], block[position + 1]), signed=True)
            position += 2
        times_s.append(tick * TICK_S)
    return times_s
