"""A person who receives: notes when each marked packet came, and answers as a browser does: RR, REMB, NACK, PLI."""

import struct
import time
from array import array
from collections.abc import Iterable

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    clamp_packets_lost,
    pack_remb_fci,
)
from forwarding_media import MAGIC, MARK
from forwarding_path import Path
from forwarding_sending import RING

REPORT_S = 1.0
NACK_S, NACK_AGE_S = 0.05, 1.0
MAX_GAP = 256
REMB_GROWTH, REMB_HEADROOM, REMB_EXTRA_BPS = 1.08, 1.5, 10_000  #: as libwebrtc's, while it sees no queue
REPORTED_JITTER = 90  #: 1 ms of a video clock: on a network like this one
OUR_SSRC = 1
HEADER_BYTES = 20  #: REMB is about payloads
_HEAD = struct.Struct("!xBHII")


class Incoming:
    """One SSRC as it arrives: gaps, and the block of the next receiver report."""

    __slots__ = ("base", "highest", "is_video", "last_report", "missing", "prior", "received", "ssrc")

    def __init__(self, ssrc: int, is_video: bool, sequence: int) -> None:
        self.ssrc, self.is_video = ssrc, is_video
        self.base = self.highest = sequence  # extended beyond 16 bits
        self.received = 1
        self.prior = (0, 0)
        self.missing: dict[int, float] = {}  # extended sequence -> missing since
        self.last_report = (0, 0.0)  # of the sender: middle of its NTP time, when it came

    def add(self, sequence: int) -> None:
        """The next packet, most often."""
        step = (sequence - self.highest) & 0xFFFF
        self.received += 1
        if step == 1:
            self.highest += 1
        elif step < 0x8000:
            if self.is_video and 1 < step < MAX_GAP:
                now_s = time.monotonic()
                self.missing.update((self.highest + i, now_s) for i in range(1, step))
            self.highest += step
        else:
            self.missing.pop(self.highest - (-step & 0xFFFF), None)

    def due(self, now_s: float) -> list[int]:
        """What to ask for now; what is too old is given up."""
        self.missing = {number: since_s for number, since_s in self.missing.items() if now_s - since_s < NACK_AGE_S}
        return [number & 0xFFFF for number in self.missing]

    def report(self, now_s: float) -> RtcpReceiverInfo:
        """Since the one before."""
        total = self.highest - self.base + 1
        expected, received = total - self.prior[0], self.received - self.prior[1]
        self.prior = (total, self.received)
        lost = max(expected - received, 0)
        middle, came_s = self.last_report
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=min((lost << 8) // expected, 255) if expected > 0 else 0,
            packets_lost=clamp_packets_lost(total - self.received),
            highest_sequence=self.highest & 0xFFFFFFFF,
            jitter=REPORTED_JITTER,
            lsr=middle,
            dlsr=int((now_s - came_s) * 65536) & 0xFFFFFFFF if middle else 0,
        )


class ReceivingPerson:
    """Person number ``index``; ``arrived_ns`` holds, by source and running number, when a packet came."""

    def __init__(self, index: int, path: Path) -> None:
        self.index = index
        self.path = path
        self.arrived_ns: dict[int, array[int]] = {}
        self.heard_s: dict[int, float] = {}  #: by source: the latest packet
        self.packets = self.unmarked = self.nacked = 0
        self._streams: dict[int, Incoming] = {}
        self._report_s = self._nack_s = time.monotonic()
        self._video_bytes = 0
        self._remb_bps = 0.0
        self._sees_video = False
        path.on_rtp, path.on_rtcp = self._on_rtp, self._on_rtcp

    def _on_rtp(self, data: bytes, at_ns: int) -> None:
        second, sequence, _, ssrc = _HEAD.unpack_from(data)
        stream = self._streams.get(ssrc)
        if stream is not None:
            stream.add(sequence)
            if stream.is_video:
                self._video_bytes += len(data) - HEADER_BYTES
        else:
            self._meet(ssrc, self.path.received_types.get(second & 0x7F, ""), sequence, len(data))
        magic, source, number = MARK.unpack_from(data, len(data) - 8)
        if magic != MAGIC:
            self.unmarked += 1
            return
        self.packets += 1
        try:
            self.arrived_ns[source][number % RING] = at_ns
        except KeyError:
            self.arrived_ns[source] = array("q", bytes(8 * RING))
            self.arrived_ns[source][number % RING] = at_ns
        self.heard_s[source] = at_ns / 1e9

    def _meet(self, ssrc: int, kind: str, sequence: int, size_bytes: int) -> None:
        """The first packet of a stream; a picture cannot begin without a keyframe. Or a retransmission, or padding."""
        if kind in ("video", "rtx"):
            self._video_bytes += size_bytes - HEADER_BYTES
        if kind in ("audio", "video"):
            self._streams[ssrc] = Incoming(ssrc, kind == "video", sequence)
        if kind == "video":
            self.path.send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=OUR_SSRC, media_ssrc=ssrc)))

    def _on_rtcp(self, data: bytes) -> None:
        for packet in RtcpPacket.parse(data):
            if isinstance(packet, RtcpSrPacket) and packet.ssrc in self._streams:
                middle = packet.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
                self._streams[packet.ssrc].last_report = (middle, time.monotonic())

    def tick(self, now_s: float) -> None:
        """Reports and requests that are due."""
        if now_s - self._nack_s >= NACK_S:
            self._nack_s = now_s
            for stream in self._streams.values():
                if stream.missing and (due := stream.due(now_s)):
                    self.nacked += len(due)
                    nack = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=OUR_SSRC, media_ssrc=stream.ssrc, lost=due)
                    self.path.send_rtcp(bytes(nack))
        if self._streams and now_s - self._report_s >= REPORT_S:
            self._report(list(self._streams.values()), now_s)

    def _report(self, streams: list[Incoming], now_s: float) -> None:
        for start in range(0, len(streams), 31):
            blocks = [stream.report(now_s) for stream in streams[start : start + 31]]
            self.path.send_rtcp(bytes(RtcpRrPacket(ssrc=OUR_SSRC, reports=blocks)))
        lasted_s, video_bytes = now_s - self._report_s, self._video_bytes
        self._video_bytes, self._report_s = 0, now_s
        if self._sees_video and video_bytes:
            self._estimate(8 * video_bytes / lasted_s, [stream.ssrc for stream in streams if stream.is_video])
        self._sees_video = self._sees_video or video_bytes > 0  # the first interval began before the picture

    def _estimate(self, incoming_bps: float, ssrcs: list[int]) -> None:
        """As libwebrtc while it sees no queue: what comes in holds the estimate back, but never lowers it."""
        grown_bps = self._remb_bps * REMB_GROWTH or incoming_bps
        limit_bps = REMB_HEADROOM * incoming_bps + REMB_EXTRA_BPS
        self._remb_bps = max(self._remb_bps, min(grown_bps, limit_bps))
        fci = pack_remb_fci(int(self._remb_bps), ssrcs)
        self.path.send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=OUR_SSRC, media_ssrc=0, fci=fci)))

    def lacks(self, sources: Iterable[int], within_s: float = 0.5) -> list[int]:
        """Those of ``sources`` of which nothing came lately."""
        now_s = time.time()  # the clock by which the kernel stamps datagrams
        return [source for source in sources if now_s - self.heard_s.get(source, 0.0) > within_s]
