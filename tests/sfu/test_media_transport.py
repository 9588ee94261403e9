"""The encrypted path, checked with a second SRTP session at the other end of a real socket."""

import errno
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pylibsrtp import Policy, Session

from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.media_transport import MAX_PACKET_BYTES, MediaTransport
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.packet import Extensions, RtpPacket, Wire, parse
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.rtc import dtls_of, ice_of
from vmeet_core.sfu.sent_packets import WIRE_BYTES
from vmeet_core.sfu.transport_feedback import Arrivals

KEYS = os.urandom(30), os.urandom(30)
PLAIN = Wire(struct.pack("!BBHII", 0x80, 0, 0, 0, 0) + b"sound", 0, 0, 12)
RECEIVER_REPORT = struct.pack("!BBHI", 0x80, 201, 1, 9)


def session(key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)


class Ends:
    """A transport with its keys and its address, and the receiver at that address."""

    def __init__(self, network: Network) -> None:
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.transport = MediaTransport(self.rtp.append, self.rtcp.append)
        self.pc = network.new_connection()
        self.transceiver = self.pc.addTransceiver("video", direction="sendonly")
        self.ice = ice_of(self.transceiver)
        self.dtls: Any = dtls_of(self.transceiver)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.outgoing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.opener = session(KEYS[0], Policy.SSRC_ANY_INBOUND)
        self.sealer = session(KEYS[1], Policy.SSRC_ANY_OUTBOUND)

    def shake_hands(self) -> None:
        self.dtls._tx_srtp = session(KEYS[0], Policy.SSRC_ANY_OUTBOUND)
        self.dtls._rx_srtp = session(KEYS[1], Policy.SSRC_ANY_INBOUND)

    def connect(self) -> None:
        self.ice.sock, self.ice.address = self.outgoing, self.socket.getsockname()

    def received(self) -> bytes:
        return self.opener.unprotect(self.socket.recv(4096))

    def arrive(self, data: bytes) -> None:
        assert self.ice.on_media is not None
        self.ice.on_media(data)

    async def close(self) -> None:
        self.transport.close()
        self.socket.close()
        self.outgoing.close()
        await self.pc.close()


@pytest.fixture
async def bare(network: Network) -> AsyncIterator[Ends]:
    """Neither attached nor connected."""
    ends = Ends(network)
    yield ends
    await ends.close()


@pytest.fixture
def ends(bare: Ends) -> Ends:
    bare.transport.attach(bare.transceiver)
    bare.shake_hands()
    bare.connect()
    return bare


def vp8_wire(extensions: Extensions) -> tuple[RtpPacket, Wire]:
    """As an ingress would hand it on: picture id 300, TL0 7."""
    payload = bytes((0x90, 0xE0, 0x81, 0x2C, 7, 0x20)) + b"\x01picture"
    packet = RtpPacket(97, True, 5, 1000, 11, payload)
    packet.prepare(Ingress("camera", lambda data: True, PublisherClock()), "vp8", 0.0)
    return packet, packet.wire(extensions, None)


# ---- out ----


async def test_a_packet_arrives_as_it_was_patched(ends: Ends) -> None:
    _, wire = vp8_wire(Extensions(mid_id=1, mid=b"5", transport_sequence=4))
    assert ends.transport.send_wire(wire, 0x80 | 97, 65_535, 0xFFFFFFFF, 7000, 0x8000 | 301, 255)
    got = parse(ends.received())
    assert (got.payload_type, got.marker, got.sequence, got.timestamp, got.ssrc) == (97, True, 65_535, 0xFFFFFFFF, 7000)
    assert got.payload == bytes((0x90, 0xE0, 0x81, 0x2D, 255, 0x20)) + b"\x01picture"
    assert got.extensions == {1: b"5", 4: b"\0\0"}


async def test_what_is_not_patched_stays(ends: Ends) -> None:
    packet, wire = vp8_wire(Extensions())
    assert ends.transport.send_wire(wire, 97, 1, 2, 7000, -1, -1)
    got = parse(ends.received())
    assert (got.marker, got.extensions, got.payload) == (False, {}, packet.payload)


async def test_packets_are_counted_through_in_the_order_in_which_they_go(ends: Ends) -> None:
    _, wire = vp8_wire(Extensions(transport_sequence=4))
    for sequence, ssrc in enumerate((7000, 7002, 7000)):
        ends.transport.send_wire(wire, 97, sequence, 2, ssrc, -1, -1)
        ends.transport.send_wire(PLAIN, 96, sequence, 2, 9000, -1, -1)
    got = [parse(ends.received()) for _ in range(6)]
    assert [packet.extensions.get(4) for packet in got] == [b"\0\0", None, b"\0\1", None, b"\0\2", None]
    told = ends.transport.sent.match(Arrivals(0, [1.0, 1.1, 1.2, 1.3]))
    assert [(each.ssrc, each.sequence) for each in told] == [(7000, 0), (7002, 1), (7000, 2)]
    assert {each.size_bytes for each in told} == {len(wire.data) + WIRE_BYTES}


async def test_the_prepared_packet_is_left_as_it_was(ends: Ends) -> None:
    _, wire = vp8_wire(Extensions(transport_sequence=4))
    before = bytes(wire.data)
    for sequence in range(3):
        ends.transport.send_wire(wire, 97, sequence, 2, 7000, 0x8000, 1)
        ends.received()
    assert wire.data == before


@pytest.mark.parametrize("size_bytes", [1, 1200])
async def test_packets_of_every_size_go(ends: Ends, size_bytes: int) -> None:
    payload = os.urandom(size_bytes)
    assert ends.transport.send_wire(Wire(PLAIN.data[:12] + payload, 0, 0, 12), 96, 1, 2, 3, -1, -1)
    assert parse(ends.received()).payload == payload


async def test_the_largest_that_can_come_in_can_go_out_with_our_extensions(ends: Ends) -> None:
    wire = Wire(PLAIN.data[:12] + bytes(MAX_PACKET_BYTES - 12 + 40), 0, 0, 12)
    assert ends.transport.send_wire(wire, 96, 1, 2, 3, -1, -1)
    sealed = ends.socket.recv(4096)
    assert len(sealed) > len(wire.data)
    assert sealed[:12] == struct.pack("!BBHII", 0x80, 96, 1, 2, 3)


async def test_rtp_and_rtcp_go_as_they_are(ends: Ends) -> None:
    rtp = struct.pack("!BBHII", 0x80, 96, 1, 2, 3) + b"sound"
    assert ends.transport.send_rtp(rtp)
    assert ends.received() == rtp
    assert ends.transport.send_rtcp(RECEIVER_REPORT)
    assert ends.opener.unprotect_rtcp(ends.socket.recv(4096)) == RECEIVER_REPORT
    assert not ends.transport.send_rtp(rtp + bytes(MAX_PACKET_BYTES))


async def test_nothing_goes_before_there_are_keys_and_an_address(bare: Ends) -> None:
    assert not bare.transport.send_rtcp(RECEIVER_REPORT)
    assert not bare.transport.send_wire(PLAIN, 96, 1, 2, 3, -1, -1)
    bare.transport.attach(bare.transceiver)
    assert not bare.transport.send_wire(PLAIN, 96, 1, 2, 3, -1, -1)
    bare.shake_hands()
    assert not bare.transport.send_wire(PLAIN, 96, 1, 2, 3, -1, -1)
    assert not bare.transport.send_rtcp(RECEIVER_REPORT)
    bare.connect()
    assert bare.transport.send_wire(PLAIN, 96, 1, 2, 3, -1, -1)
    assert parse(bare.received()).sequence == 1


async def test_a_full_socket_is_counted_and_does_no_harm(ends: Ends, tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reader,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as writer,
    ):
        reader.bind(str(tmp_path / "reader"))
        writer.setblocking(False)
        ends.ice.sock, ends.ice.address = writer, str(tmp_path / "reader")  # type: ignore[assignment]
        sent = [ends.transport.send_wire(PLAIN, 96, sequence, 2, 3, -1, -1) for sequence in range(3000)]
        assert sent[0]
        assert not sent[-1]
        assert ends.transport.send_errors == sent.count(False)
        reader.recv(4096)
        assert ends.transport.send_wire(PLAIN, 96, 3000, 2, 3, -1, -1)


# ---- trains ----


def sized(size_bytes: int) -> Wire:
    return Wire(PLAIN.data[:12] + bytes(size_bytes), 0, 0, 12)


def board(ends: Ends, sizes: list[int], first: int = 0) -> None:
    for sequence, size_bytes in enumerate(sizes, first):
        assert ends.transport.send_wire(sized(size_bytes), 96, sequence, 2, 3, -1, -1)


def numbers(ends: Ends, count: int) -> list[tuple[int, int]]:
    got = [parse(ends.received()) for _ in range(count)]
    return [(packet.sequence, len(packet.payload)) for packet in got]


class Counting:
    """A socket that tells how it was used; ``fault`` is what it answers to a train."""

    def __init__(self, inner: socket.socket, fault: int = 0) -> None:
        self.inner, self.fault = inner, fault
        self.calls: list[str] = []

    def sendto(self, *args: Any) -> int:
        self.calls.append("sendto")
        return self.inner.sendto(*args)

    def sendmsg(self, *args: Any) -> int:
        self.calls.append("sendmsg")
        if self.fault:
            raise OSError(self.fault, os.strerror(self.fault))
        return self.inner.sendmsg(*args)


async def test_what_a_burst_causes_leaves_when_it_is_over(ends: Ends) -> None:
    departures = ends.transport.departures
    departures.begin()
    board(ends, [700] * 5)
    ends.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        ends.received()
    departures.end()
    assert numbers(ends, 5) == [(number, 700) for number in range(5)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux cuts packets apart")
async def test_packets_of_one_size_are_one_call(ends: Ends) -> None:
    counting = ends.ice.sock = Counting(ends.outgoing)  # type: ignore[assignment]
    ends.transport.departures.begin()
    board(ends, [900, 900, 900, 400])
    ends.transport.departures.end()
    assert counting.calls == ["sendmsg"]
    assert numbers(ends, 4) == [(0, 900), (1, 900), (2, 900), (3, 400)]


@pytest.mark.parametrize(
    "sizes",
    [[100, 101, 101, 102], [300, 200, 300, 200], [1100] * 40, [40] * 200, [1200, 1200, 100, 100, 1200], [1400] * 30],
)
async def test_packets_of_any_sizes_arrive_in_order(ends: Ends, sizes: list[int]) -> None:
    ends.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    ends.transport.departures.begin()
    board(ends, sizes)
    ends.transport.departures.end()
    assert numbers(ends, len(sizes)) == list(enumerate(sizes))
    assert ends.transport.send_errors == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux cuts packets apart")
@pytest.mark.parametrize("fault", [errno.EIO, errno.EINVAL, errno.EMSGSIZE])
async def test_where_packets_cannot_be_cut_apart_each_is_a_call(ends: Ends, fault: int) -> None:
    counting = ends.ice.sock = Counting(ends.outgoing, fault)  # type: ignore[assignment]
    for first in (0, 3):
        ends.transport.departures.begin()
        board(ends, [500] * 3, first)
        ends.transport.departures.end()
    assert counting.calls == ["sendmsg", *["sendto"] * 6]
    assert len(numbers(ends, 6)) == 6


async def test_a_report_does_not_disturb_what_waits(ends: Ends) -> None:
    ends.transport.departures.begin()
    board(ends, [500] * 3)
    assert ends.transport.send_rtcp(RECEIVER_REPORT)
    ends.transport.departures.end()
    assert len(numbers(ends, 3)) == 3
    assert ends.opener.unprotect_rtcp(ends.socket.recv(4096)) == RECEIVER_REPORT


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux cuts packets apart")
async def test_a_train_that_is_not_taken_is_counted(ends: Ends) -> None:
    ends.ice.sock = Counting(ends.outgoing, errno.EAGAIN)  # type: ignore[assignment]
    ends.transport.departures.begin()
    board(ends, [500] * 3)
    ends.transport.departures.end()
    assert (ends.transport.send_errors, ends.transport.refused_later) == (3, 3)


# ---- in ----


async def test_what_arrives_is_handed_on_decrypted(ends: Ends) -> None:
    rtp = struct.pack("!BBHII", 0x80, 96, 1, 2, 3) + b"sound"
    sealed, report = ends.sealer.protect(rtp), ends.sealer.protect_rtcp(RECEIVER_REPORT)
    ends.arrive(sealed)
    ends.arrive(report)
    assert (ends.rtp, ends.rtcp) == ([rtp], [RECEIVER_REPORT])
    assert ends.transport.packets_received == 2
    assert ends.transport.bytes_received == len(sealed) + len(report)
    ends.arrive(sealed)
    assert ends.rtp == [rtp], "a replay is refused"
    assert ends.transport.packet_errors == 1


@pytest.mark.parametrize("data", [b"", b"\x80\x60", bytes(40), b"\x80\xc9" + bytes(40), bytes(MAX_PACKET_BYTES + 1)])
async def test_garbage_is_counted(ends: Ends, data: bytes) -> None:
    ends.arrive(data)
    assert ends.transport.packet_errors == 1
    assert not ends.rtp
    assert not ends.rtcp


@pytest.mark.parametrize("error", [ValueError("no such thing"), KeyError("a fault of ours")])
async def test_a_handler_that_fails_costs_one_packet(ends: Ends, error: Exception) -> None:
    def fail(data: bytes) -> None:
        raise error

    transport = MediaTransport(fail, fail)
    ends.transport.close()
    transport.attach(ends.transceiver)
    ends.arrive(ends.sealer.protect(struct.pack("!BBHII", 0x80, 96, 1, 2, 3) + b"sound"))
    assert transport.packet_errors == 1
    assert transport.packets_received == 1


async def test_nothing_comes_or_goes_after_close(ends: Ends) -> None:
    assert ends.transport.send_rtcp(RECEIVER_REPORT)
    ends.transport.close()
    assert ends.ice.on_media is None
    assert not ends.transport.send_rtcp(RECEIVER_REPORT)
    assert not ends.transport.send_wire(PLAIN, 96, 1, 2, 3, -1, -1)
    ends.transport.close()


async def test_another_transport_can_be_taken_over(ends: Ends, network: Network) -> None:
    other = Ends(network)
    other.shake_hands()
    other.connect()
    ends.transport.attach(ends.transceiver)
    ends.transport.send_rtcp(RECEIVER_REPORT)
    ends.transport.attach(other.transceiver)
    assert ends.ice.on_media is None
    assert ends.transport.send_wire(PLAIN, 96, 1, 2, 3, -1, -1)
    assert parse(other.received()).sequence == 1
    await other.close()
