"""RTP packets on the wire."""

import pytest
from aiortc.rtp import HeaderExtensionsMap
from aiortc.rtp import RtpPacket as Reference

from vmeet_core.sfu.packet import (
    Extension,
    RtpPacket,
    parse,
    sequence_newer,
    serialize,
    timestamp_difference,
    unwrap_rtx,
)

PACKET = RtpPacket(96, True, 65535, 0xFFFFFFF0, 0x12345678, b"payload", {})


def test_what_is_written_is_read_by_another_implementation() -> None:
    wire = serialize(PACKET, (Extension(2, b"\x9f"), Extension(3, b"abc")))
    read = Reference.parse(wire, HeaderExtensionsMap())
    assert (read.payload_type, read.marker, read.sequence_number, read.timestamp) == (96, 1, 65535, 0xFFFFFFF0)
    assert (read.ssrc, read.payload) == (0x12345678, b"payload")


def test_round_trip_keeps_extensions() -> None:
    packet = parse(serialize(PACKET, (Extension(2, b"\x9f"), Extension(3, b"abc"))))
    assert packet.extensions == {2: b"\x9f", 3: b"abc"}
    assert packet.payload == b"payload"
    assert parse(serialize(PACKET)) == PACKET


def test_contributing_sources_and_padding_are_left_out() -> None:
    wire = bytearray(serialize(PACKET))
    wire[0] |= 0x21
    wire[12:12] = b"\0\0\0\1"
    assert parse(bytes(wire) + b"\0\0\3").payload == b"payload"


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"\x80" * 11,
        b"\x00" * 12,
        b"\x90" + bytes(11),
        b"\x90" + bytes(11) + b"\xbe\xde\0\2",
        b"\xa0" + bytes(11) + b"\xff",
    ],
)
def test_what_is_no_packet_is_refused(wire: bytes) -> None:
    with pytest.raises(ValueError, match="RTP"):
        parse(wire)


def test_two_byte_extensions_are_skipped() -> None:
    wire = bytes((0x90, 96)) + bytes(10) + b"\x10\x00\0\1abcd" + b"payload"
    assert parse(wire).payload == b"payload"
    assert parse(wire).extensions == {}


def test_a_retransmission_carries_its_original() -> None:
    carried = RtpPacket(97, True, 7, 1000, 99, (4242).to_bytes(2) + b"payload", {})
    original = unwrap_rtx(carried, 96, 5)
    assert original is not None
    assert (original.sequence, original.payload, original.ssrc, original.payload_type) == (4242, b"payload", 5, 96)
    assert unwrap_rtx(RtpPacket(97, False, 7, 0, 99, b"", {}), 96, 5) is None


def test_numbers_wrap() -> None:
    assert sequence_newer(0, 65535)
    assert not sequence_newer(65535, 0)
    assert not sequence_newer(5, 5)
    assert timestamp_difference(5, 0xFFFFFFFB) == 10
    assert timestamp_difference(0xFFFFFFFB, 5) == -10
