"""The emulated network between real sockets; what it does to packets is tested in test_network_channel.py."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from network_channel import Conditions, Counts
from network_emulator import Emulator, Line, tcp_wait_s

PATIENCE_S = 5.0
SILENCE_S = 0.2


@pytest.fixture
def line() -> Iterator[Line]:
    with Emulator() as emulator:
        yield emulator.new_line()


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with udp_socket(request.param) as server:
        yield server


def udp_socket(ip: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
    bound.settimeout(PATIENCE_S)
    bound.bind((ip, 0))
    return bound


def is_silent(receiver: socket.socket) -> bool:
    receiver.settimeout(SILENCE_S)
    try:
        receiver.recv(100)
    except TimeoutError:
        return True
    finally:
        receiver.settimeout(PATIENCE_S)
    return False


def relay_of(line: Line, server: socket.socket) -> tuple[str, int]:
    return line.relay_address(*server.getsockname()[:2])


def test_udp_goes_both_ways_and_each_page_has_its_own_path(line: Line, server: socket.socket) -> None:
    relay = relay_of(line, server)
    ip = server.getsockname()[0]
    assert relay[0] == ip
    with udp_socket(ip) as one, udp_socket(ip) as two:
        seen = []
        for page, text in ((one, b"one"), (two, b"two"), (one, b"one again")):
            page.sendto(text, relay)
            data, path = server.recvfrom(100)
            assert data == text
            seen.append(path)
            server.sendto(text + b" back", path)
            assert page.recv(100) == text + b" back"
    assert seen[0] == seen[2] != seen[1]
    assert line.counts == {"up": Counts(passed=3), "down": Counts(passed=3)}


def test_each_direction_has_conditions_of_its_own(line: Line, server: socket.socket) -> None:
    relay = relay_of(line, server)
    with udp_socket(server.getsockname()[0]) as page:
        line.change(down=Conditions(loss=1.0), up=Conditions(delay_s=0.1))
        began_s = time.monotonic()
        page.sendto(b"up", relay)
        _, path = server.recvfrom(100)
        assert time.monotonic() - began_s >= 0.1
        server.sendto(b"down", path)
        assert is_silent(page)
        line.change(down=Conditions())
        server.sendto(b"later", path)
        assert page.recv(100) == b"later"
    assert line.counts == {"up": Counts(passed=1), "down": Counts(passed=1, lost=1)}


def test_one_limit_for_all_servers_of_a_line(line: Line, server: socket.socket) -> None:
    ip = server.getsockname()[0]
    with udp_socket(ip) as other, udp_socket(ip) as page:
        line.change(up=Conditions(rate_bps=80_000, queue_s=0.05))  # 972 bytes take 0.1 s
        for target in (server, other):
            page.sendto(bytes(972), relay_of(line, target))
        assert len(server.recv(1000)) == 972
        assert is_silent(other)
    assert line.counts["up"] == Counts(passed=1, overflowed=1)


def test_a_change_of_address(line: Line, server: socket.socket) -> None:
    relay = relay_of(line, server)
    with udp_socket(server.getsockname()[0]) as page:
        page.sendto(b"before", relay)
        _, before = server.recvfrom(100)
        line.change_address()
        server.sendto(b"to the old one", before)
        assert is_silent(page)
        page.sendto(b"after", relay)
        _, after = server.recvfrom(100)
        assert after != before
        server.sendto(b"to the new one", after)
        assert page.recv(100) == b"to the new one"


def test_a_page_keeps_its_relay_and_pages_do_not_share(line: Line, server: socket.socket) -> None:
    relay = relay_of(line, server)
    assert relay_of(line, server) == relay
    with Emulator() as another:
        assert relay_of(another.new_line(), server) != relay


def test_an_address_of_another_machine_is_reached_from_loopback(line: Line) -> None:
    assert line.relay_address("203.0.113.7", 4000)[0] == "127.0.0.1"


@pytest.mark.parametrize(("outage_s", "wait_s"), [(0.1, 0.1), (0.5, 0.1), (5.0, 1.2), (7.0, 5.6)])
def test_tcp_tries_again_later_and_later(outage_s: float, wait_s: float) -> None:
    assert tcp_wait_s(outage_s) == pytest.approx(wait_s)


@contextlib.asynccontextmanager
async def between(serve: Callable[[bytes], bytes]) -> AsyncIterator[tuple[Line, int]]:
    """A line and its TCP port; behind it a server that answers each piece of data, and the end (no data) too."""
    finished: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        finished.add(task)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(100):
                writer.write(serve(data))
            writer.write(serve(b""))
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as listening:
        with Emulator() as emulator:
            line = emulator.new_line()
            yield line, int(line.origin(listening.sockets[0].getsockname()).rpartition(":")[2])
        await asyncio.wait_for(asyncio.gather(*finished), PATIENCE_S)


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()
    await writer.wait_closed()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(text)
    return await asyncio.wait_for(reader.readexactly(len(text)), PATIENCE_S)


async def test_tcp_stops_in_an_outage_and_goes_on() -> None:
    async with between(lambda data: data or b"end") as (line, port), connected(port) as early:
        assert await ask(*early, b"hello") == b"hello"
        line.black_out(True)
        async with connected(port) as late:
            answers = [asyncio.create_task(ask(*early, b"one")), asyncio.create_task(ask(*late, b"two"))]
            done, _ = await asyncio.wait(answers, timeout=SILENCE_S)
            assert not done
            line.black_out(False)
            assert await asyncio.gather(*answers) == [b"one", b"two"]
        early[1].write_eof()
        assert await asyncio.wait_for(early[0].read(), PATIENCE_S) == b"end", "an end of one direction passes too"


async def test_the_end_of_a_connection_does_not_pass_in_an_outage() -> None:
    ended = asyncio.Event()

    def serve(data: bytes) -> bytes:
        if not data:
            ended.set()
        return data

    async with between(serve) as (line, port):
        async with connected(port) as connection:
            assert await ask(*connection, b"hello") == b"hello"
            line.black_out(True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ended.wait(), SILENCE_S)
        line.black_out(False)
        await asyncio.wait_for(ended.wait(), PATIENCE_S)


async def test_a_server_that_is_not_there_closes_the_connection() -> None:
    with socket.socket() as unused, Emulator() as emulator:
        unused.bind(("127.0.0.1", 0))
        port = int(emulator.new_line().origin(unused.getsockname()).rpartition(":")[2])
        async with connected(port) as (reader, _):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
