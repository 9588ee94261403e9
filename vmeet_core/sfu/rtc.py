"""The only file that touches private names of aiortc and aioice; ``self_test`` says which of them have gone.

aiortc does DTLS and SDP; our ICE-lite stands in the place of its ICE. Its receivers always decode and its senders
always encode, so neither is ever started: ``receive`` and ``send`` are replaced on the instances.
"""

import asyncio
import inspect
import re
from collections.abc import Callable
from typing import Any

import aioice.ice
import pylibsrtp
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
    rtcicetransport,
    rtcpeerconnection,
)
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_PROFILES, RTCDtlsTransport, State
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceParameters
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtcrtpsender import RTCRtpSender
from pylibsrtp import _binding

from vmeet_core.sfu.ice import IceLite


class LiteConnection(RTCPeerConnection):
    """A peer connection that is ICE-lite, with ``make_ice()`` in the place of aiortc's own ICE.

    Everything is bundled on one transport. It is the DTLS server wherever the other side lets it choose: the server
    picks the SRTP profile, and AES-128-GCM costs less than AES-CM with SHA-1, which Chromium would pick.
    """

    def __init__(self, make_ice: Callable[[], IceLite]) -> None:
        super().__init__(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._make_ice = make_ice

    def _RTCPeerConnection__createDtlsTransport(self) -> RTCDtlsTransport:  # noqa: N802
        dtls: RTCDtlsTransport = super()._RTCPeerConnection__createDtlsTransport()  # type: ignore[misc]
        ice = self._make_ice()
        transport, gatherer = dtls.transport, dtls.transport.iceGatherer
        gatherer._connection = transport._connection = ice  # type: ignore[assignment]
        transport._recv, transport._send = ice.recv, ice.send
        parameters = RTCIceParameters(ice.local_username, ice.local_password, iceLite=True)
        gatherer.getLocalParameters = lambda: parameters  # type: ignore[method-assign]
        dtls._srtp_profiles = sorted(SRTP_PROFILES, key=lambda profile: profile is not SRTP_AEAD_AES_128_GCM)
        dtls._set_role("server")
        return dtls

    def _RTCPeerConnection__createTransceiver(self, *args: Any, **kwargs: Any) -> RTCRtpTransceiver:  # noqa: N802
        """Without aiortc's estimate of the bandwidth, which nobody asks for: 1000 objects for every picture."""
        created = super()._RTCPeerConnection__createTransceiver(*args, **kwargs)  # type: ignore[misc]
        transceiver: RTCRtpTransceiver = created
        transceiver.receiver._RTCRtpReceiver__remote_bitrate_estimator = None  # type: ignore[attr-defined]
        return transceiver

    async def setRemoteDescription(self, sessionDescription: RTCSessionDescription) -> None:  # noqa: N802, N803
        """As in aiortc; an offer that insists on being the DTLS server gets its way."""
        await super().setRemoteDescription(sessionDescription)
        if sessionDescription.type == "offer" and re.search(r"^a=setup:passive\s*$", sessionDescription.sdp, re.M):
            for transceiver in self.getTransceivers():
                dtls_of(transceiver)._set_role("client")


def dtls_of(transceiver: RTCRtpTransceiver) -> RTCDtlsTransport:
    """The transport of this transceiver; one for all of a connection, since they are bundled."""
    return transceiver.receiver.transport


def ice_of(transceiver: RTCRtpTransceiver) -> IceLite:
    """The ICE side of a connection. Raises TypeError for one that came from no ``Network``."""
    ice = dtls_of(transceiver).transport._connection
    if not isinstance(ice, IceLite):
        raise TypeError("this connection does not go through a Network")
    return ice


def is_connected(dtls: RTCDtlsTransport) -> bool:
    """Whether the DTLS handshake is done and the connection still open."""
    return dtls._state is State.CONNECTED


def srtp_sessions(dtls: RTCDtlsTransport) -> tuple[pylibsrtp.Session, pylibsrtp.Session] | None:
    """The SRTP sessions to receive and to send with; None before the handshake is done."""
    if dtls._rx_srtp is None or dtls._tx_srtp is None:
        return None
    return dtls._rx_srtp, dtls._tx_srtp


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
    """What has changed in aiortc, aioice or pylibsrtp that we depend on; empty when all is well."""
    problems = [
        f"{owner.__name__}.{name} is not there, or takes other arguments"
        for owner, name, arguments in (
            (RTCPeerConnection, "_RTCPeerConnection__createDtlsTransport", ["self"]),
            (
                RTCPeerConnection,
                "_RTCPeerConnection__createTransceiver",
                ["self", "direction", "kind", "sender_track"],
            ),
            (RTCIceGatherer, "getLocalParameters", ["self"]),
            (RTCDtlsTransport, "_set_role", ["self", "role"]),
            (RTCRtpReceiver, "receive", ["self", "parameters"]),
            (RTCRtpSender, "send", ["self", "parameters"]),
            (aioice.ice, "get_host_addresses", ["use_ipv4", "use_ipv6"]),
        )
        if _arguments(owner, name) != arguments
    ]
    return problems or asyncio.run(_missing_attributes())


def _arguments(owner: Any, name: str) -> list[str] | None:
    function = getattr(owner, name, None)
    return list(inspect.signature(function).parameters) if function else None


async def _missing_attributes() -> list[str]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver("video", direction="sendonly")
    dtls = transceiver.receiver.transport
    wanted: list[tuple[Any, str]] = [
        *((dtls, name) for name in ("_state", "_rx_srtp", "_tx_srtp", "_srtp_profiles")),
        *((dtls.transport, name) for name in ("_connection", "_recv", "_send")),
        (dtls.transport.iceGatherer, "_connection"),
        (transceiver.receiver, "_RTCRtpReceiver__remote_bitrate_estimator"),
        *((transceiver.sender, name) for name in ("_ssrc", "_rtx_ssrc", "_stream_id")),
        (pylibsrtp.Session(), "_srtp"),
        (_binding, "ffi"),
        *((_binding.lib, f"srtp_{verb}protect{kind}") for verb in ("", "un") for kind in ("", "_rtcp")),
        *((IceLite((), lambda ice: None), name) for name in _asked_of_ice()),
    ]
    await connection.close()
    return [f"{_name(owner)}.{name} is not there" for owner, name in wanted if not hasattr(owner, name)]


def _name(owner: Any) -> str:
    return str(getattr(owner, "__name__", type(owner).__name__))


def _asked_of_ice() -> list[str]:
    """Everything that aiortc uses of the object that our ICE stands in for."""
    sources = (inspect.getsource(module) for module in (rtcicetransport, rtcpeerconnection))
    return sorted({name for source in sources for name in re.findall(r"\b_connection\.(\w+)", source)})
