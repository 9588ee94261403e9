"""Phrases are given together while they are short, and share no sound."""

import pytest
from vmeet_stt_whisper.parts import JOINED_S, PAD_S, parts_of
from vmeet_stt_whisper.voice import Stretch, Voice
from vmeet_stt_whisper.words import PAUSE_S


def voice(*stretches: tuple[float, float]) -> Voice:
    return Voice(1.0, tuple(Stretch(*each) for each in stretches))


def test_no_voice_no_parts() -> None:
    assert parts_of(voice(), 10.0) == []


def test_what_is_less_than_a_pause_apart_is_one_phrase() -> None:
    (part,) = parts_of(voice((1.0, 2.0), (2.0 + PAUSE_S / 2, 3.0)), 10.0)
    assert part.phrases == (Stretch(1.0, 3.0),)
    assert (part.start_s, part.end_s) == (1.0 - PAD_S, 3.0 + PAD_S)


def test_short_phrases_are_joined_and_long_ones_stand_alone() -> None:
    parts = parts_of(voice((1.0, 2.0), (3.0, 4.0), (6.0, 6.0 + 2 * JOINED_S)), 60.0)
    assert [len(part.phrases) for part in parts] == [2, 1]


def test_parts_meet_half_way_and_stay_inside() -> None:
    first, second = parts_of(voice((0.1, 2.0), (2.0 + PAUSE_S, 4.0)), 4.1, joined_s=0.0)
    assert first.start_s == 0
    assert first.end_s == second.start_s == pytest.approx(2.0 + PAUSE_S / 2)
    assert second.end_s == pytest.approx(4.1)
