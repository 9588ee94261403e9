"""Connectivity checks as bytes, and a UDP socket that speaks them: a browser's ICE without the browser."""

import asyncio
import contextlib
import socket
from typing import Any

from aioice.stun import Class, Message, Method, parse_message

from vmeet_core.sfu.ice import IceLite

ANSWER_S = 5.0


def check(
    local: str, password: str, *, remote: str = "peer", nominate: bool = False, role: str = "CONTROLLING"
) -> Message:
    """A signed Binding request for the agent whose user name and password these are."""
    attributes: dict[str, Any] = {"USERNAME": f"{local}:{remote}", "PRIORITY": 1, f"ICE-{role}": 1}
    if nominate:
        attributes["USE-CANDIDATE"] = None
    message = Message(Method.BINDING, Class.REQUEST, None, attributes)
    message.add_message_integrity(password.encode())
    return message


class RawPeer:
    """A browser's socket on a local address, connected to nothing."""

    def __init__(self, server: tuple[Any, ...], address: str = "127.0.0.1") -> None:
        self.server = server
        self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.bind((address, 0))

    @property
    def address(self) -> tuple[Any, ...]:
        address: tuple[Any, ...] = self.sock.getsockname()
        return address

    def send(self, data: bytes) -> None:
        self.sock.sendto(data, self.server)

    async def receive(self) -> bytes:
        """The next datagram, whatever it is. Raises TimeoutError after 5 s."""
        async with asyncio.timeout(ANSWER_S):
            return await asyncio.get_running_loop().sock_recv(self.sock, 2048)

    def waiting(self) -> list[bytes]:
        """Everything that has come and was not read."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.sock.recv(2048))
        return found

    async def ask(self, data: bytes) -> Message:
        """Send and read one answer."""
        self.send(data)
        return parse_message(await self.receive())

    async def check(self, ice: IceLite, *, nominate: bool = False) -> Message:
        """A valid check for ``ice``."""
        request = check(ice.local_username, ice.local_password, nominate=nominate)
        answer = await self.ask(bytes(request))
        assert answer.transaction_id == request.transaction_id
        return answer

    def close(self) -> None:
        self.sock.close()
