"""What makes few voices many: speed, level, rooms, noise, and parts of the spectrogram left out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from vmeet_stt_asrt.features import Rows

from vmeet_core.media.audio import read_all

RATE_HZ = 16_000
Audio = NDArray[np.float32]


def noises_of(folder: Path | None) -> list[Audio]:
    """The files of sound in ``folder``, a minute of each at most."""
    paths = sorted(folder.rglob("*")) if folder else []
    suffixes = {".wav", ".flac", ".mp3", ".ogg"}
    return [read_all(path, RATE_HZ)[: 60 * RATE_HZ] for path in paths if path.suffix in suffixes]


class Augmenter:
    """Changes sound at random; ``noises`` are added where there are any, made-up noise otherwise."""

    def __init__(self, random: np.random.Generator, noises: list[Audio]) -> None:
        self._random, self._noises = random, noises

    def sound(self, audio: Audio) -> Audio:
        """(samples,) in [-1, 1] to another number of samples."""
        changed = self._faster(audio)
        if self._random.random() < 0.3:
            changed = self._in_a_room(changed)
        if self._random.random() < 0.6:
            changed = self._noisy(changed)
        level = 10 ** (self._random.uniform(-18, 6) / 20)
        return np.clip(changed * level, -1, 1).astype(np.float32)

    def rows(self, rows: Rows) -> Rows:
        """SpecAugment: bands and moments of nothing (D. S. Park et al., Interspeech 2019)."""
        changed = rows.copy()
        for _ in range(2):
            width = int(self._random.integers(0, 28))
            start = int(self._random.integers(0, rows.shape[1] - width))
            changed[:, start : start + width] = 0
        for _ in range(1 + len(rows) // 300):
            width = int(self._random.integers(0, 12))
            start = int(self._random.integers(0, max(1, len(rows) - width)))
            changed[start : start + width] = 0
        return changed

    def _faster(self, audio: Audio) -> Audio:
        """Speed and pitch together, by linear interpolation, up to a tenth."""
        factor = self._random.uniform(0.9, 1.1)
        places = np.arange(0, len(audio) - 1, factor)
        return np.interp(places, np.arange(len(audio)), audio).astype(np.float32)

    def _in_a_room(self, audio: Audio) -> Audio:
        """An impulse response of noise that decays by 60 dB in 0.1 to 0.5 s."""
        length = int(self._random.uniform(0.1, 0.5) * RATE_HZ)
        response = self._random.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
        response *= self._random.uniform(0.2, 0.6) / np.sqrt(np.sum(response**2))
        response[0] = 1
        size = len(audio) + length
        wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)
        return wet[: len(audio)].astype(np.float32)

    def _noisy(self, audio: Audio) -> Audio:
        snr_db = self._random.uniform(5, 30)
        noise = self._noise(len(audio))
        scale = np.sqrt(np.mean(audio**2) / (np.mean(noise**2) + 1e-12)) * 10 ** (-snr_db / 20)
        return (audio + scale * noise).astype(np.float32)

    def _noise(self, length: int) -> Audio:
        if self._noises:
            noise = self._noises[int(self._random.integers(len(self._noises)))]
            start = int(self._random.integers(max(1, len(noise) - length)))
            return np.resize(noise[start : start + length], length)
        spectrum = np.fft.rfft(self._random.standard_normal(length))
        # Between white and brown.
        spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** self._random.uniform(0, 1)
        return np.fft.irfft(spectrum, length).astype(np.float32)
