"""No number is ever used for two different packets: SRTP would encrypt both with one key stream (RFC 3711, 9.1)."""

import struct

import pytest
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sfu.test_egress import CYCLE, Camera

from vmeet_core.sfu.egress import ABS_SEND_TIME, MID, Egress
from vmeet_core.sfu.ingress import AUDIO_LEVEL, Ingress
from vmeet_core.sfu.packet import RtpPacket, Wire
from vmeet_core.sfu.publisher_clock import PublisherClock

OPUS = [RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=96)]
VP8 = RTCRtpCodecParameters("video/VP8", 90_000, payloadType=97)
RTX = RTCRtpCodecParameters("video/rtx", 90_000, payloadType=98, parameters={"apt": 97})
EXTENSIONS = [
    RTCRtpHeaderExtensionParameters(number, uri) for number, uri in ((1, MID), (2, AUDIO_LEVEL), (3, ABS_SEND_TIME))
]


class Cipher:
    """Patches like the media transport does, and refuses a number that comes with other bytes."""

    def __init__(self) -> None:
        self.plain: dict[tuple[int, int], bytes] = {}
        self.sent: list[tuple[int, int]] = []
        self.repeated: list[tuple[int, int]] = []
        self._transport = 0

    def send_wire(
        self, wire: Wire, second: int, sequence: int, timestamp: int, ssrc: int, picture_id: int, tl0: int
    ) -> bool:
        data = bytearray(wire.data)
        struct.pack_into("!BHII", data, 1, second, sequence, timestamp, ssrc)
        if picture_id >= 0:
            struct.pack_into("!H", data, wire.picture_id_at, picture_id)
        if tl0 >= 0:
            data[wire.tl0_at] = tl0
        if wire.transport_at:
            struct.pack_into("!H", data, wire.transport_at, self._transport & 0xFFFF)
            self._transport += 1
        before = self.plain.setdefault((ssrc, sequence), bytes(data))
        assert before == bytes(data), f"number {sequence} of {ssrc} was used for two packets"
        if (ssrc, sequence) in self.sent:
            self.repeated.append((ssrc, sequence))
        self.sent.append((ssrc, sequence))
        return True


class Microphone:
    """Opus packets with an audio level."""

    def __init__(self, sequence: int) -> None:
        self.ingress = Ingress("microphone", lambda data: True, PublisherClock())
        level = RTCRtpHeaderExtensionParameters(9, AUDIO_LEVEL)
        self.ingress.configure(
            RTCRtpReceiveParameters(codecs=OPUS, headerExtensions=[level], encodings=[RTCRtpDecodingParameters(3, 96)])
        )
        self.sequence = sequence

    def packet(self) -> RtpPacket:
        self.sequence += 1
        body, level = struct.pack("!I", self.sequence), bytes((self.sequence & 127,))
        timestamp = self.sequence * 960 & 0xFFFFFFFF
        return RtpPacket(96, False, self.sequence & 0xFFFF, timestamp, 3, body, {9: level})


def sound_egress(cipher: Cipher) -> Egress:
    egress = Egress(7000, 7001, cipher)
    egress.configure(RTCRtpSendParameters(codecs=OPUS, headerExtensions=EXTENSIONS, muxId="5"))
    return egress


def picture_egress(cipher: Cipher, rtx: bool) -> Egress:
    egress = Egress(7000, 7001, cipher)
    egress.transport_sequence = 4
    codecs = [VP8, RTX] if rtx else [VP8]
    egress.configure(RTCRtpSendParameters(codecs=codecs, headerExtensions=EXTENSIONS, muxId="5"))
    return egress


EXAMPLES = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SOUND_EVENTS = st.lists(
    st.sampled_from(
        ("packet", "packet", "packet", "lose", "late", "redundant", "plain", "confirm", "mute", "other", "nack")
    ),
    min_size=10,
    max_size=80,
)


@EXAMPLES
@given(st.integers(0, 0xFFFF), SOUND_EVENTS)
def test_sound_that_goes_twice_is_the_same_twice(sequence: int, events: list[str]) -> None:
    cipher = Cipher()
    egress, speakers = sound_egress(cipher), [Microphone(sequence), Microphone(sequence + 3)]
    egress.attach(speakers[0].ingress)
    lost: list[RtpPacket] = []
    now_s = 0.0
    for event in events:
        now_s += 0.013
        if event == "packet":
            speakers[0].ingress.receive(speakers[0].packet(), now_s)
        elif event == "lose":
            lost.append(speakers[0].packet())
        elif event == "late" and lost:
            speakers[0].ingress.receive(lost.pop(), now_s)
        elif event in ("redundant", "plain"):
            egress.redundant = event == "redundant"
        elif event == "confirm":
            egress.confirm()
        elif event == "mute":
            speakers[0].ingress.set_muted(not speakers[0].ingress.muted)
        elif event == "nack" and cipher.sent:
            egress.retransmit(cipher.sent[-1][1], now_s)
        elif event == "other":
            speakers.reverse()
            lost.clear()
            egress.attach(speakers[0].ingress)


def test_sound_really_goes_twice() -> None:
    cipher = Cipher()
    egress, microphone = sound_egress(cipher), Microphone(10)
    egress.attach(microphone.ingress)
    egress.redundant = True
    for step in range(10):
        microphone.ingress.receive(microphone.packet(), 0.02 * step)
    assert len(cipher.repeated) == 9


PICTURE_EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("frame"), st.integers(1, 3)),
        st.tuples(st.just("frame"), st.integers(1, 3)),
        st.tuples(st.just("temporal"), st.sampled_from((0, 1, 3))),
        st.tuples(st.just("layer"), st.integers(0, 1)),
        st.tuples(st.just("pause"), st.just(0)),
        st.tuples(st.just("lose"), st.integers(0, 2)),
        st.tuples(st.just("late"), st.just(0)),
        st.tuples(st.just("nack"), st.integers(0, 6)),
        st.tuples(st.just("nack"), st.integers(0, 40)),
        st.tuples(st.just("again"), st.integers(1, 20)),
        st.tuples(st.just("confirm"), st.just(0)),
        st.tuples(st.just("pad"), st.integers(1, 3000)),
    ),
    min_size=15,
    max_size=100,
)


class World:
    """Two sizes of a picture for one receiver that asks for anything again at any time."""

    def __init__(self, sequence: int, rtx: bool) -> None:
        self.cipher = Cipher()
        self.cameras = Camera(11, sequence, 5), Camera(12, sequence + 7, 90)
        self.egress = picture_egress(self.cipher, rtx)
        self.egress.show(tuple(camera.ingress for camera in self.cameras))
        self.egress.select(1)
        self.size, self.temporal = 1, 3
        self.lost: list[tuple[Camera, RtpPacket]] = []
        self.now_s = 0.0
        self.frames = 0

    def play(self, events: list[tuple[str, int]]) -> None:
        for event, value in events:
            getattr(self, f"_{event}")(value)

    def _frame(self, packets: int, lose: int = -1) -> None:
        self.now_s += 0.05
        keyframe = self.frames % (3 * len(CYCLE)) == 0
        self.frames += 1
        for camera in self.cameras:
            for index, packet in enumerate(camera.frame(packets, keyframe)):
                if index == lose:
                    self.lost.append((camera, packet))
                else:
                    camera.ingress.receive(packet, self.now_s)

    def _lose(self, value: int) -> None:
        self._frame(3, lose=value)

    def _again(self, back: int) -> None:
        """An old packet comes as the retransmission that nobody asked for, with other content."""
        camera = self.cameras[self.size]
        packet = camera.ingress.packet(camera.sequence - back & 0xFFFF)
        if packet is not None:
            lie = packet.payload[:-1] + b"?"
            stamp = packet.timestamp + 3000 & 0xFFFFFFFF
            camera.ingress.receive(RtpPacket(97, packet.marker, packet.sequence, stamp, camera.ssrc, lie), self.now_s)

    def _late(self, _: int) -> None:
        while self.lost:
            camera, packet = self.lost.pop()
            camera.ingress.receive(packet, self.now_s)

    def _select(self) -> None:
        self.egress.select(self.size, self.temporal)

    def _temporal(self, value: int) -> None:
        self.temporal = value
        self._select()

    def _layer(self, value: int) -> None:
        self.size = value
        self._select()

    def _pause(self, _: int) -> None:
        self.egress.select(None)

    def _nack(self, back: int) -> None:
        mine = [sequence for ssrc, sequence in self.cipher.sent if ssrc == 7000]
        if mine:
            self.egress.retransmit(mine[-1] - back & 0xFFFF, self.now_s)

    def _confirm(self, _: int) -> None:
        self.egress.confirm()

    def _pad(self, size_bytes: int) -> None:
        self.egress.pad(size_bytes)


@EXAMPLES
@given(st.integers(0, 0xFFFF), PICTURE_EVENTS)
def test_with_rtx_only_an_empty_packet_goes_again(sequence: int, events: list[tuple[str, int]]) -> None:
    world = World(sequence, rtx=True)
    world.play(events)
    assert all(world.cipher.plain[number][0] == 0xA0 for number in world.cipher.repeated)


@EXAMPLES
@given(st.integers(0, 0xFFFF), PICTURE_EVENTS)
def test_without_rtx_what_goes_again_is_the_same(sequence: int, events: list[tuple[str, int]]) -> None:
    World(sequence, rtx=False).play(events)


@pytest.mark.parametrize("rtx", [True, False])
def test_a_nack_for_a_layer_that_is_left_out_by_now(rtx: bool) -> None:
    world = World(100, rtx)
    world.play([("frame", 1)] * 3 + [("temporal", 0)] + [("frame", 1)] * 2)
    world.play([("nack", back) for back in range(5)])
    assert not world.cipher.repeated or not rtx


def test_sound_goes_on_after_a_pause_with_a_time_of_its_own() -> None:
    cipher = Cipher()
    egress, microphone = sound_egress(cipher), Microphone(10)
    egress.attach(microphone.ingress)
    egress.redundant = True
    for at_s in (0.0, 0.02, 0.04):
        microphone.ingress.receive(microphone.packet(), at_s)
    microphone.ingress.set_muted(True)
    microphone.ingress.set_muted(False)
    for at_s in (0.975, 1.0):
        microphone.ingress.receive(microphone.packet(), at_s)
    assert len(set(cipher.sent)) == 5


@pytest.mark.parametrize("rtx", [True, False])
def test_a_nack_is_answered_after_the_receiver_has_reported(rtx: bool) -> None:
    world = World(100, rtx)
    world.play([("frame", 2), ("frame", 2), ("confirm", 0), ("nack", 1), ("frame", 2), ("nack", 0)])
    assert world.egress.retransmitted == 2
    assert len(world.cipher.repeated) == (0 if rtx else 2)
