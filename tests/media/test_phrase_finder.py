"""Phrases of a voice while it speaks."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import read_all
from vmeet_core.media.phrase_finder import CUT_S, PACKET_SAMPLES, PAUSE_S, RATE_HZ, SHORT_PAUSE_S, PhraseFinder
from vmeet_core.media.silence import PAD_S, heard, phrases

PACKET_S = 0.02


class Found(NamedTuple):
    """A phrase, where it lies in the sound, and when it was there."""

    start_s: float
    end_s: float
    told_s: float
    audio: Audio


def voice(seconds: float, level: float = 0.1) -> Audio:
    """In syllables of 0.2 s, with 0.05 s between them."""
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    made: Audio = (level * np.sin(2 * np.pi * 300 * times) * (times % 0.25 < 0.2)).astype(np.float32)
    return made


def silence(seconds: float) -> Audio:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def noise(sound: Audio, db: float = -50.0) -> Audio:
    """The sound in a room that is never silent."""
    hiss = np.random.default_rng(5).normal(0, 10 ** (db / 20), len(sound)).astype(np.float32)
    return sound + hiss


def find(sound: Audio, most_s: float = 12.0, end: bool = False) -> list[Found]:
    finder = PhraseFinder(most_s)
    size, found = PACKET_SAMPLES, []
    for at in range(0, len(sound) - size + 1, size):
        phrase = finder.hear(sound[at : at + size])
        if phrase is not None:
            found.append((phrase, (at + size) / RATE_HZ))
    last = finder.end() if end else None
    found += [(last, len(sound) / RATE_HZ)] if last is not None else []
    return [Found((p.end - len(p.audio)) / RATE_HZ, p.end / RATE_HZ, told_s, p.audio) for p, told_s in found]


def joined(*parts: Audio) -> Audio:
    return np.concatenate(parts)


def test_a_phrase_is_told_as_soon_as_its_pause_is_long_enough() -> None:
    sound = noise(joined(silence(2), voice(3), silence(2), voice(1), silence(2)))
    first, second = find(sound)
    assert (first.start_s, first.end_s) == (pytest.approx(2 - PAD_S, abs=0.1), pytest.approx(5 + PAD_S, abs=0.1))
    assert first.told_s - 5 == pytest.approx(PAUSE_S, abs=0.15)
    assert second.start_s == pytest.approx(7 - PAD_S, abs=0.1)
    for each in (first, second):
        assert np.array_equal(each.audio, sound[round(each.start_s * RATE_HZ) : round(each.end_s * RATE_HZ)])


def test_short_pauses_belong_to_a_phrase() -> None:
    sound = noise(joined(silence(1), voice(1), silence(0.3), voice(1), silence(1)))
    assert len(find(sound)) == 1


def test_somebody_who_speaks_on_is_read_at_the_next_short_pause() -> None:
    words = [part for _ in range(6) for part in (voice(2.4), silence(SHORT_PAUSE_S + 0.15))]
    found = find(noise(joined(silence(1), *words, silence(1))))
    assert len(found) > 1
    assert all(each.end_s - each.start_s < 8 for each in found)


def test_a_voice_that_never_pauses_is_cut_where_it_is_quietest_and_nothing_is_lost() -> None:
    sound = noise(joined(silence(1), voice(10), voice(0.8, level=0.02), voice(2), voice(9), silence(1)))
    found = find(sound)
    assert all(each.end_s - each.start_s <= 12.0 + PACKET_S for each in found)
    assert any(11 <= each.end_s <= 11.9 for each in found), "in the low voice"
    for before, after in pairwise(found):
        assert after.start_s == pytest.approx(before.end_s)
    assert all(each.told_s - each.end_s <= CUT_S + 0.1 for each in found)
    assert found[0].start_s < 1
    assert found[-1].end_s > 22.8


@pytest.mark.parametrize("most_s", [2.0, 5.0])
def test_no_phrase_is_longer_than_the_transcriber_takes(most_s: float) -> None:
    found = find(noise(joined(silence(1), voice(11), silence(1))), most_s)
    assert all(len(each.audio) <= most_s * RATE_HZ for each in found)


@pytest.mark.parametrize(
    "sound",
    [silence(20), noise(silence(20)), noise(silence(20), -80.0), noise(joined(silence(5), voice(0.1), silence(5)))],
    ids=["digital", "hiss", "faint", "cough"],
)
def test_silence_and_coughs_are_no_phrases(sound: Audio) -> None:
    assert find(sound, end=True) == []


def test_loud_noise_and_a_hum_are_no_phrases() -> None:
    assert find(noise(silence(20), db=-20.0), end=True) == []
    hum = 0.1 * np.sin(2 * np.pi * 100 * np.arange(20 * RATE_HZ) / RATE_HZ).astype(np.float32)
    assert [each for each in find(noise(hum), end=True) if each.start_s > 3] == []


def test_somebody_who_speaks_from_the_beginning_is_heard() -> None:
    (found,) = find(noise(joined(voice(2), silence(1))))
    assert found.start_s < 0.1


def test_what_is_being_said_when_the_sound_ends_is_given() -> None:
    (found,) = find(noise(joined(silence(1), voice(2))), end=True)
    assert found.end_s == pytest.approx(3, abs=PACKET_S)


def test_of_real_speech_as_much_is_found_as_in_a_recording(shared_data: Path) -> None:
    clips = sorted((shared_data / "mandarin").glob("*.flac"))[:4]
    sounds: Sequence[Audio] = [read_all(clip, RATE_HZ) for clip in clips]
    sound = joined(silence(1), *(part for each in sounds for part in (each, silence(1.5))))
    given, energy = noise(sound, -60.0), np.square(sound, dtype=np.float64)

    def share(spans: Iterable[tuple[float, float]]) -> float:
        return float(sum(energy[round(a * RATE_HZ) : round(b * RATE_HZ)].sum() for a, b in spans) / energy.sum())

    recorded = share(phrases(heard([given], RATE_HZ), 12.0))
    assert recorded > 0.99
    assert share((each.start_s, each.end_s) for each in find(given)) > recorded - 0.001


def test_a_limit_that_would_tear_words_is_refused() -> None:
    with pytest.raises(ValueError, match="a second or more"):
        PhraseFinder(0.5)
