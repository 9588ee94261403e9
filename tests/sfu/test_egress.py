"""What a receiver gets: whatever is lost, late, doubled or switched on the way, its decoder can always go on."""

import struct
from collections.abc import Iterator
from typing import Any

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

from vmeet_core.sfu.codecs import parse_vp8
from vmeet_core.sfu.egress import ABS_SEND_TIME, MID, Egress
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.packet import RtpPacket, Wire, parse
from vmeet_core.sfu.publisher_clock import PublisherClock

CYCLE = (0, 2, 1, 2)  # temporal layers of L1T3
VP8 = [
    RTCRtpCodecParameters("video/VP8", 90_000, payloadType=97),
    RTCRtpCodecParameters("video/rtx", 90_000, payloadType=98, parameters={"apt": 97}),
]


class Line:
    """The way to a receiver: keeps what was sent as it would arrive."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []

    def send_wire(
        self, wire: Wire, second: int, sequence: int, timestamp: int, ssrc: int, picture_id: int, tl0: int
    ) -> bool:
        data = bytearray(wire.data)
        struct.pack_into("!BHII", data, 1, second, sequence, timestamp, ssrc)
        if picture_id >= 0:
            struct.pack_into("!H", data, wire.picture_id_at, picture_id)
        if tl0 >= 0:
            data[wire.tl0_at] = tl0
        self.raw.append(bytes(data))
        return True

    @property
    def packets(self) -> list[RtpPacket]:
        return [parse(data) for data in self.raw]


def make_egress(line: Line, extensions: bool = False) -> Egress:
    egress = Egress(7000, 7001, line)
    used = [RTCRtpHeaderExtensionParameters(1, MID), RTCRtpHeaderExtensionParameters(3, ABS_SEND_TIME)]
    egress.configure(RTCRtpSendParameters(codecs=VP8, headerExtensions=used if extensions else [], muxId="5"))
    return egress


def make_ingress(ssrc: int, clock: PublisherClock | None = None) -> Ingress:
    ingress = Ingress("camera", lambda data: True, clock or PublisherClock())
    ingress.configure(RTCRtpReceiveParameters(codecs=VP8, encodings=[RTCRtpDecodingParameters(ssrc, 97)]))
    return ingress


class Camera:
    """Writes the packets of a VP8 L1T3 stream; ``frames`` tells what each was."""

    def __init__(self, ssrc: int, sequence: int, picture_id: int, timestamp: int = 0) -> None:
        self.ingress = make_ingress(ssrc)
        self.ssrc = ssrc
        self.sequence = sequence
        self.picture_id = picture_id
        self.timestamp = timestamp
        self.tl0 = 250
        self.step = 0

    def frame(self, packets: int, keyframe: bool = False) -> list[RtpPacket]:
        if keyframe:
            self.step = 0
        temporal = CYCLE[self.step % 4]
        self.tl0 = (self.tl0 + (temporal == 0)) & 0xFF
        made = []
        for index in range(packets):
            descriptor = bytes((0x90 if index == 0 else 0x80, 0xE0))
            descriptor += struct.pack("!H", 0x8000 | self.picture_id & 0x7FFF)
            descriptor += bytes((self.tl0, temporal << 6 | (0x20 if self.step % 4 < 3 else 0)))
            body = bytes((0x00 if keyframe else 0x01,)) + struct.pack("!IH", self.timestamp, index)
            last = index == packets - 1
            made.append(RtpPacket(97, last, self.sequence & 0xFFFF, self.timestamp, self.ssrc, descriptor + body))
            self.sequence += 1
        self.step += 1
        self.picture_id += 1
        self.timestamp = (self.timestamp + 3000) & 0xFFFFFFFF
        return made


class Frame:
    """A picture as it arrived whole."""

    def __init__(self, packets: list[RtpPacket]) -> None:
        descriptor = parse_vp8(packets[0].payload)
        self.keyframe = not packets[0].payload[descriptor.size] & 1
        self.temporal, self.tl0 = descriptor.temporal, descriptor.tl0_picture_index
        self.switchable, self.picture_id = descriptor.switchable, descriptor.picture_id
        self.timestamp = packets[0].timestamp


def frames(packets: list[RtpPacket]) -> Iterator[Frame]:
    """Whole pictures, as a receiver finds them by sequence number, start and marker."""
    by_number = {_unwrapped(packet.sequence, packets[0].sequence): packet for packet in packets}
    open_frame: list[RtpPacket] = []
    expected = None
    for number in sorted(by_number):
        packet = by_number[number]
        starts = bool(packet.payload) and parse_vp8(packet.payload).starts_frame
        if number != expected or starts or (open_frame and open_frame[0].timestamp != packet.timestamp):
            open_frame = []
        if packet.payload and (starts or open_frame):
            open_frame.append(packet)
            if packet.marker:
                yield Frame(open_frame)
                open_frame = []
        expected = number + 1


def _unwrapped(sequence: int, first: int) -> int:
    return ((sequence - first + 0x8000) & 0xFFFF) - 0x8000


def deliver(ingress: Ingress, packets: list[RtpPacket], now_s: float = 0.0) -> None:
    for packet in packets:
        ingress.receive(packet, now_s)


def test_numbers_continue_across_a_switch_and_every_wrap() -> None:
    line, first, second = Line(), Camera(11, 65_533, 0x7FFE, 0xFFFFF000), Camera(12, 40_000, 300)
    egress = make_egress(line)
    egress.show((first.ingress,))
    egress.select(0)
    deliver(first.ingress, first.frame(2, keyframe=True) + first.frame(2) + first.frame(2))
    egress.show((second.ingress,))
    egress.select(0)
    deliver(second.ingress, second.frame(2), 0.1)  # no keyframe: nobody could decode it
    deliver(second.ingress, second.frame(2, keyframe=True) + second.frame(2), 0.1)
    assert [packet.sequence for packet in line.packets] == [65_533, 65_534, 65_535, *range(7)]
    seen = list(frames(line.packets))
    assert [frame.picture_id for frame in seen] == [0x7FFE, 0x7FFF, 0, 1, 2]
    assert [frame.tl0 for frame in seen] == [251, 251, 251, 252, 252]
    assert seen[3].timestamp == (seen[2].timestamp + 9000) & 0xFFFFFFFF
    assert {packet.ssrc for packet in line.packets} == {7000}


def test_temporal_layers_go_at_once_and_come_back_where_it_is_safe() -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line)
    egress.show((camera.ingress,))
    egress.select(0)
    deliver(camera.ingress, camera.frame(1, keyframe=True) + camera.frame(1) + camera.frame(1) + camera.frame(1))
    egress.select(0, temporal=0)
    for _ in range(8):
        deliver(camera.ingress, camera.frame(2))
    camera.ingress.measure(0.0)
    deliver(camera.ingress, camera.frame(1) + camera.frame(1) + camera.frame(1) + camera.frame(1))
    camera.ingress.measure(1.0)
    egress.select(0, temporal=3)
    for _ in range(8):
        deliver(camera.ingress, camera.frame(1))
    seen = list(frames(line.packets))
    assert [frame.temporal for frame in seen] == [0, 2, 1, 2, 0, 0, 0, 0, 1, 0, 2, 1, 2]
    assert [frame.picture_id for frame in seen] == list(range(10, 23))
    assert [packet.sequence for packet in line.packets] == list(range(100, 100 + len(line.packets)))


def test_a_lost_packet_is_sent_again_as_rtx_with_the_same_rewriting() -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line)
    egress.show((camera.ingress,))
    egress.select(0, temporal=0)
    deliver(camera.ingress, camera.frame(3, keyframe=True) + camera.frame(2) + camera.frame(2) + camera.frame(2))
    deliver(camera.ingress, camera.frame(3))
    lost = line.packets[4]
    assert egress.retransmit(lost.sequence, 0.1) > 0
    again = line.packets[-1]
    assert (again.ssrc, again.payload_type, again.timestamp) == (7001, 98, lost.timestamp)
    assert again.payload == lost.sequence.to_bytes(2) + lost.payload
    assert egress.retransmit(lost.sequence, 0.11) == 0, "it has had no time to arrive"
    assert egress.retransmit(lost.sequence, 0.3) > 0
    assert egress.retransmit(50, 0.3) == 0
    assert egress.retransmitted == 2


def test_a_repair_that_is_reported_lost_goes_again_at_once() -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line)
    egress.show((camera.ingress,))
    egress.select(0)
    deliver(camera.ingress, camera.frame(3, keyframe=True) + camera.frame(2))
    lost = line.packets[4]
    assert egress.repair(7000, lost.sequence, 0.1) > 0
    repair = line.packets[-1]
    assert egress.repair(7000, lost.sequence, 0.101) == 0, "its repair is on the way"
    assert egress.repair(7001, repair.sequence, 0.102) > 0
    assert line.packets[-1].payload == repair.payload
    assert line.packets[-1].sequence == repair.sequence + 1
    assert egress.repair(7001, repair.sequence, 0.2) == 0, "told already"


def test_what_is_held_goes_on_at_a_keyframe_without_a_gap() -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line)
    egress.show((camera.ingress,))
    egress.select(0)
    deliver(camera.ingress, camera.frame(2, keyframe=True) + camera.frame(2))
    egress.hold(True)
    deliver(camera.ingress, camera.frame(2) + camera.frame(2, keyframe=True))
    assert len(line.packets) == 4
    assert not egress.paused, "nobody is to be told"
    egress.hold(False)
    deliver(camera.ingress, camera.frame(2))
    assert len(line.packets) == 4
    deliver(camera.ingress, camera.frame(2, keyframe=True) + camera.frame(2))
    assert [packet.sequence for packet in line.packets] == list(range(100, 108))
    assert [frame.picture_id for frame in frames(line.packets)] == [10, 11, 12, 13]


def test_what_came_before_a_keyframe_is_not_sent_again() -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line)
    egress.show((camera.ingress,))
    egress.select(0)
    deliver(camera.ingress, camera.frame(3, keyframe=True) + camera.frame(2), 0.0)
    deliver(camera.ingress, camera.frame(3, keyframe=True), 0.5)
    assert egress.retransmit(103, 0.6) == 0
    assert egress.retransmit(105, 0.6) > 0


def test_the_mid_is_sent_until_the_receiver_reports() -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line, extensions=True)
    egress.show((camera.ingress,))
    egress.select(0)
    deliver(camera.ingress, camera.frame(1, keyframe=True))
    egress.confirm()
    deliver(camera.ingress, camera.frame(1))
    with_mid, without = line.packets
    assert with_mid.extensions[1] == b"5"
    assert 1 not in without.extensions
    assert len(without.extensions[3]) == 3


def test_sound_can_be_sent_twice() -> None:
    line = Line()
    egress = Egress(7000, 7001, line)
    opus = [RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=96)]
    egress.configure(RTCRtpSendParameters(codecs=opus))
    microphone = Ingress("microphone", lambda data: True, PublisherClock())
    microphone.configure(RTCRtpReceiveParameters(codecs=opus, encodings=[RTCRtpDecodingParameters(3, 96)]))
    egress.attach(microphone)
    egress.redundant = True
    for sequence in range(4):
        microphone.receive(RtpPacket(96, False, sequence, sequence * 960, 3, b"opus"), 0.02 * sequence)
    assert [packet.sequence for packet in line.packets] == [0, 1, 0, 2, 1, 3, 2]


def test_a_pause_and_what_follows() -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line)
    egress.show((camera.ingress,))
    egress.select(0)
    deliver(camera.ingress, camera.frame(1, keyframe=True))
    egress.select(None)
    assert egress.paused
    deliver(camera.ingress, camera.frame(1))
    egress.select(0)
    assert not egress.paused
    deliver(camera.ingress, camera.frame(1))
    deliver(camera.ingress, camera.frame(1, keyframe=True), 0.5)
    assert [packet.sequence for packet in line.packets] == [100, 101]
    assert [frame.picture_id for frame in frames(line.packets)] == [10, 11]


Event = tuple[str, int]
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("frame"), st.integers(1, 4)),
        st.tuples(st.just("temporal"), st.sampled_from((0, 1, 3))),
        st.tuples(st.just("layer"), st.integers(0, 1)),
        st.tuples(st.just("lose"), st.integers(0, 3)),
        st.tuples(st.just("swap"), st.integers(1, 5)),
        st.tuples(st.just("double"), st.integers(0, 3)),
    ),
    min_size=20,
    max_size=150,
)


class World:
    """Two sizes of a picture on their way through a bad network to one receiver."""

    def __init__(self, sequence: int, picture_id: int) -> None:
        self.line = Line()
        self.cameras = Camera(11, sequence, picture_id), Camera(12, sequence + 7, picture_id + 9)
        self.egress = make_egress(self.line)
        self.egress.show(tuple(camera.ingress for camera in self.cameras))
        self.egress.select(0)
        self.waiting: list[tuple[int, RtpPacket]] = []
        self.lost: list[tuple[int, RtpPacket]] = []
        self.now_s = 0.0
        self.since_keyframe = 1000

    def play(self, events: list[Event]) -> None:
        for kind, value in events:
            getattr(self, f"_{kind}")(value)
        self._flush()

    def _frame(self, packets: int) -> None:
        self._flush()
        self.since_keyframe += 1
        keyframe = self.since_keyframe > 12
        if keyframe:
            self.since_keyframe = 0
        self.now_s += 1 / 30
        for index, camera in enumerate(self.cameras):
            self.waiting += [(index, packet) for packet in camera.frame(packets, keyframe)]

    def _temporal(self, value: int) -> None:
        self.egress.select(0 if self.egress.source is self.cameras[0].ingress else 1, value)

    def _layer(self, value: int) -> None:
        self.egress.select(value, self.egress._wanted_temporal)

    def _lose(self, value: int) -> None:
        if len(self.waiting) > value:
            self.lost.append(self.waiting.pop(value))

    def _swap(self, value: int) -> None:
        if len(self.waiting) > value:
            self.waiting.insert(0, self.waiting.pop(value))

    def _double(self, value: int) -> None:
        if len(self.waiting) > value:
            self.waiting.append(self.waiting[value])

    def _flush(self) -> None:
        for index, packet in self.waiting:
            self.cameras[index].ingress.receive(_copy(packet), self.now_s)
        self.waiting.clear()

    def recover(self) -> None:
        """What was lost comes after all, by retransmission."""
        for index, packet in self.lost:
            self.cameras[index].ingress.receive(_copy(packet), self.now_s)


def _copy(packet: RtpPacket) -> RtpPacket:
    return RtpPacket(
        packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc, packet.payload
    )  # fmt: skip


def check(world: World, complete: bool) -> None:
    """No number means two things; nothing is missing but what was lost; every picture can be decoded."""
    packets = world.line.packets
    if not packets:
        return
    first = packets[0].sequence
    by_number: dict[int, Any] = {}
    for packet in packets:
        number = _unwrapped(packet.sequence, first)
        known = by_number.setdefault(number, packet)
        assert (known.timestamp, known.payload) == (packet.timestamp, packet.payload), "a number was used twice"
    missing = set(range(min(by_number), max(by_number) + 1)) - set(by_number)
    recoverable = {n for n in missing if world.egress.retransmit(n + first & 0xFFFF, world.now_s)}
    assert len(missing - recoverable) <= len(world.lost)
    if complete:
        assert not missing
    _check_pictures(list(frames(packets)), complete and not world.lost)


def _check_pictures(seen: list[Frame], complete: bool) -> None:
    base: Frame | None = None
    for before, frame in zip([None, *seen], seen, strict=False):
        if before is not None:
            assert 0 < (frame.timestamp - before.timestamp) & 0xFFFFFFFF < 2**31, "time goes back"
            assert 0 < (frame.picture_id - before.picture_id) & 0x7FFF < 0x4000, "picture ids go back"
        if not complete:
            continue
        assert frame.keyframe or base is not None
        if frame.temporal == 0:
            assert frame.keyframe or base is None or frame.tl0 == (base.tl0 + 1) & 0xFF, "a picture it needs is missing"
            base = frame
        else:
            assert base is not None
            assert frame.tl0 == base.tl0, "a picture it needs is missing"
            assert frame.switchable or (before is not None and before.temporal in (1, 2)), (
                "its layer was not entered safely"
            )


EXAMPLES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@EXAMPLES
@given(st.integers(0, 0xFFFF), st.integers(0, 0x7FFF), EVENTS)
def test_no_interleaving_stops_a_decoder(sequence: int, picture_id: int, events: list[Event]) -> None:
    world = World(sequence, picture_id)
    world.play(events)
    check(world, complete=False)


@EXAMPLES
@given(st.integers(0, 0xFFFF), st.integers(0, 0x7FFF), EVENTS)
def test_without_loss_nothing_is_missing(sequence: int, picture_id: int, events: list[Event]) -> None:
    world = World(sequence, picture_id)
    world.play([event for event in events if event[0] not in ("lose", "swap")])
    check(world, complete=True)


@EXAMPLES
@given(st.integers(0, 0xFFFF), EVENTS)
def test_what_is_recovered_fills_its_place(sequence: int, events: list[Event]) -> None:
    world = World(sequence, 5)
    world.play([event for event in events if event[0] not in ("layer", "swap")])
    before = len(world.line.raw)
    world.recover()
    check(world, complete=False)
    filled = {packet.sequence for packet in world.line.packets[before:]}
    assert not filled & {packet.sequence for packet in world.line.packets[:before]}


@pytest.mark.parametrize("back", [1, 5, 200])
def test_padding_repeats_what_was_sent(back: int) -> None:
    line, camera = Line(), Camera(11, 100, 10)
    egress = make_egress(line)
    assert egress.pad(1000) == 0
    egress.show((camera.ingress,))
    egress.select(0)
    deliver(camera.ingress, camera.frame(back, keyframe=True))
    sent = len(line.raw)
    size = egress.pad(60)
    assert size > 0
    assert egress.padded_bytes == size
    assert all(packet.ssrc == 7001 for packet in line.packets[sent:])
