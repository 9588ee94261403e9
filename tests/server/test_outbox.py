"""Messages on their way to a page, and pages that do not read."""

import asyncio
from typing import Any

from vmeet_core.protocol import Pong
from vmeet_core.server.outbox import MAX_QUEUED, Outbox


class Socket:
    """Takes messages while ``open`` is set."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.open = asyncio.Event()
        self.closed = asyncio.Event()

    async def send_str(self, text: str) -> None:
        await self.open.wait()
        self.sent.append(text)

    async def close(self) -> None:
        self.closed.set()


async def test_messages_go_out_in_order_whether_written_before_or_not() -> None:
    socket: Any = Socket()
    socket.open.set()
    outbox = Outbox(socket)
    outbox.send(Pong(number=1))
    outbox.send_text('{"type":"pong","number":2}')
    await outbox.close()
    assert socket.sent == ['{"type":"pong","number":1}', '{"type":"pong","number":2}']
    assert socket.closed.is_set()


async def test_a_page_that_does_not_read_is_cut_off() -> None:
    socket: Any = Socket()
    outbox = Outbox(socket)
    for number in range(MAX_QUEUED):
        outbox.send(Pong(number=number))
    await asyncio.sleep(0)
    assert not socket.closed.is_set()
    for number in range(3):
        outbox.send(Pong(number=number))
    async with asyncio.timeout(5):
        await socket.closed.wait()
    outbox.finish()


async def test_a_socket_that_has_gone_ends_the_sending() -> None:
    class Gone(Socket):
        async def send_str(self, text: str) -> None:
            raise ConnectionResetError

    socket: Any = Gone()
    outbox = Outbox(socket)
    outbox.send(Pong(number=1))
    async with asyncio.timeout(5):
        await socket.closed.wait()
    await outbox.close()
