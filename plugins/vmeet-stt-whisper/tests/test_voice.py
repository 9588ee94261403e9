"""The detector: silent about what is no voice."""

from typing import Any

import numpy as np
import pytest
from phantom_sounds import SOUNDS
from vmeet_stt_whisper.voice import LEAST_S, Stretch, Voice, find_voice


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_minute_without_a_voice(sound: str) -> None:
    assert find_voice(SOUNDS[sound](60.0, 16_000, 3)).sure_s < LEAST_S


@pytest.mark.parametrize("samples", [0, 1, 511, 512, 513])
def test_very_short_sounds(samples: int) -> None:
    assert find_voice(np.zeros(samples, np.float32)) == Voice(0.0, ())


def test_a_voice_is_found_where_it_is(utterances: Any) -> None:
    audio = utterances["21.flac"].audio
    alone = find_voice(audio)
    later = find_voice(np.concatenate([np.zeros(32_000, np.float32), audio, np.zeros(16_000, np.float32)]))
    assert alone.sure_s > 0.8
    assert later.stretches[0].start_s == pytest.approx(alone.stretches[0].start_s + 2.0, abs=0.15)
    assert later.stretches[-1].end_s == pytest.approx(alone.stretches[-1].end_s + 2.0, abs=0.15)


def test_voice_between_two_times() -> None:
    voice = Voice(3.0, (Stretch(1.0, 2.0), Stretch(4.0, 6.0)))
    assert voice.within(1.5, 4.5) == pytest.approx(1.0)
    assert voice.within(2.0, 4.0) == 0
