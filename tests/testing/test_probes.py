"""The test signals are the same each time and have the level they promise."""

import numpy as np
import pytest

from vmeet_core.testing import flat_picture, noise, noise_picture, person_picture, speech_like


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


@pytest.mark.parametrize("make", [flat_picture, noise_picture, person_picture])
def test_pictures_are_sound_frames_of_any_size(make) -> None:
    for height, width in ((16, 16), (33, 17), (180, 320)):
        picture, again = make(height, width), make(height, width)
        assert picture.y.shape == (height, width)
        assert picture.u.shape == picture.v.shape == ((height + 1) // 2, (width + 1) // 2)
        for plane, other in zip((picture.y, picture.u, picture.v), (again.y, again.u, again.v), strict=True):
            assert plane.dtype == np.uint8
            assert not plane.flags.writeable
            assert plane.min() >= 16
            assert plane.max() <= 240
            np.testing.assert_array_equal(plane, other)


def test_the_person_moves() -> None:
    assert not np.array_equal(person_picture(90, 160, 0).u, person_picture(90, 160, 4).u)
