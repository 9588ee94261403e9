"""The connection that carries a person's microphone, camera and screen to the server; the page offers."""

import asyncio
import time
from collections import deque
from typing import Literal

from aiortc import RTCRtpTransceiver
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtp import RTCP_PSFB_APP, RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpSrPacket, pack_remb_fci

from vmeet_core.manifest import SourceKind
from vmeet_core.sfu import packet as rtp
from vmeet_core.sfu.egress import ABS_SEND_TIME, MID
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.peer_link import BadDescription, PeerLink
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.rtc import intercept_receiver
from vmeet_core.sfu.sdp import enrich_answer, transport_sequence_id
from vmeet_core.sfu.statistics import SourceReport
from vmeet_core.sfu.transport_feedback import TransportFeedback

TICK_S = 0.05  #: arrival times are told this often
RETRY_TICK_S = 0.02  #: while packets are missing
MEASURE_TICKS = 4
REPORT_TICKS = 20
MIN_REMB_BPS = 150_000
MAX_REMB_BPS = 8_000_000
MAX_SSRCS = 32
HOPEFUL_S, HOPE_EVERY_S, HOPE_BPS = 2.0, 0.3, 2_500_000


class PublishConnection(PeerLink):
    """``sources`` are what the page publishes, ``negotiate`` makes them."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.sources: dict[SourceKind, Ingress] = {}
        self.dwell_s: deque[float] = deque(maxlen=4096)  #: from decrypted to sent to all, latest packets
        self.clock = PublisherClock()
        self._by_ssrc: dict[int, Ingress] = {}
        self._by_mid: dict[bytes, Ingress] = {}
        self._mid_ids: set[int] = set()
        self._transport_sequence_id = 0
        self._feedback = TransportFeedback()
        self._estimator = RemoteBitrateEstimator()
        self._began_s = self._hoped_s = 0.0
        self._timer: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None

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
        self._transport_sequence_id = transport_sequence_id(sdp)
        self._timer = self._timer or asyncio.create_task(self._run_timers())
        return enrich_answer(str(self.pc.localDescription.sdp), sdp)

    def _add_source(self, transceiver: RTCRtpTransceiver, source: SourceKind) -> None:
        if source in self.sources:
            return
        ingress = self.sources[source] = Ingress(source, self.media.send_rtcp, self.clock)

        def configure(parameters: object) -> None:
            for ssrc in ingress.configure(parameters):  # type: ignore[arg-type]
                self._by_ssrc[ssrc] = ingress
            self._by_mid[str(transceiver.mid).encode()] = ingress
            if MID in ingress.types.extensions:
                self._mid_ids.add(ingress.types.extensions[MID])

        intercept_receiver(transceiver, configure)

    def pictures(self, kind: Literal["camera", "screen"]) -> tuple[Ingress, ...]:
        """The sizes in which a picture is published, smallest first; () when it is not."""
        wanted: tuple[SourceKind, ...] = ("camera-small", "camera") if kind == "camera" else ("screen",)
        return tuple(self.sources[source] for source in wanted if source in self.sources)

    # ---- packets ----

    def _on_rtp(self, data: bytes) -> None:
        now_s = time.monotonic()
        packet = rtp.parse(data)
        ingress = self._by_ssrc.get(packet.ssrc) or self._by_its_mid(packet)
        if ingress is None:
            return
        sequence = packet.extensions.get(self._transport_sequence_id)
        if sequence is not None and len(sequence) == 2:
            self._feedback.add(int.from_bytes(sequence), self.media.arrived_s)
        elif ingress.is_video and not self._transport_sequence_id:
            self._estimate(packet, ingress, self.media.arrived_s)
        ingress.receive(packet, now_s)
        if self._retry is None and ingress.repairing:
            self._retry = asyncio.get_running_loop().call_later(RETRY_TICK_S, self._ask_again)
        self.media.departures.time(self.dwell_s, now_s)

    def _by_its_mid(self, packet: rtp.RtpPacket) -> Ingress | None:
        for number in self._mid_ids:
            ingress = self._by_mid.get(packet.extensions.get(number, b""))
            if ingress is not None and len(self._by_ssrc) < MAX_SSRCS:
                self._by_ssrc[packet.ssrc] = ingress
                return ingress
        return None

    def _estimate(self, packet: rtp.RtpPacket, ingress: Ingress, now_s: float) -> None:
        """For publishers without transport-wide sequence numbers. They begin low, grow by 8 % a second, and believe
        more in the first two seconds alone: so they are told of more then.
        """
        stamp = packet.extensions.get(ingress.types.extensions.get(ABS_SEND_TIME, 0))
        if stamp is None or len(stamp) != 3:
            return
        estimate = self._estimator.add(
            arrival_time_ms=int(now_s * 1000),
            abs_send_time=int.from_bytes(stamp),
            payload_size=len(packet.payload),
            ssrc=packet.ssrc,
        )
        self._began_s = self._began_s or now_s
        if estimate is None and now_s - self._began_s < HOPEFUL_S and now_s - self._hoped_s > HOPE_EVERY_S:
            self._hoped_s, estimate = now_s, (0, [packet.ssrc])
        if estimate is not None:
            least_bps = HOPE_BPS if now_s - self._began_s < HOPEFUL_S else MIN_REMB_BPS
            fci = pack_remb_fci(min(max(estimate[0], least_bps), MAX_REMB_BPS), estimate[1][-16:])
            self.media.send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)))

    def _on_rtcp(self, data: bytes) -> None:
        now_s = time.monotonic()
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpSrPacket) and packet.ssrc in self._by_ssrc:
                ingress = self._by_ssrc[packet.ssrc]
                if packet.ssrc == ingress.ssrc:
                    info = packet.sender_info
                    ingress.on_sender_report(info.ntp_timestamp, info.rtp_timestamp, now_s)

    # ---- timers ----

    def _ask_again(self) -> None:
        """Repeat NACKs until nothing is missing any more."""
        self._retry = None
        repairing = [ingress for ingress in self.sources.values() if ingress.repairing]
        if repairing and not self.is_closing:
            now_s = time.monotonic()
            for ingress in repairing:
                ingress.ask_for_missing(now_s)
            self._retry = asyncio.get_running_loop().call_later(RETRY_TICK_S, self._ask_again)

    async def _run_timers(self) -> None:
        """Arrival times many times a second, receiver reports every second."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            now_s = time.monotonic()
            self._tell_arrivals()
            if ticks % MEASURE_TICKS == 0:
                for ingress in self.sources.values():
                    ingress.measure(now_s)
            if ticks % REPORT_TICKS == 0:
                self._report(now_s)

    def _tell_arrivals(self) -> None:
        media_ssrc = max((ingress.ssrc or 0 for ingress in self.sources.values()), default=0)
        feedback = self._feedback.take(media_ssrc)
        if feedback is not None:
            self.media.send_rtcp(feedback)

    def _report(self, now_s: float) -> None:
        reports = [report for ingress in self.sources.values() for report in ingress.reports(now_s)]
        if reports:
            self.media.send_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=reports)))

    def reports(self) -> list[SourceReport]:
        """How each source arrives."""
        return [ingress.report() for ingress in self.sources.values() if ingress.heard_s > 0]

    async def close(self) -> None:
        """Stops the timers and lets every listener go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        for ingress in self.sources.values():
            ingress.close()
        await super().close()
