"""Arrival times as the publisher's congestion control reads them."""

import contextlib
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmeet_core.sfu.transport_feedback import MAX_PACKETS, MAX_READ, TICK_S, TransportFeedback, read_feedback


def read(data: bytes) -> tuple[int, dict[int, float]]:
    """A reader of our own making after the draft: report count, and arrival time by sequence number."""
    first, kind, words, _, _ = struct.unpack_from("!BBHII", data)
    assert (first & 0x1F, kind, words) == (15, 205, len(data) // 4 - 1)
    base, total = struct.unpack_from("!HH", data, 12)
    reference, count = int.from_bytes(data[16:19], signed=True), data[19]
    symbols: list[int] = []
    position = 20
    while len(symbols) < total:
        chunk = int.from_bytes(data[position : position + 2])
        position += 2
        if chunk & 0x8000:
            assert chunk & 0x4000, "two-bit symbols"
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
    tick, arrived = reference * 256, {}
    for offset, symbol in enumerate(symbols[:total]):
        if symbol == 1:
            tick += data[position]
            position += 1
        elif symbol == 2:
            tick += int.from_bytes(data[position : position + 2], signed=True)
            position += 2
        if symbol:
            arrived[base + offset & 0xFFFF] = tick * TICK_S
    assert len(data) - position < 4
    return count, arrived


def test_what_arrived_is_told_with_its_time() -> None:
    feedback = TransportFeedback()
    times = {65_534: 10.0, 65_535: 10.0011, 0: 10.0008, 3: 10.25, 4: 10.2505}
    for sequence, at_s in times.items():
        feedback.add(sequence, at_s)
    data = feedback.take(5)
    assert data is not None
    count, arrived = read(data)
    assert count == 0
    assert arrived.keys() == times.keys()
    assert all(abs(arrived[sequence] - times[sequence]) <= TICK_S for sequence in times)


def test_reports_follow_each_other_without_a_gap() -> None:
    feedback = TransportFeedback()
    told: set[int] = set()
    shuffled = random.Random(3)
    for report in range(20):
        sequences = [sequence for sequence in range(report * 50, report * 50 + 50) if shuffled.random() > 0.2]
        for sequence in sequences:
            feedback.add(sequence, 1 + sequence / 1000)
        data = feedback.take(5)
        assert data is not None
        count, arrived = read(data)
        assert count == report
        assert not told & arrived.keys()
        assert set(sequences) == arrived.keys()
        told |= arrived.keys()
    assert feedback.take(5) is None


def test_what_was_told_is_not_told_again() -> None:
    feedback = TransportFeedback()
    feedback.add(10, 1.0)
    feedback.take(5)
    feedback.add(9, 1.1)
    assert feedback.take(5) is None


@pytest.mark.parametrize("jump", [MAX_PACKETS, 20_000])
def test_a_long_gap_begins_anew(jump: int) -> None:
    feedback = TransportFeedback()
    feedback.add(10, 1.0)
    feedback.add(10 + jump, 2.0)
    data = feedback.take(5)
    assert data is not None
    assert read(data)[1].keys() == {10 + jump}


def test_a_long_silence_is_told_as_far_as_it_can_be() -> None:
    feedback = TransportFeedback()
    feedback.add(1, 1.0)
    feedback.add(2, 60.0)
    data = feedback.take(5)
    assert data is not None
    assert read(data)[1].keys() == {1, 2}


# ---- the reader ----


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 0xFFFF),
    st.dictionaries(
        st.integers(0, MAX_PACKETS - 1), st.floats(100, 107, allow_subnormal=False), min_size=1, max_size=200
    ),
)
def test_what_is_written_is_read(base: int, arrived: dict[int, float]) -> None:
    feedback = TransportFeedback()
    arrived = {0: 100.0, **arrived}
    for offset in sorted(arrived):
        feedback.add(base + offset & 0xFFFF, arrived[offset])
    data = feedback.take(5)
    assert data is not None
    told = read_feedback(data)
    assert told.base == base
    assert len(told.times_s) == max(arrived) + 1
    for offset, at_s in enumerate(told.times_s):
        assert (at_s is None) == (offset not in arrived)
        assert at_s is None or abs(at_s - arrived[offset]) <= TICK_S


def test_all_kinds_of_chunks_are_read() -> None:
    head = struct.pack("!BBHIIHH", 0x8F, 205, 0, 1, 5, 10, 20) + (3).to_bytes(3) + b"\0"
    one_bit = 0x8000 | 0b10100000000001  # 14 packets: the first, the third and the last arrived
    run = 2 << 13 | 4  # four large deltas
    two_bits = 0xC000 | 1 << 12  # one more small one, and what is past the end
    deltas = bytes((4, 8, 12)) + struct.pack("!4h", -4, 400, 0, 4) + bytes((40,))
    told = read_feedback(head + struct.pack("!3H", one_bit, run, two_bits) + deltas)
    assert told.base == 10
    assert [offset for offset, at_s in enumerate(told.times_s) if at_s is not None] == [0, 2, 13, 14, 15, 16, 17, 18]
    assert [round(at_s - 0.192, 5) for at_s in told.times_s if at_s is not None] == [
        0.001, 0.003, 0.006, 0.005, 0.105, 0.105, 0.106, 0.116,
    ]  # fmt: skip


@pytest.mark.parametrize("total", [0, MAX_READ + 1])
def test_an_absurd_number_of_packets_is_refused(total: int) -> None:
    with pytest.raises(ValueError, match=f"{total} packets"):
        read_feedback(struct.pack("!BBHIIHH", 0x8F, 205, 0, 1, 5, 10, total) + bytes(40_000))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda rest: bytes(12) + b"\0\0\0\x1e" + rest)))
def test_garbage_is_refused_or_read(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        told = read_feedback(data)
        assert 0 < len(told.times_s) <= MAX_READ


@pytest.mark.parametrize("cut", [1, 4, 9])
def test_what_is_cut_short_is_refused(cut: int) -> None:
    feedback = TransportFeedback()
    for sequence in range(0, 40, 2):
        feedback.add(sequence, 1 + sequence)
    data = feedback.take(5)
    assert data is not None
    with pytest.raises(ValueError, match="cut short"):
        read_feedback(data.rstrip(b"\0")[:-cut])
