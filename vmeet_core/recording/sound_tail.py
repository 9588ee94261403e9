"""The end of a sound file, for the file that goes on from there."""

from collections import deque

from vmeet_core.media.encoded import CLOCK_HZ, EncodedFrame, opus_samples

#: RFC 7845 (4.2) asks for 0.08 s, after which every seventh border still sounds different, as up to one in a hundred
#: does after 0.4 s; after 0.6 s none did of 8,500 (``benchmarks/part_borders.py``).
PREROLL_S = 0.8
_SHORTEST_PACKET_S = 0.0025


class SoundTail:
    """The latest packets of one sender without a gap, enough of them for ``PREROLL_S``."""

    def __init__(self) -> None:
        self._packets: deque[EncodedFrame] = deque(maxlen=round(PREROLL_S / _SHORTEST_PACKET_S))
        self._next_rtp = 0

    def add(self, packet: EncodedFrame) -> None:
        """The next packet of the file."""
        if not self._is_next(packet):
            self._packets.clear()
        self._packets.append(packet)
        self._next_rtp = (packet.rtp_timestamp + opus_samples(packet.data)) & 0xFFFFFFFF

    def before(self, packet: EncodedFrame) -> tuple[EncodedFrame, ...]:
        """What is to be decoded before that packet; nothing where one is missing in between."""
        if not self._is_next(packet):
            return ()
        found: deque[EncodedFrame] = deque()
        lacking = round(PREROLL_S * CLOCK_HZ["opus"])
        for each in reversed(self._packets):
            if lacking <= 0:
                break
            found.appendleft(each)
            lacking -= opus_samples(each.data)
        return tuple(found)

    def _is_next(self, packet: EncodedFrame) -> bool:
        return bool(self._packets) and packet.rtp_timestamp == self._next_rtp
