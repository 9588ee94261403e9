"""One source of one person as it arrives: repaired, counted, and handed to those who listen."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRtpfbPacket

from vmeet_core.manifest import SourceKind
from vmeet_core.media.encoded import CLOCK_HZ
from vmeet_core.sfu import h264
from vmeet_core.sfu.codecs import CodecName, vp8_height_px
from vmeet_core.sfu.nack import MissingPackets
from vmeet_core.sfu.packet import RtpPacket, sequence_newer, unwrap_rtx
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.sent_packets import WIRE_BYTES
from vmeet_core.sfu.statistics import RateMeter, ReceptionStatistics, SourceReport

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
RING_PACKETS = 1024
OLD_S = 5.0  #: after a longer gap a number may as well be of the next round
KEYFRAME_INTERVAL_S = 0.5  #: requests to a publisher are merged within this time
FLOWING_S = 3.0  #: a shared screen that does not change still sends about once a second
LAYER_WINDOW_S = 2.0  #: of layers' bit rates: a keyframe must not look like a layer that has grown
HEADER_BYTES = 20 + WIRE_BYTES  #: what a packet costs a receiver besides its payload
TEMPORAL_LAYERS = 5  #: as many as a VP8 payload descriptor can tell, and one for padding


class Listener(Protocol):
    """What an ingress feeds: an egress, or the recording."""

    def forward(self, packet: RtpPacket) -> None:
        """A packet, once, in order of arrival, prepared."""

    def interrupt(self) -> None:
        """The source pauses here: what follows does not continue what was."""

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The publisher's clocks."""


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


class Ingress:
    """A publisher's microphone, camera or screen.

    ``send_rtcp`` carries feedback back to the publisher. While ``muted``, nothing reaches a listener.
    """

    def __init__(self, source: SourceKind, send_rtcp: Callable[[bytes], bool], clock: PublisherClock) -> None:
        self.source = source
        self.is_video = source != "microphone"
        self.ssrc: int | None = None
        self.rtx_ssrc: int | None = None
        self.muted = False
        self.types = PayloadTypes()
        self.clock = clock
        self.packets_received = 0
        self.bytes_received = 0
        self.keyframe_sequence: int | None = None  #: where the latest keyframe begins
        self.height_px = 0  #: of the latest keyframe; 0 when unknown
        self.on_level: Callable[[int, float], None] | None = None  #: (level in -dBov, time), by RFC 6464
        self.last_sender_report: tuple[int, int] | None = None
        self._send_rtcp = send_rtcp
        self._listeners: list[Listener] = []
        self._ring: list[RtpPacket | None] = [None] * RING_PACKETS
        self._missing = MissingPackets()
        self._statistics: ReceptionStatistics | None = None
        self._keyframe_asked_s = -KEYFRAME_INTERVAL_S
        self._level_id = 0
        self._picture_id = 0
        self._layer_bytes = [0] * TEMPORAL_LAYERS
        self._meters = [RateMeter(LAYER_WINDOW_S) for _ in range(TEMPORAL_LAYERS)]
        self._layer_bps = [0.0] * TEMPORAL_LAYERS
        self.heard_s = -1e9  #: when the latest packet came

    def configure(self, parameters: RTCRtpReceiveParameters) -> list[int]:
        """Take what was negotiated; returns the SSRCs by which packets will be known (none: by MID)."""
        self.types = PayloadTypes.from_parameters(parameters)
        self._level_id = self.types.extensions.get(AUDIO_LEVEL, 0)
        for encoding in parameters.encodings:
            self.ssrc = encoding.ssrc
            if encoding.rtx:
                self.rtx_ssrc = encoding.rtx.ssrc
        return [ssrc for ssrc in (self.ssrc, self.rtx_ssrc) if ssrc is not None]

    def add_listener(self, listener: Listener) -> None:
        """Begins at the next packet; a video listener that needs a keyframe asks for one."""
        self._listeners = [*self._listeners, listener]

    def remove_listener(self, listener: Listener) -> None:
        """Harmless when it was not there."""
        self._listeners = [each for each in self._listeners if each is not listener]

    def set_muted(self, muted: bool) -> None:
        """Nothing of a muted source goes anywhere, whatever the page still sends."""
        if muted and not self.muted:
            self._ring = [None] * RING_PACKETS
            for listener in self._listeners:
                listener.interrupt()
        self.muted = muted

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
            for listener in self._listeners if self._statistics is not None else ():
                listener.interrupt()
            self.ssrc = packet.ssrc
            self.keyframe_sequence = None
            self._missing = MissingPackets()
            self._ring = [None] * RING_PACKETS
            statistics = self._statistics = ReceptionStatistics(packet.ssrc, CLOCK_HZ[codec])
        statistics.add(packet.sequence, packet.timestamp, len(packet.payload), now_s)

    def _accept(self, packet: RtpPacket, codec: CodecName, now_s: float) -> None:
        ring, index = self._ring, packet.sequence % RING_PACKETS
        known = ring[index]
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
        self._layer_bytes[packet.temporal] += len(packet.payload) + HEADER_BYTES
        if packet.keyframe and self.is_video:
            self._begin_keyframe(packet)
        if self._level_id and self.on_level is not None:
            self._tell_level(packet, now_s)
        ring[index] = packet
        for listener in self._listeners:
            listener.forward(packet)

    def _widen_picture_id(self, packet: RtpPacket) -> None:
        """Count a 7-bit picture id on to 15 bits: the nearest to the one before."""
        step = ((packet.picture_id - self._picture_id + 64) & 0x7F) - 64
        packet.picture_id = self._picture_id + step & 0x7FFF
        if step > 0:
            self._picture_id = packet.picture_id

    def _begin_keyframe(self, packet: RtpPacket) -> None:
        if self.keyframe_sequence is None or sequence_newer(packet.sequence, self.keyframe_sequence):
            self.keyframe_sequence = packet.sequence
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

    def packet(self, sequence: int) -> RtpPacket | None:
        """One of the last RING_PACKETS packets, for a retransmission."""
        packet = self._ring[sequence % RING_PACKETS]
        return packet if packet is not None and packet.sequence == sequence else None

    # ---- clocks and figures ----

    def on_sender_report(self, ntp_timestamp: int, rtp_timestamp: int, now_s: float) -> None:
        """The publisher's clocks: kept for our receiver reports, and passed on for lip sync."""
        self.last_sender_report = (ntp_timestamp, rtp_timestamp)
        self.clock.add_sender_report(ntp_timestamp, now_s)
        if self._statistics is not None:
            self._statistics.add_sender_report(ntp_timestamp, now_s)
        for listener in self._listeners:
            listener.sender_report(ntp_timestamp, rtp_timestamp)

    def measure(self, now_s: float) -> None:
        """Bring the bit rates up to date; to be called several times a second."""
        self._layer_bps = [
            meter.bps(count, now_s) for meter, count in zip(self._meters, self._layer_bytes, strict=True)
        ]

    def layer_bps(self, temporal: int) -> float:
        """What the temporal layers 0 to ``temporal`` together take on the wire to a receiver."""
        return sum(self._layer_bps[: temporal + 1])

    @property
    def temporal_layers(self) -> int:
        """How many temporal layers carry something; at least 1."""
        used = [i for i, bps in enumerate(self._layer_bps) if bps > 0]
        return used[-1] + 1 if used else 1

    def is_flowing(self, now_s: float) -> bool:
        """Whether it sends at all: a layer that the browser has turned off cannot be switched to."""
        return not self.muted and now_s - self.heard_s < FLOWING_S

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

    def close(self) -> None:
        """Forget all listeners."""
        self._listeners = []
