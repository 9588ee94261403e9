"""A publisher's packets on their way in: repaired, counted, held back while muted."""

from typing import Any

from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpRtxParameters,
)
from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket

from vmeet_core.sfu.ingress import AUDIO_LEVEL, Ingress
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.source import HEADER_BYTES, RING_PACKETS

KEY, DELTA = b"\x10\x00key", b"\x10\x01delta"
VP8 = [
    RTCRtpCodecParameters("video/VP8", 90_000, payloadType=96),
    RTCRtpCodecParameters("video/rtx", 90_000, payloadType=97, parameters={"apt": 96}),
]
OPUS = [RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=111)]


class Ear:
    """Listens, and notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[RtpPacket] = []
        self.interrupts = 0
        self.reports: list[tuple[int, int]] = []

    def forward(self, packet: RtpPacket) -> None:
        self.heard.append(packet)

    def interrupt(self) -> None:
        self.interrupts += 1

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        self.reports.append((ntp_timestamp, rtp_timestamp))


class Camera:
    """An ingress with a listener, and what it sends back to its publisher."""

    def __init__(self, source: Any = "camera") -> None:
        self.feedback: list[Any] = []
        self.ear = Ear()
        self.ingress = Ingress(source, self._sent, PublisherClock())
        encoding = RTCRtpDecodingParameters(ssrc=11, payloadType=96, rtx=RTCRtpRtxParameters(ssrc=12))
        level = [RTCRtpHeaderExtensionParameters(id=2, uri=AUDIO_LEVEL)]
        self.ingress.configure(RTCRtpReceiveParameters(codecs=VP8 + OPUS, encodings=[encoding], headerExtensions=level))
        self.ingress.add_listener(self.ear)

    def _sent(self, data: bytes) -> bool:
        self.feedback += RtcpPacket.parse(data)
        return True

    def packet(self, sequence: int, timestamp: int = 0, payload: bytes = DELTA, now_s: float = 0.0) -> None:
        self.ingress.receive(RtpPacket(96, True, sequence & 0xFFFF, timestamp, 11, payload), now_s)

    def asked_for(self) -> list[list[int]]:
        return [p.lost for p in self.feedback if isinstance(p, RtcpRtpfbPacket) and p.fmt == RTCP_RTPFB_NACK]

    def keyframes_asked_for(self) -> int:
        return sum(isinstance(p, RtcpPsfbPacket) and p.fmt == RTCP_PSFB_PLI for p in self.feedback)


def test_a_gap_is_asked_for_at_once_and_again() -> None:
    camera = Camera()
    camera.packet(65_534)
    camera.packet(1, now_s=0.01)
    assert camera.asked_for() == [[0, 65_535]]
    camera.packet(0, now_s=0.02)
    camera.ingress.ask_for_missing(0.1)
    assert camera.asked_for()[1:] == [[65_535]]
    assert camera.ingress.repairing


def test_a_retransmission_is_the_packet_itself() -> None:
    camera = Camera()
    camera.packet(10)
    camera.packet(12)
    camera.ingress.receive(RtpPacket(97, True, 1, 500, 12, (11).to_bytes(2) + KEY), 0.05)
    assert [packet.sequence for packet in camera.ear.heard] == [10, 12, 11]
    assert camera.ear.heard[-1].payload == KEY
    assert not camera.ingress.repairing


def test_a_packet_comes_once() -> None:
    camera = Camera()
    for sequence in (5, 6, 5, 6, 7):
        camera.packet(sequence)
    assert [packet.sequence for packet in camera.ear.heard] == [5, 6, 7]


def test_nothing_of_a_muted_source_is_heard_or_kept() -> None:
    camera = Camera()
    camera.packet(1)
    camera.ingress.set_muted(True)
    camera.packet(2)
    assert len(camera.ear.heard) == 1
    assert camera.ear.interrupts == 1
    assert camera.ingress.packet(1) is None
    assert camera.ingress.packet(2) is None
    camera.ingress.request_keyframe()
    assert camera.keyframes_asked_for() == 0
    camera.ingress.set_muted(False)
    camera.packet(3)
    assert len(camera.ear.heard) == 2


def test_requests_for_a_keyframe_become_one() -> None:
    camera = Camera()
    camera.packet(1)
    for _ in range(5):
        camera.ingress.request_keyframe()
    assert camera.keyframes_asked_for() == 1


def test_unknown_payload_types_are_dropped() -> None:
    camera = Camera()
    camera.ingress.receive(RtpPacket(50, True, 1, 0, 11, DELTA), 0.0)
    camera.ingress.receive(RtpPacket(97, True, 1, 0, 12, b"\0"), 0.0)
    assert camera.ear.heard == []


def test_the_ring_keeps_the_latest() -> None:
    camera = Camera()
    for sequence in range(RING_PACKETS + 10):
        camera.packet(sequence)
    assert camera.ingress.packet(5) is None
    kept = camera.ingress.packet(RING_PACKETS)
    assert kept is not None
    assert kept.sequence == RING_PACKETS


def test_bit_rates_on_the_wire_are_told_by_temporal_layer() -> None:
    camera = Camera()
    camera.ingress.measure(0.0)
    for sequence in range(40):
        temporal = (0, 2, 1, 2)[sequence % 4]
        camera.packet(sequence, payload=b"\x90\x20" + bytes((temporal << 6,)) + b"\x01" + bytes(246))
    camera.ingress.measure(1.0)
    assert [camera.ingress.layer_bps(temporal) for temporal in range(3)] == [
        packets * 8 * (250 + HEADER_BYTES) for packets in (10, 20, 40)
    ]
    assert camera.ingress.temporal_layers == 3
    assert camera.ingress.report().bitrate_bps == 40 * 8 * (250 + HEADER_BYTES)


def test_short_picture_ids_are_counted_on() -> None:
    camera = Camera()
    for index in range(300):
        camera.packet(index, payload=b"\x90\x80" + bytes((index & 0x7F,)) + b"\x01")
    assert [packet.picture_id for packet in camera.ear.heard] == list(range(300))


def test_levels_are_told() -> None:
    microphone, levels = Camera("microphone"), []
    microphone.ingress.on_level = lambda level, now_s: levels.append((level, now_s))
    microphone.ingress.receive(RtpPacket(111, False, 1, 0, 11, b"opus", {2: b"\x9e"}), 3.0)
    microphone.ingress.receive(RtpPacket(111, False, 2, 960, 11, b"opus"), 3.02)
    assert levels == [(30, 3.0)]


def test_a_new_ssrc_begins_anew() -> None:
    camera = Camera()
    camera.packet(10, payload=KEY)
    camera.ingress.receive(RtpPacket(96, True, 40_000, 0, 99, KEY), 0.1)
    assert camera.asked_for() == []
    assert camera.ingress.ssrc == 99
    assert camera.ingress.packet(10) is None


def test_sender_reports_reach_those_who_listen() -> None:
    camera = Camera()
    camera.packet(10)
    camera.ingress.on_sender_report(77 << 32, 1234, 0.5)
    assert camera.ear.reports == [(77 << 32, 1234)]
    assert camera.ingress.last_sender_report == (77 << 32, 1234)
