"""16 bits, and FLAC that gives back what went in."""

import io

import av
import numpy as np
import pytest
from vmeet_stt_google.sound import checked, flac, samples

from vmeet_core.testing import noise


def test_samples_are_rounded_and_clipped() -> None:
    audio = np.array([0, 1, -1, 0.5, 2, -2], np.float32)
    assert samples(audio).tolist() == [0, 32_767, -32_767, 16_384, 32_767, -32_767]


@pytest.mark.parametrize("length", [1, 17, 4_608, 16_001])
def test_flac_is_lossless(length: int) -> None:
    sound = samples(noise(16_000, 1.1)[:length])
    with av.open(io.BytesIO(flac(sound))) as file:
        decoded = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    np.testing.assert_array_equal(decoded, sound)


def test_read_only_sound_of_the_full_length_is_taken() -> None:
    audio = np.zeros(32_000, np.float32)
    audio.flags.writeable = False
    assert checked(audio, 2.0) is audio
    assert len(samples(audio)) == 32_000
