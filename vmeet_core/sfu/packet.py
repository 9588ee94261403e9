"""RTP packets as the forwarder sees them: a few header fields and the payload (RFC 3550, RFC 8285, RFC 4588)."""

import struct
from dataclasses import dataclass
from typing import NamedTuple

_FIXED = struct.Struct("!BBHII")
_ONE_BYTE_PROFILE = 0xBEDE
_OUT = struct.Struct("!BBHIIHH")


@dataclass(slots=True, frozen=True)
class RtpPacket:
    """One packet; ``extensions`` maps the ids of RFC 8285 one-byte elements to their data."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    extensions: dict[int, bytes]


class Extension(NamedTuple):
    """An element to write: id 1 to 14, one to sixteen bytes."""

    id: int
    data: bytes


def parse(data: bytes) -> RtpPacket:
    """Raises ValueError when the bytes are no RTP packet."""
    if len(data) < _FIXED.size:
        raise ValueError("an RTP packet has at least 12 bytes")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != 2:
        raise ValueError("not RTP version 2")
    start = _FIXED.size + 4 * (first & 0x0F)
    extensions: dict[int, bytes] = {}
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


def serialize(packet: RtpPacket, extensions: tuple[Extension, ...] = ()) -> bytes:
    """The bytes on the wire, with these extensions in place of the packet's own."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    if not extensions:
        head = _FIXED.pack(0x80, second, packet.sequence, packet.timestamp, packet.ssrc)
        return head + packet.payload
    block = b"".join(bytes((e.id << 4 | len(e.data) - 1,)) + e.data for e in extensions)
    block += bytes(-len(block) % 4)
    head = _OUT.pack(
        0x90, second, packet.sequence, packet.timestamp, packet.ssrc, _ONE_BYTE_PROFILE, len(block) // 4
    )  # fmt: skip
    return head + block + packet.payload


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
