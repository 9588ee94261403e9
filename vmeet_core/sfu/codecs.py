"""What forwarding and recording must know of a payload: where keyframes are, and the counters to continue.

VP8: RFC 7741. H.264: RFC 6184. Opus: every packet is a frame (RFC 7587).
"""

from dataclasses import dataclass

CodecName = str  # "opus", "vp8" or "h264"
_H264_SPS, _H264_IDR, _H264_STAP_A, _H264_FU_A = 7, 5, 24, 28


@dataclass(slots=True, frozen=True)
class Vp8Descriptor:
    """Offsets into a VP8 payload: -1 where a field is absent. ``size`` is the descriptor's length."""

    size: int
    starts_frame: bool
    picture_id: int
    picture_id_at: int
    picture_id_wide: bool
    tl0_picture_index: int
    tl0_at: int


def parse_vp8(payload: bytes) -> Vp8Descriptor:
    """Raises ValueError when the payload is too short for its own descriptor."""
    try:
        return _parse_vp8(payload)
    except IndexError:
        raise ValueError("the VP8 payload descriptor is cut short") from None


def _parse_vp8(payload: bytes) -> Vp8Descriptor:
    first, position = payload[0], 1
    starts = bool(first & 0x10) and not first & 0x07
    picture_id, picture_id_at, wide, tl0, tl0_at = -1, -1, False, -1, -1
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
            position += 1
    return Vp8Descriptor(position, starts, picture_id, picture_id_at, wide, tl0, tl0_at)


def is_keyframe_start(codec: CodecName, payload: bytes) -> bool:
    """Whether a decoder can begin with this packet."""
    if codec == "vp8":
        try:
            descriptor = parse_vp8(payload)
        except ValueError:
            return False
        return descriptor.starts_frame and len(payload) > descriptor.size and not payload[descriptor.size] & 0x01
    if codec == "h264":
        return _h264_keyframe_start(payload)
    return True


def _h264_keyframe_start(payload: bytes) -> bool:
    if len(payload) < 2:
        return False
    kind = payload[0] & 0x1F
    if kind == _H264_STAP_A and len(payload) > 3:
        kind = payload[3] & 0x1F
    elif kind == _H264_FU_A:
        kind = payload[1] & 0x1F if payload[1] & 0x80 else 0
    return kind in (_H264_SPS, _H264_IDR)


class Vp8Counters:
    """Continues picture id and TL0PICIDX when a slot is switched from one source to another."""

    def __init__(self) -> None:
        self._picture_offset = 0
        self._tl0_offset = 0
        self._last_picture: int | None = None
        self._last_tl0: int | None = None

    def switch(self, payload: bytes) -> None:
        """The packet with this payload is the first of a new source."""
        descriptor = parse_vp8(payload)
        if self._last_picture is not None and descriptor.picture_id >= 0:
            self._picture_offset = self._last_picture + 1 - descriptor.picture_id
        if self._last_tl0 is not None and descriptor.tl0_picture_index >= 0:
            self._tl0_offset = self._last_tl0 + 1 - descriptor.tl0_picture_index

    def rewrite(self, payload: bytes, newest: bool = True) -> bytes:
        """The payload with both counters shifted; ``newest`` is False for a packet that comes again or late."""
        try:
            descriptor = parse_vp8(payload)
        except ValueError:
            return payload
        picture = (descriptor.picture_id + self._picture_offset) & (0x7FFF if descriptor.picture_id_wide else 0x7F)
        tl0 = (descriptor.tl0_picture_index + self._tl0_offset) & 0xFF
        if descriptor.starts_frame and newest:
            self._last_picture = picture if descriptor.picture_id >= 0 else self._last_picture
            self._last_tl0 = tl0 if descriptor.tl0_picture_index >= 0 else self._last_tl0
        if not self._picture_offset and not self._tl0_offset:
            return payload
        patched = bytearray(payload)
        if descriptor.picture_id_at >= 0 and descriptor.picture_id_wide:
            patched[descriptor.picture_id_at] = 0x80 | picture >> 8
            patched[descriptor.picture_id_at + 1] = picture & 0xFF
        elif descriptor.picture_id_at >= 0:
            patched[descriptor.picture_id_at] = picture
        if descriptor.tl0_at >= 0:
            patched[descriptor.tl0_at] = tl0
        return bytes(patched)
