"""One outgoing stream of a slot: it shows one source after another as a single, unbroken RTP stream."""

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import RtcpReceiverInfo, RtcpSenderInfo, RtcpSrPacket

from vmeet_core.media.encoded import CLOCK_HZ, opus_samples
from vmeet_core.sfu.codecs import CodecName
from vmeet_core.sfu.ingress import AUDIO_LEVEL
from vmeet_core.sfu.packet import NTP_OFFSET_S, Extensions, RtpPacket, Wire, sequence_newer, timestamp_difference
from vmeet_core.sfu.rtx_stream import PacketSender, RtxStream
from vmeet_core.sfu.sent_packets import WIRE_BYTES
from vmeet_core.sfu.sequence_map import Place, SequenceMap
from vmeet_core.sfu.source import Source
from vmeet_core.sfu.statistics import RateMeter, SlotReport

ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
ALL_TEMPORAL = 3
PADDING = Wire(b"\xa0" + bytes(11) + b"\x01", 0, 0, 12)  #: no payload, one byte of padding (RFC 3550, section 5.1)
MAX_MID_PACKETS = 500  #: how long the MID is sent to a receiver that never reports
MAX_RTT_S = 10.0
MIN_REPAIR_INTERVAL_S = 0.04
MAX_REPAIR_AGE_S = 1.5
MAX_EMPTIED = 1024
MAX_PADDING_PACKETS = 24
MAX_EARLY_PACKETS = 64
MAX_LATE_SOUND_S = 1.0  #: what was made of a voice is of no use any more when it is later than that


class Demand(NamedTuple):
    """What a page wants of a picture: ``priority`` 0 comes first; ``height_px`` is its height on the screen."""

    priority: int
    height_px: int


class Egress:
    """Half a slot: ``ssrc`` is what the SDP announced. At a switch it waits for a keyframe, then continues
    sequence numbers, timestamps and VP8 counters; until then it goes on with what it had.

    ``changed`` is called when what it could send has changed, so that somebody chooses its layer anew.
    """

    def __init__(
        self, ssrc: int, rtx_ssrc: int, media: PacketSender, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.ssrc = ssrc
        self._demand: Demand | None = None
        self.layers: tuple[Source, ...] = ()
        self.temporal = ALL_TEMPORAL
        self.transport_sequence = 0  #: id of that header extension; set before ``configure``
        self.redundant = False  #: send every packet twice: sound for a receiver that loses many
        self._held = False
        self.fraction_lost = 0.0
        self.packets_lost = 0
        self.jitter_s = 0.0
        self.rtt_s: float | None = None
        self.packets_sent = 0
        self.bytes_sent = 0
        self.packets_dropped = 0
        self.retransmitted = 0  #: packets, in answer to NACKs
        self.repaired_bytes = 0
        self.padded_bytes = 0
        self._rtx = RtxStream(rtx_ssrc, media)
        self._media = media
        self._changed = changed
        self._payload_types: dict[CodecName, int] = {}
        self._rtx_types: dict[int, int] = {}
        self._extensions = Extensions()
        self._current: Source | None = None
        self._wanted: Source | None = None
        self._wanted_temporal = ALL_TEMPORAL
        self._map: SequenceMap | None = None
        self._next_out: int | None = None
        self._timestamp_offset = 0
        self._tl0_delta = 0
        self._last: RtpPacket | None = None
        self._last_picture_delta = 0
        self._repeatable = False  # whether the last packet would be the same if it were sent again
        self._last_out = 0
        self._emptied: dict[int, int] = {}  # outgoing numbers that went out with nothing inside, with the source's time
        self._meter = RateMeter()
        self._bps = 0.0

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
        mid = str(parameters.muxId or "").encode()[:16] if MID in ids else b""
        is_video = any(name in self._payload_types for name in ("vp8", "h264"))
        # Without RTX a packet goes again under its own number, and then has to be the same to the last bit.
        transport = self.transport_sequence if self._rtx_types else 0
        mid = mid if self._rtx_types or not is_video else b""
        self._extensions = Extensions(
            ids.get(ABS_SEND_TIME, 0) if not transport else 0,
            ids.get(AUDIO_LEVEL, 0),
            ids.get(MID, 0),
            mid,
            transport,
        )

    # ---- what is shown ----

    @property
    def source(self) -> Source | None:
        """What it shows, or will show from the next keyframe on."""
        return self._wanted

    @property
    def demand(self) -> Demand | None:
        """What the page wants of the picture; None: it does not show it."""
        return self._demand

    @demand.setter
    def demand(self, demand: Demand | None) -> None:
        if demand != self._demand:
            self._demand = demand
            self._changed()

    @property
    def paused(self) -> bool:
        """Whether nothing of its picture is sent though there is one."""
        return bool(self.layers) and self._wanted is None

    @property
    def layer(self) -> Literal["full", "small"] | None:
        """Which of the picture's sizes is chosen."""
        if self._wanted is None:
            return None
        return "full" if self._wanted is self.layers[-1] else "small"

    def attach(self, source: Source | None) -> None:
        """Show a source that has no choice of layers, or nothing."""
        layers = (source,) if source is not None else ()
        if layers != self.layers:
            self.layers = layers
            self._want(source)

    def show(self, layers: tuple[Source, ...]) -> None:
        """Show a picture, given in its sizes, smallest first; () is none. ``select`` says which of them."""
        if layers != self.layers:
            self.layers = layers
            if self._wanted not in layers:
                self._want(None)
            self._changed()

    def select(self, layer: int | None, temporal: int = ALL_TEMPORAL) -> None:
        """Choose the size, by its index in ``layers``, and the highest temporal layer; None pauses."""
        self._want(None if layer is None else self.layers[layer])
        self._wanted_temporal = temporal

    def hold(self, held: bool) -> None:
        """Send nothing for a moment, without anybody being told; it goes on at a keyframe."""
        if held == self._held:
            return
        self._held = held
        if held:
            self.interrupt()
        elif self._wanted is not None:
            self._wanted.request_keyframe()

    def _want(self, source: Source | None) -> None:
        if source is self._wanted:
            return
        before, self._wanted = self._wanted, source
        if before is not None and before is not self._current:
            before.remove_listener(self)
        if source is None or (self._current is not None and self._current not in self.layers):
            self._drop_current()
        if source is not None and source is not self._current:
            source.add_listener(self)
            if not self._held:
                source.request_keyframe()

    def _drop_current(self) -> None:
        if self._current is not None:
            self._current.remove_listener(self)
            self._current = None
        self.interrupt()

    def interrupt(self) -> None:
        """The next packet is treated as that of a new source."""
        if self._map is not None:
            self._next_out = self._map.next_out
            self._map = None

    # ---- packets ----

    def forward(self, packet: RtpPacket) -> None:
        """Rewrite and send one packet of a source."""
        numbers = self._map
        if (
            numbers is None
            or packet.sequence != numbers.expected
            or packet.source is not self._current
            or packet.temporal > self.temporal
            or numbers.leaving_out
            or self._wanted_temporal != self.temporal
        ):
            self._forward_carefully(packet)
            return
        numbers.expected = packet.sequence + 1 & 0xFFFF
        self._send_newest(packet, packet.sequence + numbers.delta & 0xFFFF, numbers.picture_delta)

    def _forward_carefully(self, packet: RtpPacket) -> None:
        numbers = self._map
        if packet.source is self._wanted and (packet.source is not self._current or numbers is None):
            self._try_switch(packet)
        elif packet.source is not self._current or numbers is None:
            return
        elif sequence_newer(numbers.expected, packet.sequence):
            place = numbers.fill(packet.sequence)
            if place is not None:
                self._send_late(packet, place)
        else:
            if packet.starts_frame and self._wanted_temporal != self.temporal:
                self._choose_temporal(packet)
            if packet.temporal > self.temporal:
                numbers.leave_out(packet.sequence, packet.timestamp, packet.picture_id >= 0)
            else:
                out = numbers.keep(packet.sequence)
                self._send_newest(packet, out, numbers.picture_delta)

    def _send_late(self, packet: RtpPacket, place: Place) -> None:
        """Fill the place that was left for it; with nothing, if it is of a layer that the receiver does not get."""
        if not self._is_left_out(packet):
            self._send(packet, place.sequence, place.picture_delta)
            return
        if len(self._emptied) >= MAX_EMPTIED:
            self._emptied.clear()
        self._emptied[place.sequence] = packet.timestamp
        self._send_empty(packet, place.sequence)

    def _send_empty(self, packet: RtpPacket, sequence: int) -> None:
        payload_type = self._payload_types.get(packet.codec)
        if payload_type is not None:
            timestamp = packet.timestamp + self._timestamp_offset & 0xFFFFFFFF
            self._media.send_wire(PADDING, payload_type, sequence, timestamp, self.ssrc, -1, -1)

    def _is_left_out(self, packet: RtpPacket) -> bool:
        left = self._map is not None and self._map.has_left_out(packet.timestamp)
        return left or packet.temporal > self.temporal

    def _choose_temporal(self, packet: RtpPacket) -> None:
        """Down at any frame; up one layer at a time, where a frame does not depend on those left out before."""
        if self._wanted_temporal < self.temporal or packet.keyframe:
            self.temporal = self._wanted_temporal
        elif packet.switchable and packet.temporal == self.temporal + 1:
            self.temporal = packet.temporal
        elif packet.temporal == 0 and packet.source is not None:
            self._skip_unused_layers(packet.source)

    def _skip_unused_layers(self, source: Source) -> None:
        """A source without (so many) temporal layers has nothing to wait for."""
        if self.temporal + 1 >= source.temporal_layers:
            self.temporal = self._wanted_temporal

    def _try_switch(self, packet: RtpPacket) -> None:
        source = self._wanted
        if source is None or self._held or not packet.payload:
            return
        if not packet.keyframe:
            source.request_keyframe()
            return
        last, clock_hz = self._last, CLOCK_HZ[packet.codec]
        if last is not None and _is_heard(last, packet):
            return
        if self._map is not None:
            self._next_out = self._map.next_out
        out, picture_delta = packet.sequence if self._next_out is None else self._next_out, 0
        if last is not None:
            out_timestamp = last.timestamp + self._timestamp_offset
            step = max(int(_elapsed_s(last, packet) * clock_hz), _samples(last))
            self._timestamp_offset = out_timestamp + step - packet.timestamp
            picture_delta = last.picture_id + self._last_picture_delta + 1 - packet.picture_id
            self._tl0_delta = last.tl0 + self._tl0_delta + 1 - packet.tl0
        if self._current is not source and self._current is not None:
            self._current.remove_listener(self)
        self._current = source
        self._repeatable = False  # the timestamps have another offset now
        self._map = SequenceMap(packet.sequence, out, picture_delta)
        self.temporal = self._wanted_temporal
        self._send_newest(packet, self._map.keep(packet.sequence), picture_delta)
        for _ in range(MAX_EARLY_PACKETS):  # what overtook the start of the keyframe on its way
            following = source.packet(self._map.expected)
            if following is None:
                break
            self._forward_carefully(following)

    def _send_newest(self, packet: RtpPacket, sequence: int, picture_delta: int) -> None:
        self._send(packet, sequence, picture_delta)
        if self.redundant and self._last is not None and self._last.source is packet.source:
            self._repeat_last()
        self._last, self._last_out, self._last_picture_delta = packet, sequence, picture_delta
        self._repeatable = True

    def _repeat_last(self) -> None:
        """The very same bytes: SRTP must not encrypt two packets under one number (RFC 3711, section 9.1)."""
        if self._last is not None and self._repeatable:
            self._send(self._last, self._last_out, self._last_picture_delta)

    def _send(self, packet: RtpPacket, sequence: int, picture_delta: int) -> None:
        payload_type = self._payload_types.get(packet.codec)
        if payload_type is None:
            self.packets_dropped += 1
            return
        wire = packet.wires.get(self._extensions) or self._wire(packet)
        sent = self._media.send_wire(
            wire,
            payload_type | 0x80 if packet.marker else payload_type,
            sequence,
            packet.timestamp + self._timestamp_offset & 0xFFFFFFFF,
            self.ssrc,
            0x8000 | packet.picture_id + picture_delta & 0x7FFF if picture_delta and wire.picture_id_at else -1,
            packet.tl0 + self._tl0_delta & 0xFF if self._tl0_delta and wire.tl0_at else -1,
        )
        if sent:
            self.packets_sent += 1
            self.bytes_sent += len(wire.data)
        else:
            self.packets_dropped += 1

    def _wire(self, packet: RtpPacket) -> Wire:
        """Kept for the next receiver that negotiated the same."""
        if self._extensions.mid and self.packets_sent > MAX_MID_PACKETS:
            self.confirm()
        extensions, source = self._extensions, packet.source
        level = source.level_of(packet) if extensions.audio_level and source is not None else None
        made = packet.wires[extensions] = packet.wire(extensions, level)
        return made

    def confirm(self) -> None:
        """The receiver knows the SSRC: the MID need not be sent any more (RFC 8843, section 9.2)."""
        if self._extensions.mid:
            self._extensions = self._extensions._replace(mid=b"")
            self._repeatable = False

    # ---- repair ----

    def retransmit(self, out: int, now_s: float) -> int:
        """Answer a NACK; the bytes sent: 0 when the packet is not kept any more, or would not help.

        A receiver asks again every few milliseconds on a short way: an answer has to have the time to arrive. What
        came before the latest keyframe is not needed any more.
        """
        sequence = self._map.source_of(out) if self._map is not None else None
        if sequence is None or self._map is None or self._current is None:
            return 0
        packet, place = self._current.packet(sequence), self._map.place_of(sequence)
        if packet is None or place is None or not packet.payload or not self._current.is_video:
            return 0  # sound has no RTX, and its packets change once the MID is left out
        keyframe = self._current.keyframe_sequence
        if now_s - packet.arrived_s > MAX_REPAIR_AGE_S or (keyframe is not None and sequence_newer(keyframe, sequence)):
            return 0
        if not self._rtx.is_due(out, max(self.rtt_s or 0.0, MIN_REPAIR_INTERVAL_S), now_s):
            return 0
        if self._emptied.get(out) == packet.timestamp:
            self._send_empty(packet, out)
            return len(PADDING.data)
        self._rtx.note(out)
        size = self._send_again(packet, place)
        self.retransmitted += 1
        self.repaired_bytes += size
        return size

    def repair(self, ssrc: int, sequence: int, now_s: float) -> int:
        """The receiver reports this packet as lost, perhaps itself a repair; the bytes sent to make up for it.

        That is quicker than its NACK, which may be lost too, and which it does not repeat for a lost repair in time.
        """
        if ssrc == self.ssrc:
            return self.retransmit(sequence, now_s)
        out = self._rtx.lose(sequence)
        return self.retransmit(out, now_s) if out is not None else 0

    def pad(self, size_bytes: int) -> int:
        """Send about so many bytes that are of no use but to see whether they arrive: packets sent before, as RTX."""
        sent = 0
        if self._map is None or self._current is None or self._last is None or not self._rtx_types:
            return 0
        for back in range(MAX_PADDING_PACKETS):
            sequence = self._last.sequence - back & 0xFFFF
            packet, place = self._current.packet(sequence), self._map.place_of(sequence)
            if sent >= size_bytes:
                break
            if packet is not None and place is not None and packet.payload:
                sent += self._send_again(packet, place)
        self.padded_bytes += sent
        return sent

    def _send_again(self, packet: RtpPacket, place: Place) -> int:
        payload_type = self._payload_types.get(packet.codec)
        if payload_type is None:
            return 0
        rtx_type = self._rtx_types.get(payload_type)
        if rtx_type is None:
            self._send(packet, place.sequence, place.picture_delta)
            return len(packet.payload)
        wire = packet.wire(self._extensions._replace(mid=b""), None)
        patched = bytearray(wire.data)
        if wire.picture_id_at:
            picture_id = 0x8000 | packet.picture_id + place.picture_delta & 0x7FFF
            patched[wire.picture_id_at : wire.picture_id_at + 2] = picture_id.to_bytes(2)
        if wire.tl0_at:
            patched[wire.tl0_at] = packet.tl0 + self._tl0_delta & 0xFF
        second = rtx_type | 0x80 if packet.marker else rtx_type
        timestamp = packet.timestamp + self._timestamp_offset & 0xFFFFFFFF
        return self._rtx.send(patched, wire, place.sequence, second, timestamp)

    def request_keyframe(self) -> None:
        """The receiver cannot go on without one."""
        for source in {self._current, self._wanted}:
            if source is not None:
                source.request_keyframe()

    # ---- reports ----

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """Part of a listener: reports to receivers are written anew every second, see ``make_report``."""

    def make_report(self, ntp_s: float) -> RtcpSrPacket | None:
        """What the receiver keeps sound and picture in step by; None while the publisher's clocks are not known."""
        source, last = self._current, self._last
        if source is None or last is None or self._map is None or source.last_sender_report is None:
            return None
        reported_s = source.clock.server_ntp_s(source.last_sender_report[0])
        if reported_s is None or abs(ntp_s - reported_s) > 60:
            return None
        elapsed = int((ntp_s - reported_s) * CLOCK_HZ[last.codec])
        rtp = source.last_sender_report[1] + elapsed + self._timestamp_offset & 0xFFFFFFFF
        info = RtcpSenderInfo(
            int(ntp_s * 2**32), rtp, self.packets_sent & 0xFFFFFFFF, self.bytes_sent & 0xFFFFFFFF
        )  # fmt: skip
        return RtcpSrPacket(ssrc=self.ssrc, sender_info=info)

    def on_receiver_report(self, report: RtcpReceiverInfo) -> None:
        """How the receiver gets it."""
        self.confirm()
        self.fraction_lost = report.fraction_lost / 256
        self.packets_lost = report.packets_lost
        if self._last is not None:
            self.jitter_s = report.jitter / CLOCK_HZ[self._last.codec]
        if report.lsr:
            middle = int((time.time() + NTP_OFFSET_S) * 65536) & 0xFFFFFFFF
            rtt_s = (middle - report.lsr - report.dlsr & 0xFFFFFFFF) / 65536
            self.rtt_s = rtt_s if rtt_s < MAX_RTT_S else self.rtt_s

    def measure(self, now_s: float) -> float:
        """The bit rate on the wire now; to be called several times a second."""
        self._bps = self._meter.bps(self.bytes_sent + WIRE_BYTES * self.packets_sent, now_s)
        if self._map is not None:
            self._map.forget()
        return self._bps

    def report(self) -> SlotReport:
        """What is sent, and what it takes."""
        return SlotReport(self.layer, min(self.temporal, 2), self._bps)

    def close(self) -> None:
        """Let go of the source."""
        self.attach(None)


def _elapsed_s(last: RtpPacket, packet: RtpPacket) -> float:
    """Time from one packet's capture to another's: by the publisher's clocks where it is the same publisher.

    A voice and what a denoiser made of it follow each other as they come, though one is later than the other: a
    receiver whose packets were all late or early from now on would delay the sound by so much more. Sender reports
    tell of the shift, so lips and voice stay together.
    """
    before, after = last.source, packet.source
    if before is None or after is None or before.clock is not after.clock or _is_same_voice(before, after):
        return packet.arrived_s - last.arrived_s
    captured = _captured_s(before, last), _captured_s(after, packet)
    if captured[0] is None or captured[1] is None:
        return packet.arrived_s - last.arrived_s
    return captured[1] - captured[0]


def _is_same_voice(before: Source, after: Source) -> bool:
    """Whether they count their timestamps alike, and one was perhaps made of the other."""
    return not after.is_video and before.timeline is after.timeline


def _is_heard(last: RtpPacket, packet: RtpPacket) -> bool:
    """Whether the receiver has some of this sound already: what a denoiser has made comes later than the raw one.

    It is not played twice: the receiver bridges the gap until what follows has come.
    """
    before, after = last.source, packet.source
    if before is None or after is None or not _is_same_voice(before, after):
        return False
    step = timestamp_difference(packet.timestamp, last.timestamp)
    late_s = packet.arrived_s - last.arrived_s - step / CLOCK_HZ[packet.codec]
    return step < _samples(last) and late_s < MAX_LATE_SOUND_S  # else the publisher counts anew


def _samples(packet: RtpPacket) -> int:
    """How much later the next packet is at least."""
    return max(opus_samples(packet.payload), 1) if packet.codec == "opus" else 1


def _captured_s(source: Source, packet: RtpPacket) -> float | None:
    if source.last_sender_report is None:
        return None
    ntp, rtp = source.last_sender_report
    return ntp / 2**32 + (((packet.timestamp - rtp + 2**31) & 0xFFFFFFFF) - 2**31) / CLOCK_HZ[packet.codec]
