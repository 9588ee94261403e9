"""The gate, the green screen and the names of notes do what they say."""

import numpy as np
import pytest

from vmeet_core.hookspecs import Context, Frame, Permanent
from vmeet_core.media.denoise import denoise_array
from vmeet_core.testing import ChromaKeyProvider, GateProvider, NotesProvider, local_host, melody, noise, speech_like
from vmeet_core.testing.fakes import ChromaKeyOptions, blended, chroma_key_alpha


def test_the_gate_keeps_speech_and_removes_faint_noise() -> None:
    engine = GateProvider().load(None, local_host())
    speech = speech_like(16_000, 2.0)
    faint = noise(16_000, 1.0, level=1e-3)
    out = denoise_array(np.concatenate([faint, speech]), 16_000, engine, GateProvider.options())
    assert np.max(np.abs(out[:15_000])) < 1e-5
    assert float(out[16_000:] @ speech) > 0.999 * float(speech @ speech)


def test_the_green_screen_becomes_the_background_and_the_person_stays() -> None:
    rgb = np.empty((41, 61, 3), np.uint8)
    rgb[:, :30], rgb[:, 30:] = (0, 177, 64), (200, 150, 130)
    frame, options = Frame.from_rgb(rgb), ChromaKeyOptions(background="#ff0000")
    stream = ChromaKeyProvider().load(None, local_host()).open(options)
    out = stream.process(frame, 0.0).rgb()
    assert np.max(np.abs(out[:, :30].astype(int) - [255, 0, 0])) <= 3
    np.testing.assert_array_equal(out[:, 30:], frame.rgb()[:, 30:])


def test_colours_between_are_blended() -> None:
    frame = Frame.from_rgb(np.full((4, 4, 3), (90, 165, 90), np.uint8))
    options = ChromaKeyOptions(background="#ffffff")
    alpha = chroma_key_alpha(frame, options)
    assert 0.1 < alpha[0, 0] < 0.9
    y = blended(frame, alpha, "#ffffff").y[0, 0]
    assert abs(float(y) - (alpha[0, 0] * frame.y[0, 0] + (1 - alpha[0, 0]) * 235)) <= 0.51


def test_a_melody_is_transcribed_with_its_times() -> None:
    stream = NotesProvider().load(None, local_host()).open(NotesProvider.options())
    audio = melody(16_000, [(0.5, 0.8, 262.0), (1.0, 1.3, 330.0), (2.5, 3.0, 880.0), (3.2, 3.24, 880.0)], 4.0)
    first, second = stream.transcribe(audio, "auto", Context())
    assert (first.start_s, first.end_s, first.text, first.language) == (0.5, 1.3, "do mi", "en")
    assert first.words == ((0.5, 0.8, "do"), (1.0, 1.3, "mi"))
    assert (second.start_s, second.end_s, second.text) == (2.5, 3.0, "la")  # the last one is too short
    assert [each.text for each in stream.transcribe(audio, "zh-TW", Context())] == ["多米", "拉"]
    with pytest.raises(Permanent, match="no names in the language 'fr'"):
        stream.transcribe(audio, "fr", Context())


def test_every_note_of_the_scale_has_its_name() -> None:
    stream = NotesProvider().load(None, local_host()).open(NotesProvider.options())
    scale_hz = [262.0, 294.0, 330.0, 349.0, 392.0, 440.0, 494.0, 523.0]
    audio = melody(16_000, [(0.3 * n, 0.3 * n + 0.2, note) for n, note in enumerate(scale_hz)], 2.5)
    (segment,) = stream.transcribe(audio, "en", Context())
    assert segment.text == "do re mi fa sol la ti do"
