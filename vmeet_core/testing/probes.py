"""Test signals, made on the spot: float32 (samples,), mono."""

import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio

#: The first three formants in Hz of some vowels (G. E. Peterson and H. L. Barney, 1952, men).
VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
_BANDWIDTHS_HZ = (80.0, 100.0, 140.0)
_SYLLABLE_S = 0.22


def speech_like(sample_rate_hz: int, seconds: float, seed: int = 0) -> Audio:
    """Syllables of hissing consonants and gliding vowels, with pauses; peak 0.5. The same for the same seed."""
    rng = np.random.default_rng(seed)
    length = round(_SYLLABLE_S * sample_rate_hz)
    count = round(seconds * sample_rate_hz)
    pieces: list[NDArray[np.float64]] = []
    while sum(map(len, pieces)) < count:
        vowel = _vowel(sample_rate_hz, length, rng)
        pause = np.zeros(rng.integers(length // 8, length))
        pieces += [_hiss(sample_rate_hz, length // 3, rng), vowel, pause]
    audio = np.concatenate(pieces)[:count]
    audio *= 0.5 / np.max(np.abs(audio))
    return audio.astype(np.float32)


def noise(sample_rate_hz: int, seconds: float, seed: int = 0, level: float = 0.1) -> Audio:
    """White noise with the standard deviation ``level``."""
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(round(seconds * sample_rate_hz))).astype(np.float32)


def _vowel(sample_rate_hz: int, length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Harmonics of a gliding voice, weighted by the resonances of a vowel."""
    start_hz, end_hz = rng.uniform(95, 180, 2)
    pitch_hz = np.linspace(start_hz, end_hz, length)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    formants = VOWELS_HZ[rng.integers(len(VOWELS_HZ))]
    total = np.zeros(length)
    for harmonic in range(1, int(min(4000, 0.45 * sample_rate_hz) / max(start_hz, end_hz))):
        frequency_hz = harmonic * (start_hz + end_hz) / 2
        total += _resonance(frequency_hz, formants) * np.cos(harmonic * phase)
    return np.asarray(total * np.hanning(length))


def _resonance(frequency_hz: float, formants: tuple[int, ...]) -> float:
    return sum(
        1 / (1 + ((frequency_hz - centre) / width) ** 2) / (1 + index)
        for index, (centre, width) in enumerate(zip(formants, _BANDWIDTHS_HZ, strict=True))
    )


def _hiss(sample_rate_hz: int, length: int, rng: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum[np.fft.rfftfreq(length, 1 / sample_rate_hz) < 2500] *= 0.05
    return np.asarray(0.15 * np.fft.irfft(spectrum, length) * np.hanning(length))
