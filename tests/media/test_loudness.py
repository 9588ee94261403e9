"""Tests of loudness on generated sound."""

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio
from vmeet_core.media.loudness import MAX_GAIN_DB, Gain, amplified, find_gain, integrated_lufs, limited, measure

RATE_HZ = 48_000


def tone(level_db: float, seconds: float = 6.0) -> Audio:
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * 997 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(
        np.float32
    )


def speech_like(level_db: float) -> Audio:
    """Noise in bursts with single peaks far above: a gain to the target alone would clip."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(RATE_HZ * 8).astype(np.float32) * np.float32(10 ** (level_db / 20) / 4)
    noise[:: RATE_HZ // 10] *= 12
    return noise


def blocks(audio: Audio) -> list[Audio]:
    return [audio[i : i + RATE_HZ] for i in range(0, len(audio), RATE_HZ)]


def test_a_sine_at_full_scale_measures_as_the_standard_says() -> None:
    loudness = measure(blocks(tone(0.0)), RATE_HZ)
    assert loudness.integrated_lufs == pytest.approx(-3.01, abs=0.05)  # BS.1770-4: a 997 Hz sine at 0 dBFS
    assert loudness.true_peak_dbtp == pytest.approx(0.0, abs=0.1)
    assert integrated_lufs(blocks(tone(0.0)), RATE_HZ) == loudness.integrated_lufs


@pytest.mark.parametrize("level_db", [-40.0, -23.0, -6.0])
def test_a_steady_sound_comes_to_the_target(level_db: float) -> None:
    audio = tone(level_db)
    gain = find_gain(lambda: blocks(audio), RATE_HZ)
    result = np.concatenate(list(amplified(blocks(audio), RATE_HZ, gain)))
    assert measure(blocks(result), RATE_HZ).integrated_lufs == pytest.approx(-16.0, abs=0.1)
    assert len(result) == len(audio)


@pytest.mark.parametrize("level_db", [-35.0, -12.0])
def test_peaks_are_limited_and_the_loudness_still_comes_to_the_target(level_db: float) -> None:
    audio = speech_like(level_db)
    gain = find_gain(lambda: blocks(audio), RATE_HZ)
    result = measure(amplified(blocks(audio), RATE_HZ, gain), RATE_HZ)
    assert result.integrated_lufs == pytest.approx(-16.0, abs=0.5)
    assert result.true_peak_dbtp <= -1.5


def test_nothing_moves_in_time() -> None:
    audio = tone(-20.0, 2.0) * np.linspace(0, 1, 2 * RATE_HZ, dtype=np.float32)
    result = np.concatenate(list(limited(blocks(audio), RATE_HZ, 6.0)))
    assert np.abs(result - audio * 10 ** (6 / 20))[100:-100].max() < 1e-3


@pytest.mark.parametrize("level_db", [-np.inf, -75.0])
def test_silence_is_not_blown_up(level_db: float) -> None:
    assert find_gain(lambda: blocks(tone(level_db)), RATE_HZ) == Gain(0.0, limits=False)


def test_a_very_quiet_sound_is_raised_only_so_far() -> None:
    assert find_gain(lambda: blocks(tone(-54.0)), RATE_HZ).gain_db == MAX_GAIN_DB


def test_no_sound_at_all_gives_none() -> None:
    assert list(limited([], RATE_HZ, 6.0)) == []
    assert measure([], RATE_HZ).integrated_lufs == -70
    assert integrated_lufs([], RATE_HZ) == -70
