"""What forwarding and recording must know of a payload: where keyframes are, and the counters to continue.

VP8: RFC 7741. H.264: RFC 6184. Opus: every packet is a frame (RFC 7587), whose
first byte tells its length (RFC 6716, section 3.1).
"""

from typing import NamedTuple

from vmeet_core.sfu import h264

CodecName = str  # "opus", "vp8" or "h264"


class Vp8Descriptor(NamedTuple):
    """Offsets into a VP8 payload: -1 where a field is absent. ``size`` is the descriptor's length."""

    size: int
    starts_frame: bool
    picture_id: int
    picture_id_at: int
    picture_id_wide: bool
    tl0_picture_index: int
    tl0_at: int
    temporal: int
    switchable: bool  # the Y bit: depends on the lowest temporal layer alone


def parse_vp8(payload: bytes) -> Vp8Descriptor:
    """Raises ValueError when the payload is too short for its own descriptor."""
    try:
        return _parse_vp8(payload)
    except IndexError:
        raise ValueError("the VP8 payload descriptor is cut short") from None


def _parse_vp8(payload: bytes) -> Vp8Descriptor:
    first, position = payload[0], 1
    starts = bool(first & 0x10) and not first & 0x07
    picture_id, picture_id_at, wide, tl0, tl0_at, temporal, switchable = -1, -1, False, -1, -1, 0, False
    if first & 0x80:
        flags, position = payload[1], 2
        if flags & 0x80:
            picture_id_at, wide = position, bool(payload[position] & 0x80)
            picture_id = payload[position] & 0x7F
            position += 1
            if wide:
                picture_id = picture_id << 8 | payload[position]
                position += 1
        if flags & 0x40:
            tl0, tl0_at = payload[position], position
            position += 1
        if flags & 0x30:
            if flags & 0x20:
                temporal, switchable = payload[position] >> 6, bool(payload[position] & 0x20)
            position += 1
    return Vp8Descriptor(position, starts, picture_id, picture_id_at, wide, tl0, tl0_at, temporal, switchable)


def is_keyframe_start(codec: CodecName, payload: bytes) -> bool:
    """Whether a decoder can begin with this packet."""
    if codec == "vp8":
        try:
            descriptor = parse_vp8(payload)
        except ValueError:
            return False
        return descriptor.starts_frame and len(payload) > descriptor.size and not payload[descriptor.size] & 0x01
    if codec == "h264":
        return h264.begins_keyframe(payload)
    return True


def vp8_height_px(payload: bytes) -> int:
    """Height of a VP8 keyframe (RFC 6386, section 9.1) from its first packet; 0 when it cannot be read."""
    try:
        start = parse_vp8(payload).size
    except ValueError:
        return 0
    if len(payload) < start + 10 or payload[start + 3 : start + 6] != b"\x9d\x01\x2a":
        return 0
    return int.from_bytes(payload[start + 8 : start + 10], "little") & 0x3FFF
