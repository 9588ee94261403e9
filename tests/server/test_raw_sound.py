"""What of a microphone goes to a denoiser, and the levels that come back to it."""

import pytest
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
)

from vmeet_core.server.raw_sound import KEPT_LEVELS, RawSound
from vmeet_core.sfu.ingress import AUDIO_LEVEL, Ingress
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock

FIRST = 2**32 - 3 * 960  # wraps soon


class Scene:
    def __init__(self) -> None:
        opus = [RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=96)]
        self.microphone = Ingress("microphone", lambda data: True, PublisherClock())
        self.microphone.configure(
            RTCRtpReceiveParameters(
                codecs=opus,
                encodings=[RTCRtpDecodingParameters(3, 96)],
                headerExtensions=[RTCRtpHeaderExtensionParameters(5, AUDIO_LEVEL)],
            )
        )
        self.handed: list[RtpPacket] = []
        self.stalls = 0
        self.reports: list[tuple[int, int]] = []
        self.raw = RawSound(self.microphone, self.handed.append, self._stall, lambda *both: self.reports.append(both))

    def _stall(self) -> None:
        self.stalls += 1

    def send(self, number: int, payload: bytes = b"voice") -> None:
        timestamp = (FIRST + number * 960) % 2**32
        packet = RtpPacket(96, False, number, timestamp, 3, payload, {5: bytes((number % 128,))})
        self.microphone.receive(packet, 10 + number * 0.02)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.raw.start()
    return made


def test_packets_go_on_at_once_whatever_is_missing(scene: Scene) -> None:
    for number in (0, 1, 3, 2, 5, 5):
        scene.send(number)
    assert [packet.sequence for packet in scene.handed] == [0, 1, 3, 2, 5]
    scene.send(6, b"")
    assert len(scene.handed) == 5, "padding is no sound"


def test_the_level_is_that_of_the_nearest(scene: Scene) -> None:
    assert scene.raw.level_at(FIRST) is None
    for number in range(6):
        scene.send(number)
    levels = [scene.raw.level_at((FIRST + at) % 2**32) for at in (0, 400, 500, 3 * 960 - 100, 3 * 960 + 100, 99_000)]
    assert levels == [b"\0", b"\0", b"\1", b"\3", b"\3", b"\5"]


def test_only_so_many_levels_are_kept(scene: Scene) -> None:
    for number in range(KEPT_LEVELS + 10):
        scene.send(number)
    assert scene.raw.level_at(FIRST) == b"\x0a"


def test_it_tells_when_nothing_comes_back(scene: Scene) -> None:
    for number in range(15):
        scene.send(number)
    assert scene.stalls == 0
    for number in range(15, 20):
        scene.send(number)
    assert scene.stalls > 0


def test_a_pause_of_the_microphone_is_a_new_beginning(scene: Scene) -> None:
    scene.send(0)
    scene.microphone.set_muted(True)
    assert scene.raw.level_at(FIRST) is None
    assert not scene.raw.lag.made(FIRST, 10.05)
    scene.send(1)
    assert len(scene.handed) == 1


def test_reports_are_told_the_latest_at_the_start(scene: Scene) -> None:
    scene.microphone.on_sender_report(1 << 32, 2, 0.0)
    scene.raw.stop()
    scene.microphone.on_sender_report(3 << 32, 4, 0.0)
    scene.raw.start()
    assert scene.reports == [(1 << 32, 2), (3 << 32, 4)]


def test_it_listens_from_start_to_stop(scene: Scene) -> None:
    scene.raw.start()
    scene.send(0)
    scene.raw.stop()
    scene.raw.stop()
    scene.send(1)
    assert [packet.sequence for packet in scene.handed] == [0]
