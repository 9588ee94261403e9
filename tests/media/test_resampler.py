"""Lengths, alignment and losses of a change of sample rate."""

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio
from vmeet_core.media.resampler import Resampler, resample, resampled_count

RATES = [(48_000, 16_000), (16_000, 48_000), (44_100, 16_000), (48_000, 44_100), (8_000, 48_000), (16_000, 16_000)]


def band_limited_noise(samples: int, rate_hz: int, limit_hz: float) -> Audio:
    spectrum = np.fft.rfft(np.random.default_rng(7).standard_normal(samples))
    spectrum[np.fft.rfftfreq(samples, 1 / rate_hz) > limit_hz] = 0
    noise = 0.1 * np.fft.irfft(spectrum, samples)
    fade = np.minimum(1, np.arange(samples) / 2000)
    return (noise * fade * fade[::-1]).astype(np.float32)


def error_db(given: Audio, wanted: Audio) -> float:
    return float(10 * np.log10(np.sum((given - wanted) ** 2) / np.sum(wanted**2)))


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("samples", [0, 1, 2, 959, 16_001, 100_001])
def test_gives_exactly_the_samples_that_cover_the_input(from_hz: int, to_hz: int, samples: int) -> None:
    out = resample(np.full(samples, 0.5, np.float32), from_hz, to_hz)
    assert len(out) == resampled_count(samples, from_hz, to_hz) == int(np.ceil(samples * to_hz / from_hz))
    assert out.dtype == np.float32


def test_an_impulse_stays_where_it_is() -> None:
    audio = np.zeros(48_000, np.float32)
    audio[24_000] = 1
    down = resample(audio, 48_000, 16_000)
    again = resample(down, 16_000, 48_000)
    assert int(np.argmax(np.abs(down))) == 8_000
    assert int(np.argmax(np.abs(again))) == 24_000


def test_a_sine_keeps_its_phase_at_an_odd_ratio() -> None:
    there = np.sin(2 * np.pi * 1000 * np.arange(44_100) / 44_100).astype(np.float32)
    wanted = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    out = resample(there, 44_100, 16_000)
    assert error_db(out[1000:-1000], wanted[1000:-1000]) < -80


@pytest.mark.parametrize("limit_hz", [4000, 7000, 7800])
def test_speech_bandwidth_survives_the_way_over_48_khz(limit_hz: float) -> None:
    audio = band_limited_noise(32_000, 16_000, limit_hz)
    again = resample(resample(audio, 16_000, 48_000), 48_000, 16_000)
    assert error_db(again, audio) < -80


def test_what_the_lower_rate_cannot_hold_is_removed() -> None:
    high = np.sin(2 * np.pi * 12_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.max(np.abs(resample(high, 48_000, 16_000)[600:-600])) < 1e-4


def test_the_result_does_not_depend_on_how_the_input_is_cut() -> None:
    audio = band_limited_noise(40_000, 48_000, 20_000)
    resampler = Resampler(48_000, 16_000)
    pieces = [resampler.push(piece) for piece in np.split(audio, [1, 100, 4_000, 4_001, 30_000])]
    np.testing.assert_array_equal(np.concatenate([*pieces, resampler.flush()]), resample(audio, 48_000, 16_000))


def test_samples_come_while_the_input_still_runs() -> None:
    resampler = Resampler(16_000, 48_000)
    assert len(resampler.push(np.zeros(16_000, np.float32))) > 45_000
