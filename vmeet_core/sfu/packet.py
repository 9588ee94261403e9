"""RTP packets as the forwarder sees them (RFC 3550, RFC 8285, RFC 4588).

A packet is parsed once, on its way in. For its way out it is prepared once for all receivers with the same header
extensions (``wire``); a receiver then only patches a few fields of a copy.
"""

import struct
import time
from typing import TYPE_CHECKING, NamedTuple

from vmeet_core.sfu.codecs import CodecName, is_keyframe_start, parse_vp8

if TYPE_CHECKING:
    from vmeet_core.sfu.source import Source

_FIXED = struct.Struct("!BBHII")
_HEADER = struct.Struct("!BBHIIHH")
_ONE_BYTE_PROFILE = 0xBEDE
NTP_OFFSET_S = 2_208_988_800  #: from the NTP epoch (1900) to that of Unix
NO_DATA: dict[int, bytes] = {}
PADDING_TEMPORAL = 4  #: the "temporal layer" of packets of mere padding: above all, so that nobody forwards them


class Extensions(NamedTuple):
    """Ids of the header extensions that a receiver negotiated; 0 where absent. ``mid`` is sent while not empty."""

    abs_send_time: int = 0
    audio_level: int = 0
    mid_id: int = 0
    mid: bytes = b""
    transport_sequence: int = 0


class Wire(NamedTuple):
    """A packet ready to be patched: where the picture id (15 bits), TL0PICIDX and the transport-wide sequence number
    are, 0 where absent.
    """

    data: bytes
    picture_id_at: int
    tl0_at: int
    payload_at: int
    transport_at: int = 0


class RtpPacket:
    """One packet; ``extensions`` maps the ids of RFC 8285 one-byte elements to their data.

    ``prepare`` adds what forwarding needs: the codec, the source and the fields of the VP8 descriptor.
    ``temporal`` is 0 where there are no temporal layers; ``picture_id`` is -1 where there is none.
    """

    __slots__ = (
        "arrived_s", "codec", "extensions", "keyframe", "marker", "payload", "payload_type", "picture_id",
        "picture_id_at", "picture_id_wide", "sequence", "source", "ssrc", "starts_frame", "switchable", "temporal",
        "timestamp", "tl0", "tl0_at", "wires",
    )  # fmt: skip

    def __init__(
        self,
        payload_type: int,
        marker: bool,
        sequence: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        extensions: dict[int, bytes] = NO_DATA,
    ) -> None:
        self.payload_type = payload_type
        self.marker = marker
        self.sequence = sequence
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.payload = payload
        self.extensions = extensions
        self.codec: CodecName = ""
        self.arrived_s = 0.0
        self.source: Source | None = None
        self.wires: dict[Extensions, Wire] = {}
        self.temporal = self.tl0 = self.picture_id_at = self.tl0_at = 0
        self.picture_id = -1
        self.picture_id_wide = self.keyframe = self.switchable = False
        self.starts_frame = True

    def prepare(self, source: "Source", codec: CodecName, arrived_s: float) -> None:
        """Note where it came from and what it is. A VP8 payload without a whole descriptor is carried as it is."""
        self.source, self.codec, self.arrived_s = source, codec, arrived_s
        if not self.payload:
            self.temporal, self.starts_frame = PADDING_TEMPORAL, False
        elif codec == "vp8":
            self._prepare_vp8()
        elif codec == "h264":
            self.keyframe = is_keyframe_start(codec, self.payload)
        else:
            self.keyframe = True

    def _prepare_vp8(self) -> None:
        try:
            descriptor = parse_vp8(self.payload)
        except ValueError:
            self.starts_frame = False
            return
        self.starts_frame = descriptor.starts_frame
        self.keyframe = (
            descriptor.starts_frame and len(self.payload) > descriptor.size and not self.payload[descriptor.size] & 0x01
        )
        self.temporal, self.switchable = descriptor.temporal, descriptor.switchable
        self.picture_id, self.picture_id_wide = descriptor.picture_id, descriptor.picture_id_wide
        self.picture_id_at = descriptor.picture_id_at if descriptor.picture_id >= 0 else 0
        self.tl0, self.tl0_at = descriptor.tl0_picture_index, max(descriptor.tl0_at, 0)

    def wire(self, extensions: Extensions, audio_level: bytes | None) -> Wire:
        """The packet with these extensions in place of its own; the abs-send-time is now."""
        block = b""
        if extensions.mid:
            block += _element(extensions.mid_id, extensions.mid)
        if extensions.abs_send_time:
            stamp = int((time.time() + NTP_OFFSET_S) * 2**18) & 0xFFFFFF
            block += _element(extensions.abs_send_time, stamp.to_bytes(3))
        if extensions.audio_level and audio_level:
            block += _element(extensions.audio_level, audio_level)
        transport_at = 0
        if extensions.transport_sequence:
            transport_at = 16 + len(block) + 1
            block += _element(extensions.transport_sequence, b"\0\0")
        second = 0x80 if self.marker else 0
        if block:
            block += bytes(-len(block) % 4)
            head = _HEADER.pack(0x90, second, 0, 0, 0, _ONE_BYTE_PROFILE, len(block) // 4) + block
        else:
            head = _FIXED.pack(0x80, second, 0, 0, 0)
        payload, size = self.payload, len(head)
        at, tl0_at = self.picture_id_at, self.tl0_at
        if at and not self.picture_id_wide:  # always 15 bits, so that sources with 7 and with 15 can follow each other
            payload = b"".join((payload[:at], (0x8000 | self.picture_id).to_bytes(2), payload[at + 1 :]))
            tl0_at += tl0_at and 1
        return Wire(head + payload, at and at + size, tl0_at and tl0_at + size, size, transport_at)


def _element(number: int, data: bytes) -> bytes:
    return bytes((number << 4 | len(data) - 1,)) + data


def parse(data: bytes) -> RtpPacket:
    """Raises ValueError when the bytes are no RTP packet."""
    if len(data) < 12:
        raise ValueError("an RTP packet has at least 12 bytes")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != 2:
        raise ValueError("not RTP version 2")
    start = 12 + 4 * (first & 0x0F)
    extensions = NO_DATA
    if first & 0x10:
        start, extensions = _parse_extensions(data, start)
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > end:
        raise ValueError("header or padding reach past the end of the RTP packet")
    return RtpPacket(second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, data[start:end], extensions)


def _parse_extensions(data: bytes, start: int) -> tuple[int, dict[int, bytes]]:
    if len(data) < start + 4:
        raise ValueError("the RTP header extension is cut short")
    profile, words = struct.unpack_from("!HH", data, start)
    position, end = start + 4, start + 4 + 4 * words
    if end > len(data):
        raise ValueError("the RTP header extension is cut short")
    elements: dict[int, bytes] = {}
    while profile == _ONE_BYTE_PROFILE and position < end:
        head = data[position]
        position += 1
        if head == 0:
            continue
        stop = position + (head & 0x0F) + 1
        if head >> 4 == 15 or stop > end:
            break
        elements[head >> 4] = data[position:stop]
        position = stop
    return end, elements


def unwrap_rtx(packet: RtpPacket, payload_type: int, ssrc: int) -> RtpPacket | None:
    """The packet that a retransmission carries (RFC 4588), or None for mere padding."""
    if len(packet.payload) < 2:
        return None
    sequence = int.from_bytes(packet.payload[:2])
    return RtpPacket(
        payload_type, packet.marker, sequence, packet.timestamp, ssrc, packet.payload[2:], packet.extensions
    )  # fmt: skip


def sequence_newer(a: int, b: int) -> bool:
    """Whether 16-bit sequence number ``a`` comes after ``b`` (RFC 1982)."""
    return a != b and (a - b) & 0xFFFF < 0x8000


def timestamp_difference(a: int, b: int) -> int:
    """``a - b`` of 32-bit timestamps as a signed number."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000
