"""Ingress and egress without a network: what is rewritten, repaired and held back."""

from collections.abc import Callable
from typing import Any

from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpRtxParameters,
    RTCRtpSendParameters,
)
from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSrPacket

from vmeet_core.sfu.egress import ABS_SEND_TIME, AUDIO_LEVEL, Egress
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.packet import RtpPacket, parse

KEY, DELTA = b"\x10\x00key", b"\x10\x01delta"


def _codecs(vp8: int) -> list[RTCRtpCodecParameters]:
    return [
        RTCRtpCodecParameters("video/VP8", 90_000, payloadType=vp8),
        RTCRtpCodecParameters("video/rtx", 90_000, payloadType=vp8 + 1, parameters={"apt": vp8}),
    ]


class Camera:
    """An ingress, and what it sends back to its publisher."""

    def __init__(self, ssrc: int) -> None:
        self.feedback: list[Any] = []
        self.ssrc = ssrc
        self.ingress = Ingress("camera", self._sent)
        encoding = RTCRtpDecodingParameters(ssrc=ssrc, payloadType=96, rtx=RTCRtpRtxParameters(ssrc=ssrc + 1))
        self.ingress.configure(RTCRtpReceiveParameters(codecs=_codecs(96), encodings=[encoding]))

    def _sent(self, data: bytes) -> bool:
        self.feedback += RtcpPacket.parse(data)
        return True

    def packet(self, sequence: int, timestamp: int, payload: bytes = DELTA, now_s: float = 0.0) -> None:
        self.ingress.receive(RtpPacket(96, True, sequence & 0xFFFF, timestamp, self.ssrc, payload, {}), now_s)

    def asked_for(self) -> list[list[int]]:
        return [p.lost for p in self.feedback if isinstance(p, RtcpRtpfbPacket) and p.fmt == RTCP_RTPFB_NACK]

    def keyframes_asked_for(self) -> int:
        return sum(isinstance(p, RtcpPsfbPacket) and p.fmt == RTCP_PSFB_PLI for p in self.feedback)


class Viewer:
    """An egress, and what it sends to its subscriber."""

    def __init__(self, kind: str = "video") -> None:
        self.sent: list[RtpPacket] = []
        self.rtcp: list[Any] = []
        self.egress = Egress(7000, 7001, self._sent, self._rtcp)
        codecs = _codecs(100) if kind == "video" else [RTCRtpCodecParameters("audio/opus", 48_000, 2, 111)]
        uri, number = (ABS_SEND_TIME, 3) if kind == "video" else (AUDIO_LEVEL, 2)
        extensions = [RTCRtpHeaderExtensionParameters(id=number, uri=uri)]
        self.egress.configure(RTCRtpSendParameters(codecs=codecs, headerExtensions=extensions))

    def _sent(self, data: bytes) -> bool:
        self.sent.append(parse(data))
        return True

    def _rtcp(self, data: bytes) -> bool:
        self.rtcp += RtcpPacket.parse(data)
        return True

    def nack(self, *lost: int) -> None:
        self.egress.on_rtcp(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=7000, lost=list(lost)))


def test_headers_are_rewritten() -> None:
    camera, viewer = Camera(11), Viewer()
    viewer.egress.attach(camera.ingress)
    camera.packet(65535, 5000, KEY)
    camera.packet(0, 8000)
    assert [(p.sequence, p.timestamp) for p in viewer.sent] == [(65535, 5000), (0, 8000)]
    assert {(p.ssrc, p.payload_type, p.marker) for p in viewer.sent} == {(7000, 100, True)}
    assert all(len(p.extensions[3]) == 3 for p in viewer.sent)


def test_nothing_goes_out_before_a_keyframe_which_is_asked_for() -> None:
    camera, viewer = Camera(11), Viewer()
    viewer.egress.attach(camera.ingress)
    camera.packet(1, 0)
    assert viewer.sent == []
    assert camera.keyframes_asked_for() == 1
    camera.packet(2, 3000, KEY)
    assert len(viewer.sent) == 1


def test_a_switch_continues_the_stream() -> None:
    first, second, viewer = Camera(11), Camera(21), Viewer()
    viewer.egress.attach(first.ingress)
    first.packet(100, 1000, KEY, now_s=0.0)
    first.packet(101, 4000, now_s=1 / 30)
    viewer.egress.attach(second.ingress)
    first.packet(102, 7000, now_s=2 / 30)
    second.packet(9, 900_000, DELTA, now_s=2 / 30)
    second.packet(10, 903_000, KEY, now_s=3 / 30)
    second.packet(11, 906_000, now_s=4 / 30)
    assert [p.sequence for p in viewer.sent] == [100, 101, 102, 103]
    assert [p.timestamp for p in viewer.sent] == [1000, 4000, 10_000, 13_000]


def test_a_gap_stays_a_gap_until_it_is_filled() -> None:
    camera, viewer = Camera(11), Viewer()
    viewer.egress.attach(camera.ingress)
    camera.packet(1, 0, KEY)
    camera.packet(4, 9000)
    assert camera.asked_for() == [[2, 3]]
    camera.ingress.receive(RtpPacket(97, True, 50, 3000, 12, (2).to_bytes(2) + DELTA, {}), 0.01)
    camera.packet(3, 6000)
    camera.packet(3, 6000)
    assert [p.sequence for p in viewer.sent] == [1, 4, 2, 3]


def test_a_subscriber_gets_lost_packets_again_as_rtx() -> None:
    camera, viewer = Camera(11), Viewer()
    viewer.egress.attach(camera.ingress)
    for number in range(5):
        camera.packet(number, number * 3000, KEY if number == 0 else DELTA)
    viewer.nack(3, 999)
    again = viewer.sent[5:]
    assert len(again) == 1
    assert (again[0].ssrc, again[0].payload_type, again[0].timestamp) == (7001, 101, 9000)
    assert again[0].payload == (3).to_bytes(2) + DELTA


def test_what_was_before_a_switch_is_not_sent_again() -> None:
    first, second, viewer = Camera(11), Camera(21), Viewer()
    viewer.egress.attach(first.ingress)
    first.packet(1, 0, KEY)
    viewer.egress.attach(second.ingress)
    second.packet(500, 0)
    second.packet(501, 3000, KEY)
    count = len(viewer.sent)
    viewer.nack(1)
    assert len(viewer.sent) == count


def test_while_muted_nothing_goes_out_or_stays_to_be_sent_again() -> None:
    camera, viewer = Camera(11), Viewer()
    viewer.egress.attach(camera.ingress)
    camera.packet(1, 0, KEY)
    camera.ingress.set_muted(True)
    camera.packet(2, 3000, KEY)
    viewer.nack(1, 2)
    assert len(viewer.sent) == 1
    camera.ingress.set_muted(False)
    camera.packet(3, 6000)
    assert len(viewer.sent) == 1
    camera.packet(4, 9000, KEY)
    assert [p.sequence for p in viewer.sent] == [1, 2]


def test_sender_reports_are_passed_on_in_the_slots_timestamps() -> None:
    first, second, viewer = Camera(11), Camera(21), Viewer()
    viewer.egress.attach(first.ingress)
    first.packet(1, 0, KEY)
    viewer.egress.attach(second.ingress)
    second.ingress.on_sender_report(5 << 32, 90_000, 0.0)
    assert viewer.rtcp == []
    second.packet(1, 90_000, KEY, now_s=1.0)
    second.ingress.on_sender_report(6 << 32, 93_000, 0.1)
    report = viewer.rtcp[0]
    assert isinstance(report, RtcpSrPacket)
    assert (report.ssrc, report.sender_info.ntp_timestamp) == (7000, 6 << 32)
    assert report.sender_info.rtp_timestamp == viewer.sent[-1].timestamp + 3000


def test_keyframe_requests_of_many_viewers_become_one() -> None:
    camera = Camera(11)
    viewers = [Viewer() for _ in range(10)]
    for viewer in viewers:
        viewer.egress.attach(camera.ingress)
    camera.packet(1, 0, KEY)
    for viewer in viewers:
        viewer.egress.on_rtcp(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=7000))
    assert camera.keyframes_asked_for() <= 1


def test_the_audio_level_is_passed_on() -> None:
    microphone, viewer = Ingress("microphone", lambda data: True), Viewer("audio")
    level: Callable[[int], RTCRtpHeaderExtensionParameters] = lambda n: RTCRtpHeaderExtensionParameters(  # noqa: E731
        id=n, uri=AUDIO_LEVEL
    )
    codec = RTCRtpCodecParameters("audio/opus", 48_000, 2, 96)
    microphone.configure(
        RTCRtpReceiveParameters(
            codecs=[codec],
            headerExtensions=[level(9)],
            encodings=[RTCRtpDecodingParameters(ssrc=5, payloadType=96)],
        )
    )
    viewer.egress.attach(microphone)
    microphone.receive(RtpPacket(96, False, 1, 0, 5, b"opus", {9: b"\x85"}), 0.0)
    assert viewer.sent[0].extensions == {2: b"\x85"}
    assert viewer.sent[0].payload_type == 111


def test_a_codec_the_subscriber_does_not_know_is_dropped_and_counted() -> None:
    camera, viewer = Camera(11), Viewer("audio")
    viewer.egress.attach(camera.ingress)
    camera.packet(1, 0, KEY)
    assert viewer.sent == []
    assert viewer.egress.packets_dropped == 1


def test_a_new_ssrc_of_a_known_source_starts_afresh() -> None:
    camera, viewer = Camera(11), Viewer()
    viewer.egress.attach(camera.ingress)
    camera.packet(60_000, 0, KEY)
    camera.ssrc = 99
    camera.packet(5, 3000, KEY)
    assert camera.asked_for() == []
    assert camera.ingress.ssrc == 99
