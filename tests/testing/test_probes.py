"""The test signals are the same each time and have the level they promise."""

import numpy as np

from vmeet_core.testing import noise, speech_like


def test_speech_is_repeatable_and_has_pauses() -> None:
    audio = speech_like(16_000, 3.0, seed=4)
    np.testing.assert_array_equal(audio, speech_like(16_000, 3.0, seed=4))
    assert audio.dtype == np.float32
    assert len(audio) == 48_000
    assert np.max(np.abs(audio)) == np.float32(0.5)
    levels = np.abs(audio.reshape(-1, 400)).max(axis=1)
    assert 0.1 < float(np.mean(levels == 0)) < 0.7


def test_noise_has_its_level() -> None:
    assert abs(float(noise(16_000, 2.0, level=0.2).std()) - 0.2) < 0.01
