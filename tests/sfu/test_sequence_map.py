"""Sequence numbers and picture ids across packets that are left out, lost or late."""

import pytest

from vmeet_core.sfu.sequence_map import MAX_RUNS, Place, SequenceMap


def test_what_is_kept_is_only_shifted() -> None:
    numbers = SequenceMap(100, 7, 0)
    assert [numbers.keep(sequence) for sequence in (100, 101, 102)] == [7, 8, 9]
    assert numbers.next_out == 10


def test_what_is_left_out_leaves_no_gap() -> None:
    numbers = SequenceMap(100, 7, 0)
    assert numbers.keep(100) == 7
    numbers.leave_out(101, timestamp=1, has_picture_id=True)
    numbers.leave_out(102, timestamp=1, has_picture_id=True)
    numbers.leave_out(103, timestamp=2, has_picture_id=True)
    assert numbers.keep(104) == 8
    assert numbers.picture_delta == -2


def test_a_lost_packet_keeps_its_place() -> None:
    numbers = SequenceMap(100, 100, 0)
    numbers.keep(100)
    assert numbers.keep(102) == 102
    assert numbers.place_of(101) == Place(101, 0)


def test_what_is_missing_inside_a_frame_that_is_left_out_is_left_out_too() -> None:
    numbers = SequenceMap(100, 100, 0)
    numbers.keep(100)
    numbers.leave_out(101, timestamp=5, has_picture_id=True)
    numbers.leave_out(103, timestamp=5, has_picture_id=True)
    assert numbers.place_of(102) is None
    assert numbers.keep(104) == 101


def test_what_is_missing_before_a_frame_that_is_left_out_keeps_its_place() -> None:
    numbers = SequenceMap(100, 100, 0)
    numbers.keep(100)
    numbers.leave_out(102, timestamp=5, has_picture_id=True)
    assert numbers.keep(103) == 102
    assert numbers.place_of(101) == Place(101, 0)
    numbers.leave_out(104, timestamp=6, has_picture_id=True)
    numbers.leave_out(107, timestamp=7, has_picture_id=True)
    assert numbers.place_of(105) == Place(103, -2)
    assert numbers.place_of(106) == Place(104, -2)
    assert numbers.keep(108) == 105
    assert numbers.picture_delta == -3


def test_the_way_back_finds_every_packet_that_was_kept() -> None:
    numbers = SequenceMap(65_500, 3, 0)
    sent: dict[int, int] = {}
    for index in range(200):
        sequence = (65_500 + index) & 0xFFFF
        if index % 4 in (1, 3):
            numbers.leave_out(sequence, timestamp=index, has_picture_id=True)
        else:
            sent[numbers.keep(sequence)] = sequence
    assert list(sent) == list(range(3, 103))
    assert all(numbers.source_of(out) == sequence for out, sequence in sent.items())
    assert all(numbers.place_of(sequence) is not None for sequence in sent.values())


@pytest.mark.parametrize("out", [2, 103, 40_000])
def test_the_way_back_knows_nothing_that_was_not_sent(out: int) -> None:
    numbers = SequenceMap(100, 3, 0)
    for sequence in range(100, 200):
        numbers.keep(sequence)
    assert numbers.source_of(out) is None


def test_its_memory_is_bounded() -> None:
    numbers = SequenceMap(0, 0, 0)
    for index in range(40_000):
        if index % 2:
            numbers.leave_out(index & 0xFFFF, timestamp=index, has_picture_id=True)
        else:
            last = numbers.keep(index & 0xFFFF)
    assert last == 19_999
    assert len(numbers._runs) <= MAX_RUNS
    assert numbers.place_of(10) is None
    assert numbers.source_of(19_999) == 39_998


def test_a_place_is_given_once() -> None:
    numbers = SequenceMap(65_534, 10, 0)
    numbers.keep(65_534)
    numbers.keep(2)
    assert numbers.fill(65_534) is None
    assert numbers.fill(0) == (12, 0)
    assert numbers.fill(0) is None
    assert numbers.fill(2) is None


def test_it_goes_on_for_ever() -> None:
    numbers = SequenceMap(0, 100, 0)
    for number in range(200_000):
        numbers.keep(number & 0xFFFF)
        if number % 1000 == 0:
            numbers.forget()
            assert numbers.place_of(number - 500 & 0xFFFF) == (number - 400 & 0xFFFF, 0) or number < 500
            assert numbers.source_of(number + 100 & 0xFFFF) == number & 0xFFFF
    assert numbers.place_of(number - 6000 & 0xFFFF) is None


def test_what_was_left_long_ago_is_no_place_any_more() -> None:
    numbers = SequenceMap(0, 0, 0)
    numbers.keep(0)
    numbers.keep(2)
    for number in range(3, 70_000):
        numbers.keep(number & 0xFFFF)
        if number % 1000 == 0:
            numbers.forget()
    assert numbers.fill(1) is None
