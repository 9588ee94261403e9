"""One outgoing stream of a slot: it shows one source after another as a single, unbroken RTP stream."""

from collections.abc import Callable

from aiortc import clock
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    unpack_remb_fci,
)

from vmeet_core.media.encoded import CLOCK_HZ
from vmeet_core.sfu.codecs import CodecName, Vp8Counters, is_keyframe_start
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.packet import Extension, RtpPacket, sequence_newer, serialize

ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


class Egress:
    """Half a slot: ``ssrc`` is what the SDP announced; ``send_rtp`` and ``send_rtcp`` lead to the subscriber.

    At a switch it waits for a keyframe, then continues sequence numbers, timestamps and VP8 counters.
    """

    def __init__(
        self, ssrc: int, rtx_ssrc: int, send_rtp: Callable[[bytes], bool], send_rtcp: Callable[[bytes], bool]
    ) -> None:
        self.ssrc = ssrc
        self.source: Ingress | None = None
        self.remb_bps: int | None = None
        self.fraction_lost = 0.0
        self.packets_sent = 0
        self.bytes_sent = 0
        self.packets_dropped = 0
        self._rtx_ssrc = rtx_ssrc
        self._send_rtp = send_rtp
        self._send_rtcp = send_rtcp
        self._payload_types: dict[CodecName, int] = {}
        self._rtx_types: dict[int, int] = {}
        self._abs_send_time_id = 0
        self._audio_level_id = 0
        self._rtx_sequence = 0
        self._synchronised = False
        self._first_sequence = 0
        self._highest_sequence = 0
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._last_out: tuple[int, int, float] | None = None  # sequence, timestamp, time
        self._counters = Vp8Counters()

    def configure(self, parameters: RTCRtpSendParameters) -> None:
        """Take what the subscriber's answer allows."""
        for codec in parameters.codecs:
            name, apt = codec.name.lower(), codec.parameters.get("apt")
            number = int(codec.payloadType or 0)
            if name in CLOCK_HZ:
                self._payload_types.setdefault(name, number)
            elif name == "rtx" and isinstance(apt, int):
                self._rtx_types[apt] = number
        ids = {e.uri: e.id for e in parameters.headerExtensions}
        self._abs_send_time_id = ids.get(ABS_SEND_TIME, 0)
        self._audio_level_id = ids.get(AUDIO_LEVEL, 0)

    def attach(self, source: Ingress | None) -> None:
        """Show another source, or nothing."""
        if source is self.source:
            return
        if self.source is not None:
            self.source.remove_listener(self)
        self.source = source
        self._synchronised = False
        if source is not None:
            source.add_listener(self)
            source.request_keyframe()

    def interrupt(self) -> None:
        """The next packet is treated as that of a new source."""
        self._synchronised = False

    def forward(self, packet: RtpPacket, codec: CodecName, now_s: float) -> None:
        """Rewrite and send one packet of the source."""
        payload_type = self._payload_types.get(codec)
        if payload_type is None:
            self.packets_dropped += 1
            return
        if not self._synchronised and not self._synchronise(packet, codec, now_s):
            return
        if sequence_newer(self._first_sequence, packet.sequence):
            return
        newest = not sequence_newer(self._highest_sequence, packet.sequence)
        out = self._rewritten(packet, codec, payload_type, newest)
        if newest:
            self._highest_sequence = packet.sequence
            self._last_out = (out.sequence, out.timestamp, now_s)
        self._send(out, packet)

    def _synchronise(self, packet: RtpPacket, codec: CodecName, now_s: float) -> bool:
        source = self.source
        if source is None:
            return False
        if source.is_video and not is_keyframe_start(codec, packet.payload):
            source.request_keyframe()
            return False
        if self._last_out is None:
            self._sequence_offset = self._timestamp_offset = 0
        else:
            sequence, timestamp, sent_s = self._last_out
            elapsed = max(int((now_s - sent_s) * CLOCK_HZ[codec]), 1)
            self._sequence_offset = sequence + 1 - packet.sequence
            self._timestamp_offset = timestamp + elapsed - packet.timestamp
        if codec == "vp8":
            self._counters.switch(packet.payload)
        self._first_sequence = self._highest_sequence = packet.sequence
        self._synchronised = True
        return True

    def _rewritten(self, packet: RtpPacket, codec: CodecName, payload_type: int, newest: bool) -> RtpPacket:
        return RtpPacket(
            payload_type,
            packet.marker,
            packet.sequence + self._sequence_offset & 0xFFFF,
            packet.timestamp + self._timestamp_offset & 0xFFFFFFFF,
            self.ssrc,
            self._counters.rewrite(packet.payload, newest) if codec == "vp8" else packet.payload,
            packet.extensions,
        )

    def _send(self, out: RtpPacket, original: RtpPacket) -> None:
        if self._send_rtp(serialize(out, self._extensions(original))):
            self.packets_sent += 1
            self.bytes_sent += len(out.payload)
        else:
            self.packets_dropped += 1

    def _extensions(self, original: RtpPacket) -> tuple[Extension, ...]:
        if self._abs_send_time_id:
            stamp = clock.current_ntp_time() >> 14 & 0xFFFFFF
            return (Extension(self._abs_send_time_id, stamp.to_bytes(3)),)
        if self._audio_level_id and self.source is not None:
            level = original.extensions.get(self.source.types.extensions.get(AUDIO_LEVEL, 0))
            return (Extension(self._audio_level_id, level),) if level else ()
        return ()

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """Pass the publisher's clocks on, in this stream's timestamps."""
        if not self._synchronised or self._last_out is None:
            return
        report = RtcpSenderInfo(
            ntp_timestamp, rtp_timestamp + self._timestamp_offset & 0xFFFFFFFF, self.packets_sent, self.bytes_sent
        )  # fmt: skip
        self._send_rtcp(bytes(RtcpSrPacket(ssrc=self.ssrc, sender_info=report)))

    def on_rtcp(self, packet: AnyRtcpPacket) -> None:
        """Feedback of the subscriber about this stream."""
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            for sequence in packet.lost:
                self._retransmit(sequence)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            if self.source is not None:
                self.source.request_keyframe()
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            self.remb_bps = unpack_remb_fci(packet.fci)[0]
        elif isinstance(packet, RtcpRrPacket):
            for report in packet.reports:
                if report.ssrc == self.ssrc:
                    self.fraction_lost = report.fraction_lost / 256

    def _retransmit(self, out_sequence: int) -> None:
        sequence = out_sequence - self._sequence_offset & 0xFFFF
        if self.source is None or not self._synchronised or sequence_newer(self._first_sequence, sequence):
            return
        packet = self.source.packet(sequence)
        codec = self.source.types.codecs.get(packet.payload_type) if packet else None
        payload_type = self._payload_types.get(codec) if codec else None
        if packet is None or codec is None or payload_type is None:
            return
        out = self._rewritten(packet, codec, payload_type, newest=False)
        rtx_type = self._rtx_types.get(payload_type)
        if rtx_type is not None:
            payload = out.sequence.to_bytes(2) + out.payload
            out = RtpPacket(rtx_type, out.marker, self._rtx_sequence, out.timestamp, self._rtx_ssrc, payload, {})
            self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        self._send(out, packet)

    def close(self) -> None:
        """Let go of the source."""
        self.attach(None)
