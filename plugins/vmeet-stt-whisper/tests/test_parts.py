"""Phrases, and the sound that each is given with."""

import pytest
from vmeet_stt_whisper.parts import PAD_S, each_alone, whole
from vmeet_stt_whisper.voice import Stretch, Voice
from vmeet_stt_whisper.words import PAUSE_S


def voice(*stretches: tuple[float, float]) -> Voice:
    return Voice(1.0, tuple(Stretch(*each) for each in stretches))


def test_without_a_voice_there_are_no_phrases() -> None:
    part = whole(voice(), 10.0)
    assert (part.start_s, part.end_s, part.phrases) == (0.0, 10.0, ())
    assert each_alone(part) == []


def test_what_is_less_than_a_pause_apart_is_one_phrase() -> None:
    part = whole(voice((1.0, 2.0), (2.0 + PAUSE_S / 2, 3.0), (3.0 + PAUSE_S, 4.0)), 10.0)
    assert part.phrases == (Stretch(1.0, 3.0), Stretch(3.0 + PAUSE_S, 4.0))


def test_alone_each_has_some_of_the_pause_and_no_more_than_half() -> None:
    first, second, third = each_alone(whole(voice((0.1, 2.0), (2.0 + PAUSE_S, 4.0), (7.0, 8.0)), 8.1))
    assert first.start_s == 0
    assert first.end_s == second.start_s == pytest.approx(2.0 + PAUSE_S / 2)
    assert (second.end_s, third.start_s) == (pytest.approx(4.0 + PAD_S), pytest.approx(7.0 - PAD_S))
    assert third.end_s == pytest.approx(8.1)
    assert [part.phrases for part in (second, third)] == [(Stretch(2.0 + PAUSE_S, 4.0),), (Stretch(7.0, 8.0),)]
