"""What the server made itself is as good a source as what came from a publisher."""

import random

import pytest

from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.sfu.assembler import FrameAssembler
from vmeet_core.sfu.codecs import parse_vp8
from vmeet_core.sfu.made_source import MAX_PAYLOAD_BYTES, MadeSource, split_evenly
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock

KEY = b"\x10\x00\x00\x9d\x01\x2a" + (320).to_bytes(2, "little") + (180).to_bytes(2, "little")
DELTA = b"\x11\x00\x00"
CYCLE = (0, 2, 1, 2)


class Listening:
    def __init__(self) -> None:
        self.packets: list[RtpPacket] = []
        self.interrupted = 0

    def forward(self, packet: RtpPacket) -> None:
        self.packets.append(packet)

    def interrupt(self) -> None:
        self.interrupted += 1

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """None comes."""


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def source(asked: list[int]) -> MadeSource:
    return MadeSource("camera", 77, PublisherClock(), lambda: asked.append(1))


def send(source: MadeSource, count: int, size_bytes: int = 3000) -> list[bytes]:
    chance, sent = random.Random(1), []
    for number in range(count):
        head = KEY if number == 0 else DELTA
        data = head + chance.randbytes(size_bytes)
        source.send(data, 3000 * number, number == 0, CYCLE[number % 4], number % 4 in (1, 2))
        sent.append(data)
    return sent


def test_frames_come_out_whole(source: MadeSource) -> None:
    got: list[EncodedFrame] = []
    assembler = FrameAssembler(True, got.append, lambda a, b: None, lambda a, b: None, lambda: None)
    source.add_listener(assembler)
    sent = send(source, 12)
    assert [frame.data for frame in got] == sent
    assert [frame.rtp_timestamp for frame in got] == [3000 * number for number in range(12)]
    assert [frame.keyframe for frame in got] == [True] + [False] * 11


def test_packets_say_what_they_are(source: MadeSource) -> None:
    listening = Listening()
    source.add_listener(listening)
    send(source, 5)
    packets = listening.packets
    assert [packet.sequence for packet in packets] == list(range(15))
    assert [packet.marker for packet in packets] == [False, False, True] * 5
    assert all(len(packet.payload) <= MAX_PAYLOAD_BYTES for packet in packets)
    firsts = [parse_vp8(packet.payload) for packet in packets[::3]]
    assert [first.starts_frame for first in firsts] == [True] * 5
    assert not any(parse_vp8(packet.payload).starts_frame for packet in packets[1::3])
    assert [first.temporal for first in firsts] == [0, 2, 1, 2, 0]
    assert [first.switchable for first in firsts] == [False, True, True, False, False]
    assert [first.tl0_picture_index for first in firsts] == [1, 1, 1, 1, 2]
    assert [first.picture_id for first in firsts] == [1, 2, 3, 4, 5]
    assert packets[0].keyframe
    assert source.keyframe_sequence == 0
    assert source.height_px == 180


def test_packets_are_kept_for_retransmission_and_counted(source: MadeSource) -> None:
    source.measure(0.0)
    send(source, 8)
    source.measure(1.0)
    kept = source.packet(5)
    assert kept is not None
    assert kept.sequence == 5
    assert source.packet(2000) is None
    assert source.temporal_layers == 3
    assert source.layer_bps(0) < source.layer_bps(1) < source.layer_bps(2)


def test_numbers_wrap(source: MadeSource) -> None:
    listening = Listening()
    source.add_listener(listening)
    source._sequence, source._picture_id, source._tl0 = 0xFFFF, 0x7FFF, 255
    send(source, 1)
    assert [packet.sequence for packet in listening.packets] == [0xFFFF, 0, 1]
    first = parse_vp8(listening.packets[0].payload)
    assert (first.picture_id, first.tl0_picture_index) == (0, 0)


def test_nothing_of_a_muted_source_goes_anywhere(source: MadeSource) -> None:
    listening = Listening()
    source.add_listener(listening)
    send(source, 1)
    source.set_muted(True)
    before = len(listening.packets)
    send(source, 3)
    assert (len(listening.packets), listening.interrupted) == (before, 1)
    assert source.packet(0) is None, "nor by a retransmission"


def test_wishes_for_keyframes_are_merged(source: MadeSource, asked: list[int]) -> None:
    for _ in range(5):
        source.request_keyframe()
    assert asked == [1]


@pytest.mark.parametrize(
    ("size", "most", "sizes"), [(10, 10, [10]), (11, 10, [5, 6]), (30, 10, [10] * 3), (1, 10, [1])]
)
def test_pieces_are_of_almost_one_size(size: int, most: int, sizes: list[int]) -> None:
    data = bytes(range(size))
    pieces = split_evenly(data, most)
    assert [len(piece) for piece in pieces] == sizes
    assert b"".join(pieces) == data
