"""The chat: order, bounds, and how fast one may write."""

import pytest

from vmeet_core.protocol import MAX_CHAT_KEPT
from vmeet_core.server.chat import RATE_COUNT, RATE_S, ChatLog, ChatTooFast


def test_texts_are_numbered_in_order_and_carry_who_and_when() -> None:
    log = ChatLog()
    first = log.add("a", "Anna", "早安", 0.0, 1.7e9)
    second = log.add("b", "Ben", "hello", 1.0, 1.7e9 + 1)
    assert [first.number, second.number] == [1, 2]
    assert (second.participant_id, second.name, second.text, second.at_s) == ("b", "Ben", "hello", 1.7e9 + 1)
    assert list(log.entries) == [first, second]


def test_only_the_last_ones_are_kept() -> None:
    log = ChatLog()
    for number in range(MAX_CHAT_KEPT + 5):
        log.add("a", "Anna", str(number), number * RATE_S, 0.0)
    assert len(log.entries) == MAX_CHAT_KEPT
    assert (log.entries[0].text, log.entries[-1].number) == ("5", MAX_CHAT_KEPT + 5)


def test_who_writes_too_fast_is_told_and_others_are_not_held_up() -> None:
    log = ChatLog()
    for _ in range(RATE_COUNT):
        log.add("a", "Anna", "x", 100.0, 0.0)
    with pytest.raises(ChatTooFast, match="10 texts in 10 s; the next one is taken in 7 s"):
        log.add("a", "Anna", "x", 103.0, 0.0)
    assert log.add("b", "Ben", "x", 103.0, 0.0).number == RATE_COUNT + 1
    assert log.add("a", "Anna", "x", 100.0 + RATE_S, 0.0).number == RATE_COUNT + 2


def test_whoever_left_is_forgotten_but_not_what_they_wrote() -> None:
    log = ChatLog()
    for _ in range(RATE_COUNT):
        log.add("a", "Anna", "x", 0.0, 0.0)
    log.forget("a")
    log.forget("nobody")
    assert log.add("a", "Anna", "x", 0.0, 0.0).number == RATE_COUNT + 1
    assert len(log.entries) == RATE_COUNT + 1
