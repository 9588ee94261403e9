"""Whole frames from packets that come late, twice or never."""

from typing import Any

import pytest

from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.sfu.assembler import MAX_WAIT_S, FrameAssembler
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock

SOURCE = Ingress("camera", lambda data: True, PublisherClock())


def picture(sequence: int, number: int, part: int = 0, last: bool = True, key: bool = False) -> RtpPacket:
    """Part of VP8 frame ``number``."""
    payload = (
        (b"\x10" if part == 0 else b"\x00")
        + (bytes((0 if key else 1,)) if part == 0 else b"")
        + b"%d.%d;" % (number, part)
    )
    return RtpPacket(97, last, sequence & 0xFFFF, number * 3000, 1, payload, {})


class Sink:
    """Collects what the assembler says."""

    def __init__(self, is_video: bool = True) -> None:
        self.frames: list[EncodedFrame] = []
        self.gaps: list[tuple[int, int]] = []
        self.keyframes_wanted = 0
        self.assembler = FrameAssembler(
            is_video, self.frames.append, lambda a, b: self.gaps.append((a, b)), lambda a, b: None, self._want
        )

    def _want(self) -> None:
        self.keyframes_wanted += 1

    def feed(self, *packets: RtpPacket, codec: Any = "vp8", now_s: float = 0.0) -> None:
        for packet in packets:
            packet.prepare(SOURCE, codec, now_s)
            self.assembler.forward(packet)

    @property
    def numbers(self) -> list[int]:
        return [frame.rtp_timestamp // 3000 for frame in self.frames]


def test_frames_come_whole_in_order_and_at_their_marker() -> None:
    sink = Sink()
    sink.feed(picture(65535, 0, key=True))
    assert sink.numbers == [0]
    sink.feed(picture(1, 1, part=1), picture(0, 1, last=False), picture(3, 3), picture(2, 2), picture(2, 2))
    assert sink.numbers == [0, 1, 2, 3]
    assert sink.frames[1].data == b"\x011.0;1.1;"
    assert [frame.keyframe for frame in sink.frames] == [True, False, False, False]


def test_it_begins_with_a_keyframe_and_asks_for_one() -> None:
    sink = Sink()
    sink.feed(picture(1, 1), picture(2, 2))
    assert (sink.frames, sink.keyframes_wanted) == ([], 2)
    sink.feed(picture(3, 3, key=True))
    assert sink.numbers == [3]


def test_after_a_loss_it_goes_on_at_the_next_keyframe_and_reports_the_gap() -> None:
    sink = Sink()
    sink.feed(picture(1, 1, key=True), picture(3, 3))
    assert sink.numbers == [1]
    sink.feed(picture(4, 4), now_s=MAX_WAIT_S[True] + 0.1)
    assert (sink.numbers, sink.gaps) == ([1], [])
    assert sink.keyframes_wanted > 0
    sink.feed(picture(5, 5, key=True), picture(6, 6), now_s=2.0)
    assert sink.numbers == [1, 5, 6]
    assert sink.gaps == [(3000, 15000)]


@pytest.mark.parametrize("key", [False, True])
def test_a_frame_that_lacks_a_packet_in_its_middle_is_given_up_too(key: bool) -> None:
    sink = Sink()
    sink.feed(picture(0, 0, key=True))
    sink.feed(picture(1, 1, last=False, key=key), picture(3, 1, part=2), picture(4, 2))
    late_s = MAX_WAIT_S[True] + 0.01
    sink.feed(picture(5, 3), now_s=late_s)
    assert sink.numbers == [0]
    assert sink.keyframes_wanted > 0
    sink.feed(picture(6, 4, key=True), picture(7, 5), now_s=late_s)
    assert sink.numbers == [0, 4, 5]
    assert sink.gaps == [(0, 4 * 3000)]


def test_a_frame_that_comes_slowly_is_waited_for() -> None:
    sink = Sink()
    sink.feed(picture(0, 0, key=True), picture(1, 1, last=False))
    sink.feed(picture(2, 1, part=1), now_s=3 * MAX_WAIT_S[True])
    assert sink.numbers == [0, 1]


def test_a_packet_that_comes_in_time_loses_nothing() -> None:
    sink = Sink()
    sink.feed(picture(1, 1, key=True), picture(3, 3), picture(2, 2), now_s=MAX_WAIT_S[True] / 2)
    assert (sink.numbers, sink.gaps) == ([1, 2, 3], [])


def test_lost_sound_is_skipped() -> None:
    sink = Sink(is_video=False)
    sound = [RtpPacket(96, False, i, i * 960, 1, b"%d" % i, {}) for i in range(10)]
    sink.feed(*sound[:3], *sound[4:6], codec="opus")
    assert [frame.data for frame in sink.frames] == [b"0", b"1", b"2"]
    sink.feed(*sound[6:8], codec="opus", now_s=MAX_WAIT_S[False] + 0.1)
    assert [frame.data for frame in sink.frames] == [b"0", b"1", b"2", b"4", b"5", b"6", b"7"]
    assert sink.gaps == [(2 * 960, 4 * 960)]


def test_padding_is_passed_over() -> None:
    sink = Sink()
    sink.feed(picture(1, 1, key=True), RtpPacket(97, False, 2, 3000, 1, b"", {}), picture(3, 2))
    assert sink.numbers == [1, 2]


def test_after_an_interruption_it_begins_anew_without_a_gap() -> None:
    sink = Sink()
    sink.feed(picture(1, 1, key=True))
    sink.assembler.interrupt()
    sink.feed(picture(50, 9), picture(51, 10, key=True))
    assert (sink.numbers, sink.gaps) == ([1, 10], [])


@pytest.mark.parametrize("payload", [b"\x90", b"\x90\x80\x80"])
def test_an_unreadable_payload_costs_only_its_frame(payload: bytes) -> None:
    sink = Sink()
    sink.feed(picture(1, 1, key=True), RtpPacket(97, True, 2, 6000, 1, payload, {}), picture(3, 3, key=True))
    assert sink.numbers == [1, 3]
