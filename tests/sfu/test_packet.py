"""RTP packets on the wire."""

import struct

import pytest
from aiortc.rtp import HeaderExtensionsMap
from aiortc.rtp import RtpPacket as Reference

from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.packet import Extensions, RtpPacket, parse, sequence_newer, timestamp_difference, unwrap_rtx
from vmeet_core.sfu.publisher_clock import PublisherClock

PLAIN = struct.pack("!BBHII", 0x80, 0xE0, 65535, 0xFFFFFFF0, 0x12345678) + b"payload"


def prepared(payload: bytes, codec: str = "vp8") -> RtpPacket:
    packet = RtpPacket(96, True, 65535, 0xFFFFFFF0, 0x12345678, payload)
    packet.prepare(Ingress("camera", lambda data: True, PublisherClock()), codec, 0.0)
    return packet


def patched(data: bytes) -> bytes:
    """With the fields that a receiver's egress writes."""
    return data[:1] + bytes((data[1] | 96,)) + PLAIN[2:12] + data[12:]


def test_what_is_written_is_read_by_another_implementation() -> None:
    wire = prepared(b"payload", "opus").wire(Extensions(3, 2, 1, b"42"), b"\x9f")
    read = Reference.parse(patched(wire.data), HeaderExtensionsMap())
    assert (read.payload_type, read.marker, read.sequence_number, read.timestamp) == (96, 1, 65535, 0xFFFFFFF0)
    assert (read.ssrc, read.payload) == (0x12345678, b"payload")
    assert wire.data[wire.payload_at :] == b"payload"


def test_extensions_take_the_numbers_of_the_receiver() -> None:
    wire = prepared(b"payload", "opus").wire(Extensions(5, 2, 1, b"42"), b"\x9f")
    extensions = parse(patched(wire.data)).extensions
    assert (extensions[1], extensions[2], len(extensions[5])) == (b"42", b"\x9f", 3)
    assert parse(patched(prepared(b"payload", "opus").wire(Extensions(), b"\x9f").data)).extensions == {}


def test_short_picture_ids_are_written_long() -> None:
    descriptor = b"\x90\xe0\x05\x09\x60"  # picture id 5 in 7 bits, TL0PICIDX 9, temporal layer 1 with Y
    packet = prepared(descriptor + b"\x01body")
    assert (packet.picture_id, packet.tl0, packet.temporal, packet.switchable) == (5, 9, 1, True)
    wire = packet.wire(Extensions(), None)
    assert wire.data[wire.picture_id_at : wire.picture_id_at + 2] == b"\x80\x05"
    assert wire.data[wire.tl0_at] == 9
    assert wire.data[wire.payload_at :] == b"\x90\xe0\x80\x05\x09\x60\x01body"


@pytest.mark.parametrize("payload", [b"\x90", b"\x90\xe0", b"\x90\x80\x81"])
def test_a_descriptor_that_is_cut_short_is_carried_as_it_is(payload: bytes) -> None:
    packet = prepared(payload)
    assert not packet.starts_frame
    assert packet.wire(Extensions(), None).data.endswith(payload)


def test_contributing_sources_and_padding_are_left_out() -> None:
    wire = bytearray(PLAIN)
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
