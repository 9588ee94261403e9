"""Words are held to the voice, and segments end at pauses."""

from itertools import pairwise

import pytest
from vmeet_stt_whisper.voice import Stretch, Voice
from vmeet_stt_whisper.words import PAUSE_S, Word, held_to_voice, split_at_pauses

VOICE = Voice(4.0, (Stretch(0.5, 2.0), Stretch(4.0, 6.0)))


def held(*times: tuple[float, float]) -> list[tuple[float, float]]:
    words = held_to_voice([Word(start_s, end_s, "字", 0.9) for start_s, end_s in times], VOICE)
    return [(round(word.start_s, 3), round(word.end_s, 3)) for word in words]


def test_what_lies_in_the_voice_stays() -> None:
    assert held((0.6, 0.8), (0.8, 1.1)) == [(0.6, 0.8), (0.8, 1.1)]


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ((0.0, 0.9), (0.5, 0.9)),  # silence before it
        ((1.8, 3.9), (1.8, 2.0)),  # the pause behind it
        ((2.1, 4.3), (4.0, 4.3)),  # the pause before it
        ((3.0, 4.02), (4.0, 4.1)),  # the next word began at once
        ((1.9, 4.5), (4.0, 4.5)),  # more of it is behind the pause
        ((2.1, 2.4), (2.0, 2.1)),  # in the pause: the nearest voice
        ((8.0, 8.5), (8.0, 8.5)),  # far from any voice
    ],
)
def test_silence_is_cut_off(word: tuple[float, float], place: tuple[float, float]) -> None:
    assert held(word) == [place]


def test_a_voice_without_another_word_has_the_one_that_reaches_it() -> None:
    assert held((1.0, 1.8), (1.8, 4.18)) == [(1.0, 2.0), (4.0, 4.18)]
    assert held((1.0, 1.4), (1.4, 4.18)) == [(1.0, 1.4), (1.4, 2.0)]  # more of it is before the pause
    assert held((1.0, 1.8), (1.8, 4.18), (4.18, 4.6)) == [(1.0, 1.8), (1.8, 2.0), (4.18, 4.6)]


def test_the_last_word_before_a_pause_ends_with_the_voice() -> None:
    assert held((1.0, 1.6), (1.6, 1.7), (4.0, 4.4), (4.4, 4.6)) == [(1.0, 1.6), (1.6, 2.0), (4.0, 4.4), (4.4, 4.6)]


def test_words_stay_in_order_without_overlap() -> None:
    found = held((0.0, 0.9), (0.7, 1.0), (1.9, 3.0), (2.9, 3.1), (3.1, 4.5))
    assert all(end_s >= start_s for start_s, end_s in found)
    assert all(after[0] >= before[1] for before, after in pairwise(found))


def test_without_a_voice_words_stay_as_they_are() -> None:
    assert held_to_voice([Word(0.0, 1.0, "a", 1.0)], Voice(0.0, ())) == [Word(0.0, 1.0, "a", 1.0)]


def test_segments_end_at_pauses() -> None:
    words = [Word(0.0, 0.5, "a", 1), Word(0.5 + PAUSE_S / 2, 1.0, "b", 1), Word(1.0 + PAUSE_S, 2.0, "c", 1)]
    assert [[word.text for word in run] for run in split_at_pauses(words)] == [["a", "b"], ["c"]]
    assert list(split_at_pauses([])) == []
