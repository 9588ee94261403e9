"""One peer connection of the load generator: aiortc negotiates, then its socket and its SRTP sessions are ours.

aiortc would decode and encode, and would cost more than the servers that are measured. So its senders and receivers
are never started, and once ICE and DTLS are done the socket is read here. STUN and DTLS go on to aiortc, which keeps
up the consent of RFC 7675. The private names of aiortc and aioice that this takes are used in this file only.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import aioice.ice
import pylibsrtp
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.rtcdtlstransport import SRTP_AES128_CM_SHA1_80

SO_TIMESTAMPNS = 35  #: Linux: the kernel notes when a datagram came; Python 3.11 does not know the name
SO_RCVBUFFORCE = 33  #: Linux: beyond what the system allows to others than root
_TIMESPEC = struct.Struct("@qq")
_MAX_DATAGRAM_BYTES = 2048
_RECEIVE_BUFFER_BYTES = 8 << 20
_CONNECT_S = 20.0

OnRtp = Callable[[bytes, int], None]  #: decrypted packet, CLOCK_REALTIME of its arrival in ns
OnRtcp = Callable[[bytes], None]


def gather_only(address: str) -> None:
    """Let ICE offer this address alone: every packet takes the path that is measured."""

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return [address]

    aioice.ice.get_host_addresses = get_host_addresses


def _enlarge(own: socket.socket) -> None:
    """Room for what comes while the generator is busy; the servers' own sockets are left as they are."""
    try:
        own.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
    except OSError:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)


class Coding(NamedTuple):
    """What was negotiated for one media section."""

    kind: str
    payload_type: int
    rtx_payload_type: int | None
    extensions: dict[str, int]
    ssrc: int
    rtx_ssrc: int


def _coding(transceiver: RTCRtpTransceiver, parameters: Any) -> Coding:
    codec = next(c for c in parameters.codecs if c.name.lower() in ("opus", "vp8"))
    rtx = [c.payloadType for c in parameters.codecs if c.parameters.get("apt") == codec.payloadType]
    extensions = {e.uri.rpartition(":")[2].rpartition("/")[2]: e.id for e in parameters.headerExtensions}
    sender = transceiver.sender
    return Coding(
        transceiver.kind, codec.payloadType, rtx[0] if rtx else None, extensions, sender._ssrc, sender._rtx_ssrc
    )


class Path:
    """Encrypted packets to and from a server. Give ``on_rtp`` and ``on_rtcp`` before packets come."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.on_rtp: OnRtp = lambda data, at_ns: None
        self.on_rtcp: OnRtcp = lambda data: None
        self.sending: dict[str, Coding] = {}  #: by kind, once connected
        self.received_types: dict[int, str] = {}  #: payload types that may come: "audio", "video" or "rtx"
        self.socket: socket.socket | None = None
        self.refused = 0  #: packets that could not be decrypted
        self.unsent = 0  #: packets that the socket did not take
        self._buffer = bytearray(_MAX_DATAGRAM_BYTES)
        self._connected = asyncio.Event()
        self.pc.on("connectionstatechange", self._on_state)

    # ---- negotiation ----

    async def offer(self, direction: str = "sendonly") -> str:
        """SDP that offers a microphone and a camera, or ("recvonly") to receive them."""
        for kind in ("audio", "video"):
            self.pc.addTransceiver(kind, direction=direction)
        return await self._describe(await self.pc.createOffer())

    async def accept(self, sdp: str) -> None:
        """The server's answer; returns when media can be sent. Raises TimeoutError."""
        self._prepare()
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await self.connected()

    async def answer(self, sdp: str) -> str:
        """The answer to the server's offer, which may be one of several."""
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        return await self._describe(await self.pc.createAnswer())

    async def _describe(self, description: RTCSessionDescription) -> str:
        self._prepare()
        await self.pc.setLocalDescription(description)
        return str(self.pc.localDescription.sdp)

    def mids(self) -> dict[str, str]:
        """The MID of each kind of an offer."""
        return {transceiver.kind: str(transceiver.mid) for transceiver in self.pc.getTransceivers()}

    def _prepare(self) -> None:
        """Nothing is encoded or decoded, and the cipher is the one that browsers come to with aiortc."""
        for transceiver in self.pc.getTransceivers():

            async def send(parameters: Any, transceiver: RTCRtpTransceiver = transceiver) -> None:
                self.sending[transceiver.kind] = _coding(transceiver, parameters)

            async def receive(parameters: Any, transceiver: RTCRtpTransceiver = transceiver) -> None:
                for codec in parameters.codecs:
                    is_rtx = codec.name.lower() == "rtx"
                    self.received_types[codec.payloadType] = "rtx" if is_rtx else transceiver.kind

            transceiver.sender.send = send
            transceiver.receiver.receive = receive
            transceiver.receiver.transport._srtp_profiles = [SRTP_AES128_CM_SHA1_80]

    async def connected(self) -> None:
        """Wait for ICE and DTLS. Raises TimeoutError."""
        async with asyncio.timeout(_CONNECT_S):
            await self._connected.wait()

    async def _on_state(self) -> None:
        if self.pc.connectionState == "connected" and self.socket is None:
            self._take_over()
            self._connected.set()

    # ---- media ----

    def _take_over(self) -> None:
        dtls = self.pc.getTransceivers()[0].receiver.transport
        pair = dtls.transport._connection._nominated[1]
        transport = pair.protocol.transport
        descriptor = transport.get_extra_info("socket").fileno()
        asyncio.get_running_loop()._remove_reader(descriptor)  # type: ignore[attr-defined]
        own = socket.socket(fileno=os.dup(descriptor))
        own.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        _enlarge(own)
        self._address = pair.remote_addr
        self._protect, self._protect_rtcp = dtls._tx_srtp.protect, dtls._tx_srtp.protect_rtcp
        self._unprotect, self._unprotect_rtcp = dtls._rx_srtp.unprotect, dtls._rx_srtp.unprotect_rtcp
        self._pass_on = pair.protocol.datagram_received
        self.socket = own

    def protect(self, data: bytes) -> bytes:
        """Encrypt an RTP packet, to be sent at once."""
        protected: bytes = self._protect(data)
        return protected

    def send(self, protected: bytes) -> None:
        """A datagram that is encrypted already."""
        assert self.socket is not None
        try:
            self.socket.sendto(protected, self._address)
        except BlockingIOError:
            self.unsent += 1

    def send_rtcp(self, data: bytes) -> None:
        """Encrypt and send a compound RTCP packet."""
        self.send(self._protect_rtcp(data))

    def drain(self) -> None:
        """Handle everything that has come."""
        assert self.socket is not None
        receive, buffer = self.socket.recvmsg_into, self._buffer
        while True:
            try:
                size, ancillary, _, address = receive([buffer], 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
            self._dispatch(bytes(buffer[:size]), seconds * 1_000_000_000 + nanoseconds, address)

    def _dispatch(self, data: bytes, at_ns: int, address: tuple[str, int]) -> None:
        if not 128 <= data[0] <= 191:
            self._pass_on(data, address)
            return
        try:
            if 192 <= data[1] <= 223:
                self.on_rtcp(self._unprotect_rtcp(data))
            else:
                self.on_rtp(self._unprotect(data), at_ns)
        except pylibsrtp.Error:
            self.refused += 1

    async def close(self) -> None:
        """Twice is harmless."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
        await self.pc.close()
