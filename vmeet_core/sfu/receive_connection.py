"""The connection that carries everybody else's media to one person: a pool of slots; the server offers."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiortc import RTCRtpReceiver, RTCRtpTransceiver
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    unpack_remb_fci,
)

from vmeet_core.sfu.adaptation import Adaptation
from vmeet_core.sfu.egress import Egress
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.packet import NTP_OFFSET_S
from vmeet_core.sfu.peer_link import PeerLink
from vmeet_core.sfu.rtc import intercept_receiver, intercept_sender, sender_ssrcs, set_stream_id
from vmeet_core.sfu.sdp import enrich_offer, transport_sequence_id
from vmeet_core.sfu.sent_packets import Delivery
from vmeet_core.sfu.statistics import LinkReport
from vmeet_core.sfu.transport_feedback import read_feedback

TICK_S = 0.2
MIN_PAIRS = 4
FEEDBACK_FMT = 15  #: of transport-wide feedback among the RTPFB messages
REPORT_TICKS = 5
REPORTS_A_PACKET = 31  #: sender reports in one datagram
MIN_REPAIR_BYTES = 5_000  #: retransmitted in a tick at least, and at most REPAIR_SHARE of what the way carries
REPAIR_SHARE = 0.3
CODECS = {"audio": ("audio/opus",), "video": ("video/VP8", "video/H264", "video/rtx")}


class SlotPair(NamedTuple):
    """The sound and the picture of one person at a time."""

    audio: Egress
    video: Egress
    audio_transceiver: RTCRtpTransceiver
    video_transceiver: RTCRtpTransceiver

    @property
    def mids(self) -> tuple[str, str]:
        """MIDs of sound and picture; known once an offer was made."""
        return str(self.audio_transceiver.mid), str(self.video_transceiver.mid)


class ScreenSlot(NamedTuple):
    """A picture alone: somebody's screen."""

    video: Egress
    transceiver: RTCRtpTransceiver

    @property
    def mid(self) -> str:
        """Known once an offer was made."""
        return str(self.transceiver.mid)


class ReceiveConnection(PeerLink):
    """``on_offer`` is called with (sdp, negotiation number) whenever the pool was made or has grown; ``on_paused``
    when a picture was paused or goes on.
    """

    def __init__(
        self, network: Network, on_offer: Callable[[str, int], None], on_paused: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(network)
        self.pairs: list[SlotPair] = []
        self.screens: list[ScreenSlot] = []
        self._on_offer = on_offer
        self._on_paused = on_paused
        self._by_ssrc: dict[int, Egress] = {}
        self._by_rtx_ssrc: dict[int, Egress] = {}
        self._sounds: list[Egress] = []
        self._pictures: list[Egress] = []
        self._adaptation = Adaptation(self._sounds, self._pictures)
        self._lock = asyncio.Lock()
        self._negotiation = 0
        self._awaiting = False
        self._wanted = (0, 0)
        self._repaired_bytes = 0
        self._paused: list[bool] = []
        self._choosing: asyncio.Handle | None = None
        self._timer: asyncio.Task[None] | None = None

    # ---- the pool ----

    async def ensure(self, pairs: int, screens: int = 0) -> None:
        """Have at least so many slots, and no fewer than four pairs."""
        self._wanted = max(self._wanted[0], pairs), max(self._wanted[1], screens)
        async with self._lock:
            enough = len(self.pairs) >= self._wanted[0] and len(self.screens) >= self._wanted[1]
            if self._awaiting or self.is_closing or enough:
                return
            while len(self.pairs) < max(MIN_PAIRS, self._wanted[0]):
                self._add_pair()
            while len(self.screens) < self._wanted[1]:
                self._add_screen()
            await self._offer()

    def _add_pair(self) -> None:
        stream_id = f"slot-{len(self.pairs)}"
        audio, video = self._add_half("audio", stream_id), self._add_half("video", stream_id)
        self.pairs.append(SlotPair(audio[0], video[0], audio[1], video[1]))

    def _add_screen(self) -> None:
        self.screens.append(ScreenSlot(*self._add_half("video", f"screen-{len(self.screens)}")))

    def _add_half(self, kind: str, stream_id: str) -> tuple[Egress, RTCRtpTransceiver]:
        transceiver = self.pc.addTransceiver(kind, direction="sendonly")
        capabilities = RTCRtpReceiver.getCapabilities(kind)
        known = capabilities.codecs if capabilities is not None else []
        transceiver.setCodecPreferences([codec for codec in known if codec.mimeType in CODECS[kind]])
        set_stream_id(transceiver, stream_id)
        self.media.attach(transceiver)
        ssrc, rtx_ssrc = sender_ssrcs(transceiver)
        egress = Egress(ssrc, rtx_ssrc, self.media, self.choose_soon)
        self._by_ssrc[ssrc] = egress
        self._by_rtx_ssrc[rtx_ssrc] = egress
        (self._sounds if kind == "audio" else self._pictures).append(egress)
        intercept_sender(transceiver, egress.configure)
        intercept_receiver(transceiver, lambda _: None)
        return egress, transceiver

    async def _offer(self) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self._negotiation += 1
        self._awaiting = True
        self._timer = self._timer or asyncio.create_task(self._run_timers())
        self._on_offer(enrich_offer(str(self.pc.localDescription.sdp)), self._negotiation)

    async def accept(self, sdp: str, negotiation: int) -> None:
        """The page's answer. Raises BadDescription; an answer to an older offer is ignored."""
        async with self._lock:
            if not self._awaiting or negotiation != self._negotiation:
                return
            for egress in self._pictures:
                egress.transport_sequence = transport_sequence_id(sdp)
            await self._set_remote(sdp, "answer")
            self._awaiting = False
        await self.ensure(*self._wanted)

    # ---- feedback ----

    def _on_rtcp(self, data: bytes) -> None:
        now_s = time.monotonic()
        rest = self._take_reports(data, now_s)
        for packet in RtcpPacket.parse(rest) if rest else ():
            if isinstance(packet, RtcpRrPacket):
                self._on_reports(packet, now_s)
            elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
                self._repair(packet, now_s)
            elif isinstance(packet, RtcpPsfbPacket):
                self._on_payload_feedback(packet, now_s)

    def _take_reports(self, data: bytes, now_s: float) -> bytes:
        """Read the reports on every packet, which aiortc would take for NACKs; returns the rest of the datagram."""
        rest, position = b"", 0
        while position + 4 <= len(data):
            end = position + 4 + 4 * int.from_bytes(data[position + 2 : position + 4])
            block = data[position:end]
            if block[0] & 0x1F == FEEDBACK_FMT and block[1] == RTCP_RTPFB:
                deliveries = self.media.sent.match(read_feedback(block))
                if self._adaptation.on_deliveries(deliveries, now_s):
                    self.choose_soon()
                self._repair_lost(deliveries, now_s)
                self._repair_lost([each for each in self.media.sent.untold if each.ssrc in self._by_rtx_ssrc], now_s)
            else:
                rest += block
            position = end
        return rest

    def _repair_lost(self, deliveries: Sequence[Delivery], now_s: float) -> None:
        for delivery in deliveries:
            if delivery.arrived_s is None and self._repaired_bytes < self._repair_limit_bytes:
                egress = self._by_ssrc.get(delivery.ssrc) or self._by_rtx_ssrc.get(delivery.ssrc)
                if egress is not None:
                    self._repaired_bytes += egress.repair(delivery.ssrc, delivery.sequence, now_s)

    @property
    def _repair_limit_bytes(self) -> float:
        """How much may be sent again until the next tick."""
        return max(MIN_REPAIR_BYTES, self._adaptation.budget_bps * REPAIR_SHARE * TICK_S / 8)

    def _on_reports(self, packet: RtcpRrPacket, now_s: float) -> None:
        for report in packet.reports:
            egress = self._by_ssrc.get(report.ssrc)
            if egress is not None:
                egress.on_receiver_report(report)
        self._adaptation.on_reports(packet.reports, now_s)

    def _repair(self, packet: RtcpRtpfbPacket, now_s: float) -> None:
        egress = self._by_ssrc.get(packet.media_ssrc)
        for sequence in packet.lost if egress is not None else ():
            if self._repaired_bytes < self._repair_limit_bytes and egress is not None:
                self._repaired_bytes += egress.retransmit(sequence, now_s)

    def _on_payload_feedback(self, packet: RtcpPsfbPacket, now_s: float) -> None:
        if packet.fmt == RTCP_PSFB_APP:
            self._adaptation.on_remb(unpack_remb_fci(packet.fci)[0], now_s)
            return
        ssrc = packet.media_ssrc
        if packet.fmt == RTCP_PSFB_FIR and len(packet.fci) >= 4:  # names the stream inside (RFC 5104, section 4.3.1)
            ssrc = int.from_bytes(packet.fci[:4])
        egress = self._by_ssrc.get(ssrc)
        if egress is not None and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            egress.request_keyframe()

    # ---- timers ----

    async def _run_timers(self) -> None:
        """Choices five times a second, sender reports every second."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            now_s = time.monotonic()
            self._repaired_bytes = 0
            self._choose(now_s)
            if ticks % REPORT_TICKS == 0:
                self._report()

    def choose_soon(self) -> None:
        """Choose layers anew, once, after what is going on now."""
        if self._choosing is None and not self.is_closing:
            self._choosing = asyncio.get_running_loop().call_soon(self._choose_now)

    def _choose_now(self) -> None:
        self._choosing = None
        if not self.is_closing:
            self._choose(time.monotonic(), changed=True)

    def _choose(self, now_s: float, changed: bool = False) -> None:
        self._adaptation.tick(now_s, changed)
        paused = [egress.paused for egress in self._pictures]
        if paused != self._paused:
            self._paused = paused
            self._on_paused()

    def _report(self) -> None:
        ntp_s = time.time() + NTP_OFFSET_S
        reports = [report for egress in self._by_ssrc.values() if (report := egress.make_report(ntp_s)) is not None]
        for start in range(0, len(reports), REPORTS_A_PACKET):
            self.media.send_rtcp(b"".join(bytes(report) for report in reports[start : start + REPORTS_A_PACKET]))

    def report(self) -> LinkReport:
        """How the way to this person does."""
        return self._adaptation.report()

    async def close(self) -> None:
        """Lets every source go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._choosing is not None:
            self._choosing.cancel()
            self._choosing = None
        for egress in self._by_ssrc.values():
            egress.close()
        self._adaptation.close()
        await super().close()
