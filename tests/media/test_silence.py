"""Tests of where somebody speaks: made-up sound with a known truth, and real Mandarin where it is at hand."""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vmeet_core.media.audio import read_all, resample
from vmeet_core.media.silence import PAD_S, Phrase, heard, pause_s, phrases

RATE_HZ = 16_000


def sound(duration_s: float, *spans: tuple[float, float], noise_db: float = -70.0) -> Any:
    """Syllables of a vowel, four a second, in these spans; and steady noise."""
    random = np.random.default_rng(1)
    at_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    audio = 10 ** (noise_db / 20) * random.normal(0, 1, len(at_s))
    for start_s, end_s in spans:
        speaks = (at_s >= start_s) & (at_s < end_s) & ((at_s - start_s) % 0.25 < 0.18)
        audio[speaks] += vowel(at_s[speaks])
    return audio.astype(np.float32)


def vowel(at_s: Any) -> Any:
    """Harmonics of 130 Hz with the formants of an "a"."""
    pitches_hz = 130.0 * np.arange(1, 28)
    formants = sum(np.exp(-(((pitches_hz - formant_hz) / 150) ** 2)) for formant_hz in (750, 1200, 2600))
    return 0.1 * sum(level * np.sin(2 * np.pi * hz * at_s) for hz, level in zip(pitches_hz, formants, strict=True))


def found(audio: Any, most_s: float = 30.0, **given: Any) -> list[Phrase]:
    return phrases(heard([audio], RATE_HZ), most_s, **given)


@pytest.mark.parametrize("noise_db", [-90.0, -60.0, -40.0])
def test_phrases_are_found_with_some_padding(noise_db: float) -> None:
    spans = [(2.0, 5.0), (7.0, 8.0), (20.0, 26.0)]
    cut = found(sound(30, *spans, noise_db=noise_db))
    assert len(cut) == len(spans)
    for phrase, (start_s, end_s) in zip(cut, spans, strict=True):
        assert start_s - PAD_S - 0.1 <= phrase.start_s <= start_s
        assert end_s - 0.1 <= phrase.end_s <= end_s + PAD_S + 0.1


@pytest.mark.parametrize("noise_db", [-300.0, -60.0, -30.0, -10.0])
def test_silence_and_steady_noise_are_no_speech(noise_db: float) -> None:
    assert found(sound(600, noise_db=noise_db)) == []
    assert found(np.zeros(0, np.float32)) == []


def test_clicks_are_no_speech() -> None:
    audio = sound(30)
    for at_s in np.arange(1, 29, 0.7):
        audio[round(at_s * RATE_HZ) : round((at_s + 0.01) * RATE_HZ)] = 0.5
    assert found(audio) == []


def test_a_microphone_that_was_off_says_nothing_of_the_noise() -> None:
    audio = sound(60, (45.0, 48.0), noise_db=-45.0)
    audio[: 30 * RATE_HZ] = 0
    (phrase,) = found(audio)
    assert phrase.start_s == pytest.approx(45 - PAD_S, abs=0.15)


def test_who_goes_on_for_long_is_cut_between_words() -> None:
    cut = found(sound(40, (1.0, 38.0)), most_s=10)
    assert all(phrase.end_s - phrase.start_s <= 10 for phrase in cut)
    assert all(before.end_s == after.start_s for before, after in pairwise(cut))
    assert (cut[0].start_s, cut[-1].end_s) == (pytest.approx(0.75, abs=0.1), pytest.approx(38.2, abs=0.2))
    for phrase in cut[:-1]:
        assert (phrase.end_s - 1.0) % 0.25 >= 0.16  # between two syllables
        assert phrase.end_s - phrase.start_s >= 5


def test_phrases_that_are_near_are_given_as_one() -> None:
    audio = sound(30, (2, 4), (5, 7), (8, 10), (20, 21))
    assert len(found(audio)) == 4
    joined = found(audio, join_s=1.5)
    assert [phrase.end_s - phrase.start_s for phrase in joined] == pytest.approx([8.5, 1.5], abs=0.25)
    assert len(found(audio, most_s=6, join_s=1.5)) == 3


def test_blocks_of_any_length_give_the_same() -> None:
    audio = sound(10, (2, 5))
    pieces = [audio[start : start + 12_345] for start in range(0, len(audio), 12_345)]
    whole = heard([audio], RATE_HZ)
    assert whole.is_speech.any()
    for one, other in zip(heard(pieces, RATE_HZ), whole, strict=True):
        assert np.array_equal(one, other)


def test_a_rate_that_the_detector_does_not_know_is_changed() -> None:
    """Beginnings and ends are found at the same times."""
    audio = sound(10, (2, 5))
    rates_hz = (8_000, 16_000, 22_050, 44_100, 48_000)
    times = [phrases(heard([resample(audio, RATE_HZ, rate_hz)], rate_hz), 30.0) for rate_hz in rates_hz]
    assert all(len(each) == 1 for each in times)
    assert np.ptp([each[0] for each in times], axis=0).max() < 0.1


def test_a_tone_that_goes_on_is_no_speech() -> None:
    at_s = np.arange(30 * RATE_HZ) / RATE_HZ
    assert found(sound(30) + (0.2 * np.sin(2 * np.pi * 440 * at_s)).astype(np.float32)) == []


def test_speech_without_any_pause_is_found() -> None:
    cut = found(sound(6, (0.0, 6.0), noise_db=-300.0))
    assert sum(phrase.end_s - phrase.start_s for phrase in cut) > 5.7


def test_between_two_moments_it_is_cut_in_the_last_pause() -> None:
    loud = heard([sound(30, (0.0, 12.0), (13.0, 16.0), (16.6, 21.0))], RATE_HZ).levels
    assert 16.0 <= pause_s(loud, 8.0, 20.0) <= 16.6
    assert 12.0 <= pause_s(loud, 8.0, 15.0) <= 13.0
    assert pause_s(loud, 12.0, 28.0) == pytest.approx(27.8)  # nobody speaks there


def test_where_nobody_pauses_it_is_cut_between_words() -> None:
    loud = heard([sound(30, (0.0, 30.0))], RATE_HZ).levels
    at_s = pause_s(loud, 8.0, 20.0)
    assert 8.0 < at_s < 20.0


def test_where_it_is_cut_is_told_by_that_stretch_alone() -> None:
    audio = sound(30, (0.0, 12.0), (13.0, 30.0), noise_db=-50.0)
    louder = audio.copy()
    louder[: 8 * RATE_HZ] *= 3
    louder[20 * RATE_HZ :] = 0
    assert pause_s(heard([audio], RATE_HZ).levels, 8.0, 20.0) == pause_s(heard([louder], RATE_HZ).levels, 8.0, 20.0)
    shorter = heard([audio[8 * RATE_HZ :]], RATE_HZ).levels
    assert pause_s(shorter, 0.0, 12.0) + 8 == pytest.approx(pause_s(heard([audio], RATE_HZ).levels, 8.0, 20.0))


def test_too_short_to_choose() -> None:
    assert pause_s(heard([sound(2)], RATE_HZ).levels, 0.7, 1.0) == 1.0


def test_less_than_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="tear words"):
        found(sound(2), most_s=0.5)


def test_real_utterances_are_found_one_by_one() -> None:
    folder = Path(__file__).parents[2] / "../shared/data/mandarin"
    if not folder.is_dir():
        pytest.skip("the folder shared/data/mandarin beside the checkout is absent")
    with (folder / "transcripts.tsv").open(encoding="utf-8") as file:
        files = [row["file"] for row in csv.DictReader(file, delimiter="\t")]
    random = np.random.default_rng(0)
    pieces, spans, position_s = [], [], 0.0
    for name in files:
        audio = read_all(folder / name, RATE_HZ)
        pieces += [np.zeros(2 * RATE_HZ, np.float32), audio]
        spans.append((position_s + 2, position_s + 2 + len(audio) / RATE_HZ))
        position_s = spans[-1][1]
    whole = np.concatenate(pieces) + random.normal(0, 10 ** (-60 / 20), round(position_s * RATE_HZ)).astype(np.float32)
    cut = found(whole, most_s=30)
    for start_s, end_s in spans:
        inside = [phrase for phrase in cut if phrase.start_s < end_s and phrase.end_s > start_s]
        assert inside
        assert all(start_s - 0.5 <= phrase.start_s and phrase.end_s <= end_s + 0.5 for phrase in inside)
    total_s = sum(phrase.end_s - phrase.start_s for phrase in cut)
    assert total_s > 0.75 * sum(end_s - start_s for start_s, end_s in spans)
