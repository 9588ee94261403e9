"""The picture of sound that ASRT's network reads: a spectrogram of 200 bins, a hundred rows a second."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio

SAMPLE_RATE_HZ = 16_000
WINDOW = 400  #: samples
HOP = 160  #: samples
BINS = 200
MOST_ROWS = 1_600  #: what upstream's network was trained on: 16 s
_FULL_SCALE = 32_768  # the network was trained on 16-bit samples
_WHOLE_WINDOW = np.hamming(WINDOW)

Rows = NDArray[np.float32]


def spectrogram(audio: Audio) -> Rows:
    """(samples,) at 16 kHz, in [-1, 1] to (rows, 200): ln(1 + magnitude) of each 25 ms; no row under 400 samples."""
    if len(audio) < WINDOW:
        return np.zeros((0, BINS), np.float32)
    frames = sliding_window_view(audio.astype(np.float64) * _FULL_SCALE, WINDOW)[::HOP]
    magnitudes = np.abs(np.fft.rfft(frames * _WHOLE_WINDOW))[:, :BINS]
    return np.log1p(magnitudes).astype(np.float32)
