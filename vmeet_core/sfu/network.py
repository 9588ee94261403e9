"""The server's UDP side: one port for all connections, on every local address that a browser could use."""

import asyncio
import errno
import ipaddress
import logging
import socket
import time
from collections.abc import Sequence

import aioice.ice
from aioice import Candidate
from aioice.candidate import candidate_foundation
from aiortc import RTCPeerConnection

from vmeet_core.sfu import rtc
from vmeet_core.sfu.departures import Departures
from vmeet_core.sfu.ice import IceLite
from vmeet_core.sfu.udp import UdpMux, bound_socket

logger = logging.getLogger(__name__)
SWEEP_S = 1.0
LOOK_S = 10.0  #: a laptop that changes networks or a VPN that comes up is noticed within this time
MAX_ADDRESSES = 16
ANY_PORT_TRIES = 20
HOST_PREFERENCE = 126
LOOPBACK = ("127.0.0.1", "::1")


class Network:
    """All connections of the server, over one UDP port.

    One socket is bound on each local address and not on the wildcard: an answer has to leave from the address that
    was asked, and a bound socket does that without control messages for every datagram.

    What browsers are offered: every IPv4 and IPv6 address of this machine that is neither loopback nor link-local,
    global ones first and IPv6 before IPv4 among equals; where there is none (an offline machine), ``127.0.0.1`` and
    ``::1``. A browser on the same machine reaches any of them; where loopback is all there is, Chromium wants
    ``--allow-loopback-in-peer-connection``. With ``public_address`` (1:1 NAT) that comes first and the others of its
    family stay behind it, for people on the same side of the NAT. ``addresses`` replaces the machine's own, which are
    looked up again now and then: new ones are bound and offered to those who come from then on.

    ``ports`` are the first and the last that may be used; the first free one is. None lets the system choose.
    """

    def __init__(
        self,
        ports: tuple[int, int] | None = None,
        public_address: str = "",
        addresses: Sequence[str] | None = None,
    ) -> None:
        self.port = 0  #: the port in use, once open
        self.connections: dict[str, IceLite] = {}  #: by local user name
        self._ports = ports
        self._public_address = public_address
        self._addresses = addresses
        self._muxes: dict[str, UdpMux] = {}
        self._candidates: list[Candidate] = []
        self._departures = Departures()
        self._sweep: asyncio.TimerHandle | None = None
        self._looked_s = 0.0

    @property
    def addresses(self) -> list[str]:
        """The local addresses that are bound."""
        return list(self._muxes)

    async def open(self) -> None:
        """Bind. Raises OSError, naming the setting, when no port is free or no address is behind the public one."""
        if self._muxes:
            raise RuntimeError("the network is open already")
        wanted = usable_addresses() if self._addresses is None else list(self._addresses)
        refuse_unreachable(self._public_address, wanted)
        sockets = bind_all(wanted, self._ports)
        self.port = next(iter(sockets.values())).getsockname()[1]
        for address, sock in sockets.items():
            self._listen(address, sock)
        self._offer(self.addresses)
        self._looked_s = time.monotonic()
        self._sweep = asyncio.get_running_loop().call_later(SWEEP_S, self._expire)
        logger.info("media: UDP port %d on %s", self.port, ", ".join(self._muxes))

    def _listen(self, address: str, sock: socket.socket) -> None:
        mux = self._muxes[address] = UdpMux(sock, self.connections, self._departures)
        mux.open()

    def _offer(self, addresses: Sequence[str]) -> None:
        self._candidates = host_candidates(offered(addresses, self._public_address), self.port)

    def look_again(self) -> None:
        """Bind addresses that this machine has now, and offer no others. Those in use stay bound while they are."""
        wanted = usable_addresses()
        for address in wanted:
            if address not in self._muxes:
                self._try_to_listen(address)
        for address in [address for address, mux in self._muxes.items() if address not in wanted and not mux.paths]:
            self._muxes.pop(address).close()
            logger.info("media: %s is gone", address)
        here = [address for address in wanted if address in self._muxes]
        if here:
            self._offer(here)

    def _try_to_listen(self, address: str) -> None:
        try:
            self._listen(address, bound_socket(address, self.port))
        except OSError as error:
            logger.debug("%s cannot be used for media: %s", address, error)
        else:
            logger.info("media: UDP port %d on %s, too", self.port, address)

    async def close(self) -> None:
        """Close every connection and socket; twice is harmless."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in list(self.connections.values()):
            connection.shut()
        for mux in self._muxes.values():
            mux.close()
        self._muxes.clear()

    def new_connection(self) -> RTCPeerConnection:
        """A connection that goes through this network. Raises RuntimeError when it is not open."""
        if not self._muxes:
            raise RuntimeError("the network is not open")
        return rtc.LiteConnection(self._new_ice)

    def _new_ice(self) -> IceLite:
        ice = IceLite(self._candidates, self._forget, self._departures)
        self.connections[ice.local_username] = ice
        return ice

    def _forget(self, ice: IceLite) -> None:
        self.connections.pop(ice.local_username, None)

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = loop.call_later(SWEEP_S, self._expire)
        now_s = time.monotonic()
        for connection in list(self.connections.values()):
            connection.expire(now_s)
        if self._addresses is None and now_s - self._looked_s >= LOOK_S:
            self._looked_s = now_s
            self.look_again()


def usable_addresses() -> list[str]:
    """Local addresses in the order in which they are offered; loopback only where there is nothing else."""
    found = [ipaddress.ip_address(text) for text in aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)]
    usable = [each for each in found if not (each.is_loopback or each.is_link_local or each.is_unspecified)]
    usable.sort(key=lambda each: (not each.is_global, -each.version))
    return [str(each) for each in usable][:MAX_ADDRESSES] or list(LOOPBACK)


def refuse_unreachable(public_address: str, addresses: Sequence[str]) -> None:
    """Raises OSError when no address is of the public one's family: nothing sent there could arrive."""
    if public_address and not any((":" in public_address) == (":" in address) for address in addresses):
        found = ", ".join(addresses)
        message = f"server.public_address is {public_address}, but this machine has no address of its kind: {found}"
        raise OSError(errno.EADDRNOTAVAIL, message)


def bind_all(addresses: Sequence[str], ports: tuple[int, int] | None) -> dict[str, socket.socket]:
    """A socket on each address, all on one port. An address that cannot be bound at all is left out.

    Raises OSError when no port is free on all of them.
    """
    for port in range(ports[0], ports[1] + 1) if ports is not None else [0] * ANY_PORT_TRIES:
        sockets = _bind_port(addresses, port)
        if sockets is not None:
            return sockets
    where = ", ".join(addresses)
    if ports is None:
        raise OSError(errno.EADDRINUSE, f"no UDP port is free on {where}")
    span = str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"
    raise OSError(errno.EADDRINUSE, f"every UDP port of {span} (server.udp_ports) is taken on {where}")


def _bind_port(addresses: Sequence[str], port: int) -> dict[str, socket.socket] | None:
    """All on this port (0: on any, the same for all), or None when it is taken on one of them."""
    sockets: dict[str, socket.socket] = {}
    faults: list[str] = []
    for address in addresses:
        try:
            sockets[address] = bound_socket(address, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                for sock in sockets.values():
                    sock.close()
                return None
            faults.append(f"{address} ({error.strerror})")
        else:
            port = sockets[address].getsockname()[1]
    if not sockets:
        raise OSError(errno.EADDRNOTAVAIL, f"no address can be used for media: {', '.join(faults)}")
    if faults:
        logger.info("not used for media: %s", ", ".join(faults))
    return sockets


def offered(addresses: Sequence[str], public_address: str) -> list[str]:
    """The bound addresses in the order of preference, the public one first."""
    return list(dict.fromkeys([public_address, *addresses] if public_address else addresses))


def host_candidates(addresses: Sequence[str], port: int) -> list[Candidate]:
    """A host candidate for each address, the first with the highest priority (RFC 8445 5.1.2)."""
    return [
        Candidate(
            foundation=candidate_foundation("host", "udp", address),
            component=1,
            transport="udp",
            priority=(HOST_PREFERENCE << 24) + ((65535 - i) << 8) + 255,
            host=address,
            port=port,
            type="host",
        )
        for i, address in enumerate(addresses)
    ]
