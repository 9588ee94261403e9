"""What the connections of a person share: SDP errors of one kind, candidates, state, an end."""

import asyncio

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.sdp import candidate_from_sdp

from vmeet_core.sfu.media_transport import MediaTransport
from vmeet_core.sfu.network import Network


class BadDescription(ValueError):
    """The SDP or candidate of a page cannot be used; the text says why."""


class PeerLink:
    """A peer connection through ``network`` whose packets come to us."""

    def __init__(self, network: Network) -> None:
        self.pc: RTCPeerConnection = network.new_connection()
        self.media = MediaTransport(self._on_rtp, self._on_rtcp)
        self._closing: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """connectionState of the W3C: new, connecting, connected, failed or closed."""
        return str(self.pc.connectionState)

    @property
    def is_closing(self) -> bool:
        """Whether ``close`` was called."""
        return self._closing is not None

    async def add_candidate(self, candidate: str, mid: str | None) -> None:
        """A trickled candidate; an empty one ends them. Raises BadDescription.

        It is only looked at for its form: an ICE-lite agent learns addresses from the checks that come.
        """
        if not candidate:
            return
        try:
            candidate_from_sdp(candidate.removeprefix("candidate:"))
        except (ValueError, AssertionError, IndexError) as error:
            raise BadDescription(f"the ICE candidate cannot be read: {error}") from error

    async def _set_remote(self, sdp: str, kind: str) -> None:
        try:
            await self.pc.setRemoteDescription(RTCSessionDescription(sdp=sdp, type=kind))
        except (ValueError, AssertionError, IndexError, KeyError, AttributeError, TypeError) as error:
            raise BadDescription(f"the {kind} cannot be read as SDP: {error}") from error
        except (InvalidStateError, InvalidAccessError, OperationError) as error:
            raise BadDescription(f"the {kind} cannot be used: {error}") from error

    def _on_rtp(self, data: bytes) -> None:
        """A decrypted RTP packet."""

    def _on_rtcp(self, data: bytes) -> None:
        """A decrypted compound RTCP packet."""

    async def close(self) -> None:
        """Twice is harmless. It ends even when whoever waits for it is cancelled.

        aiortc's own close would stop in the middle then and leave its transports open, or, where aiortc has begun to
        close by itself since the other side did, would take that cancellation for everybody who closes later.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self.pc.close()
        self.media.close()
