"""Each check of a transcriber passes a good one and fails one that is broken in just that way."""

import ctypes
import itertools
import threading
from abc import abstractmethod
from typing import Any

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio, Context, Host, Permanent, Segment
from vmeet_core.testing import (
    TRANSCRIBER_CHECKS,
    Check,
    GateProvider,
    NotesProvider,
    Subject,
    local_host,
    melody,
    run_check,
    run_checks,
)
from vmeet_core.testing.fakes import NotesEngine, NotesStream

CHECKS = {check.name: check for check in TRANSCRIBER_CHECKS}


class Changed(NotesStream):
    """The notes, with something done to each segment."""

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        return [self.changed(segment) for segment in super().transcribe(audio, language, context)]

    @abstractmethod
    def changed(self, segment: Segment) -> Segment:
        """What becomes of it."""


def with_(**values: Any) -> type[NotesStream]:
    """A stream whose segments have these fields."""
    return type("With", (Changed,), {"changed": lambda self, segment: segment._replace(**values)})


class NoList(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> Any:
        return tuple(super().transcribe(audio, language, context))


class PlainTuples(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> Any:
        return [tuple(segment) for segment in super().transcribe(audio, language, context)]


class Unsorted(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        return [
            part._replace(words=())
            for segment in super().transcribe(audio, language, context)
            for word in segment.words[::-1]
            for part in [Segment(word[0], word[1], word[2], segment.language)]
        ]


class Padded(NotesStream):
    """Takes the sound for two seconds longer than it is."""

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        found = super().transcribe(audio, language, context)
        return [*found[:-1], *(each._replace(end_s=len(audio) / 16_000 + 2) for each in found[-1:])]


class LateWords(Changed):
    def changed(self, segment: Segment) -> Segment:
        return segment._replace(words=tuple((start_s, end_s + 1, text) for start_s, end_s, text in segment.words))


class UnsortedWords(Changed):
    def changed(self, segment: Segment) -> Segment:
        return segment._replace(words=segment.words[::-1])


class EmptyWords(Changed):
    def changed(self, segment: Segment) -> Segment:
        return segment._replace(words=tuple((start_s, end_s, " ") for start_s, end_s, _ in segment.words))


class Invents(NotesStream):
    """What some models say into silence."""

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        found = super().transcribe(audio, language, context)
        return found or [Segment(0.0, len(audio) / 16_000, "Thank you for watching!", "en")]


class RepeatsThePrompt(NotesStream):
    """Says into silence what was said before."""

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        found = super().transcribe(audio, language, context)
        said = context.text_before.strip()
        return found if found or not said else [Segment(0.0, len(audio) / 16_000, said, "zh")]


class HearsNoise(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        return super().transcribe(audio * np.float32(1000), language, context)


class WantsAWindow(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        if len(audio) < 400:
            raise RuntimeError("less than a window")
        return super().transcribe(audio, language, context)


class SaysAWordOfOneSample(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        found = super().transcribe(audio, language, context)
        return found or [Segment(0.0, len(audio) / 16_000, "a", "en")] * (len(audio) == 1)


class FailsAtTheEnd(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        if len(audio) >= 30 * 16_000:
            raise IndexError("31st second")
        return super().transcribe(audio, language, context)


class FailsWhenLoud(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        if len(audio) and np.max(np.abs(audio)) >= 1:
            raise OverflowError("int16")
        return super().transcribe(audio, language, context)


class ChangesInput(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        audio *= 1.0
        return super().transcribe(audio, language, context)


class ForcesInput(NotesStream):
    """Makes the input writeable again and uses it as scratch space."""

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        found = super().transcribe(audio, language, context)
        ctypes.memset(audio.ctypes.data, 0, audio.nbytes)
        return found


class KeepsInput(NotesStream):
    """Transcribes the sound of the call before once more, from a view of it."""

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        before: Audio = self.__dict__.get("before", np.zeros(0, np.float32))
        self.__dict__["before"] = audio
        found = super().transcribe(audio, language, context)
        said = " ".join(each.text for each in super().transcribe(before, language, context)) if len(before) else ""
        return [each._replace(text=f"{each.text} {said}") for each in found]


class Counts(Changed):
    """Never says the same twice."""

    numbers = itertools.count()

    def changed(self, segment: Segment) -> Segment:
        return segment._replace(text=f"{segment.text} {next(Counts.numbers)}")


class Drifts(Changed):
    """The text is the same, the times are not."""

    numbers = itertools.count()

    def changed(self, segment: Segment) -> Segment:
        return segment._replace(end_s=segment.end_s - 0.05 * (next(Drifts.numbers) % 2), words=())


class SharedState(Changed):
    """Each stream goes on from the text of whichever was asked last."""

    last = ""

    def changed(self, segment: Segment) -> Segment:
        text, SharedState.last = f"{SharedState.last[-2:]} {segment.text}", segment.text
        return segment._replace(text=text)

    def close(self) -> None:
        SharedState.last = ""


class FewNames(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        if len(context.hot_words) > 100:
            raise MemoryError("names")
        return super().transcribe(audio, language, context)


class NamesWithoutLetters(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        for word in context.hot_words:
            assert word.strip()[0]
        return super().transcribe(audio, language, context)


class NoRegions(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        if "-" in language:
            raise Permanent(f"unknown language {language}")
        return super().transcribe(audio, language, context)


class Unclear(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        try:
            return super().transcribe(audio, language, context)
        except Permanent:
            raise Permanent("unsupported") from None


class Crashes(NotesStream):
    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        try:
            return super().transcribe(audio, language, context)
        except Permanent:
            raise KeyError(language) from None


class DeafAfterUpdate(NotesStream):
    def update(self, options: Any) -> None:
        self._options = options.model_copy(update={"threshold_db": 20.0})


class FailsOnUpdate(NotesStream):
    def update(self, options: Any) -> None:
        if options.threshold_db == 0:
            raise ZeroDivisionError("threshold_db")


class OneThread(NotesStream):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._thread = threading.get_ident()

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        if threading.get_ident() != self._thread:
            raise RuntimeError("wrong thread")
        return super().transcribe(audio, language, context)


class ClosesOnce(NotesStream):
    def close(self) -> None:
        del self._options


def provider(stream: type[NotesStream] = NotesStream, **attributes: Any) -> NotesProvider:
    """The notes with other streams, and with other attributes of the engine."""

    def open_(self: NotesEngine, options: Any) -> NotesStream:
        return stream(options, self.sample_rate_hz)

    engine = type("Engine", (NotesEngine,), {"open": open_, **attributes})

    class Other(NotesProvider):
        def load(self, server_settings: Any, host: Host) -> Any:
            return engine()

    return Other()


def outcome(name: str, tested: Any) -> tuple[str, str]:
    result = run_check(Subject(tested, local_host()), CHECKS[name])
    return result.state, result.message


@pytest.mark.parametrize("check", TRANSCRIBER_CHECKS, ids=lambda check: check.name)
def test_a_good_transcriber_passes(check: Check) -> None:
    result = run_check(Subject(NotesProvider(), local_host()), check)
    assert (result.state, result.remedy) == ("passed", "")


@pytest.mark.parametrize(
    ("name", "stream", "message"),
    [
        ("segments", NoList, "transcribe() gave (Segment(start_s="),
        ("segments", PlainTuples, "transcribe() gave [(0."),
        ("segments", Unsorted, "s follows one at"),
        ("segments", Padded, "lies outside a sound of 4.000 s"),
        ("segments", with_(start_s=-0.5), "a segment, -0.500 to"),
        ("segments", with_(end_s=float("nan")), "a time of a segment is nan"),
        ("segments", with_(start_s=None), "a time of a segment is None"),
        ("segments", with_(end_s=0.0), "ends at 0.0 s, before it begins"),
        ("segments", with_(text=" \n"), "a segment says ' \\n'"),
        ("segments", with_(language="auto"), "a segment's language is 'auto'"),
        ("segments", with_(language=None), "a segment's language is None"),
        ("segments", with_(confidence=1.5), "a segment's confidence is 1.5"),
        ("segments", with_(confidence=float("nan")), "a segment's confidence is nan"),
        ("words", LateWords, "lies outside its segment"),
        ("words", UnsortedWords, "begins before the one before it"),
        ("words", EmptyWords, "a word is ' '"),
        ("words", with_(words=((0.5, float("inf"), "la"),)), "a time of the word 'la' is inf"),
        ("silence", Invents, "in digital silence it hears 'Thank you for watching!'"),
        ("silence", RepeatsThePrompt, "in digital silence it hears '我們先把上次的會議記錄看完"),
        ("silence", HearsNoise, "in faint noise it hears"),
        ("short", WantsAWindow, "it raised RuntimeError: less than a window"),
        ("short", SaysAWordOfOneSample, "in 1 samples it hears 'a'"),
        ("longest", FailsAtTheEnd, "it raised IndexError"),
        ("loud", FailsWhenLoud, "it raised OverflowError"),
        ("input", ChangesInput, "read-only input is refused"),
        ("input", ForcesInput, "the input was changed"),
        ("input", KeepsInput, "used again after each call the result is another"),
        ("repeat", Counts, "the second time the result is another"),
        ("repeat", Drifts, "the second time times, language or confidence are others"),
        ("state", SharedState, "beside another stream the result is another"),
        ("context", FewNames, "it raised MemoryError"),
        ("context", NamesWithoutLetters, "it raised IndexError"),
        ("language", NoRegions, "the language 'zh-TW' is refused"),
        ("language", Unclear, "of the language 'tlh' it says: unsupported"),
        ("language", Crashes, "the language 'tlh' raised KeyError"),
        ("update", DeafAfterUpdate, "after an update to the options it has the result is another"),
        ("update", FailsOnUpdate, "it raised ZeroDivisionError"),
        ("thread", OneThread, "it raised RuntimeError: wrong thread"),
        ("close", ClosesOnce, "closing a stream twice raised AttributeError"),
    ],
)
def test_a_broken_stream_fails(name: str, stream: type[NotesStream], message: str) -> None:
    state, text = outcome(name, provider(stream))
    assert state == "failed"
    assert message in text


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"sample_rate_hz": 0}, "sample_rate_hz is 0"),
        ({"max_chunk_s": 0.5}, "max_chunk_s is 0.5"),
        ({"max_chunk_s": float("inf")}, "max_chunk_s is inf"),
    ],
)
def test_a_wrong_declaration_fails(attributes: dict[str, Any], message: str) -> None:
    state, text = outcome("load", provider(**attributes))
    assert state == "failed"
    assert message in text


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        ((), "languages is ()"),
        (["zh"], "languages is ['zh']"),
        (("chinese",), "languages holds 'chinese'"),
        (("zh", "auto"), "languages holds 'auto'"),
        (("zh", "zh"), "languages holds a tag twice"),
    ],
)
def test_languages_that_are_no_tags_fail(languages: Any, message: str) -> None:
    tested = provider()
    tested.languages = languages
    state, text = outcome("languages", tested)
    assert state == "failed"
    assert message in text


def test_another_kind_of_provider_fails() -> None:
    assert "the provider is a GateProvider" in outcome("languages", GateProvider())[1]


def test_what_is_no_engine_fails() -> None:
    class Nothing(NotesProvider):
        def load(self, server_settings: Any, host: Host) -> Any:
            return object()

    assert "load() returned object" in outcome("load", Nothing())[1]


def test_an_engine_that_closes_once_fails() -> None:
    def close(self: Any) -> None:
        if self.__dict__.setdefault("gone", False):
            raise Permanent("closed already")
        self.gone = True

    assert "closing an engine twice raised Permanent" in outcome("close", provider(close=close))[1]


def test_closing_one_engine_must_not_harm_another() -> None:
    alive = {"value": True}

    def close(self: Any) -> None:
        alive["value"] = False

    class Dead(NotesStream):
        def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
            return super().transcribe(audio, language, context) if alive["value"] else []

    assert "after another engine was closed" in outcome("close", provider(Dead, close=close))[1]


def test_a_crash_fails_the_speed_check() -> None:
    def crash(self: Any, *args: Any) -> list[Segment]:
        raise OSError("no")

    crashing: type[NotesStream] = type("Crashing", (NotesStream,), {"transcribe": crash})
    assert outcome("speed", provider(crashing))[0] == "failed"


def test_the_probe_may_be_real_speech() -> None:
    asked = []

    def speech(rate_hz: int, seconds: float, seed: int) -> Audio:
        asked.append((rate_hz, seconds))
        return melody(rate_hz, [(0.5, 0.9, 440.0), (1.6, 1.9, 494.0)], seconds)

    subject = Subject(NotesProvider(), local_host(), speech=speech)
    results = {result.check: result for result in run_checks(subject, TRANSCRIBER_CHECKS)}
    assert {result.state for result in results.values()} == {"passed"}
    assert results["segments"].message == "2 segments"
    assert results["words"].message == "2 words with times"
    assert (16_000, 30.0) in asked


def test_a_model_that_hears_nothing_in_the_probe_is_told_so() -> None:
    def deaf(self: Any, *args: Any) -> list[Segment]:
        return []

    silent: type[NotesStream] = type("Silent", (NotesStream,), {"transcribe": deaf})
    assert outcome("segments", provider(silent)) == ("passed", "it heard nothing in the probe: give real speech")
