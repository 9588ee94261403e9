"""A slot goes from a voice to what a denoiser made of it, and back: one stream, in step."""

import itertools
import struct

import pytest
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)

from vmeet_core.sfu.egress import Egress
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.made_sound import MadeSound
from vmeet_core.sfu.packet import RtpPacket, Wire, parse
from vmeet_core.sfu.publisher_clock import PublisherClock

OPUS = [RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=96)]
PACKET = 960
TOC = bytes((31 << 3,))  # one frame of 20 ms (RFC 6716)
FIRST = 2**32 - 20 * PACKET  # wraps soon
NTP = 3_900_000_000 << 32


class Line:
    """The way to a receiver. Payloads say when the sound was captured and whether it is the raw one."""

    def __init__(self) -> None:
        self.packets: list[RtpPacket] = []
        self.sent_s: list[float] = []
        self.now_s = 0.0

    def send_wire(
        self, wire: Wire, second: int, sequence: int, timestamp: int, ssrc: int, picture_id: int, tl0: int
    ) -> bool:
        data = bytearray(wire.data)
        struct.pack_into("!BHII", data, 1, second, sequence, timestamp, ssrc)
        self.packets.append(parse(bytes(data)))
        self.sent_s.append(self.now_s)
        return True

    @property
    def captured(self) -> list[int]:
        """In samples since the beginning."""
        return [struct.unpack("!xi", packet.payload[:5])[0] for packet in self.packets]

    @property
    def raw(self) -> list[bool]:
        return [packet.payload.endswith(b"raw") for packet in self.packets]


class Voice:
    """A microphone whose sound a denoiser gives back ``late`` packets and ``shift`` samples later."""

    def __init__(self, line: Line, monkeypatch: pytest.MonkeyPatch, ssrc: int = 3) -> None:
        self._line = line
        self.microphone = Ingress("microphone", lambda data: True, PublisherClock())
        self.microphone.configure(RTCRtpReceiveParameters(codecs=OPUS, encodings=[RTCRtpDecodingParameters(ssrc, 96)]))
        self.made = MadeSound(self.microphone, 77)
        self.late, self.shift, self.first, self.ssrc = 3, -312, FIRST, ssrc
        self.sequence = self.count = 0
        self.now_s = 50.0
        monkeypatch.setattr("vmeet_core.sfu.made_sound.time.monotonic", lambda: self.now_s)

    def go(self, packets: int, made: bool = True, lose: tuple[int, ...] = ()) -> None:
        for number in range(packets):
            self.now_s = self._line.now_s = self.now_s + 0.02
            if number not in lose:
                self._receive()
            self.sequence += 1
            at = (self.count - self.late) * PACKET + self.shift
            if made and at >= 0:
                self.made.send(TOC + struct.pack("!i", at) + b"made", (self.first + at) % 2**32, None)
            self.count += 1

    def _receive(self) -> None:
        at = self.count * PACKET
        payload = TOC + struct.pack("!i", at) + b"raw"
        timestamp = (self.first + at) % 2**32
        self.microphone.receive(RtpPacket(96, False, self.sequence, timestamp, self.ssrc, payload), self.now_s)


@pytest.fixture
def voice(line: Line, monkeypatch: pytest.MonkeyPatch) -> Voice:
    return Voice(line, monkeypatch)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def egress(line: Line, voice: Voice) -> Egress:
    made = Egress(7000, 7001, line)
    made.configure(RTCRtpSendParameters(codecs=OPUS))
    made.attach(voice.microphone)
    return made


def check(line: Line) -> None:
    """Numbers without a gap, no sound twice, and each packet at the time that its timestamp says, or a little early."""
    for before, after in itertools.pairwise(line.packets):
        assert after.sequence == (before.sequence + 1) % 2**16
    assert all(after - before >= PACKET for before, after in itertools.pairwise(line.captured))
    stamps = [packet.timestamp for packet in line.packets]
    for (before, earlier_s), (after, later_s) in itertools.pairwise(zip(stamps, line.sent_s, strict=True)):
        step = (after - before) % 2**32
        assert step >= PACKET
        assert step == pytest.approx((later_s - earlier_s) * 48_000, abs=3)


@pytest.mark.parametrize("reported", [True, False])
def test_from_raw_to_denoised_nothing_is_played_twice(line: Line, voice: Voice, egress: Egress, reported: bool) -> None:
    if reported:
        voice.microphone.on_sender_report(NTP, FIRST, 0.0)
        voice.made.on_sender_report(NTP, FIRST)
    voice.go(10)
    egress.attach(voice.made)
    voice.go(10)
    assert line.raw == [True] * 10 + [False] * 6, "late by three packets, and by the part of one"
    check(line)
    assert line.captured[10] - line.captured[9] == 2 * PACKET - 312, "no more is left out than has to be"


@pytest.mark.parametrize("reported", [True, False])
def test_from_denoised_to_raw_without_a_burst(line: Line, voice: Voice, egress: Egress, reported: bool) -> None:
    if reported:
        voice.microphone.on_sender_report(NTP, FIRST, 0.0)
        voice.made.on_sender_report(NTP, FIRST)
    egress.attach(voice.made)
    voice.go(20)
    count = len(line.packets)
    egress.attach(voice.microphone)
    voice.go(1)
    assert line.raw[count:] == [True], "at once, and alone"
    voice.go(5)
    assert line.raw[count:] == [True] * 6
    check(line)


def test_back_and_forth_leaves_no_delay(line: Line, voice: Voice, egress: Egress) -> None:
    for _ in range(20):
        egress.attach(voice.made)
        voice.go(7)
        egress.attach(voice.microphone)
        voice.go(2)
    check(line)
    assert {*line.raw} == {True, False}
    took = (line.packets[-1].timestamp - line.packets[0].timestamp) % 2**32
    assert took == pytest.approx((line.sent_s[-1] - line.sent_s[0]) * 48_000, abs=100)


def test_reports_tell_of_the_shift(line: Line, voice: Voice, egress: Egress) -> None:
    """By them a receiver finds when any sound was captured: before, while and after it is denoised."""
    voice.microphone.on_sender_report(NTP, FIRST, 0.0)
    voice.made.on_sender_report(NTP, FIRST)
    begin_s = voice.microphone.clock.server_ntp_s(NTP)
    assert begin_s is not None
    for source in (voice.microphone, voice.made, voice.microphone, voice.made):
        egress.attach(source)
        voice.go(10)
        report = egress.make_report(begin_s + 7)
        assert report is not None
        since_report = line.packets[-1].timestamp - report.sender_info.rtp_timestamp
        assert (since_report - (line.captured[-1] - 7 * 48_000)) % 2**32 in (0, 1, 2**32 - 1)


def test_back_before_the_denoised_sound_has_come_there_is_no_gap(line: Line, voice: Voice, egress: Egress) -> None:
    voice.go(5)
    egress.attach(voice.made)
    egress.attach(voice.microphone)
    voice.go(5)
    assert line.raw == [True] * 10
    check(line)


def test_after_a_hang_the_timestamps_tell_how_long_it_took(line: Line, voice: Voice, egress: Egress) -> None:
    egress.attach(voice.made)
    voice.go(20)
    voice.go(15, made=False)
    egress.attach(voice.microphone)
    voice.go(5)
    check(line)
    assert line.raw[-5:] == [True] * 5


def test_a_microphone_that_was_off_goes_on_in_time(line: Line, voice: Voice, egress: Egress) -> None:
    voice.go(5)
    voice.microphone.set_muted(True)
    voice.go(100)
    voice.microphone.set_muted(False)
    voice.go(5)
    assert len(line.packets) == 10
    check(line)


@pytest.mark.parametrize("jump", [2**31, -50 * PACKET * 60, 480_000])
def test_a_publisher_that_begins_anew_is_heard_at_once(line: Line, voice: Voice, egress: Egress, jump: int) -> None:
    """Its timestamps are other ones: they say nothing about what was heard."""
    voice.go(5)
    voice.first, voice.ssrc, voice.sequence = (voice.first + jump) % 2**32, 9, 40_000
    voice.go(5)
    assert line.raw == [True] * 10
    steps = [(after.timestamp - before.timestamp) % 2**32 for before, after in itertools.pairwise(line.packets)]
    assert all(0 < step <= 2 * PACKET for step in steps)


def test_a_lost_raw_packet_stays_a_gap(line: Line, voice: Voice, egress: Egress) -> None:
    voice.go(10, lose=(4,))
    assert [packet.sequence for packet in line.packets] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    egress.attach(voice.made)
    voice.go(8)
    numbers = [packet.sequence for packet in line.packets[9:]]
    assert numbers == list(range(10, 10 + len(numbers)))


def test_another_person_follows_by_arrival(
    line: Line, voice: Voice, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Voice(line, monkeypatch, 4)
    other.first = 12_345
    other.now_s = voice.now_s
    voice.go(5)
    egress.attach(other.made)
    other.now_s = voice.now_s
    other.late = 0
    other.shift = 0
    other.go(3)
    assert len(line.packets) == 8
    steps = [(after.timestamp - before.timestamp) % 2**32 for before, after in itertools.pairwise(line.packets)]
    assert all(0 < step <= 2 * PACKET for step in steps)
