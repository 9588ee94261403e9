"""The socket that all connections share."""

import asyncio
import socket
import sys
import time
import types
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aioice.stun import Class, Message, Method, parse_message
from raw_stun import RawPeer, check

from vmeet_core.sfu.departures import Departures
from vmeet_core.sfu.ice import IceLite
from vmeet_core.sfu.udp import BATCH, MAX_ERRORS_PER_S, UdpMux, bound_socket

MEDIA = b"\x80media"


@pytest.fixture
def connections() -> dict[str, IceLite]:
    ice = IceLite((), lambda _: None)
    return {ice.local_username: ice}


@pytest.fixture
def ice(connections: dict[str, IceLite]) -> IceLite:
    return next(iter(connections.values()))


@pytest.fixture
async def mux(connections: dict[str, IceLite]) -> AsyncIterator[UdpMux]:
    mux = UdpMux(bound_socket("127.0.0.1", 0), connections, Departures())
    mux.open()
    yield mux
    mux.close()


@pytest.fixture
def peer(mux: UdpMux) -> Iterator[RawPeer]:
    peer = RawPeer(mux.sock.getsockname())
    yield peer
    peer.close()


@pytest.mark.parametrize(
    "data",
    [
        MEDIA,
        b"\x16dtls",
        b"",
        b"\x00",
        bytes(2000),
        bytes(Message(Method.BINDING, Class.INDICATION)),
        bytes(Message(Method.BINDING, Class.RESPONSE)),
        bytes(Message(Method.ALLOCATE, Class.REQUEST)),
    ],
    ids=range(8),  # of random bytes every process would make another name
)
async def test_strangers_get_no_answer(mux: UdpMux, ice: IceLite, peer: RawPeer, data: bytes) -> None:
    peer.send(data)
    await peer.check(ice)  # read after it
    assert mux.dropped == 1
    assert peer.waiting() == []


async def test_a_check_for_nobody_is_refused_like_one_with_a_wrong_password(ice: IceLite, peer: RawPeer) -> None:
    unknown = check("nobody", "password", nominate=True)
    wrong = check(ice.local_username, "password", nominate=True)
    wrong.transaction_id = unknown.transaction_id
    wrong.add_message_integrity(b"password")
    answers = []
    for request in (unknown, wrong):
        peer.send(bytes(request))
        answers.append(await peer.receive())
    assert parse_message(answers[0]).error_code == 401
    assert answers[0] == answers[1]


async def test_a_check_without_a_name_is_a_bad_request(mux: UdpMux, peer: RawPeer) -> None:
    answer = await peer.ask(bytes(Message(Method.BINDING, Class.REQUEST)))
    assert answer.error_code == 400


async def test_a_flood_of_strangers_is_answered_so_often_and_no_more(mux: UdpMux, ice: IceLite, peer: RawPeer) -> None:
    data = bytes(check("nobody", "password"))
    for _ in range(4):
        for _ in range(MAX_ERRORS_PER_S):
            peer.send(data)
        request = bytes(check(ice.local_username, ice.local_password))
        peer.send(request)
        answers = [await peer.receive()]
        while parse_message(answers[-1]).error_code is not None:  # until the valid one is answered
            answers.append(await peer.receive())
    assert mux.dropped == 4 * MAX_ERRORS_PER_S
    mux._errors_since_s -= 1  # a second later
    assert (await peer.ask(data)).error_code == 401


async def test_more_than_a_batch_arrives_in_order(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    received: list[bytes] = []
    done = asyncio.Event()

    def on_media(data: bytes) -> None:
        received.append(data)
        if len(received) == 3 * BATCH:
            done.set()

    ice.on_media = on_media
    sent = [MEDIA + i.to_bytes(2, "big") for i in range(3 * BATCH)]
    for data in sent:
        peer.send(data)
    await asyncio.wait_for(done.wait(), 5)
    assert received == sent


async def test_a_handler_that_fails_costs_only_its_datagram(
    ice: IceLite, peer: RawPeer, caplog: pytest.LogCaptureFixture
) -> None:
    await peer.check(ice, nominate=True)
    received: asyncio.Queue[bytes] = asyncio.Queue()

    def on_media(data: bytes) -> None:
        if data.endswith(b"bad"):
            raise KeyError(data)
        received.put_nowait(data)

    ice.on_media = on_media
    peer.send(MEDIA + b"bad")
    peer.send(MEDIA)
    assert await asyncio.wait_for(received.get(), 5) == MEDIA
    assert "a datagram could not be handled" in caplog.text


async def test_what_is_larger_than_any_packet_is_cut_and_hurts_nobody(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    received: asyncio.Queue[bytes] = asyncio.Queue()
    ice.on_media = received.put_nowait
    peer.send(MEDIA + bytes(20_000))
    assert len(await asyncio.wait_for(received.get(), 5)) == 2048


async def test_closing_from_within_a_handler(mux: UdpMux, ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    closed = asyncio.Event()

    def on_media(data: bytes) -> None:
        mux.close()
        closed.set()

    ice.on_media = on_media
    peer.send(MEDIA)
    peer.send(MEDIA)
    await asyncio.wait_for(closed.wait(), 5)
    await asyncio.sleep(0)
    assert mux.sock.fileno() == -1
    assert not ice.send_now(b"x")


async def test_close_frees_the_port_and_twice_is_harmless(mux: UdpMux) -> None:
    address = mux.sock.getsockname()
    mux.close()
    mux.close()
    bound_socket(*address).close()


async def test_a_socket_that_was_never_read_can_be_closed() -> None:
    mux = UdpMux(bound_socket("127.0.0.1", 0), {}, Departures())
    mux.close()
    assert mux.sock.fileno() == -1


def test_buffers_are_as_large_as_the_system_allows() -> None:
    sock = bound_socket("127.0.0.1", 0)
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        assert sock.getsockopt(socket.SOL_SOCKET, option) >= plain.getsockopt(socket.SOL_SOCKET, option)
    assert not sock.getblocking()
    sock.close()
    plain.close()


def test_a_port_that_is_taken_raises_and_leaves_no_socket() -> None:
    first = bound_socket("127.0.0.1", 0)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    with pytest.raises(OSError, match="in use"):
        bound_socket("127.0.0.1", first.getsockname()[1])
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    assert after == before
    first.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a datagram came")
async def test_a_datagram_arrived_when_it_came_and_not_when_it_was_read(
    mux: UdpMux, ice: IceLite, peer: RawPeer
) -> None:
    await peer.check(ice)
    arrived_s: list[float] = []
    ice.on_media = lambda data: arrived_s.append(ice.arrived_s)
    began_s = time.monotonic()
    for _ in range(3):
        peer.send(MEDIA)
        time.sleep(0.1)  # noqa: ASYNC251  # the loop is busy with something else
    async with asyncio.timeout(5):
        while len(arrived_s) < 3:
            await asyncio.sleep(0.01)
    assert [at_s - began_s for at_s in arrived_s] == pytest.approx([0.0, 0.1, 0.2], abs=0.04)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when a datagram came")
async def test_a_wall_clock_that_was_set_makes_no_datagram_older(
    mux: UdpMux, monkeypatch: pytest.MonkeyPatch, ice: IceLite, peer: RawPeer
) -> None:
    await peer.check(ice)
    got: list[float] = []
    ice.on_media = lambda data: got.append(ice.arrived_s)
    ahead = types.SimpleNamespace(time=lambda: time.time() + 0.5, monotonic=time.monotonic)
    monkeypatch.setattr("vmeet_core.sfu.udp.time", ahead)  # set between the kernel's stamp and the reading
    sent_s: list[float] = []
    async with asyncio.timeout(5):
        for _ in range(3):
            sent_s.append(time.monotonic())
            peer.send(MEDIA)
            while len(got) < len(sent_s):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
    # Nothing was read for 0.05 s before each, so each came within that time of when it was sent.
    assert [at_s - began_s for at_s, began_s in zip(got[1:], sent_s[1:], strict=True)] == pytest.approx([0, 0], abs=0.1)


async def test_without_the_kernels_word_it_is_when_it_was_read(
    monkeypatch: pytest.MonkeyPatch, connections: dict[str, IceLite], ice: IceLite
) -> None:
    monkeypatch.setattr("vmeet_core.sfu.udp.stamp_arrivals", lambda sock: False)
    mux = UdpMux(bound_socket("127.0.0.1", 0), connections, Departures())
    mux.open()
    peer = RawPeer(mux.sock.getsockname())
    try:
        await peer.check(ice)
        got: list[float] = []
        ice.on_media = lambda data: got.append(time.monotonic() - ice.arrived_s)
        peer.send(MEDIA)
        async with asyncio.timeout(5):
            while not got:
                await asyncio.sleep(0.01)
        assert 0 <= got[0] < 0.05
    finally:
        peer.close()
        mux.close()
