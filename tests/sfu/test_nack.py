"""What is missing, and when it is asked for."""

import pytest

from vmeet_core.sfu.nack import (
    FIRST_RETRY_S,
    MAX_AGE_S,
    MAX_MISSING,
    MAX_RETRY_S,
    MIN_RETRY_S,
    PATIENCE,
    MissingPackets,
)


def test_gaps_are_asked_for_at_once_and_again_until_they_fill() -> None:
    missing = MissingPackets()
    for sequence in (65533, 65534, 1):
        missing.add(sequence, 0.0)
    assert missing.due(0.0) == [65535, 0]
    assert missing.due(FIRST_RETRY_S / 2) == []
    missing.add(0, FIRST_RETRY_S / 2)
    assert missing.due(FIRST_RETRY_S) == [65535]
    missing.add(65535, FIRST_RETRY_S)
    assert len(missing) == 0


@pytest.mark.parametrize(("answer_s", "retry_s"), [(0.001, MIN_RETRY_S), (0.08, PATIENCE * 0.08), (0.9, MAX_RETRY_S)])
def test_it_waits_a_little_longer_than_answers_take(answer_s: float, retry_s: float) -> None:
    missing = MissingPackets()
    for round_ in range(3):
        at_s = round_ * 2.0
        missing.add(2 * round_, at_s)
        missing.add(2 * round_ + 2, at_s)
        assert missing.due(at_s) == [2 * round_ + 1]
        missing.add(2 * round_ + 1, at_s + answer_s)
    assert missing.answer_s == pytest.approx(answer_s)
    assert missing.retry_s == pytest.approx(retry_s)


def test_an_answer_to_a_repeated_question_tells_no_time() -> None:
    missing = MissingPackets()
    missing.add(1, 0.0)
    missing.add(3, 0.0)
    assert missing.due(0.0) == missing.due(0.1) == [2]
    missing.add(2, 0.11)
    assert missing.answer_s is None


def test_what_is_too_old_is_given_up() -> None:
    missing = MissingPackets()
    missing.add(1, 0.0)
    missing.add(3, 0.0)
    assert missing.due(MAX_AGE_S + 0.01) == []
    assert len(missing) == 0


def test_a_jump_is_no_loss_and_the_list_is_bounded() -> None:
    missing = MissingPackets()
    missing.add(1, 0.0)
    missing.add(10_000, 0.0)
    assert len(missing) == 0
    for i in range(1, 5):
        missing.add(10_000 + i * 200, 0.0)
    assert len(missing) <= MAX_MISSING


def test_duplicates_and_late_packets_add_nothing() -> None:
    missing = MissingPackets()
    for sequence in (5, 5, 4, 3):
        missing.add(sequence, 0.0)
    assert len(missing) == 0
