"""What is missing, and when it is asked for."""

from vmeet_core.sfu.nack import FIRST_RETRY_S, MAX_AGE_S, MAX_MISSING, MissingPackets


def test_gaps_are_asked_for_at_once_and_again_until_they_fill() -> None:
    missing = MissingPackets()
    for sequence in (65533, 65534, 1):
        missing.add(sequence, 0.0)
    assert missing.due(0.0) == [65535, 0]
    assert missing.due(FIRST_RETRY_S / 2) == []
    missing.add(0, FIRST_RETRY_S)
    assert missing.due(FIRST_RETRY_S) == [65535]
    missing.add(65535, FIRST_RETRY_S)
    assert len(missing) == 0


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
