"""What the server must know of H.264: where keyframes begin, which slices are of B-pictures, and the picture's size.

Payloads are those of RFC 6184; slice headers and sequence parameter sets those of ITU-T H.264 (7.3.3, 7.3.2.1.1).
"""

from collections.abc import Iterator
from typing import NamedTuple

_SLICE, _PARTITION_A, _IDR, _SPS = 1, 2, 5, 7
_STAP_A, _FU_A = 24, 28
_B_SLICE = 1  # slice_type modulo 5
_SLICE_HEAD_BYTES = 12  # first_mb_in_slice and slice_type are shorter
_CHROMA_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
_MAX_SIDE_PX = 16384


class Size(NamedTuple):
    """Of a picture as it is shown, cropping applied."""

    width_px: int
    height_px: int


def nal_units(payload: bytes) -> Iterator[bytes]:
    """The NAL units that begin in an RTP payload; of a fragmented one its first part, of what is cut short nothing."""
    kind = payload[0] & 0x1F if payload else 0
    if kind == _STAP_A:
        yield from _aggregated(payload)
    elif kind == _FU_A:
        if len(payload) > 2 and payload[1] & 0x80:
            yield bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)) + payload[2:]
    elif 0 < kind < _STAP_A:
        yield payload


def _aggregated(payload: bytes) -> Iterator[bytes]:
    position = 1
    while position + 2 < len(payload):
        end = position + 2 + int.from_bytes(payload[position : position + 2])
        if end > len(payload):
            return
        yield payload[position + 2 : end]
        position = end


def begins_keyframe(payload: bytes) -> bool:
    """Whether a decoder can begin with this RTP payload: a parameter set or an IDR slice begins in it.

    Encoders may put an access unit delimiter or SEI before them, in the same payload or in one of its own.
    """
    return any(unit[0] & 0x1F in (_SPS, _IDR) for unit in nal_units(payload) if unit)


def has_b_slice(payload: bytes) -> bool:
    """Whether a slice of a B-picture begins in this RTP payload: it is to be shown before one that came earlier."""
    return any(_is_b_slice(unit) for unit in nal_units(payload))


def _is_b_slice(unit: bytes) -> bool:
    if len(unit) < 2 or unit[0] & 0x1F not in (_SLICE, _PARTITION_A):
        return False
    bits = _Bits(_unescaped(unit[1 : 1 + _SLICE_HEAD_BYTES]))
    try:
        bits.exp_golomb()  # first_mb_in_slice
        return bits.exp_golomb() % 5 == _B_SLICE
    except ValueError:
        return False


def picture_size(payload: bytes) -> Size | None:
    """From the sequence parameter set in an RTP payload; None where there is none that can be read."""
    for unit in nal_units(payload):
        if unit and unit[0] & 0x1F == _SPS:
            try:
                return _size_of(_Bits(_unescaped(unit[1:])))
            except ValueError:
                return None
    return None


def _size_of(bits: "_Bits") -> Size:
    """Raises ValueError when the set is cut short or describes no picture that exists."""
    chroma = _read_until_chroma(bits)
    _skip_counting(bits)
    bits.exp_golomb()  # max_num_ref_frames
    bits.take(1)  # gaps_in_frame_num_value_allowed_flag
    width, map_units = 16 * (bits.exp_golomb() + 1), bits.exp_golomb() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)  # mb_adaptive_frame_field_flag
    bits.take(1)  # direct_8x8_inference_flag
    left, right, top, bottom = (bits.exp_golomb() for _ in range(4)) if bits.take(1) else (0, 0, 0, 0)
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 - frames_only)
    size = Size(width - unit_x * (left + right), 16 * map_units * (2 - frames_only) - unit_y * (top + bottom))
    if not (0 < size.width_px <= _MAX_SIDE_PX and 0 < size.height_px <= _MAX_SIDE_PX):
        raise ValueError(f"a picture of {size.width_px}x{size.height_px} pixels")
    return size


def _read_until_chroma(bits: "_Bits") -> int:
    """ChromaArrayType: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4."""
    profile = bits.take(8)
    bits.take(16)  # constraint flags and level
    bits.exp_golomb()  # seq_parameter_set_id
    if profile not in _CHROMA_PROFILES:
        return 1
    chroma = bits.exp_golomb()
    separate = bits.take(1) if chroma == 3 else 0
    bits.exp_golomb()  # bit depths
    bits.exp_golomb()
    bits.take(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.take(1):
        _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    return 0 if separate else chroma


def _skip_scaling_lists(bits: "_Bits", count: int) -> None:
    for i in range(count):
        if not bits.take(1):
            continue
        last = scale = 8
        for _ in range(16 if i < 6 else 64):
            if scale:
                scale = last + bits.signed_exp_golomb() & 0xFF
                last = scale or last


def _skip_counting(bits: "_Bits") -> None:
    """Frame numbers and picture order counts."""
    bits.exp_golomb()  # log2_max_frame_num_minus4
    kind = bits.exp_golomb()
    if kind == 0:
        bits.exp_golomb()
    elif kind == 1:
        bits.take(1)
        bits.exp_golomb()
        bits.exp_golomb()
        for _ in range(min(bits.exp_golomb(), 255)):
            bits.exp_golomb()


def _unescaped(data: bytes) -> bytes:
    """Without the emulation prevention bytes (7.4.1)."""
    parts = data.split(b"\0\0\3")
    return b"\0\0".join(parts)


class _Bits:
    """Reads from the highest bit on. Every method raises ValueError past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next ``count`` bits as a number."""
        if count > self._left:
            raise ValueError("the H.264 header is cut short")
        self._left -= count
        return self._value >> self._left & (1 << count) - 1

    def exp_golomb(self) -> int:
        """ue(v) of 9.1."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("no Exp-Golomb number is so long")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed_exp_golomb(self) -> int:
        """se(v) of 9.1.1."""
        code = self.exp_golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)
