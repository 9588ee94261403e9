"""The spectrogram: its scale, its rows, its bins."""

import numpy as np
import pytest
from vmeet_stt_asrt.features import BINS, MOST_ROWS, spectrogram


def test_a_tone_stands_in_its_bin_as_high_as_upstream_has_it() -> None:
    # 1 kHz is bin 25 of 40 Hz each; a Hamming window of 400 sums up to 0.54 * 400 - 0.46, and a tone has half of it.
    tone = (0.5 * np.cos(2 * np.pi * 1000 * np.arange(16_000) / 16_000)).astype(np.float32)
    rows = spectrogram(tone)
    assert (rows.argmax(axis=1) == 25).all()
    np.testing.assert_allclose(rows[:, 25], np.log1p(0.5 * 32_768 * (0.54 * 400 - 0.46) / 2), atol=0.01)


@pytest.mark.parametrize(
    ("samples", "rows"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16_000, 98), (256_000, 1598)]
)
def test_a_row_is_25_ms_each_10_ms(samples: int, rows: int) -> None:
    assert spectrogram(np.zeros(samples, np.float32)).shape == (rows, BINS)


def test_sixteen_seconds_fit() -> None:
    assert len(spectrogram(np.zeros(16 * 16_000, np.float32))) <= MOST_ROWS


def test_silence_is_nothing() -> None:
    assert not spectrogram(np.zeros(16_000, np.float32)).any()
