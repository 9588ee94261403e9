"""Test signals, made on the spot: sound as float32 (samples,), mono; pictures as read-only frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio, Frame

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


def melody(sample_rate_hz: int, notes: Sequence[tuple[float, float, float]], seconds: float) -> Audio:
    """Tones at 0.3 of full scale in silence, each (start_s, end_s, frequency_hz): speech to ``NotesProvider``."""
    audio = np.zeros(round(seconds * sample_rate_hz), np.float32)
    for start_s, end_s, frequency_hz in notes:
        first, last = round(start_s * sample_rate_hz), round(end_s * sample_rate_hz)
        time_s = np.arange(last - first) / sample_rate_hz
        audio[first:last] += (0.3 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)[: len(audio) - first]
    return audio


def flat_picture(height: int, width: int, luma: int = 128) -> Frame:
    """Grey everywhere: there is nobody."""
    half = ((height + 1) // 2, (width + 1) // 2)
    return _frame([np.full((height, width), luma), np.full(half, 128), np.full(half, 128)], "bt601-limited")


def noise_picture(height: int, width: int, seed: int = 0) -> Frame:
    """Coloured noise within the limited range: there is nobody either."""
    rng, half = np.random.default_rng(seed), ((height + 1) // 2, (width + 1) // 2)
    return _frame([rng.integers(16, 236, (height, width)), *rng.integers(16, 241, (2, *half))], "bt601-limited")


def person_picture(height: int, width: int, number: int = 0, color: str = "bt601-limited") -> Frame:
    """Head and shoulders, roughly, before a wall with a slope of light; they move a little with each ``number``."""
    rows, columns = np.mgrid[0:height, 0:width]
    x, y = columns / width - 0.5 - 0.01 * number, rows / height
    head = (x / 0.14) ** 2 + ((y - 0.38) / 0.24) ** 2 < 1
    shoulders = (x / 0.36) ** 2 + ((y - 1.0) / 0.38) ** 2 < 1
    grain = np.random.default_rng(number).integers(-3, 4, (height, width))
    luma = np.select([head, shoulders], [165, 70], 90 + 80 * columns / width) + grain
    blue, red = (np.select([head, shoulders], values, 128)[::2, ::2] for values in ([108, 140], [152, 122]))
    return _frame([luma, blue, red], color)


def _frame(planes: list[NDArray[Any]], color: str) -> Frame:
    y, u, v = (np.ascontiguousarray(plane, np.uint8) for plane in planes)
    for plane in (y, u, v):
        plane.flags.writeable = False
    return Frame(y, u, v, color)


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
