"""What makes few voices many: pitch, throat, pace, level, rooms, noise, and parts of the spectrogram left out.

All of it on spectrograms: a tenth of the time that it would take on sound, so that it does not outlast the network.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from vmeet_stt_asrt.features import BINS, Rows, spectrogram

from vmeet_core.media.audio import read_all

RATE_HZ = 16_000
ROWS_PER_S = 100
QUICK_S = 0.25  #: a syllable in fluent speech; words said alone take up to twice as long
Audio = NDArray[np.float32]


def noises_of(folder: Path | None) -> list[Rows]:
    """Spectrograms of the files of sound in ``folder``, a minute of each at most."""
    paths = sorted(folder.rglob("*")) if folder else []
    suffixes = {".wav", ".flac", ".mp3", ".ogg"}
    sounds = (read_all(path, RATE_HZ)[: 60 * RATE_HZ] for path in paths if path.suffix in suffixes)
    return [rows for rows in map(spectrogram, sounds) if len(rows)]


class Voice:
    """A voice at random: everything a quarter higher or lower, and the throat longer or shorter besides."""

    def __init__(self, random: np.random.Generator, strength: float = 1.0) -> None:
        scale, throat = float(np.exp(strength * random.uniform(-0.22, 0.22))), strength * random.uniform(-0.12, 0.12)
        # The harmonics, which tell the tone, are low; the resonances of a throat are all over.
        bins = np.arange(BINS)
        places = np.minimum(bins * scale * (1 + throat * bins / BINS), BINS - 1)
        self._low = np.minimum(places.astype(np.int64), BINS - 2)
        self._share = (places - self._low).astype(np.float32)
        self.pace = float(np.exp(strength * random.uniform(-0.22, 0.22)))

    def says(self, rows: Rows, pace: float = 1.0) -> Rows:
        """As many rows as the pace makes of them."""
        at = np.arange(0, len(rows) - 1, self.pace * pace)
        low = at.astype(np.int64)
        share = (at - low).astype(np.float32)[:, None]
        timed = rows[low] * (1 - share) + rows[low + 1] * share
        warped: Rows = timed[:, self._low] * (1 - self._share) + timed[:, self._low + 1] * self._share
        return warped


def hurry(random: np.random.Generator, syllables: int, rows: int) -> float:
    """The pace that makes syllables said one by one about as short as in fluent speech, or not quite."""
    slowness = rows / ROWS_PER_S / syllables / QUICK_S
    return float(max(1.0, slowness) ** random.uniform(0.2, 1.0))


class Augmenter:
    """Changes spectrograms at random; ``noises`` are added where there are any, made-up noise otherwise."""

    def __init__(self, random: np.random.Generator, noises: list[Rows]) -> None:
        self._random, self._noises = random, noises

    def rows(self, rows: Rows, strength: float = 1.0) -> Rows:
        """(rows, 200) to the same; ``strength`` is the share of all changes that are made."""
        random = self._random
        power = np.square(np.expm1(rows))
        if random.random() < 0.35 * strength:
            power = self._in_a_room(power)
        if random.random() < 0.6 * strength:
            power = self._noisy(power)
        power *= np.float32(10 ** (random.uniform(-20, 6) / 10))
        return self._with_gaps(np.log1p(np.sqrt(power)), strength)

    def _with_gaps(self, rows: Rows, strength: float) -> Rows:
        """SpecAugment: bands and moments of nothing (D. S. Park et al., Interspeech 2019)."""
        for _ in range(2):
            width = int(self._random.integers(0, 2 + 30 * strength))
            start = int(self._random.integers(0, BINS - width))
            rows[:, start : start + width] = rows[:, start : start + width].mean(axis=0)
        for _ in range(1 + len(rows) // 150):
            width = int(self._random.integers(0, 2 + 11 * strength))
            start = int(self._random.integers(0, max(1, len(rows) - width)))
            rows[start : start + width] = 0
        return rows

    def _in_a_room(self, power: Rows) -> Rows:
        """What is heard decays by 60 dB in 0.1 to 0.6 s, at some loudness beside the voice itself."""
        decay = np.float32(10 ** (-6 / (self._random.uniform(0.1, 0.6) * ROWS_PER_S)))
        share = np.float32(self._random.uniform(0.05, 0.5)) * (1 - decay)
        wet, tail = power.copy(), np.zeros(BINS, np.float32)
        for number, row in enumerate(power):
            wet[number] += tail
            tail = (tail + share * row) * decay
        return wet

    def _noisy(self, power: Rows) -> Rows:
        noise = self._noise(len(power))
        loud = 10 ** (-self._random.uniform(3, 30) / 10) * power.mean() / (noise.mean() + 1e-9)
        return power + np.float32(loud) * noise

    def _noise(self, length: int) -> Rows:
        """Power, (length, 200)."""
        if self._noises and self._random.random() < 0.7:
            noise = self._noises[int(self._random.integers(len(self._noises)))]
            start = int(self._random.integers(max(1, len(noise) - length)))
            return np.square(np.expm1(np.resize(noise[start : start + length], (length, BINS))))
        # Between white and brown; the power of noise in a bin is distributed exponentially.
        colour = (1 + np.arange(BINS, dtype=np.float32)) ** np.float32(-self._random.uniform(0, 2))
        return self._random.standard_exponential((length, BINS), np.float32) * colour
