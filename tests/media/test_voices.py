"""Tests of who speaks when: sounds of every second are made up, decisions are not."""

import itertools

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio
from vmeet_core.media.voices import LOOK_AHEAD_S, PAUSE_S, SHOT_S, Change, Listener, Turn, levels

RATE_HZ = 48_000
Spans = list[tuple[float, float]]


def voice(spans: Spans, duration_s: float, level: float = 0.1, seed: int = 1) -> Audio:
    """A room at -80 dB, and syllables of 0.2 s with gaps of 0.1 s while somebody speaks."""
    random = np.random.default_rng(seed)
    at_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    audio = random.normal(0, 1e-4, len(at_s))
    for start_s, end_s in spans:
        speaks = (at_s >= start_s) & (at_s < end_s) & ((at_s - start_s) % 0.3 < 0.2)
        audio[speaks] += level * random.normal(0, 1, int(speaks.sum()))
    return audio.astype(np.float32)


def heard(duration_s: float, **people: Audio) -> Listener:
    """In blocks of a second, as the step reads them."""
    listener = Listener(people)
    for second in range(int(np.ceil(duration_s))):
        part = slice(second * RATE_HZ, (second + 1) * RATE_HZ)
        listener.hear({person: levels(audio[part], RATE_HZ) for person, audio in people.items()})
    listener.finish()
    return listener


def floor(listener: Listener) -> list[tuple[float, str]]:
    return [(round(change.at_s, 1), change.person) for change in listener.floor]


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 0), (0.1, 20), (0.001, 60), (0.0, 127)])
def test_levels_are_those_of_the_rfc(scale: float, expected: int) -> None:
    square = np.ones(RATE_HZ, np.float32) * scale
    assert set(levels(square, RATE_HZ).tolist()) == {expected}
    assert len(levels(square, RATE_HZ)) == 50


def test_turns_are_where_the_speech_is() -> None:
    listener = heard(20, ann=voice([(2, 6), (10, 12)], 20), bob=voice([(7, 9)], 20, seed=2))
    for person, expected in (("ann", [(2, 6), (10, 12)]), ("bob", [(7, 9)])):
        found = listener.turns[person]
        assert np.array(found) == pytest.approx(np.array(expected), abs=0.4)


def test_a_short_pause_does_not_end_a_turn_and_a_cough_is_none() -> None:
    listener = heard(12, ann=voice([(1, 3), (3 + PAUSE_S / 2, 5)], 12), bob=voice([(6, 6.2), (9, 9.2)], 12, level=0.4))
    assert len(listener.turns["ann"]) == 1
    assert listener.turns["bob"] == []


def test_steady_noise_is_no_speech() -> None:
    random = np.random.default_rng(3)
    fan = (0.03 * random.normal(0, 1, 20 * RATE_HZ)).astype(np.float32)
    listener = heard(20, ann=fan)
    assert sum(turn.end_s - turn.start_s for turn in listener.turns["ann"]) < 1
    assert heard(20, ann=np.zeros(20 * RATE_HZ, np.float32)).turns["ann"] == []


def test_the_floor_goes_over_when_the_other_begins() -> None:
    listener = heard(30, ann=voice([(2, 10), (20, 28)], 30), bob=voice([(11, 19)], 30, seed=2))
    assert [person for _, person in floor(listener)] == ["ann", "bob", "ann"]
    assert [at_s for at_s, _ in floor(listener)] == pytest.approx([2, 11, 20], abs=0.6)


@pytest.mark.parametrize("length_s", [0.05, 0.2, 0.35])
def test_a_cough_or_a_click_does_not_take_the_floor(length_s: float) -> None:
    coughs: Spans = [(at_s, at_s + length_s) for at_s in (5.0, 9.0, 13.0)]
    listener = heard(20, ann=voice([(1, 19)], 20, level=0.05), bob=voice(coughs, 20, level=0.5, seed=2))
    assert [person for _, person in floor(listener)] == ["ann"]


def test_whoever_is_shown_stays_for_a_while() -> None:
    turns = {
        "ann": voice([(at_s, at_s + 0.9) for at_s in np.arange(1, 28, 2)], 30),
        "bob": voice([(at_s, at_s + 0.9) for at_s in np.arange(2, 28, 2)], 30, seed=2),
    }
    changes = heard(30, **turns).floor
    assert len(changes) > 2
    assert min(b.at_s - a.at_s for a, b in itertools.pairwise(changes)) >= SHOT_S - 1e-6


def test_it_is_the_same_every_time_and_in_blocks_of_any_length() -> None:
    people = {"ann": voice([(1, 4), (8, 9)], 12), "bob": voice([(3, 7)], 12, seed=2)}
    whole = Listener(people)
    whole.hear({person: levels(audio, RATE_HZ) for person, audio in people.items()})
    whole.finish()
    parts = heard(12, **people)
    assert (whole.floor, whole.turns) == (parts.floor, parts.turns)


def test_what_comes_later_changes_nothing_before() -> None:
    ann, bob = voice([(1, 5), (9, 12), (16, 19)], 20), voice([(5, 8), (13, 15)], 20, seed=2)
    whole = heard(20, ann=ann, bob=bob)
    for until_s in (7, 10, 14):
        part = heard(until_s, ann=ann[: until_s * RATE_HZ], bob=bob[: until_s * RATE_HZ])
        settled_s = until_s - LOOK_AHEAD_S

        def before(changes: list[Change], settled_s: float = settled_s) -> list[Change]:
            return [change for change in changes if change.at_s < settled_s]

        def over(turns: list[Turn], settled_s: float = settled_s) -> list[Turn]:
            return [turn for turn in turns if turn.end_s < settled_s]

        assert before(part.floor) == before(whole.floor)
        assert all(over(part.turns[person]) == over(whole.turns[person]) for person in ("ann", "bob"))


def test_people_of_different_lengths() -> None:
    listener = heard(4, ann=voice([(1, 2)], 2), bob=voice([(2.5, 3.9)], 4, seed=2))
    assert [len(turns) for turns in listener.turns.values()] == [1, 1]
