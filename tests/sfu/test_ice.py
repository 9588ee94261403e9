"""The ICE-lite agent: real checks over loopback, and time where it is waited for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from aioice import ConnectionClosed
from aioice.stun import parse_message
from raw_stun import RawPeer, check

from vmeet_core.sfu.departures import Departures
from vmeet_core.sfu.ice import CONSENT_S, MAX_PATHS, MAX_WAITING, SILENCE_S, IceLite
from vmeet_core.sfu.network import host_candidates
from vmeet_core.sfu.udp import UdpMux, bound_socket

MEDIA = b"\x80media"
DTLS = b"\x16hello"


@pytest.fixture
def connections() -> dict[str, IceLite]:
    return {}


@pytest.fixture
async def mux(connections: dict[str, IceLite]) -> AsyncIterator[UdpMux]:
    mux = UdpMux(bound_socket("127.0.0.1", 0), connections, Departures())
    mux.open()
    yield mux
    mux.close()


@pytest.fixture
def ice(connections: dict[str, IceLite], mux: UdpMux) -> IceLite:
    port = mux.sock.getsockname()[1]
    made = IceLite(host_candidates(["127.0.0.1"], port), lambda ice: connections.pop(ice.local_username))
    connections[made.local_username] = made
    return made


@pytest.fixture
def new_peer(mux: UdpMux) -> Iterator[Callable[[], RawPeer]]:
    made: list[RawPeer] = []

    def new() -> RawPeer:
        made.append(RawPeer(mux.sock.getsockname()))
        return made[-1]

    yield new
    for peer in made:
        peer.close()


@pytest.fixture
def peer(new_peer: Callable[[], RawPeer]) -> RawPeer:
    return new_peer()


class Media:
    """Collects what ``on_media`` gets."""

    def __init__(self, ice: IceLite) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        ice.on_media = self._queue.put_nowait

    async def next(self) -> bytes:
        return await asyncio.wait_for(self._queue.get(), 5)


def grow_silent(ice: IceLite, seconds: float) -> None:
    """As if the address in use had last been heard that much earlier."""
    for path in ice.paths.values():
        if path.address == ice.address:
            path.heard_s -= seconds


# ---- checks ----


async def test_a_check_is_answered_with_the_address_it_came_from(ice: IceLite, peer: RawPeer) -> None:
    answer = await peer.check(ice)
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == peer.address
    assert answer.check_message_integrity(ice.local_password.encode())


async def test_there_is_no_path_before_a_valid_check(ice: IceLite) -> None:
    assert (ice.sock, ice.address, ice.connected) == (None, None, False)


@pytest.mark.parametrize("nominate", [True, False])
async def test_the_first_valid_check_connects(ice: IceLite, peer: RawPeer, mux: UdpMux, nominate: bool) -> None:
    connecting = asyncio.create_task(ice.connect())
    await peer.ask(bytes(check(ice.local_username, "wrong", nominate=nominate)))
    assert not connecting.done()
    await peer.check(ice, nominate=nominate)
    await asyncio.wait_for(connecting, 5)
    assert ice.connected
    assert ice.address == peer.address
    assert ice.sock is mux.sock


async def test_a_check_before_connect_counts(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    await asyncio.wait_for(ice.connect(), 5)


async def test_a_wrong_password_changes_nothing(ice: IceLite, peer: RawPeer) -> None:
    answer = await peer.ask(bytes(check(ice.local_username, "wrong", nominate=True)))
    assert answer.error_code == 401
    assert not ice.connected
    assert ice.paths == {}


async def test_another_remote_name_is_refused_once_it_is_known(ice: IceLite, peer: RawPeer) -> None:
    ice.remote_username = "page"
    request = check(ice.local_username, ice.local_password, remote="other", nominate=True)
    assert (await peer.ask(bytes(request))).error_code == 401
    request = check(ice.local_username, ice.local_password, remote="page", nominate=True)
    assert (await peer.ask(bytes(request))).error_code is None
    assert ice.connected


async def test_a_browser_that_waits_is_told_to_lead(ice: IceLite, peer: RawPeer) -> None:
    answer = await peer.ask(bytes(check(ice.local_username, ice.local_password, role="CONTROLLED", nominate=True)))
    assert answer.error_code == 487
    assert not ice.connected


async def test_a_check_with_a_bad_fingerprint_gets_no_answer(ice: IceLite, peer: RawPeer) -> None:
    data = bytearray(bytes(check(ice.local_username, ice.local_password, nominate=True)))
    data[-1] ^= 1
    peer.send(bytes(data))
    assert (await peer.ask(bytes(check("nobody", "password")))).error_code == 401  # answered after it
    assert peer.waiting() == []
    assert not ice.connected


# ---- paths ----


async def test_before_a_nomination_the_path_goes_where_dtls_comes_from(
    ice: IceLite, new_peer: Callable[[], RawPeer]
) -> None:
    first, second, third = new_peer(), new_peer(), new_peer()
    for peer in (first, second, third):
        await peer.check(ice)
    assert ice.address == first.address
    second.send(DTLS)
    assert await asyncio.wait_for(ice.recv(), 5) == DTLS
    assert ice.address == second.address
    await third.check(ice, nominate=True)
    second.send(DTLS)
    assert await asyncio.wait_for(ice.recv(), 5) == DTLS
    assert ice.address == third.address


async def test_a_later_nomination_moves_the_path_and_media_follows(
    ice: IceLite, new_peer: Callable[[], RawPeer]
) -> None:
    first, second = new_peer(), new_peer()
    await first.check(ice, nominate=True)
    await second.check(ice)
    assert ice.send_now(b"to the first")
    assert await first.receive() == b"to the first"
    await second.check(ice, nominate=True)
    assert ice.send_now(memoryview(b"to the second"))
    assert await second.receive() == b"to the second"
    assert first.waiting() == []


async def test_media_is_taken_from_every_checked_address(ice: IceLite, new_peer: Callable[[], RawPeer]) -> None:
    first, second = new_peer(), new_peer()
    media = Media(ice)
    await first.check(ice, nominate=True)
    await second.check(ice)
    first.send(MEDIA + b"1")
    assert await media.next() == MEDIA + b"1"
    second.send(MEDIA + b"2")
    assert await media.next() == MEDIA + b"2"
    assert ice.address == first.address  # which has not been silent


@pytest.mark.parametrize("by_media", [True, False])
async def test_the_path_moves_away_from_an_address_that_fell_silent(
    ice: IceLite, new_peer: Callable[[], RawPeer], by_media: bool
) -> None:
    first, second = new_peer(), new_peer()
    media = Media(ice)
    await first.check(ice, nominate=True)
    await second.check(ice)
    grow_silent(ice, SILENCE_S + 0.1)
    if by_media:
        second.send(MEDIA)
        await media.next()
    else:
        await second.check(ice)
    assert ice.address == second.address


async def test_media_from_an_address_whose_check_is_old_does_not_move_the_path(
    ice: IceLite, new_peer: Callable[[], RawPeer]
) -> None:
    first, second = new_peer(), new_peer()
    media = Media(ice)
    await first.check(ice, nominate=True)
    await second.check(ice)
    grow_silent(ice, SILENCE_S + 0.1)
    for path in ice.paths.values():
        path.checked_s -= CONSENT_S
    second.send(MEDIA)
    await media.next()
    assert ice.address == first.address


async def test_addresses_are_bounded_and_the_one_in_use_stays(
    ice: IceLite, mux: UdpMux, new_peer: Callable[[], RawPeer]
) -> None:
    first = new_peer()
    await first.check(ice, nominate=True)
    others = [new_peer() for _ in range(MAX_PATHS + 4)]
    for other in others:
        await other.check(ice)
    assert len(ice.paths) == len(mux.paths) == MAX_PATHS
    assert first.address in mux.paths
    assert others[0].address not in mux.paths  # the one that was silent for longest
    assert others[-1].address in mux.paths


async def test_an_address_passes_to_the_connection_that_was_checked_last(
    ice: IceLite, connections: dict[str, IceLite], mux: UdpMux, peer: RawPeer
) -> None:
    other = IceLite((), lambda _: None)
    connections[other.local_username] = other
    await peer.check(ice, nominate=True)
    await peer.check(other, nominate=True)
    assert mux.paths[peer.address].ice is other
    ice.shut()
    assert mux.paths[peer.address].ice is other
    other.shut()
    assert mux.paths == {}


# ---- what aiortc asks of it ----


async def test_there_are_no_candidates_before_they_are_gathered(ice: IceLite) -> None:
    assert ice.local_candidates == []
    await ice.gather_candidates()
    assert [candidate.host for candidate in ice.local_candidates] == ["127.0.0.1"]


async def test_remote_candidates_are_taken_and_not_used(ice: IceLite) -> None:
    (candidate,) = host_candidates(["no-such-name.local"], 9)
    await ice.add_remote_candidate(candidate)
    await ice.add_remote_candidate(None)
    assert ice.remote_candidates == []


async def test_dtls_is_received_in_order(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    receiving = asyncio.create_task(ice.recv())
    peer.send(DTLS + b"1")
    peer.send(DTLS + b"2")
    assert await asyncio.wait_for(receiving, 5) == DTLS + b"1"
    assert await asyncio.wait_for(ice.recv(), 5) == DTLS + b"2"


async def test_a_receive_that_was_given_up_loses_nothing(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ice.recv(), 0.01)
    peer.send(DTLS)
    assert await asyncio.wait_for(ice.recv(), 5) == DTLS


async def test_what_nobody_reads_is_bounded_and_the_oldest_goes(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    for i in range(MAX_WAITING + 5):
        peer.send(DTLS + bytes([i]))
        if i % 16 == 0:
            await peer.check(ice)  # the kernel's buffer is bounded too
    await peer.check(ice)
    assert await ice.recv() == DTLS + bytes([5])


@pytest.mark.parametrize("data", [MEDIA, b"\x00", b"\x10zrtp", b"\x40turn", b"\xc0quic", b""])
async def test_other_datagrams_are_no_dtls(ice: IceLite, peer: RawPeer, data: bytes) -> None:
    await peer.check(ice, nominate=True)
    peer.send(data)
    peer.send(DTLS)
    assert await asyncio.wait_for(ice.recv(), 5) == DTLS


async def test_nothing_is_sent_without_a_path(ice: IceLite) -> None:
    assert not ice.send_now(b"x")
    with pytest.raises(ConnectionError):
        await ice.send(b"x")


async def test_dtls_is_sent_to_the_nominated_address(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    await ice.send(DTLS)
    assert await peer.receive() == DTLS


async def test_a_socket_that_takes_no_more_is_no_fault(ice: IceLite, peer: RawPeer) -> None:
    await peer.check(ice, nominate=True)
    assert not ice.send_now(bytes(70_000))  # more than any datagram


async def test_two_lite_agents_cannot_connect(ice: IceLite) -> None:
    ice.remote_is_lite = True
    with pytest.raises(ConnectionError, match="both ends are ICE-lite"):
        await ice.connect()


async def test_connecting_ends_when_no_check_comes(ice: IceLite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmeet_core.sfu.ice.CONNECT_S", 0.01)
    with pytest.raises(ConnectionError, match="no valid check came"):
        await ice.connect()


# ---- the end ----


async def test_silence_on_every_path_closes(ice: IceLite, peer: RawPeer) -> None:
    event = asyncio.create_task(ice.get_event())
    await peer.check(ice, nominate=True)
    now_s = time.monotonic()
    ice.expire(now_s + CONSENT_S - 1)
    assert not ice.closed
    ice.expire(now_s + CONSENT_S + 1)
    assert ice.closed
    assert isinstance(await asyncio.wait_for(event, 5), ConnectionClosed)


async def test_media_counts_as_a_sign_of_life(ice: IceLite, peer: RawPeer) -> None:
    media = Media(ice)
    await peer.check(ice, nominate=True)
    ice.heard_s -= CONSENT_S
    peer.send(MEDIA)
    await media.next()
    ice.expire(time.monotonic())
    assert not ice.closed


async def test_a_connection_that_nobody_answered_does_not_expire(ice: IceLite) -> None:
    ice.expire(time.monotonic() + 1000)
    assert not ice.closed


async def test_close_releases_whoever_waits(ice: IceLite) -> None:
    waiting = [asyncio.create_task(wait) for wait in (ice.connect(), ice.recv())]
    event = asyncio.create_task(ice.get_event())
    await asyncio.sleep(0)
    await ice.close()
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    assert isinstance(await event, ConnectionClosed)


async def test_close_forgets_everything_and_twice_is_harmless(
    ice: IceLite, connections: dict[str, IceLite], mux: UdpMux, peer: RawPeer
) -> None:
    await peer.check(ice, nominate=True)
    media = Media(ice)
    await ice.close()
    await ice.close()
    assert connections == {}
    assert mux.paths == {}
    assert (ice.sock, ice.address, ice.on_media, ice.connected) == (None, None, None, False)
    assert not ice.send_now(b"x")
    peer.send(MEDIA)
    peer.send(DTLS)
    request = check(ice.local_username, ice.local_password, nominate=True)
    assert (await peer.ask(bytes(request))).error_code == 401  # as for a stranger
    assert mux.dropped == 3
    assert media._queue.empty()


async def test_a_late_check_brings_nothing_back(ice: IceLite, mux: UdpMux, peer: RawPeer) -> None:
    await ice.close()
    data = bytes(check(ice.local_username, ice.local_password, nominate=True))
    assert ice.check(data, "peer", mux, peer.address) is None
    assert not ice.connected


async def test_names_and_passwords_are_long_and_new_each_time() -> None:
    agents = [IceLite((), lambda _: None) for _ in range(50)]
    assert len({agent.local_username for agent in agents}) == len({agent.local_password for agent in agents}) == 50
    assert all(len(agent.local_username) >= 4 and len(agent.local_password) >= 22 for agent in agents)


async def test_the_answer_to_a_retransmission_is_the_same(ice: IceLite, peer: RawPeer) -> None:
    data = bytes(check(ice.local_username, ice.local_password, nominate=True))
    peer.send(data)
    peer.send(data)
    first, second = await peer.receive(), await peer.receive()
    assert first == second
    assert parse_message(first).error_code is None
