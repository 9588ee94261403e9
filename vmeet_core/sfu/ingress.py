"""One source of one person as it arrives: repaired, counted, and handed to those who listen."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRtpfbPacket

from vmeet_core.manifest import SourceKind
from vmeet_core.media.encoded import CLOCK_HZ
from vmeet_core.sfu import h264
from vmeet_core.sfu.codecs import CodecName, vp8_height_px
from vmeet_core.sfu.nack import MissingPackets
from vmeet_core.sfu.packet import RtpPacket, sequence_newer, unwrap_rtx
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.source import RING_PACKETS, Source
from vmeet_core.sfu.statistics import ReceptionStatistics, SourceReport

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
OLD_S = 5.0  #: after a longer gap a number may as well be of the next round
KEYFRAME_INTERVAL_S = 0.5  #: requests to a publisher are merged within this time


@dataclass
class PayloadTypes:
    """What the negotiated payload types mean."""

    codecs: dict[int, CodecName] = field(default_factory=dict)
    rtx_of: dict[int, int] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_parameters(cls, parameters: RTCRtpReceiveParameters) -> "PayloadTypes":
        """Codecs that we do not carry are left out: their packets are dropped."""
        types = cls(extensions={e.uri: e.id for e in parameters.headerExtensions})
        for codec in parameters.codecs:
            name, apt = codec.name.lower(), codec.parameters.get("apt")
            number = int(codec.payloadType or 0)
            if name in CLOCK_HZ:
                types.codecs[number] = name
            elif name == "rtx" and isinstance(apt, int):
                types.rtx_of[number] = apt
        return types


class Ingress(Source):
    """A publisher's microphone, camera or screen.

    ``send_rtcp`` carries feedback back to the publisher. While ``muted``, nothing reaches a listener.
    """

    def __init__(self, source: SourceKind, send_rtcp: Callable[[bytes], bool], clock: PublisherClock) -> None:
        super().__init__(source, clock)
        self.rtx_ssrc: int | None = None
        self.types = PayloadTypes()
        self.packets_received = 0
        self.bytes_received = 0
        self.on_level: Callable[[int, float], None] | None = None  #: (level in -dBov, time), by RFC 6464
        self._send_rtcp = send_rtcp
        self._missing = MissingPackets()
        self._statistics: ReceptionStatistics | None = None
        self._keyframe_asked_s = -KEYFRAME_INTERVAL_S
        self._level_id = 0
        self._picture_id = 0

    def configure(self, parameters: RTCRtpReceiveParameters) -> list[int]:
        """Take what was negotiated; returns the SSRCs by which packets will be known (none: by MID)."""
        self.types = PayloadTypes.from_parameters(parameters)
        self._level_id = self.types.extensions.get(AUDIO_LEVEL, 0)
        for encoding in parameters.encodings:
            self.ssrc = encoding.ssrc
            if encoding.rtx:
                self.rtx_ssrc = encoding.rtx.ssrc
        return [ssrc for ssrc in (self.ssrc, self.rtx_ssrc) if ssrc is not None]

    def receive(self, packet: RtpPacket, now_s: float) -> None:
        """A packet of this source, or the retransmission of one."""
        codec = self.types.codecs.get(packet.payload_type)
        if codec is not None:
            self._count(packet, codec, now_s)
        else:
            original_type = self.types.rtx_of.get(packet.payload_type)
            if original_type is None or self.ssrc is None:
                return
            unwrapped = unwrap_rtx(packet, original_type, self.ssrc)
            codec = self.types.codecs.get(original_type)
            if unwrapped is None or codec is None:
                return
            packet = unwrapped
        self._accept(packet, codec, now_s)

    def _count(self, packet: RtpPacket, codec: CodecName, now_s: float) -> None:
        statistics = self._statistics
        if statistics is None or packet.ssrc != self.ssrc:
            if statistics is not None:
                self._interrupt()
            self.ssrc = packet.ssrc
            self.keyframe_sequence = None
            self._missing = MissingPackets()
            self._ring = [None] * RING_PACKETS
            statistics = self._statistics = ReceptionStatistics(packet.ssrc, CLOCK_HZ[codec])
        statistics.add(packet.sequence, packet.timestamp, len(packet.payload), now_s)

    def _accept(self, packet: RtpPacket, codec: CodecName, now_s: float) -> None:
        known = self._ring[packet.sequence % RING_PACKETS]
        if (
            known is not None
            and not sequence_newer(packet.sequence, known.sequence)
            and now_s - known.arrived_s < OLD_S
        ):
            return  # here already, or too old to have a place in the ring
        self.heard_s = now_s
        self.packets_received += 1
        self.bytes_received += len(packet.payload)
        if self.is_video and self._missing.add(packet.sequence, now_s):
            self.ask_for_missing(now_s)
        if self.muted:
            return
        packet.prepare(self, codec, now_s)
        if packet.picture_id >= 0 and not packet.picture_id_wide:
            self._widen_picture_id(packet)
        if packet.keyframe and self.is_video:
            self._begin_keyframe(packet)
        if self._level_id and self.on_level is not None:
            self._tell_level(packet, now_s)
        self._hand_on(packet)

    def _widen_picture_id(self, packet: RtpPacket) -> None:
        """Count a 7-bit picture id on to 15 bits: the nearest to the one before."""
        step = ((packet.picture_id - self._picture_id + 64) & 0x7F) - 64
        packet.picture_id = self._picture_id + step & 0x7FFF
        if step > 0:
            self._picture_id = packet.picture_id

    def _begin_keyframe(self, packet: RtpPacket) -> None:
        self._note_keyframe(packet)
        if packet.codec == "vp8":
            self.height_px = vp8_height_px(packet.payload)
        elif (size := h264.picture_size(packet.payload)) is not None:
            self.height_px = size.height_px

    def _tell_level(self, packet: RtpPacket, now_s: float) -> None:
        level = packet.extensions.get(self._level_id)
        if level and self.on_level is not None:
            self.on_level(level[0] & 0x7F, now_s)

    def level_of(self, packet: RtpPacket) -> bytes | None:
        """The audio-level extension of one of its packets, as it came (RFC 6464)."""
        return packet.extensions.get(self._level_id) if self._level_id else None

    # ---- repair ----

    def ask_for_missing(self, now_s: float) -> None:
        """Send a NACK for what is due; called at every gap and by the connection's timer."""
        due = self._missing.due(now_s)
        if due and self.ssrc is not None:
            self._send_rtcp(bytes(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=self.ssrc, lost=sorted(due))))

    @property
    def repairing(self) -> bool:
        """Whether packets are missing that may still come."""
        return len(self._missing) > 0

    def request_keyframe(self) -> None:
        """Ask the publisher for a picture that decoding can begin with; too many requests become one."""
        now_s = time.monotonic()
        if not self.is_video or self.muted or self.ssrc is None or now_s - self._keyframe_asked_s < KEYFRAME_INTERVAL_S:
            return
        self._keyframe_asked_s = now_s
        self._send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=self.ssrc)))

    # ---- clocks and figures ----

    def on_sender_report(self, ntp_timestamp: int, rtp_timestamp: int, now_s: float) -> None:
        """The publisher's clocks: kept for our receiver reports, and passed on for lip sync."""
        self.clock.add_sender_report(ntp_timestamp, now_s)
        if self._statistics is not None:
            self._statistics.add_sender_report(ntp_timestamp, now_s)
        self._tell_clocks(ntp_timestamp, rtp_timestamp)

    def reports(self, now_s: float) -> Iterable[RtcpReceiverInfo]:
        """The block of the next receiver report, if anything has come."""
        return [] if self._statistics is None else [self._statistics.report(now_s)]

    def report(self) -> SourceReport:
        """How it arrives."""
        statistics = self._statistics
        return SourceReport(
            self.source,
            sum(self._layer_bps),
            statistics.fraction_lost if statistics is not None else 0.0,
            statistics.jitter_s if statistics is not None else 0.0,
            self._missing.answer_s,
        )
