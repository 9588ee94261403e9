"""The only file that touches private names of aiortc and aioice; ``self_test`` says which of them have gone.

aiortc does ICE, DTLS and SDP. Its receivers always decode and its senders always encode, so neither is ever started:
``receive`` and ``send`` are replaced on the instances, and the decrypted packets of the DTLS transport come to us.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

import aioice.ice
import pylibsrtp
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpTransceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtcrtpsender import RTCRtpSender

logger = logging.getLogger(__name__)
PacketHandler = Callable[[bytes], None]
MAX_SOCKET_BACKLOG_BYTES = 1 << 20


def new_connection(ice_servers: list[dict[str, str]]) -> RTCPeerConnection:
    """A connection that bundles everything on one transport and asks no server that is not given."""
    servers = [RTCIceServer(**server) for server in ice_servers]
    return RTCPeerConnection(RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


def use_loopback_when_alone() -> None:
    """On a machine without a network, let ICE offer 127.0.0.1, which aioice leaves out."""
    original = aioice.ice.get_host_addresses
    if getattr(original, "falls_back", False):
        return

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return original(use_ipv4, use_ipv6) or ["127.0.0.1"]

    get_host_addresses.falls_back = True  # type: ignore[attr-defined]
    aioice.ice.get_host_addresses = get_host_addresses


class MediaTransport:
    """The encrypted path of one peer connection: decrypted packets in, packets to encrypt out."""

    def __init__(self, on_rtp: PacketHandler, on_rtcp: PacketHandler) -> None:
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._dtls: RTCDtlsTransport | None = None
        self.packet_errors = 0

    def attach(self, transceiver: RTCRtpTransceiver) -> None:
        """Take over the transport of this transceiver (the same one for all, since they are bundled)."""
        dtls = transceiver.receiver.transport
        if dtls is self._dtls:
            return
        self._dtls = dtls
        dtls._handle_rtp_data = self._handle_rtp_data  # type: ignore[method-assign]
        dtls._handle_rtcp_data = self._handle_rtcp_data  # type: ignore[method-assign]

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self._guarded(self._on_rtp, data)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        self._guarded(self._on_rtcp, data)

    def _guarded(self, handler: PacketHandler, data: bytes) -> None:
        """An exception that left a packet handler would close the whole connection."""
        try:
            handler(data)
        except ValueError as error:
            self.packet_errors += 1
            logger.debug("packet refused: %s", error)
        except Exception:
            self.packet_errors += 1
            logger.exception("packet handler failed")

    def send_rtp(self, data: bytes) -> bool:
        """Encrypt and send at once; False when there is no path or the socket is full."""
        return self._send(data, rtcp=False)

    def send_rtcp(self, data: bytes) -> bool:
        """Like ``send_rtp``, for compound RTCP."""
        return self._send(data, rtcp=True)

    def _send(self, data: bytes, rtcp: bool) -> bool:
        dtls = self._dtls
        if dtls is None or dtls._tx_srtp is None or dtls.state != "connected":
            return False
        pair = dtls.transport._connection._nominated.get(1)
        if pair is None:
            return False
        transport = pair.protocol.transport
        backlog_bytes = getattr(transport, "get_write_buffer_size", int)()
        if transport.is_closing() if hasattr(transport, "is_closing") else False:
            return False
        if backlog_bytes > MAX_SOCKET_BACKLOG_BYTES:
            return False
        try:
            protected = dtls._tx_srtp.protect_rtcp(data) if rtcp else dtls._tx_srtp.protect(data)
        except pylibsrtp.Error as error:
            logger.debug("packet not encrypted: %s", error)
            return False
        transport.sendto(protected, pair.remote_addr)
        return True


def intercept_receiver(
    transceiver: RTCRtpTransceiver, on_parameters: Callable[[RTCRtpReceiveParameters], None]
) -> None:
    """Have ``on_parameters`` called when aiortc would start to decode."""

    async def receive(parameters: RTCRtpReceiveParameters) -> None:
        on_parameters(parameters)

    transceiver.receiver.receive = receive  # type: ignore[method-assign]


def intercept_sender(transceiver: RTCRtpTransceiver, on_parameters: Callable[[RTCRtpSendParameters], None]) -> None:
    """Have ``on_parameters`` called when aiortc would start to encode."""

    async def send(parameters: RTCRtpSendParameters) -> None:
        on_parameters(parameters)

    transceiver.sender.send = send  # type: ignore[method-assign]


def sender_ssrcs(transceiver: RTCRtpTransceiver) -> tuple[int, int]:
    """SSRC and retransmission SSRC that the SDP announces for this transceiver."""
    return transceiver.sender._ssrc, transceiver.sender._rtx_ssrc


def set_stream_id(transceiver: RTCRtpTransceiver, stream_id: str) -> None:
    """The MediaStream that a browser groups by: sound and picture of one id are kept in step, others are not."""
    transceiver.sender._stream_id = stream_id


def self_test() -> list[str]:
    """What has changed in aiortc or aioice that we depend on; empty when all is well."""
    problems = [
        f"{owner.__name__}.{name} is not there, or takes other arguments"
        for owner, name, arguments in (
            (RTCDtlsTransport, "_handle_rtp_data", ["self", "data", "arrival_time_ms"]),
            (RTCDtlsTransport, "_handle_rtcp_data", ["self", "data"]),
            (RTCRtpReceiver, "receive", ["self", "parameters"]),
            (RTCRtpSender, "send", ["self", "parameters"]),
            (aioice.ice, "get_host_addresses", ["use_ipv4", "use_ipv6"]),
        )
        if _arguments(owner, name) != arguments
    ]
    return problems + asyncio.run(_missing_attributes())


def _arguments(owner: Any, name: str) -> list[str] | None:
    function = getattr(owner, name, None)
    return list(inspect.signature(function).parameters) if function else None


async def _missing_attributes() -> list[str]:
    connection = new_connection([])
    transceiver = connection.addTransceiver("video", direction="sendonly")
    dtls = transceiver.receiver.transport
    wanted: list[tuple[Any, str]] = [
        (dtls, "_tx_srtp"),
        (dtls.transport, "_connection"),
        (getattr(dtls.transport, "_connection", None), "_nominated"),
        (transceiver.sender, "_ssrc"),
        (transceiver.sender, "_rtx_ssrc"),
        (transceiver.sender, "_stream_id"),
    ]
    await connection.close()
    return [f"{type(owner).__name__}.{name} is not there" for owner, name in wanted if not hasattr(owner, name)]
