"""The server's UDP side: ports, addresses, and whole connections with aiortc's own peers as browsers."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import aioice.ice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from raw_stun import RawPeer, check

from vmeet_core.sfu import rtc
from vmeet_core.sfu.network import MAX_ADDRESSES, Network, host_candidates, offered, usable_addresses
from vmeet_core.sfu.udp import bound_socket


def has_ipv6() -> bool:
    try:
        bound_socket("::1", 0).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")


@contextlib.asynccontextmanager
async def opened(*addresses: str, **options: Any) -> AsyncIterator[Network]:
    network = Network(addresses=addresses or ("127.0.0.1",), **options)
    await network.open()
    try:
        yield network
    finally:
        await network.close()


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with opened() as network:
        yield network


class Pair:
    """A connection of the server and an aiortc peer in the place of a browser, joined by whoever offers."""

    def __init__(self, network: Network) -> None:
        self.server = network.new_connection()
        self.browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.from_browser: asyncio.Queue[bytes] = asyncio.Queue()
        self.from_server: asyncio.Queue[bytes] = asyncio.Queue()
        self._sequence = 0

    async def connect(self, server_offers: bool, port: int | None = None, wait: bool = True) -> None:
        """``port`` is where the browser finds the server, if that is not the server's own."""
        one, other = (self.server, self.browser) if server_offers else (self.browser, self.server)
        for kind in ("audio", "video"):
            one.addTransceiver(kind)
        await one.setLocalDescription(await one.createOffer())
        await other.setRemoteDescription(self._seen(one, port))
        for transceiver in self.server.getTransceivers():
            rtc.intercept_receiver(transceiver, lambda _: None)
            rtc.intercept_sender(transceiver, lambda _: None)
        await other.setLocalDescription(await other.createAnswer())
        await one.setRemoteDescription(self._seen(other, port))
        if wait:
            await asyncio.gather(connected(self.server), connected(self.browser))
            self._listen()

    def _seen(self, teller: RTCPeerConnection, port: int | None) -> RTCSessionDescription:
        description = teller.localDescription
        if teller is self.server and port is not None:
            moved = re.sub(r"(a=candidate:.* )\d+ typ", rf"\g<1>{port} typ", description.sdp)
            return RTCSessionDescription(moved, description.type)
        return description

    def _listen(self) -> None:
        sessions = rtc.srtp_sessions(rtc.dtls_of(self.server.getTransceivers()[0]))
        assert sessions is not None
        self.receive, self.transmit = sessions
        self.ice.on_media = lambda data: self.from_browser.put_nowait(self.receive.unprotect(data))

        async def handle(data: bytes, arrival_time_ms: int) -> None:
            self.from_server.put_nowait(data)

        self._browser_dtls._handle_rtp_data = handle  # type: ignore[method-assign]

    @property
    def ice(self) -> Any:
        return rtc.ice_of(self.server.getTransceivers()[0])

    @property
    def _browser_dtls(self) -> Any:
        return self.browser.getTransceivers()[0].receiver.transport

    async def exchange(self) -> None:
        """A packet each way."""
        self._sequence += 1  # SRTP takes none twice
        packet = b"\x80\x60" + self._sequence.to_bytes(2, "big") + bytes(8) + b"payload"
        await self._browser_dtls._send_rtp(packet)
        assert await asyncio.wait_for(self.from_browser.get(), 5) == packet
        assert self.ice.send_now(self.transmit.protect(packet))
        assert await asyncio.wait_for(self.from_server.get(), 5) == packet

    async def close(self) -> None:
        await self.browser.close()
        await self.server.close()


async def connected(pc: RTCPeerConnection, wanted: str = "connected") -> None:
    done = asyncio.Event()
    pc.on("connectionstatechange", lambda: done.set() if pc.connectionState == wanted else None)
    if pc.connectionState != wanted:
        await asyncio.wait_for(done.wait(), 10)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Coroutine[Any, Any, None]], None]]:
    """Runs a coroutine on each kind of loop."""
    factory = pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner.run


# ---- whole connections ----


@pytest.mark.parametrize("server_offers", [True, False], ids=["server offers", "browser offers"])
def test_media_flows_both_ways(run: Callable[[Coroutine[Any, Any, None]], None], server_offers: bool) -> None:
    async def scenario() -> None:
        async with opened() as network:
            pair = Pair(network)
            await pair.connect(server_offers)
            assert "a=ice-lite" in pair.server.localDescription.sdp
            assert f" 127.0.0.1 {network.port} typ host" in pair.server.localDescription.sdp
            await pair.exchange()
            await pair.close()
            assert network.connections == {}

    run(scenario())


def test_nothing_is_left_behind(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def scenario() -> None:
        async with opened() as network:
            pairs = [Pair(network) for _ in range(3)]
            await asyncio.gather(*(pair.connect(server_offers=True) for pair in pairs))
            assert len(network.connections) == 3
            for pair in pairs:
                await pair.close()
            assert network.connections == {}
            assert all(mux.paths == {} for mux in network._muxes.values())
        await asyncio.sleep(0.05)  # uvloop closes its handles one turn later
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(scenario())  # what loops and libraries keep for ever
    before = open_files()
    run(scenario())
    assert open_files() == before


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


@needs_ipv6
async def test_ipv6() -> None:
    async with opened("::1") as network:
        pair = Pair(network)
        await pair.connect(server_offers=True)
        assert pair.ice.sock.family == socket.AF_INET6
        await pair.exchange()
        await pair.close()


async def test_many_connections_share_the_port(network: Network) -> None:
    pairs = [Pair(network) for _ in range(4)]
    await asyncio.gather(*(pair.connect(server_offers=i % 2 == 0) for i, pair in enumerate(pairs)))
    for pair in pairs:
        await pair.exchange()
        assert pair.ice.sock.getsockname()[1] == network.port
    assert len({pair.ice.address for pair in pairs}) == 4
    await asyncio.gather(*(pair.close() for pair in pairs))


class Nat:
    """A UDP relay in front of the server, which can forget its mapping as a NAT does."""

    def __init__(self, server: tuple[Any, ...]) -> None:
        self._server = server
        self._browser: Any = None
        self.inside = bound_socket("127.0.0.1", 0)
        self.outside = bound_socket("127.0.0.1", 0)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.inside, self._outwards)
        self._loop.add_reader(self.outside, self._inwards)

    def _outwards(self) -> None:
        data, self._browser = self.inside.recvfrom(2048)
        self.outside.sendto(data, self._server)

    def _inwards(self) -> None:
        self.inside.sendto(self.outside.recv(2048), self._browser)

    def forget(self) -> None:
        self._loop.remove_reader(self.outside)
        self.outside.close()
        self.outside = bound_socket("127.0.0.1", 0)
        self._loop.add_reader(self.outside, self._inwards)

    def close(self) -> None:
        for sock in (self.inside, self.outside):
            self._loop.remove_reader(sock)
            sock.close()


async def test_media_follows_when_a_nat_forgets_its_mapping(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.05)  # the browser's checks, else every 5 s
    monkeypatch.setattr("vmeet_core.sfu.ice.SILENCE_S", 0.3)
    nat = Nat(("127.0.0.1", network.port))
    pair = Pair(network)
    await pair.connect(server_offers=True, port=nat.inside.getsockname()[1])
    await pair.exchange()
    assert pair.ice.address == nat.outside.getsockname()
    nat.forget()
    async with asyncio.timeout(5):
        while pair.ice.address != nat.outside.getsockname():
            await asyncio.sleep(0.02)
    await pair.exchange()
    await pair.close()
    nat.close()


async def test_the_browser_leaves(network: Network) -> None:
    pair = Pair(network)
    await pair.connect(server_offers=True)
    closed = asyncio.create_task(connected(pair.server, "closed"))
    await pair.browser.close()
    await closed
    assert network.connections == {}


async def test_silence_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmeet_core.sfu.network.SWEEP_S", 0.05)
    monkeypatch.setattr("vmeet_core.sfu.ice.CONSENT_S", 0.2)
    async with opened() as network:
        pair = Pair(network)
        await pair.connect(server_offers=True)
        await asyncio.wait_for(connected(pair.server, "closed"), 5)  # aiortc checks every 5 s, which is too seldom
        assert network.connections == {}
        await pair.browser.close()


async def test_candidates_of_the_page_are_taken_and_no_name_is_looked_up(network: Network) -> None:
    pair = Pair(network)
    await pair.connect(server_offers=True)
    mid = pair.server.getTransceivers()[0].mid
    candidate = "1 1 udp 2113937151 3f6c6a2c-6f1f-4b2b-8b0e-0d5b0a6e3f10.local 50000 typ host"
    parsed = candidate_from_sdp(candidate)
    parsed.sdpMid = mid
    await asyncio.wait_for(pair.server.addIceCandidate(parsed), 1)
    await pair.exchange()
    await pair.close()


async def test_closing_the_network_closes_its_connections(network: Network) -> None:
    pair = Pair(network)
    await pair.connect(server_offers=True)
    closed = asyncio.create_task(connected(pair.server, "closed"))
    await network.close()
    await network.close()
    await closed
    await pair.browser.close()
    with pytest.raises(RuntimeError, match="not open"):
        network.new_connection()


async def test_a_connection_that_was_never_used_can_be_closed(network: Network) -> None:
    connection = network.new_connection()
    await connection.close()
    connection = network.new_connection()
    connection.addTransceiver("audio")
    assert len(network.connections) == 1
    await connection.close()
    assert network.connections == {}


# ---- ports ----


async def test_the_first_free_port_of_the_range_is_used() -> None:
    with free_range(3) as (first, last):
        taken = bound_socket("127.0.0.1", first)
        async with opened(ports=(first, last)) as network:
            assert network.port == first + 1
        taken.close()


async def test_a_single_port() -> None:
    with free_range(1) as (first, last):
        async with opened(ports=(first, last)) as network:
            assert network.port == first


async def test_a_range_that_is_taken_is_named() -> None:
    with free_range(2) as (first, last):
        taken = [bound_socket("127.0.0.1", port) for port in (first, last)]
        before = open_files()
        with pytest.raises(OSError, match=rf"{first}-{last} \(server.udp_ports\) is taken on 127.0.0.1"):
            await Network((first, last), addresses=("127.0.0.1",)).open()
        assert open_files() == before
        for sock in taken:
            sock.close()


@needs_ipv6
async def test_a_port_has_to_be_free_on_every_address() -> None:
    with free_range(2) as (first, last):
        taken = bound_socket("::1", first)
        async with opened("127.0.0.1", "::1", ports=(first, last)) as network:
            assert network.port == last
            assert network.addresses == ["127.0.0.1", "::1"]
        taken.close()


@contextlib.contextmanager
def free_range(length: int) -> Iterator[tuple[int, int]]:
    """First and last of so many ports that are free just now."""
    for first in range(41_000, 60_000, 7):
        try:
            for port in range(first, first + length):
                for address in ("127.0.0.1", "::1") if has_ipv6() else ("127.0.0.1",):
                    bound_socket(address, port).close()
        except OSError:
            continue
        yield first, first + length - 1
        return
    pytest.fail("no free ports")


async def test_an_address_that_is_not_here_is_left_out() -> None:
    async with opened("203.0.113.250", "127.0.0.1") as network:
        assert network.addresses == ["127.0.0.1"]


async def test_no_address_at_all_is_an_error() -> None:
    with pytest.raises(OSError, match=r"no address can be used for media: 203\.0\.113\.250 \("):
        await Network(addresses=("203.0.113.250",)).open()


async def test_opening_twice_is_a_mistake(network: Network) -> None:
    with pytest.raises(RuntimeError, match="open already"):
        await network.open()


# ---- addresses ----


def with_addresses(monkeypatch: pytest.MonkeyPatch, *found: str) -> list[str]:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: list(found))
    return usable_addresses()


def test_global_addresses_come_first_and_ipv6_before_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_addresses(monkeypatch, "10.0.0.5", "fd00::5", "8.8.8.8", "2600::5")
    assert found == ["2600::5", "8.8.8.8", "fd00::5", "10.0.0.5"]


def test_loopback_and_link_local_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = with_addresses(monkeypatch, "127.0.1.1", "169.254.3.4", "fe80::1", "::", "192.168.1.2", "::1")
    assert found == ["192.168.1.2"]


@pytest.mark.parametrize("found", [(), ("127.0.1.1", "169.254.3.4")])
def test_loopback_is_offered_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch, found: Sequence[str]) -> None:
    assert with_addresses(monkeypatch, *found) == ["127.0.0.1", "::1"]


def test_the_number_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(with_addresses(monkeypatch, *(f"10.0.0.{i}" for i in range(1, 100)))) == MAX_ADDRESSES


async def test_addresses_that_come_and_go_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    here = ["127.0.0.2"]
    monkeypatch.setattr("vmeet_core.sfu.network.usable_addresses", lambda: list(here))
    network = Network()
    await network.open()
    try:
        here[:] = ["127.0.0.3", "127.0.0.2"]
        network.look_again()
        assert sorted(network.addresses) == ["127.0.0.2", "127.0.0.3"]
        pair = Pair(network)
        await pair.connect(server_offers=False)
        await pair.exchange()
        offers = [each.host for each in network._candidates]
        assert offers == ["127.0.0.3", "127.0.0.2"]
        used = [address for address, mux in network._muxes.items() if mux.paths]
        here[:] = ["127.0.0.4"]
        network.look_again()
        assert sorted(network.addresses) == sorted([*used, "127.0.0.4"]), "whoever is connected goes on"
        assert [each.host for each in network._candidates] == ["127.0.0.4"]
        await pair.exchange()
        await pair.close()
    finally:
        await network.close()


async def test_an_address_whose_port_is_taken_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    here = ["127.0.0.2"]
    monkeypatch.setattr("vmeet_core.sfu.network.usable_addresses", lambda: list(here))
    network = Network()
    await network.open()
    try:
        with contextlib.closing(bound_socket("127.0.0.3", network.port)):
            here.append("127.0.0.3")
            network.look_again()
            assert network.addresses == ["127.0.0.2"]
        network.look_again()
        assert network.addresses == ["127.0.0.2", "127.0.0.3"]
    finally:
        await network.close()


def test_the_machine_has_an_address() -> None:
    assert usable_addresses()


def test_candidates_are_ranked_as_listed() -> None:
    candidates = host_candidates(["192.0.2.1", "2001:db8::1"], 50000)
    assert [(c.host, c.port, c.type, c.component, c.transport) for c in candidates] == [
        ("192.0.2.1", 50000, "host", 1, "udp"),
        ("2001:db8::1", 50000, "host", 1, "udp"),
    ]
    assert candidates[0].priority == 2130706431  # (126 << 24) + (65535 << 8) + 255, RFC 8445 5.1.2.1
    assert candidates[0].priority > candidates[1].priority
    assert candidates[0].foundation != candidates[1].foundation


def test_the_public_address_comes_first_and_once() -> None:
    assert offered(["10.0.0.5", "fd00::5"], "") == ["10.0.0.5", "fd00::5"]
    assert offered(["10.0.0.5", "fd00::5"], "203.0.113.7") == ["203.0.113.7", "10.0.0.5", "fd00::5"]
    assert offered(["fd00::5", "203.0.113.7"], "203.0.113.7") == ["203.0.113.7", "fd00::5"]


async def test_the_public_address_is_announced_with_the_port() -> None:
    async with opened(public_address="203.0.113.7") as network:
        connection = network.new_connection()
        connection.addTransceiver("audio")
        await connection.setLocalDescription(await connection.createOffer())
        candidates = re.findall(r"a=candidate:\S+ 1 udp (\d+) (\S+) (\d+) typ host", connection.localDescription.sdp)
        assert [(host, int(port)) for _, host, port in candidates] == [
            ("203.0.113.7", network.port),
            ("127.0.0.1", network.port),
        ]
        await connection.close()


@pytest.mark.parametrize(("public", "local"), [("2001:db8::7", "127.0.0.1"), ("203.0.113.7", "::1")])
async def test_a_public_address_that_nothing_stands_behind_is_refused(public: str, local: str) -> None:
    with pytest.raises(OSError, match=f"server.public_address is {public}, but this machine has no address"):
        await Network(public_address=public, addresses=(local,)).open()


async def test_a_check_over_the_public_address_is_like_any_other(network: Network) -> None:
    """Behind 1:1 NAT, datagrams arrive at the private address: nothing depends on where the browser sent them."""
    connection = network.new_connection()
    ice = rtc.ice_of(connection.addTransceiver("audio"))
    peer = RawPeer(("127.0.0.1", network.port))
    answer = await peer.ask(bytes(check(ice.local_username, ice.local_password, nominate=True)))
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == peer.address
    assert ice.connected
    peer.close()
    await connection.close()
