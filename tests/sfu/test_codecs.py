"""Keyframes and counters inside payloads."""

from fractions import Fraction

import av
import pytest

from vmeet_core.media.encoded import opus_samples
from vmeet_core.sfu.codecs import is_keyframe_start, parse_vp8, vp8_height_px


def vp8(picture_id: int, tl0: int, wide: bool = True, start: bool = True, key: bool = True) -> bytes:
    """A payload whose descriptor has both counters (RFC 7741, section 4.2)."""
    number = (0x8000 | picture_id).to_bytes(2) if wide else bytes((picture_id,))
    return bytes((0x80 | 0x10 * start, 0xE0)) + number + bytes((tl0, 0x00)) + bytes((0 if key else 1,)) + b"data"


def test_descriptor_fields() -> None:
    wide = parse_vp8(vp8(1234, 7))
    assert (wide.picture_id, wide.tl0_picture_index, wide.size, wide.starts_frame) == (1234, 7, 6, True)
    narrow = parse_vp8(vp8(34, 7, wide=False))
    assert (narrow.picture_id, narrow.size) == (34, 5)
    bare = parse_vp8(b"\x10\x00data")
    assert (bare.picture_id, bare.tl0_picture_index, bare.size) == (-1, -1, 1)


@pytest.mark.parametrize("payload", [b"", b"\x90", b"\x90\x80", b"\x90\x80\x80", b"\x90\x40"])
def test_short_descriptors_are_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        parse_vp8(payload)
    assert not is_keyframe_start("vp8", payload)


@pytest.mark.parametrize(
    ("codec", "payload", "expected"),
    [
        ("vp8", vp8(1, 1), True),
        ("vp8", vp8(1, 1, key=False), False),
        ("vp8", vp8(1, 1, start=False), False),
        ("h264", b"\x67\x42", True),
        ("h264", b"\x65\x00", True),
        ("h264", b"\x41\x00", False),
        ("h264", b"\x78\x00\x01\x67", True),
        ("h264", b"\x7c\x85\x00", True),
        ("h264", b"\x7c\x05\x00", False),
        ("h264", b"\x7c\x81\x00", False),
        ("h264", b"", False),
        ("opus", b"x", True),
    ],
)
def test_where_decoding_can_begin(codec: str, payload: bytes, expected: bool) -> None:
    assert is_keyframe_start(codec, payload) is expected


@pytest.mark.parametrize(
    ("byte", "temporal", "switchable"), [(0x00, 0, False), (0x20, 0, True), (0x60, 1, True), (0x9F, 2, False)]
)
def test_temporal_layers_are_read(byte: int, temporal: int, switchable: bool) -> None:
    descriptor = parse_vp8(b"\x90\xe0\x81\x02\x07" + bytes((byte,)) + b"\x01body")
    assert (descriptor.temporal, descriptor.switchable) == (temporal, switchable)


def test_without_the_field_there_are_no_layers() -> None:
    descriptor = parse_vp8(b"\x90\x80\x81\x02" + b"\x01body")
    assert (descriptor.temporal, descriptor.switchable) == (0, False)


def test_the_height_of_a_keyframe() -> None:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 322, 182, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    frame = av.VideoFrame(322, 182, "yuv420p")
    frame.pts = 0
    [coded, *_] = [*encoder.encode(frame), *encoder.encode(None)]
    assert vp8_height_px(b"\x10" + bytes(coded)) == 182
    assert vp8_height_px(b"\x10" + bytes(coded)[:5]) == 0
    assert vp8_height_px(b"") == 0


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"", 0),
        (bytes((1 << 3,)), 960),  # SILK, 20 ms
        (bytes((11 << 3,)), 2880),  # SILK, 60 ms
        (bytes((12 << 3,)), 480),  # both, 10 ms
        (bytes((16 << 3,)), 120),  # CELT, 2.5 ms
        (bytes((31 << 3,)), 960),
        (bytes((31 << 3 | 4,)), 960),  # stereo
        (bytes((31 << 3 | 1,)), 1920),
        (bytes((31 << 3 | 2, 9)), 1920),
        (bytes((31 << 3 | 3, 0x83)), 2880),  # three frames, of different sizes
        (bytes((31 << 3 | 3,)), 0),  # cut short
    ],
)
def test_an_opus_packet_tells_its_length(payload: bytes, samples: int) -> None:
    assert opus_samples(payload) == samples
