"""The two peer connections of a person: one carries media in, the other carries everybody else's out."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpTransceiver, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    pack_remb_fci,
)
from aiortc.sdp import candidate_from_sdp

from vmeet_core.manifest import SourceKind
from vmeet_core.sfu import packet as rtp
from vmeet_core.sfu.egress import ABS_SEND_TIME, Egress
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.rtc import (
    MediaTransport,
    intercept_receiver,
    intercept_sender,
    new_connection,
    sender_ssrcs,
    set_stream_id,
)

logger = logging.getLogger(__name__)
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
REPORT_S = 1.0
REPAIR_S = 0.05
MIN_REMB_BPS = 150_000
MAX_REMB_BPS = 4_000_000
CODECS = {"audio": ("audio/opus",), "video": ("video/VP8", "video/H264", "video/rtx")}


class BadDescription(ValueError):
    """The SDP or candidate of a page cannot be used; the text says why."""


class PeerLink:
    """What both connections share: SDP errors in one kind, candidates, state, an end."""

    def __init__(self, ice_servers: list[dict[str, str]]) -> None:
        self.pc: RTCPeerConnection = new_connection(ice_servers)
        self.media = MediaTransport(self._on_rtp, self._on_rtcp)
        self._closed = False

    @property
    def state(self) -> str:
        """connectionState of the W3C: new, connecting, connected, failed or closed."""
        return str(self.pc.connectionState)

    async def add_candidate(self, candidate: str, mid: str | None) -> None:
        """A trickled candidate; an empty one ends them. Raises BadDescription."""
        if not candidate:
            return
        try:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
        except (ValueError, AssertionError, IndexError) as error:
            raise BadDescription(f"the ICE candidate cannot be read: {error}") from error
        parsed.sdpMid = mid
        try:
            await self.pc.addIceCandidate(parsed)
        except (InvalidStateError, ValueError) as error:
            raise BadDescription(f"the ICE candidate cannot be used: {error}") from error

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
        """Twice is harmless."""
        if not self._closed:
            self._closed = True
            await self.pc.close()


class PublishConnection(PeerLink):
    """A person's microphone, camera and screen on their way in; the page offers."""

    def __init__(self, ice_servers: list[dict[str, str]]) -> None:
        super().__init__(ice_servers)
        self.sources: dict[SourceKind, Ingress] = {}
        self.dwell_s: deque[float] = deque(maxlen=4096)  #: from decrypted to sent to all, latest packets
        self._by_ssrc: dict[int, Ingress] = {}
        self._by_mid: dict[bytes, Ingress] = {}
        self._mid_ids: set[int] = set()
        self._estimator = RemoteBitrateEstimator()
        self._remb_bps: int | None = None
        self._timer: asyncio.Task[None] | None = None

    async def negotiate(self, sdp: str, sections: dict[str, SourceKind]) -> str:
        """Answer the page's offer. ``sections`` maps its MIDs to sources. Raises BadDescription."""
        await self._set_remote(sdp, "offer")
        by_mid = {t.mid: t for t in self.pc.getTransceivers()}
        for mid, source in sections.items():
            transceiver = by_mid.get(mid)
            if transceiver is None:
                raise BadDescription(f"the offer has no media section with MID {mid!r}")
            if transceiver.kind != ("audio" if source == "microphone" else "video"):
                raise BadDescription(f"MID {mid!r} carries {transceiver.kind}, which is no {source}")
            self._add_source(transceiver, source)
        for transceiver in by_mid.values():
            self.media.attach(transceiver)
            if transceiver.mid not in sections:
                intercept_receiver(transceiver, lambda _: None)
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        self._timer = self._timer or asyncio.create_task(self._run_timers())
        return str(self.pc.localDescription.sdp)

    def _add_source(self, transceiver: RTCRtpTransceiver, source: SourceKind) -> None:
        if source in self.sources:
            return
        ingress = self.sources[source] = Ingress(source, self.media.send_rtcp)

        def configure(parameters: object) -> None:
            for ssrc in ingress.configure(parameters):  # type: ignore[arg-type]
                self._by_ssrc[ssrc] = ingress
            self._by_mid[str(transceiver.mid).encode()] = ingress
            if MID in ingress.types.extensions:
                self._mid_ids.add(ingress.types.extensions[MID])

        intercept_receiver(transceiver, configure)

    def _on_rtp(self, data: bytes) -> None:
        now_s = time.monotonic()
        packet = rtp.parse(data)
        ingress = self._by_ssrc.get(packet.ssrc) or self._by_its_mid(packet)
        if ingress is None:
            return
        if ingress.is_video:
            self._estimate(packet, ingress, now_s)
        ingress.receive(packet, now_s)
        self.dwell_s.append(time.monotonic() - now_s)

    def _by_its_mid(self, packet: rtp.RtpPacket) -> Ingress | None:
        for number in self._mid_ids:
            ingress = self._by_mid.get(packet.extensions.get(number, b""))
            if ingress is not None:
                self._by_ssrc[packet.ssrc] = ingress
                return ingress
        return None

    def _estimate(self, packet: rtp.RtpPacket, ingress: Ingress, now_s: float) -> None:
        stamp = packet.extensions.get(ingress.types.extensions.get(ABS_SEND_TIME, 0))
        if stamp is None or len(stamp) != 3:
            return
        estimate = self._estimator.add(
            arrival_time_ms=int(now_s * 1000),
            abs_send_time=int.from_bytes(stamp),
            payload_size=len(packet.payload),
            ssrc=packet.ssrc,
        )
        if estimate is not None:
            self._send_remb(*estimate)

    def _send_remb(self, bitrate_bps: int, ssrcs: list[int]) -> None:
        self._remb_bps = min(max(bitrate_bps, MIN_REMB_BPS), MAX_REMB_BPS)
        fci = pack_remb_fci(self._remb_bps, ssrcs[-16:])
        self.media.send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)))

    def _on_rtcp(self, data: bytes) -> None:
        now_s = time.monotonic()
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpSrPacket) and packet.ssrc in self._by_ssrc:
                ingress = self._by_ssrc[packet.ssrc]
                if packet.ssrc == ingress.ssrc:
                    info = packet.sender_info
                    ingress.on_sender_report(info.ntp_timestamp, info.rtp_timestamp, now_s)

    async def _run_timers(self) -> None:
        """Receiver reports every second; repeated NACKs while packets are missing."""
        reported_s = time.monotonic()
        while True:
            await asyncio.sleep(REPAIR_S)
            now_s = time.monotonic()
            for ingress in self.sources.values():
                if ingress.repairing:
                    ingress.ask_for_missing(now_s)
            if now_s - reported_s >= REPORT_S:
                reported_s = now_s
                self._report(now_s)

    def _report(self, now_s: float) -> None:
        reports = [report for ingress in self.sources.values() for report in ingress.reports(now_s)]
        if reports:
            self.media.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=reports)))

    async def close(self) -> None:
        """Stops the timers and lets every listener go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for ingress in self.sources.values():
            ingress.close()
        await super().close()


class SlotPair(NamedTuple):
    """A pair of media sections of the receiving connection: the sound and the picture of one person at a time."""

    audio: Egress
    video: Egress
    audio_transceiver: RTCRtpTransceiver
    video_transceiver: RTCRtpTransceiver

    @property
    def mids(self) -> tuple[str, str]:
        """MIDs of sound and picture; known once an offer was made."""
        return str(self.audio_transceiver.mid), str(self.video_transceiver.mid)


class ReceiveConnection(PeerLink):
    """Everybody else's media on its way to one person: a pool of slots; the server offers.

    ``on_offer`` is called with (sdp, negotiation number) whenever the pool was made or has grown.
    """

    def __init__(self, ice_servers: list[dict[str, str]], on_offer: Callable[[str, int], None]) -> None:
        super().__init__(ice_servers)
        self.slots: list[SlotPair] = []
        self._on_offer = on_offer
        self._by_ssrc: dict[int, Egress] = {}
        self._lock = asyncio.Lock()
        self._negotiation = 0
        self._awaiting = False
        self._wanted = 0

    async def ensure(self, slots: int) -> None:
        """Have at least so many slots, doubling the pool where it is too small."""
        self._wanted = max(self._wanted, slots)
        async with self._lock:
            if self._awaiting or self._closed or len(self.slots) >= self._wanted:
                return
            target = max(4, len(self.slots))
            while target < self._wanted:
                target *= 2
            while len(self.slots) < target:
                self._add_slot()
            await self._offer()

    def _add_slot(self) -> None:
        audio, video = self._add_half("audio"), self._add_half("video")
        self.slots.append(SlotPair(audio[0], video[0], audio[1], video[1]))

    def _add_half(self, kind: str) -> tuple[Egress, RTCRtpTransceiver]:
        transceiver = self.pc.addTransceiver(kind, direction="sendonly")
        capabilities = RTCRtpReceiver.getCapabilities(kind)
        known = capabilities.codecs if capabilities is not None else []
        transceiver.setCodecPreferences([codec for codec in known if codec.mimeType in CODECS[kind]])
        set_stream_id(transceiver, f"slot-{len(self.slots)}")
        self.media.attach(transceiver)
        ssrc, rtx_ssrc = sender_ssrcs(transceiver)
        egress = Egress(ssrc, rtx_ssrc, self.media.send_rtp, self.media.send_rtcp)
        self._by_ssrc[ssrc] = egress
        intercept_sender(transceiver, egress.configure)
        intercept_receiver(transceiver, lambda _: None)
        return egress, transceiver

    async def _offer(self) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self._negotiation += 1
        self._awaiting = True
        self._on_offer(str(self.pc.localDescription.sdp), self._negotiation)

    async def accept(self, sdp: str, negotiation: int) -> None:
        """The page's answer. Raises BadDescription; an answer to an older offer is ignored."""
        async with self._lock:
            if not self._awaiting or negotiation != self._negotiation:
                return
            await self._set_remote(sdp, "answer")
            self._awaiting = False
        await self.ensure(self._wanted)

    def _on_rtcp(self, data: bytes) -> None:
        for packet in RtcpPacket.parse(data):
            for egress in self._addressed(packet):
                egress.on_rtcp(packet)

    def _addressed(self, packet: object) -> list[Egress]:
        if isinstance(packet, RtcpRrPacket):
            return [self._by_ssrc[r.ssrc] for r in packet.reports if r.ssrc in self._by_ssrc]
        if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            return list(self._by_ssrc.values())
        media_ssrc = getattr(packet, "media_ssrc", None)
        return [self._by_ssrc[media_ssrc]] if media_ssrc in self._by_ssrc else []

    async def close(self) -> None:
        """Lets every source go."""
        for egress in self._by_ssrc.values():
            egress.close()
        await super().close()
