"""A picture that the server itself has made, such as a filtered one, as a source of RTP packets.

VP8 payload descriptor: RFC 7741, section 4.2, with a 15-bit picture id, TL0PICIDX and the temporal layer.
"""

import time
from collections.abc import Callable

from vmeet_core.manifest import SourceKind
from vmeet_core.sfu.codecs import vp8_height_px
from vmeet_core.sfu.made_media import MadeMedia
from vmeet_core.sfu.publisher_clock import PublisherClock

MAX_PAYLOAD_BYTES = 1150  #: with SRTP, UDP and IPv6 below the 1280 that every path carries
DESCRIPTOR_BYTES = 6
KEYFRAME_INTERVAL_S = 0.5  #: requests are merged within this time


class MadeSource(MadeMedia):
    """``send`` frames; receivers' wishes for a keyframe go to ``on_keyframe_wanted``."""

    def __init__(
        self, source: SourceKind, ssrc: int, clock: PublisherClock, on_keyframe_wanted: Callable[[], None]
    ) -> None:
        super().__init__(source, clock, ssrc)
        self._on_keyframe_wanted = on_keyframe_wanted
        self._picture_id = 0
        self._tl0 = 0
        self._asked_s = -KEYFRAME_INTERVAL_S

    def send(self, data: bytes, rtp_timestamp: int, keyframe: bool, temporal: int, switchable: bool) -> None:
        """One VP8 frame; ``rtp_timestamp`` (90 kHz) is that of its capture."""
        now_s = time.monotonic()
        if self.muted or not data:
            return
        self.heard_s = now_s
        self._picture_id = self._picture_id + 1 & 0x7FFF
        self._tl0 = self._tl0 + (temporal == 0) & 0xFF
        pieces = split_evenly(data, MAX_PAYLOAD_BYTES - DESCRIPTOR_BYTES)
        for index, piece in enumerate(pieces):
            first = b"\x90" if index == 0 else b"\x80"  # X, and S on the first packet of the frame
            head = first + b"\xe0" + (0x8000 | self._picture_id).to_bytes(2) + bytes((self._tl0,))
            head += bytes((temporal << 6 | 0x20 * switchable,))
            packet = self._packet(index == len(pieces) - 1, rtp_timestamp, head + piece)
            packet.prepare(self, "vp8", now_s)
            if packet.keyframe:
                self._note_keyframe(packet)
                self.height_px = vp8_height_px(packet.payload)
            self._hand_on(packet)

    def request_keyframe(self) -> None:
        """Of the next frame; too many requests become one."""
        now_s = time.monotonic()
        if not self.muted and now_s - self._asked_s >= KEYFRAME_INTERVAL_S:
            self._asked_s = now_s
            self._on_keyframe_wanted()


def split_evenly(data: bytes, most_bytes: int) -> list[bytes]:
    """Into as few pieces as can be, of almost one size: trains of packets of one size leave in one call."""
    count = -(-len(data) // most_bytes)
    size, larger = divmod(len(data), count)
    pieces, at = [], 0
    for index in range(count):
        end = at + size + (index >= count - larger)
        pieces.append(data[at:end])
        at = end
    return pieces
