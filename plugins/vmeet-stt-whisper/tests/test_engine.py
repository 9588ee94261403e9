"""The engine at work: real speech, and sounds that are none."""

from typing import Any

import numpy as np
import pytest
from phantom_sounds import SOUNDS
from vmeet_stt_whisper import WhisperOptions

from vmeet_core.hookspecs import Audio, Context, Permanent, Segment, Transcriber
from vmeet_core.testing import noise

RATE_HZ = 16_000
NAMES = Context(("林志明", "陳怡君", "Kevin"))


def written(engine: Transcriber, audio: Audio, language: str = "zh", context: Context = NAMES) -> list[Segment]:
    stream = engine.open(WhisperOptions())
    found = stream.transcribe(audio, language, context)
    stream.close()
    return found


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("language", ["zh", "auto"])
def test_nothing_is_written_where_nobody_speaks(engine: Transcriber, sound: str, language: str) -> None:
    assert written(engine, SOUNDS[sound](30.0, RATE_HZ, 1), language) == []


def test_without_the_first_guard_the_others_still_hold(engine: Transcriber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vmeet_stt_whisper.engine.LEAST_S", -1.0)
    assert written(engine, noise(RATE_HZ, 5.0)) == []


@pytest.mark.parametrize("samples", [0, 1, 100])
def test_next_to_nothing_is_nothing(engine: Transcriber, samples: int) -> None:
    assert written(engine, np.zeros(samples, np.float32)) == []


@pytest.mark.parametrize(
    ("audio", "fault"),
    [
        (np.zeros(31 * RATE_HZ, np.float32), "at most 30 s"),
        (np.zeros((2, RATE_HZ), np.float32), r"shape \(samples,\)"),
        (np.zeros(RATE_HZ), "float32"),
    ],
)
def test_wrong_sound_is_refused(engine: Transcriber, audio: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        written(engine, audio)


def test_an_unknown_language_is_refused(engine: Transcriber) -> None:
    with pytest.raises(Permanent, match='"tlh"'):
        written(engine, noise(RATE_HZ, 1.0), "tlh")
    with pytest.raises(Permanent, match='"qq"'):
        engine.open(WhisperOptions(expected="zh, qq"))


def test_phrases_of_one_part_have_their_times(engine: Transcriber, utterances: Any) -> None:
    """Two utterances, two seconds apart, in one part: what is written, when, in which language."""
    first, second = utterances["21.flac"].audio, utterances["06.flac"].audio
    pause = np.zeros(2 * RATE_HZ, np.float32)
    audio = np.concatenate([pause, first, pause, second, pause])
    audio.flags.writeable = False
    found = written(engine, audio, "auto")
    assert [segment.language for segment in found] == ["zh"] * len(found)
    text = "".join(segment.text for segment in found)
    assert text[:4] in ("換一首歌", "换一首歌")
    assert text.rstrip("。").endswith(("伴侶大俠", "伴侣大侠"))
    between_s = 2.0 + len(first) / RATE_HZ + 1.0
    early, late = [s for s in found if s.end_s < between_s], [s for s in found if s.start_s > between_s]
    assert len(early) + len(late) == len(found)
    for audio, segments, offset_s in ((first, early, 2.0), (second, late, between_s + 1.0)):
        loud = np.flatnonzero(np.abs(audio) > 0.1 * np.max(np.abs(audio))) / RATE_HZ + offset_s
        assert segments[0].start_s == pytest.approx(loud[0], abs=0.3)
        assert segments[-1].end_s == pytest.approx(loud[-1], abs=0.3)
    for segment in found:
        assert "".join(word for _, _, word in segment.words).strip() == segment.text
        times = [time for start_s, end_s, _ in segment.words for time in (start_s, end_s)]
        assert times == sorted(times)
        assert (times[0], times[-1]) == (segment.start_s, segment.end_s)
        assert segment.confidence is not None
        assert 0.3 < segment.confidence <= 1


def test_options_hold_and_change_while_it_runs(engine: Transcriber, utterances: Any) -> None:
    audio = utterances["21.flac"].audio
    stream = engine.open(WhisperOptions(word_times=False, beam_size=1, expected="en"))
    (segment,) = stream.transcribe(audio, "auto", Context())
    assert (segment.words, segment.language) == ((), "en")
    stream.update(WhisperOptions(expected="zh, en"))
    (segment,) = stream.transcribe(audio, "auto", Context())
    assert segment.language == "zh"
    assert len(segment.words) >= 4
    (again,) = stream.transcribe(audio, "zh-TW", Context())
    assert (again.text, again.language) == (segment.text, "zh-TW")
    stream.close()
    stream.close()


def test_a_name_is_spelt_as_it_is_given(engine: Transcriber, utterances: Any) -> None:
    audio = utterances["06.flac"].audio
    plain = "".join(segment.text for segment in written(engine, audio, context=Context()))
    told = "".join(segment.text for segment in written(engine, audio, context=Context(("大霞",))))
    assert "大霞" not in plain
    assert "大霞" in told


def test_names_are_not_heard_in_what_is_hardly_understood(engine: Transcriber, utterances: Any) -> None:
    """Told of two names, the network took four soft syllables for them."""
    audio = utterances["21.flac"].audio
    room = np.random.default_rng(0).normal(0, 10 ** (-65 / 20), RATE_HZ // 4).astype(np.float32)
    cut = np.concatenate([room, audio[int(0.38 * RATE_HZ) : int(1.5 * RATE_HZ)], room])
    text = "".join(segment.text for segment in written(engine, cut, context=Context(("Person 1", "Person 2"))))
    assert "Person" not in text
    assert "首歌" in text
