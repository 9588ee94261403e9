"""One UDP socket that all connections share: read in batches, told apart by remote address."""

import asyncio
import contextlib
import logging
import socket
import struct
import sys
import time
from collections.abc import Mapping

from vmeet_core.sfu import stun
from vmeet_core.sfu.departures import Departures
from vmeet_core.sfu.ice import Address, IceLite, Path

logger = logging.getLogger(__name__)
BATCH = 64
TRAIN = 8  #: datagrams after which what they have caused leaves: a picture or two
MAX_DATAGRAM_BYTES = 2048
BUFFER_BYTES = 4 << 20
MAX_ERRORS_PER_S = 100
SO_TIMESTAMPNS = 35  #: <asm-generic/socket.h>: when the kernel got a datagram, as (s, ns) of the wall clock
MAX_LAG_S = 2.0  #: a wall clock that was set meanwhile says nothing
_TIMESPEC = struct.Struct("@qq")
ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0


class UdpMux:
    """Reads a bound socket as long as it is open.

    A datagram from a known address goes to its connection. From anywhere else only a check counts that names one of
    ``connections`` (by local user name), and what is neither is dropped after a look at its first bytes. Checks are
    always told apart by their user name, so that an address may pass from one connection to another.

    What the datagrams cause to be sent leaves by ``departures`` when all that have come are read, or eight of them.
    """

    def __init__(self, sock: socket.socket, connections: Mapping[str, IceLite], departures: Departures) -> None:
        self.sock = sock
        self._departures = departures
        self._stamped = ANCILLARY_BYTES > 0 and stamp_arrivals(sock)
        self._empty_s = 0.0  # nothing waited then: what is read next came later
        self.paths: dict[Address, Path] = {}
        self.dropped = 0  #: datagrams that were of no connection
        self._connections = connections
        self._loop: asyncio.AbstractEventLoop | None = None
        self._errors = 0
        self._errors_since_s = 0.0

    def open(self) -> None:
        """Begin to read, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.sock, self._read)

    def close(self) -> None:
        """Stop reading and close the socket; twice is harmless."""
        if self._loop is not None:
            self._loop.remove_reader(self.sock)
            self._loop = None
        self.sock.close()

    def _read(self) -> None:
        """Up to 64 datagrams: a busy socket must not starve the rest of the loop."""
        departures, now_s = self._departures, time.monotonic()
        departures.begin()
        try:
            for _ in range(BATCH // TRAIN):
                if not self._read_train(now_s):
                    return
                departures.leave()
        finally:
            departures.end()

    def _read_train(self, now_s: float) -> bool:
        """Up to eight; whether there may be more."""
        paths = self.paths
        for _ in range(TRAIN):
            asked_s = time.monotonic()
            try:
                data, address, arrived_s = self._receive()
            except BlockingIOError:
                self._empty_s = asked_s
                return False
            except OSError:  # closed by what the last datagram caused
                return False
            try:
                self._dispatch(data, address, paths.get(address), now_s, arrived_s)
            except Exception:  # one bad datagram must not cost the others
                logger.exception("a datagram could not be handled")
        return True

    def _receive(self) -> tuple[bytes, Address, float]:
        """A datagram, where it came from, and when: by the kernel's clock where it tells, so that the time for which it
        waited for a busy server is not taken for a queue in the network. The kernel's is the wall clock: where it was
        set meanwhile, a datagram still came after the socket was last found empty.
        """
        if not self._stamped:
            data, address = self.sock.recvfrom(MAX_DATAGRAM_BYTES)
            return data, address, time.monotonic()
        data, ancillary, _, address = self.sock.recvmsg(MAX_DATAGRAM_BYTES, ANCILLARY_BYTES)
        arrived_s = time.monotonic()
        if ancillary:
            seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
            lag_s = time.time() - seconds - nanoseconds / 1e9
            if 0 <= lag_s < MAX_LAG_S:
                arrived_s = max(arrived_s - lag_s, self._empty_s)
        return data, address, arrived_s

    def _dispatch(self, data: bytes, address: Address, path: Path | None, now_s: float, arrived_s: float) -> None:
        if data and data[0] < 4:
            self._on_stun(data, address, now_s)
        elif data and path is not None:
            path.ice.arrived_s = arrived_s
            path.ice.receive(path, data, now_s)
        else:
            self.dropped += 1

    def _on_stun(self, data: bytes, address: Address, now_s: float) -> None:
        """Answer checks; everything else of STUN (RFC 7983: first byte 0 to 3) is of no use to a lite agent."""
        if not stun.is_request(data):
            self.dropped += 1
            return
        user = stun.username(data)
        if user is None:
            reply: bytes | None = stun.failure(data, 400) if self._may_refuse(now_s) else None
        elif user.local in self._connections:
            reply = self._connections[user.local].check(data, user.remote, self, address)
        else:
            reply = stun.failure(data, 401) if self._may_refuse(now_s) else None
        if reply is not None:
            with contextlib.suppress(OSError):
                self.sock.sendto(reply, address)

    def _may_refuse(self, now_s: float) -> bool:
        """Strangers get so many errors a second and no more: a flood is dropped, and nobody is flooded through us."""
        self.dropped += 1
        if now_s - self._errors_since_s >= 1:
            self._errors, self._errors_since_s = 0, now_s
        self._errors += 1
        return self._errors <= MAX_ERRORS_PER_S


def stamp_arrivals(sock: socket.socket) -> bool:
    """Have the kernel tell when each datagram came; False where it does not."""
    if sys.platform != "linux":
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def bound_socket(address: str, port: int) -> socket.socket:
    """A UDP socket on one local address, with large buffers as far as the system allows. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
