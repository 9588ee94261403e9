"""One source of one person as it arrives: repaired, counted, and handed to those who listen."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpReceiverInfo, RtcpRtpfbPacket

from vmeet_core.manifest import SourceKind
from vmeet_core.media.encoded import CLOCK_HZ
from vmeet_core.sfu.codecs import CodecName
from vmeet_core.sfu.nack import MissingPackets
from vmeet_core.sfu.packet import RtpPacket, unwrap_rtx
from vmeet_core.sfu.statistics import ReceptionStatistics

RING_PACKETS = 1024
KEYFRAME_INTERVAL_S = 0.5  #: requests to a publisher are merged within this time


class Listener(Protocol):
    """What an ingress feeds: an egress, or the recording."""

    def forward(self, packet: RtpPacket, codec: CodecName, now_s: float) -> None:
        """A packet, once, in order of arrival."""

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

    def __init__(self, source: SourceKind, send_rtcp: Callable[[bytes], bool]) -> None:
        self.source = source
        self.is_video = source != "microphone"
        self.ssrc: int | None = None
        self.rtx_ssrc: int | None = None
        self.muted = False
        self.types = PayloadTypes()
        self._send_rtcp = send_rtcp
        self._listeners: list[Listener] = []
        self._ring: list[RtpPacket | None] = [None] * RING_PACKETS
        self._missing = MissingPackets()
        self._statistics: ReceptionStatistics | None = None
        self._keyframe_asked_s = -KEYFRAME_INTERVAL_S
        self.last_sender_report: tuple[int, int] | None = None

    def configure(self, parameters: RTCRtpReceiveParameters) -> list[int]:
        """Take what was negotiated; returns the SSRCs by which packets will be known (none: by MID)."""
        self.types = PayloadTypes.from_parameters(parameters)
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
        original_type = self.types.rtx_of.get(packet.payload_type)
        if original_type is not None:
            if self.ssrc is None:
                return
            unwrapped = unwrap_rtx(packet, original_type, self.ssrc)
            if unwrapped is None:
                return
            packet = unwrapped
        else:
            self._count(packet, now_s)
        codec = self.types.codecs.get(packet.payload_type)
        if codec is not None:
            self._accept(packet, codec, now_s)

    def _count(self, packet: RtpPacket, now_s: float) -> None:
        if self._statistics is None or packet.ssrc != self.ssrc:
            codec = self.types.codecs.get(packet.payload_type)
            if codec is None:
                return
            self.ssrc = packet.ssrc
            self._missing = MissingPackets()
            self._ring = [None] * RING_PACKETS
            self._statistics = ReceptionStatistics(packet.ssrc, CLOCK_HZ[codec])
        self._statistics.add(packet.sequence, packet.timestamp, len(packet.payload), now_s)

    def _accept(self, packet: RtpPacket, codec: CodecName, now_s: float) -> None:
        index = packet.sequence % RING_PACKETS
        known = self._ring[index]
        if known is not None and known.sequence == packet.sequence and known.timestamp == packet.timestamp:
            return
        if self.is_video:
            self._missing.add(packet.sequence, now_s)
            if self._missing:
                self.ask_for_missing(now_s)
        if self.muted:
            return
        self._ring[index] = packet
        for listener in self._listeners:
            listener.forward(packet, codec, now_s)

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
        if not self.is_video or self.ssrc is None or now_s - self._keyframe_asked_s < KEYFRAME_INTERVAL_S:
            return
        self._keyframe_asked_s = now_s
        self._send_rtcp(bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=self.ssrc)))

    def packet(self, sequence: int) -> RtpPacket | None:
        """One of the last RING_PACKETS packets, for a retransmission."""
        packet = self._ring[sequence % RING_PACKETS]
        return packet if packet is not None and packet.sequence == sequence else None

    def on_sender_report(self, ntp_timestamp: int, rtp_timestamp: int, now_s: float) -> None:
        """The publisher's clocks: kept for our receiver reports, and passed on for lip sync."""
        self.last_sender_report = (ntp_timestamp, rtp_timestamp)
        if self._statistics is not None:
            self._statistics.add_sender_report(ntp_timestamp, now_s)
        for listener in self._listeners:
            listener.sender_report(ntp_timestamp, rtp_timestamp)

    def reports(self, now_s: float) -> Iterable[RtcpReceiverInfo]:
        """The block of the next receiver report, if anything has come."""
        return [] if self._statistics is None else [self._statistics.report(now_s)]

    def close(self) -> None:
        """Forget all listeners."""
        self._listeners = []
