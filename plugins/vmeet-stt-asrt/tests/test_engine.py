"""The whole chain, from sound to text, with a network of random weights that was taught one sentence."""

import numpy as np
import pytest
from vmeet_stt_asrt import AsrtProvider, AsrtSettings

from vmeet_core.hookspecs import Audio, Context, Options, Permanent, TranscriberStream
from vmeet_core.testing import local_host, noise, speech_like

RATE_HZ = 16_000


def open_stream(settings: AsrtSettings) -> TranscriberStream:
    return AsrtProvider().load(settings, local_host()).open(Options())


@pytest.mark.parametrize("beam", [1, 8])
def test_sound_becomes_characters_at_their_times(settings: AsrtSettings, audio: Audio, beam: int) -> None:
    stream = open_stream(settings.model_copy(update={"beam": beam}))
    (segment,) = stream.transcribe(audio, "zh-TW", Context())
    assert segment.text == "大家早安"
    assert segment.language == "zh-CN"
    assert segment.confidence is not None
    assert 0.9 < segment.confidence <= 1
    assert segment.start_s == pytest.approx(2 * 0.08)
    assert segment.end_s == pytest.approx(12 * 0.08 + 0.2)
    assert "".join(text for _, _, text in segment.words) == segment.text
    assert segment.words[0][0] == segment.start_s
    assert all(start_s < end_s for start_s, end_s, _ in segment.words)
    stream.close()
    stream.close()


def test_the_same_sound_gives_the_same_text(settings: AsrtSettings, audio: Audio) -> None:
    stream = open_stream(settings)
    first = stream.transcribe(audio, "zh", Context())
    stream.transcribe(audio[: RATE_HZ // 2], "zh", Context())
    assert stream.transcribe(audio, "zh", Context()) == first


@pytest.mark.parametrize("language", ["en", "yue-HK", "tlh"])
def test_other_languages_are_refused(settings: AsrtSettings, audio: Audio, language: str) -> None:
    with pytest.raises(Permanent, match=f'zh \\(Mandarin\\) alone, not "{language}"'):
        open_stream(settings).transcribe(audio, language, Context())


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence_is_nothing(settings: AsrtSettings, level: float) -> None:
    assert open_stream(settings).transcribe(noise(RATE_HZ, 1.0, level=level), "zh", Context()) == []


@pytest.mark.parametrize("samples", [0, 1, 399])
def test_less_than_a_window_is_nothing(settings: AsrtSettings, samples: int) -> None:
    assert open_stream(settings).transcribe(np.zeros(samples, np.float32), "zh", Context()) == []


def test_sixteen_seconds_are_taken_and_not_more(settings: AsrtSettings) -> None:
    engine = AsrtProvider().load(settings, local_host())
    assert (engine.sample_rate_hz, engine.max_chunk_s) == (RATE_HZ, 16.0)
    stream = engine.open(Options())
    longest = speech_like(RATE_HZ, 16.0)
    for segment in stream.transcribe(longest, "zh", Context()):
        assert 0 <= segment.start_s <= segment.end_s <= 16.0
    with pytest.raises(ValueError, match=r"at most 16 s at once, not 16\.1 s"):
        stream.transcribe(np.zeros(int(16.1 * RATE_HZ), np.float32), "zh", Context())
