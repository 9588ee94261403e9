"""Tests of sound on its way through a transcriber."""

from typing import Any

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio, Context, Segment, Transcriber, TranscriberStream
from vmeet_core.media.silence import Phrase
from vmeet_core.media.transcribe import BEFORE_CHARS, transcribed, transcribed_phrases

RATE_HZ = 48_000


class Recorder(TranscriberStream):
    """Writes down what it was given, and answers as it is told."""

    def __init__(self, answers: list[list[Segment]] | None = None) -> None:
        self.calls: list[tuple[Audio, str, Context]] = []
        self.answers = answers

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        self.calls.append((audio, language, context))
        if self.answers is not None:
            return self.answers[len(self.calls) - 1]
        return [Segment(0.5, len(audio) / 16_000, f" 第{len(self.calls)}句 ", "zh", None, ((0.5, 1.0, "第"),))]


class Engine(Transcriber):
    sample_rate_hz = 16_000
    max_chunk_s = 8.0

    def open(self, options: Any) -> TranscriberStream:
        return Recorder()


def speech(duration_s: float, *spans: tuple[float, float]) -> Audio:
    at_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    loud = np.zeros(len(at_s), bool)
    for start_s, end_s in spans:
        loud |= (at_s >= start_s) & (at_s < end_s) & ((at_s - start_s) % 0.5 < 0.4)
    noise = np.random.default_rng(1).normal(0, 10 ** (-75 / 20), len(at_s))
    return (noise + np.where(loud, 0.3 * np.sin(2 * np.pi * 440 * at_s), 0)).astype(np.float32)


def blocks(audio: Audio) -> list[Audio]:
    return [audio[start : start + 10_007] for start in range(0, len(audio), 10_007)]


def test_phrases_are_given_one_by_one_and_told_in_the_time_of_the_sound() -> None:
    audio, stream, shares = speech(40, (2.0, 5.0), (20.0, 24.0)), Recorder(), []
    found = list(transcribed(lambda: blocks(audio), RATE_HZ, Engine(), stream, "zh", ("王小明",), shares.append))
    assert [round(segment.start_s, 1) for segment in found] == pytest.approx([2.3, 20.3], abs=0.11)
    assert [round(segment.end_s, 1) for segment in found] == pytest.approx([5.2, 24.2], abs=0.11)
    assert [segment.text for segment in found] == ["第1句", "第2句"]
    assert found[1].words[0][0] == found[1].start_s
    (first, language, context), (_, _, after) = stream.calls
    assert (language, context) == ("zh", Context(("王小明",), ""))
    assert after.text_before == "第1句"
    assert not first.flags.writeable
    assert float(np.abs(first).max()) == pytest.approx(0.3, abs=0.03)
    assert len(first) / 16_000 == pytest.approx(3.5, abs=0.2)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_of_silence_nothing_is_asked() -> None:
    stream = Recorder()
    assert list(transcribed(lambda: blocks(speech(20)), RATE_HZ, Engine(), stream, "auto")) == []
    assert stream.calls == []


def test_no_phrase_is_longer_than_the_engine_takes() -> None:
    stream = Recorder()
    list(transcribed(lambda: blocks(speech(60, (1.0, 55.0))), RATE_HZ, Engine(), stream, "zh"))
    lengths_s = [len(audio) / 16_000 for audio, _, _ in stream.calls]
    assert max(lengths_s) <= 8.0
    assert sum(lengths_s) == pytest.approx(54.5, abs=0.2)


def test_slices_are_those_samples_and_no_others() -> None:
    audio, stream = np.linspace(-1, 1, 10 * 16_000, dtype=np.float32), Recorder()
    cut = [Phrase(0.0, 1.5), Phrase(1.5, 2.0), Phrase(9.0, 10.0)]
    list(transcribed_phrases(blocks(audio), 16_000, cut, Engine(), stream, "zh"))
    for (given, _, _), phrase in zip(stream.calls, cut, strict=True):
        assert np.array_equal(given, audio[int(phrase.start_s * 16_000) : int(phrase.end_s * 16_000)])


def test_what_lies_outside_of_the_phrase_is_put_into_it() -> None:
    answers = [[Segment(-1.0, 9.0, "早", "zh", None, ((3.0, 2.0, "早"),))]]
    cut = [Phrase(4.0, 6.0)]
    (found,) = transcribed_phrases([speech(10)], RATE_HZ, cut, Engine(), Recorder(answers), "zh")
    assert (found.start_s, found.end_s, found.words) == (4.0, 6.0, ((6.0, 6.0, "早"),))


def test_times_that_are_no_numbers_are_the_plugins_fault() -> None:
    answers = [[Segment(float("nan"), 1.0, "早", "zh")]]
    with pytest.raises(RuntimeError, match="vmeet check"):
        list(transcribed_phrases([speech(10)], RATE_HZ, [Phrase(4.0, 6.0)], Engine(), Recorder(answers), "zh"))


def test_the_text_before_has_an_end() -> None:
    answers = [[Segment(0.0, 1.0, "字" * 500, "zh")], []]
    stream = Recorder(answers)
    list(transcribed_phrases([speech(10)], RATE_HZ, [Phrase(1.0, 2.0), Phrase(4.0, 6.0)], Engine(), stream, "zh"))
    assert len(stream.calls[1][2].text_before) == BEFORE_CHARS
