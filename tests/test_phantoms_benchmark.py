"""The benchmark of inventions: its sounds, and that it counts what is written, with a transcriber that hears notes."""

import numpy as np
import pytest
from phantom_sounds import SOUNDS
from phantoms import Found, measure

from vmeet_core.testing import NotesProvider, local_host, melody

RATE_HZ = 16_000


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_is_the_same_each_time_and_within_full_scale(name: str) -> None:
    sound = SOUNDS[name](3.0, RATE_HZ, 1)
    assert (sound.dtype, sound.shape) == (np.float32, (3 * RATE_HZ,))
    assert np.max(np.abs(sound)) <= 1
    np.testing.assert_array_equal(sound, SOUNDS[name](3.0, RATE_HZ, 1))
    assert (name == "silence") == (np.std(sound) < 1e-3)


def test_what_is_written_is_counted() -> None:
    provider = NotesProvider()
    engine = provider.load(provider.server_settings(), local_host())
    audio = melody(RATE_HZ, [(1.0, 1.4, 440.0), (1.5, 1.9, 494.0), (33.0, 33.5, 262.0)], 40.0)
    figures = measure(engine, provider.options(), "en", audio)
    assert figures["raw_words"] == 3
    assert figures["texts"][-2:] == ["la ti", "do"]
    assert measure(engine, provider.options(), "en", np.zeros(RATE_HZ, np.float32))["texts"] == []


def test_words_are_characters_where_there_are_no_spaces() -> None:
    assert Found(1.0, ["你好，Kevin Lin！", "ありがとう", "3.5"]).words == 2 + 2 + 5 + 2
    assert Found(1.0, [" … ", "。"]).words == 0
