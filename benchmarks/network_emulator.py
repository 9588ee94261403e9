"""A bad network between a page and the server without the kernel's netem: relays that lose, delay, limit and cut.

``Emulator`` runs the relays in a thread of its own; each ``Line`` is one person's way to the server: one set of
conditions up and one down, shared by all UDP relays of that person, and a TCP relay for the page and its socket.
"""

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from network_channel import Channel, Conditions, Counts
from network_relays import Address, TcpRelay, UdpRelay
from playwright.async_api import Page

Value = TypeVar("Value")
FIRST_RETRANSMISSION_S = 0.2  #: of TCP on Linux; each further wait is twice as long
CALL_S = 5.0
THROUGH_THE_RELAY = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def tcp_wait_s(outage_s: float) -> float:
    """How long after an outage TCP tries again: it doubled its waits meanwhile (RFC 6298)."""
    tried_s, wait_s = FIRST_RETRANSMISSION_S, FIRST_RETRANSMISSION_S
    while tried_s < outage_s:
        wait_s *= 2
        tried_s += wait_s
    return tried_s - outage_s


class Line:
    """One person's network. All methods may be called from any thread."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], seed: int) -> None:
        self._run = run
        self._up, self._down = Channel(seed), Channel(seed + 1)
        self._udp: dict[Address, UdpRelay] = {}
        self._tcp: list[TcpRelay] = []
        self._dark_since_s: float | None = None

    @property
    def counts(self) -> dict[str, Counts]:
        """What passed and what did not."""
        return {"up": self._up.counts, "down": self._down.counts}

    def change(self, up: Conditions | None = None, down: Conditions | None = None) -> None:
        """Other conditions from now on; a direction that is not given stays as it is."""
        self._run(self._change(up, down))

    def black_out(self, dark: bool) -> None:
        """An outage of everything, or its end; the other conditions stay."""
        both = [dataclasses.replace(channel.conditions, blackout=dark) for channel in (self._up, self._down)]
        self.change(*both)

    def change_address(self) -> None:
        """As when a laptop leaves its cable for the wireless: the server sees new addresses."""
        self._run(self._change_address())

    def origin(self, server: Address) -> str:
        """The origin at which a page of this person finds the server. Raises OSError."""
        port = self._run(self._add_tcp(server))
        return f"http://127.0.0.1:{port}"

    def relay_address(self, ip: str, port: int) -> Address:
        """Where a page of this person finds the server's UDP port. Raises OSError."""
        address: Address = self._run(self._add_udp((ip, port)))
        return address

    async def put_between(self, page: Page) -> None:
        """Lead all media of a page, from its next load, through this line; open it at ``origin``."""

        async def relay_address(ip: str, port: int) -> Address:
            return await asyncio.to_thread(self.relay_address, ip, port)

        await page.expose_function("relayAddress", relay_address)
        await page.add_init_script(THROUGH_THE_RELAY)

    async def _change(self, up: Conditions | None, down: Conditions | None) -> None:
        self._up.conditions = up or self._up.conditions
        self._down.conditions = down or self._down.conditions
        loop, dark = asyncio.get_running_loop(), self._up.conditions.blackout or self._down.conditions.blackout
        if dark and self._dark_since_s is None:
            self._dark_since_s = loop.time()
            for relay in self._tcp:
                relay.open.clear()
        elif not dark and self._dark_since_s is not None:
            outage_s, self._dark_since_s = loop.time() - self._dark_since_s, None
            loop.call_later(tcp_wait_s(outage_s), self._open)

    def _open(self) -> None:
        if self._dark_since_s is None:
            for relay in self._tcp:
                relay.open.set()

    async def _change_address(self) -> None:
        for relay in self._udp.values():
            relay.change_address()

    async def _add_tcp(self, server: Address) -> int:
        relay = TcpRelay(server)
        self._tcp.append(relay)
        return await relay.start()

    async def _add_udp(self, server: Address) -> Address:
        if server not in self._udp:
            self._udp[server] = UdpRelay(asyncio.get_running_loop(), self._up, self._down, server)
        return self._udp[server].address

    async def close(self) -> None:
        """Called by the emulator, in its thread."""
        for relay in self._udp.values():
            relay.close()
        await asyncio.gather(*(relay.close() for relay in self._tcp))


class Emulator:
    """A context manager: the relays of several people in a thread of their own, which disturbs no event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._lines: list[Line] = []

    def __enter__(self) -> "Emulator":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        for line in self._lines:
            self._run(line.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_S)
        self._loop.close()

    def new_line(self, seed: int = 1) -> Line:
        """A perfect network for one more person, until it is changed."""
        line = Line(self._run, seed)
        self._lines.append(line)
        return line

    def _run(self, work: Coroutine[Any, Any, Value]) -> Value:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_S)
