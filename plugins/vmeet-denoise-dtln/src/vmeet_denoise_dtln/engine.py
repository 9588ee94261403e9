"""The dual-signal transformation LSTM network, streaming.

N. L. Westhausen and B. T. Meyer, "Dual-Signal Transformation LSTM Network for Real-Time Noise Suppression",
Interspeech 2020. Every 128 samples the newest 512 are transformed; the first network masks the spectrum's magnitude,
the phase stays; the second masks learned features of the result; frames of 512 samples are overlapped and added.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio, Denoiser, DenoiserStream
from vmeet_denoise_dtln.network import Network, Rows

SAMPLE_RATE_HZ = 16_000
FRAME = 512
HOP = 128
LATENCY = FRAME - HOP  # a sample is complete once the last frame that holds it has been added
_MOST_HOPS = 1024  # worked on at once: bounds the memory of a long call


class DtlnEngine(Denoiser):
    """Both networks, loaded."""

    sample_rate_hz = SAMPLE_RATE_HZ
    block_samples = HOP
    latency_samples = LATENCY

    def __init__(self, mask_model: Path, signal_model: Path, threads: int) -> None:
        self._networks = Network(mask_model, threads), Network(signal_model, threads)

    def open(self, options: Any) -> "DtlnStream":
        """A stream with fresh state; ``options`` is a ``DtlnOptions``."""
        return DtlnStream(*self._networks, options.strength)


class DtlnStream(DenoiserStream):
    """The state of one voice."""

    def __init__(self, masking: Network, refining: Network, strength: float) -> None:
        self._masking, self._refining = masking, refining
        self._mask_state, self._refine_state = masking.initial_state(), refining.initial_state()
        self._heard: Audio = np.zeros(LATENCY, np.float32)
        self._unfinished: Audio = np.zeros(LATENCY, np.float32)
        self._strength = self._next_strength = strength

    def update(self, options: Any) -> None:
        """The new strength is reached over the next hop, 8 ms, so that nothing clicks."""
        self._next_strength = options.strength

    def process(self, audio: Audio) -> Audio:
        """(n * 128,) in, as many out, 384 samples late. Raises ValueError for another length."""
        if audio.ndim != 1 or len(audio) % HOP:
            raise ValueError(f"dtln takes whole blocks of {HOP} samples, not an array of shape {audio.shape}")
        most = _MOST_HOPS * HOP
        pieces = [self._run(audio[start : start + most]) for start in range(0, len(audio), most)]
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def _run(self, audio: Audio) -> Audio:
        joined = np.concatenate([self._heard, audio])
        self._heard = joined[len(audio) :]
        frames = self._clean(sliding_window_view(joined, FRAME)[::HOP])
        cleaned = self._overlapped(frames)
        return self._mixed(cleaned, joined[: len(audio)])

    def _clean(self, frames: NDArray[np.float32]) -> Rows:
        spectra = np.fft.rfft(frames)
        magnitudes = np.abs(spectra).astype(np.float32)
        masks, self._mask_state = self._masking.run(magnitudes, self._mask_state)
        masked = np.fft.irfft(spectra * masks).astype(np.float32)
        refined, self._refine_state = self._refining.run(masked, self._refine_state)
        return refined

    def _overlapped(self, frames: Rows) -> Audio:
        total = np.concatenate([self._unfinished, np.zeros(len(frames) * HOP, np.float32)])
        # In the order of time, however the input is cut: then the sums round alike.
        for index, frame in enumerate(frames):
            total[index * HOP : index * HOP + FRAME] += frame
        finished = len(frames) * HOP
        self._unfinished = total[finished:]
        return total[:finished]

    def _mixed(self, cleaned: Audio, original: Audio) -> Audio:
        """``original`` is as late as ``cleaned``; the strength moves over the first hop."""
        strength = np.full(len(cleaned), self._next_strength, np.float32)
        strength[:HOP] = np.linspace(self._strength, self._next_strength, HOP, dtype=np.float32)
        self._strength = self._next_strength
        return original + strength * (cleaned - original)
