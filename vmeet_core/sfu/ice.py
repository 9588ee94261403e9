"""ICE-lite (RFC 8445 2.5): the browser checks and nominates, this end only answers.

``IceLite`` stands where aiortc expects an ``aioice.Connection``. It owns no socket and no task: datagrams come from the
``UdpMux`` that read them, answers leave through the same one.
"""

import asyncio
import logging
import secrets
import socket
import string
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aioice import Candidate, ConnectionClosed

from vmeet_core.sfu import stun
from vmeet_core.sfu.departures import Departures

logger = logging.getLogger(__name__)
Address = tuple[Any, ...]  #: as the socket module gives it: (host, port), for IPv6 also flow and scope
CONNECT_S = 30.0
CONSENT_S = 30.0
SILENCE_S = 3.0
MAX_PATHS = 16
MAX_WAITING = 64
ALPHABET = string.ascii_letters + string.digits


class Mux(Protocol):
    """A socket that many connections share: what ``UdpMux`` is to them."""

    sock: socket.socket
    paths: dict[Address, "Path"]  #: whom a datagram from an address belongs to


class Path:
    """A remote address of one connection, proven by a valid check, and the socket that it reaches."""

    __slots__ = ("address", "checked_s", "heard_s", "ice", "mux")

    def __init__(self, ice: "IceLite", mux: Mux, address: Address, now_s: float) -> None:
        self.ice = ice
        self.mux = mux
        self.address = address
        self.checked_s = now_s  #: monotonic time of the latest valid check
        self.heard_s = now_s  #: of the latest valid check or media


class IceLite:
    """The ICE side of one peer connection.

    The first valid check connects: waiting for a nomination was seen to cost up to 1.2 s, since Chromium sends it with
    a later check only. Until there is one, the path goes where DTLS comes from. After that it moves when the browser
    nominates another address, or when the one in use has been silent for 3 s and something comes from another one that
    was checked in the last 30 s (a NAT that has forgotten its mapping). Nothing valid on any path for 30 s closes it
    (consent, RFC 7675).

    ``on_media`` is called at once for every datagram that looks like RTP or RTCP (first byte 128 to 191, RFC 7983).
    Give ``on_closed`` to be told once when it closes, for whatever reason.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        on_closed: Callable[["IceLite"], None],
        departures: Departures | None = None,
    ) -> None:
        self.departures = departures or Departures()  #: when what is sent to it leaves
        self.on_media: Callable[[bytes], None] | None = None
        self.sock: socket.socket | None = None
        self.address: Address | None = None
        self.heard_s = time.monotonic()
        self.arrived_s = self.heard_s  #: when the datagram that is dealt with came to this machine
        self.local_username = _random(8)
        self.local_password = _random(24)
        self.remote_username: str | None = None
        self.remote_password: str | None = None
        self.remote_is_lite = False
        self.ice_controlling = False  #: set by aiortc; a lite agent is controlled whatever it says
        self.paths: dict[tuple[int, Address], Path] = {}
        self._candidates = list(candidates)
        self._gathered = False
        self._on_closed = on_closed
        self._path: Path | None = None
        self._nominated = False
        self._connected = asyncio.Event()
        self._closed = asyncio.Event()
        self._received: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._arrived = asyncio.Event()

    # ---- what aiortc calls ----

    @property
    def local_candidates(self) -> list[Candidate]:
        """Empty until gathered: aiortc starts to connect as soon as there are candidates."""
        return self._candidates[:] if self._gathered else []

    @property
    def remote_candidates(self) -> list[Candidate]:
        """None are kept: a lite agent learns addresses from checks alone."""
        return []

    async def gather_candidates(self) -> None:
        """They are known already."""
        self._gathered = True

    async def add_remote_candidate(self, candidate: Candidate | None) -> None:
        """Nothing to do, and no name (mDNS) is looked up: checks come from the browser."""

    async def connect(self) -> None:
        """Wait for the first valid check. Raises ConnectionError after 30 s, when closed, or if both ends are lite."""
        if self.remote_is_lite:
            raise ConnectionError("both ends are ICE-lite, so that neither would send checks")
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._connected.wait()
        except TimeoutError:
            raise ConnectionError(f"no valid check came in {CONNECT_S:.0f} s") from None
        self._refuse_closed()

    async def get_event(self) -> ConnectionClosed:
        """Waits until the connection closes: the only event there is."""
        await self._closed.wait()
        return ConnectionClosed()

    async def recv(self) -> bytes:
        """The next DTLS datagram. Raises ConnectionError once closed."""
        while not self._received:
            self._refuse_closed()
            self._arrived.clear()
            await self._arrived.wait()
        return self._received.popleft()

    async def send(self, data: bytes) -> None:
        """Send to the address in use; may be lost like any datagram. Raises ConnectionError without one."""
        if self.sock is None:
            raise ConnectionError("no valid check has come")
        self.send_now(data)

    async def close(self) -> None:
        """Forget every address; twice is harmless."""
        self.shut()

    # ---- the media path ----

    def send_now(self, data: bytes | memoryview) -> bool:
        """Send to the address in use at once; False when there is none or the system takes no more."""
        if self.sock is None or self.address is None:
            return False
        try:
            self.sock.sendto(data, self.address)
        except OSError:  # a full buffer, no route for now, a socket that was closed: all the same to a datagram
            return False
        return True

    def receive(self, path: Path, data: bytes, now_s: float) -> None:
        """A datagram from an address of this connection; STUN goes to ``check``."""
        kind = data[0]
        if 127 < kind < 192:
            self.heard_s = path.heard_s = now_s
            if path is not self._path:
                self._follow(path, now_s)
            if self.on_media is not None:
                self.on_media(data)
        elif 19 < kind < 64:
            if not self._nominated:
                self._use(path)
            self._received.append(data)
            self._arrived.set()

    # ---- checks ----

    def check(self, data: bytes, remote_username: str, mux: Mux, address: Address) -> bytes | None:
        """A Binding request for this connection; returns the answer, None for what is to be dropped."""
        if self._closed.is_set():
            return None
        try:
            if self.remote_username not in (None, remote_username):
                raise stun.Refused(401)
            request = stun.read_check(data, self.local_password)
        except stun.Refused as refused:
            return stun.failure(data, refused.code)
        except ValueError as error:
            logger.debug("check dropped: %s", error)
            return None
        if "ICE-CONTROLLED" in request.attributes:  # both would wait: the browser has to take the other role
            return stun.failure(data, 487, self.local_password)
        self._heard(mux, address, nominated="USE-CANDIDATE" in request.attributes)
        return stun.success(request, (str(address[0]), int(address[1])), self.local_password)

    def _heard(self, mux: Mux, address: Address, nominated: bool) -> None:
        now_s = self.heard_s = time.monotonic()
        path = self.paths.get((id(mux), address))
        if path is None:
            self._make_room()
            path = self.paths[id(mux), address] = Path(self, mux, address, now_s)
        mux.paths[address] = path  # an address that another connection had is ours now: this check is newer
        path.checked_s = path.heard_s = now_s
        self._nominated |= nominated
        if nominated or self._path is None:
            self._use(path)
        elif path is not self._path:
            self._follow(path, now_s)

    def _make_room(self) -> None:
        """Forget the address that was silent for longest, never the one in use."""
        if len(self.paths) >= MAX_PATHS:
            others = [path for path in self.paths.values() if path is not self._path]
            self._forget(min(others, key=lambda path: path.heard_s))

    def _forget(self, path: Path) -> None:
        del self.paths[id(path.mux), path.address]
        if path.mux.paths.get(path.address) is path:
            del path.mux.paths[path.address]

    def _follow(self, path: Path, now_s: float) -> None:
        """Move to an address that lives, when the one in use does not."""
        used = self._path
        if used is not None and now_s - used.heard_s > SILENCE_S and now_s - path.checked_s < CONSENT_S:
            self._use(path)

    def _use(self, path: Path) -> None:
        if path is self._path:
            return
        logger.debug("the path of a connection is another address now")
        self._path, self.sock, self.address = path, path.mux.sock, path.address
        self._connected.set()

    # ---- the end ----

    @property
    def connected(self) -> bool:
        """Whether a valid check has come, and it is not closed."""
        return self._path is not None

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def expire(self, now_s: float) -> None:
        """Close if nothing valid came for 30 s after connecting."""
        if self._path is not None and now_s - self.heard_s > CONSENT_S:
            logger.info("nothing came over a connection for %.0f s: it is closed", CONSENT_S)
            self.shut()

    def shut(self) -> None:
        """What ``close`` does, at once."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._path = self.sock = self.address = self.on_media = None
        for path in list(self.paths.values()):
            self._forget(path)
        self._received.clear()
        self._connected.set()
        self._arrived.set()
        self._on_closed(self)

    def _refuse_closed(self) -> None:
        if self._closed.is_set():
            raise ConnectionError("the connection is closed")


def _random(length: int) -> str:
    """Letters and digits, about 6 bits each (RFC 8445 5.3 wants 24 bits of name and 128 of password at least)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
