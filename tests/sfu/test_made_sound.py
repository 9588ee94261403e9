"""A voice that the server made of another is a source like any other, in the time of the one that it was made of."""

import pytest
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpDecodingParameters, RTCRtpReceiveParameters

from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.made_sound import MadeSound
from vmeet_core.sfu.packet import Extensions, RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock

VOICE = b"\x78voice"


class Listening:
    def __init__(self) -> None:
        self.packets: list[RtpPacket] = []
        self.interrupted = 0
        self.reports: list[tuple[int, int]] = []

    def forward(self, packet: RtpPacket) -> None:
        self.packets.append(packet)

    def interrupt(self) -> None:
        self.interrupted += 1

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        self.reports.append((ntp_timestamp, rtp_timestamp))


@pytest.fixture
def raw() -> Ingress:
    ingress = Ingress("microphone", lambda data: True, PublisherClock())
    opus = [RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=96)]
    ingress.configure(RTCRtpReceiveParameters(codecs=opus, encodings=[RTCRtpDecodingParameters(3, 96)]))
    return ingress


@pytest.fixture
def source(raw: Ingress) -> MadeSound:
    return MadeSound(raw, 77)


@pytest.fixture
def listening(source: MadeSound) -> Listening:
    made = Listening()
    source.add_listener(made)
    return made


def test_packets_have_numbers_of_their_own_and_the_time_of_their_capture(
    source: MadeSound, listening: Listening
) -> None:
    source._sequence = 0xFFFF
    for number in range(3):
        source.send(VOICE, (2**32 - 960 + 960 * number) % 2**32, None)
    assert [packet.sequence for packet in listening.packets] == [0xFFFF, 0, 1]
    assert [packet.timestamp for packet in listening.packets] == [2**32 - 960, 0, 960]
    assert {(packet.codec, packet.payload, packet.ssrc, packet.keyframe) for packet in listening.packets} == {
        ("opus", VOICE, 77, True)
    }
    assert all(packet.source is source for packet in listening.packets)


def test_it_is_of_its_publisher_and_counts_as_the_raw_sound_does(raw: Ingress, source: MadeSound) -> None:
    assert (source.source, source.is_video) == ("microphone", False)
    assert source.clock is raw.clock
    assert source.timeline is raw.timeline
    assert source.timeline is not MadeSound(Ingress("microphone", lambda _: True, raw.clock), 78).timeline


def test_the_level_reaches_the_wire_under_the_receivers_number(source: MadeSound, listening: Listening) -> None:
    source.send(VOICE, 0, b"\xb2")
    source.send(VOICE, 960, None)
    loud, unknown = listening.packets
    assert (source.level_of(loud), source.level_of(unknown)) == (b"\xb2", None)
    extensions = Extensions(audio_level=9)
    assert b"\x90\xb2" in loud.wire(extensions, source.level_of(loud)).data
    assert unknown.wire(extensions, source.level_of(unknown)).data[0] == 0x80, "no extension at all"


def test_packets_are_kept_and_counted(source: MadeSound) -> None:
    source.measure(0.0)
    for number in range(50):
        source.send(bytes(100), 960 * number, None)
    source.measure(1.0)
    kept = source.packet(49)
    assert kept is not None
    assert kept.sequence == 49
    assert source.packet(50) is None
    assert source.layer_bps(0) > 50 * 100 * 8 / 2


def test_nothing_of_a_muted_one_goes_anywhere(source: MadeSound, listening: Listening) -> None:
    source.send(VOICE, 0, None)
    source.set_muted(True)
    source.send(VOICE, 960, None)
    assert (len(listening.packets), listening.interrupted) == (1, 1)
    assert source.packet(0) is None, "nor by a retransmission"
    source.set_muted(False)
    source.send(VOICE, 1920, None)
    source.send(b"", 2880, None)
    assert [packet.timestamp for packet in listening.packets] == [0, 1920]


def test_a_new_report_is_told_once(source: MadeSound, listening: Listening) -> None:
    for report in ((1, 2), (1, 2), (3, 4)):
        source.on_sender_report(*report)
    assert listening.reports == [(1, 2), (3, 4)]
    assert source.last_sender_report == (3, 4)


def test_listeners_hear_that_it_does_not_continue(source: MadeSound, listening: Listening) -> None:
    source.continue_after()
    assert listening.interrupted == 1
