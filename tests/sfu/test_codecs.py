"""Keyframes and counters inside payloads."""

import pytest

from vmeet_core.sfu.codecs import Vp8Counters, is_keyframe_start, parse_vp8


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
        ("h264", b"\x78\x00\x10\x67", True),
        ("h264", b"\x7c\x85", True),
        ("h264", b"\x7c\x05", False),
        ("h264", b"\x7c\x81", False),
        ("h264", b"", False),
        ("opus", b"x", True),
    ],
)
def test_where_decoding_can_begin(codec: str, payload: bytes, expected: bool) -> None:
    assert is_keyframe_start(codec, payload) is expected


def test_nothing_is_changed_before_a_switch() -> None:
    counters, payload = Vp8Counters(), vp8(500, 9)
    counters.switch(payload)
    assert counters.rewrite(payload) == payload


@pytest.mark.parametrize("wide", [True, False])
def test_counters_go_on_after_a_switch(wide: bool) -> None:
    counters = Vp8Counters()
    counters.switch(vp8(100, 250, wide))
    for step in range(3):
        counters.rewrite(vp8(100 + step, 250 + step, wide))
    counters.switch(vp8(3, 77, wide))
    for step in range(5):
        out = parse_vp8(counters.rewrite(vp8(3 + step, 77 + step, wide)))
        assert (out.picture_id, out.tl0_picture_index) == (103 + step, (253 + step) % 256)


def test_a_late_packet_does_not_turn_the_counters_back() -> None:
    counters = Vp8Counters()
    for picture in (10, 11, 12):
        counters.rewrite(vp8(picture, picture))
    counters.rewrite(vp8(10, 10), newest=False)
    counters.switch(vp8(200, 200))
    assert parse_vp8(counters.rewrite(vp8(200, 200))).picture_id == 13
