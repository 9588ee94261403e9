"""Relays between a page and the server: UDP through two channels, TCP that can be stopped."""

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Callable

from network_channel import Channel

Address = tuple[str, int]
MAX_DATAGRAM_BYTES = 2048
MAX_WAITING = 4096  #: datagrams that are under way in one direction
MAX_PATHS = 64  #: source addresses behind one relay, as in a NAT
BATCH = 32


class UdpRelay:
    """Listens for one page on behalf of one address of the server; both directions pass the line's channels."""

    def __init__(self, loop: asyncio.AbstractEventLoop, up: Channel, down: Channel, server: Address) -> None:
        self._loop = loop
        self._up, self._down = up, down
        self._server = server
        self._waiting = {up: 0, down: 0}
        self._paths: dict[Address, socket.socket] = {}  # the page's address -> our socket towards the server
        self._front = _bound_beside(server[0])
        loop.add_reader(self._front, self._from_page)

    @property
    def address(self) -> Address:
        """Where the page finds it: the server's own IP address where that is of this machine."""
        name: Address = self._front.getsockname()[:2]
        return name

    def _from_page(self) -> None:
        for _ in range(BATCH):
            try:
                data, page = self._front.recvfrom(MAX_DATAGRAM_BYTES)
            except OSError:
                return
            self._pass(self._up, data, functools.partial(self._to_server, page[:2]))

    def _to_server(self, page: Address, data: bytes) -> None:
        path = self._paths.get(page)
        if path is None:
            path = self._paths[page] = self._new_path(page)
        _send(path.send, data)

    def _new_path(self, page: Address) -> socket.socket:
        while len(self._paths) >= MAX_PATHS:
            self._drop_path(next(iter(self._paths)))
        path = _bound_beside(self._server[0])
        path.connect(self._server)
        self._loop.add_reader(path, self._from_server, path, page)
        return path

    def _from_server(self, path: socket.socket, page: Address) -> None:
        for _ in range(BATCH):
            try:
                data = path.recv(MAX_DATAGRAM_BYTES)
            except OSError:  # nothing more, or an ICMP message about a closed port
                return
            self._pass(self._down, data, functools.partial(self._to_page, page))

    def _to_page(self, page: Address, data: bytes) -> None:
        _send(self._front.sendto, data, page)

    def _pass(self, channel: Channel, data: bytes, deliver: Callable[[bytes], None]) -> None:
        now_s = self._loop.time()
        arrives_s = channel.admit(len(data), now_s) if self._waiting[channel] < MAX_WAITING else None
        if arrives_s is None:
            return
        if arrives_s <= now_s and not self._waiting[channel]:
            deliver(data)
            return
        self._waiting[channel] += 1
        self._loop.call_at(arrives_s, self._arrive, channel, data, deliver)

    def _arrive(self, channel: Channel, data: bytes, deliver: Callable[[bytes], None]) -> None:
        self._waiting[channel] -= 1
        if self._front.fileno() >= 0:
            deliver(data)

    def change_address(self) -> None:
        """The server sees the page come from other ports from now on; what it sends to the old ones is lost."""
        for page in list(self._paths):
            self._drop_path(page)

    def _drop_path(self, page: Address) -> None:
        path = self._paths.pop(page)
        self._loop.remove_reader(path)
        path.close()

    def close(self) -> None:
        """Twice is harmless."""
        self.change_address()
        if self._front.fileno() >= 0:
            self._loop.remove_reader(self._front)
            self._front.close()


def _bound_beside(server_ip: str) -> socket.socket:
    """A UDP socket on the server's own address, or on loopback where that is not of this machine."""
    family = socket.AF_INET6 if ":" in server_ip else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.setblocking(False)
    try:
        bound.bind((server_ip, 0))
    except OSError:
        bound.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    return bound


def _send(send: Callable[..., int], data: bytes, *address: Address) -> None:
    try:
        send(data, *address)
    except OSError:
        return  # a full buffer or a closed port: the datagram is lost, as on a network


class TcpRelay:
    """In front of the server's HTTP port. While ``open`` is not set nothing passes, neither data nor an end."""

    def __init__(self, server: Address) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self._target = server
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Returns its port on 127.0.0.1."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._listener.sockets[0].getsockname()[1])

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._closing(writer):
            await self.open.wait()
            try:
                server_reader, server_writer = await asyncio.open_connection(*self._target)
            except OSError:
                return
            async with self._closing(server_writer):
                await asyncio.gather(self._pump(reader, server_writer), self._pump(server_reader, writer))

    @contextlib.asynccontextmanager
    async def _closing(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        try:
            yield
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self.open.wait()
                writer.write(data)
                await writer.drain()
            await self.open.wait()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            await self.open.wait()
            writer.close()

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
