"""What holds for every transcriber: segments in order and inside the sound, nothing in silence, states, languages."""

import math
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from vmeet_core.hookspecs import Audio, Context, Permanent, Segment, Transcriber, TranscriberProvider, TranscriberStream
from vmeet_core.testing.check import Breach, Check, Subject, close_twice
from vmeet_core.testing.probes import noise, speech_like
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS

EDGE_S = 1e-3  #: times may be rounded to milliseconds
SAME_TIME_S = 0.02  #: of one thing transcribed twice: a frame of most models
SAME_CONFIDENCE = 0.01
FAINT = 1e-4  #: -80 dB of full scale: what a quiet microphone gives
UNKNOWN_LANGUAGE = "tlh"  #: Klingon: a tag that is valid, and that nothing on sale transcribes
CONTEXT = Context(
    hot_words=("范君如", "余文件", "Siobhán O'Neill-Smith", "VMeet", *(f"李{number}號" for number in range(124))),
    text_before="我們先把上次的會議記錄看完，再談下一季的預算。" * 40,
)
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_MOST_LANGUAGES = 2  # of those that a provider names: some name a hundred
_PLAIN = Context()


def check_languages(subject: Subject) -> str:
    """The languages that the provider names are tags."""
    provider = subject.provider
    if not isinstance(provider, TranscriberProvider):
        remedy = "Make it a subclass of vmeet_core.hookspecs.TranscriberProvider."
        raise Breach(f"the provider is a {type(provider).__name__}.", remedy)
    languages = getattr(provider, "languages", None)
    if not isinstance(languages, tuple) or not languages:
        raise Breach(f"languages is {languages!r}.", 'Name them as a tuple of BCP 47 tags, such as ("zh", "en").')
    for tag in languages:
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            raise Breach(f"languages holds {tag!r}.", 'Name BCP 47 tags, such as "zh" or "zh-TW"; "auto" goes unsaid.')
    if len(set(languages)) < len(languages):
        raise Breach("languages holds a tag twice.", "Name each once.")
    return f"{len(languages)} languages"


def check_load(subject: Subject) -> str:
    """The engine loads and says sensible things of itself."""
    started_s = time.perf_counter()
    engine = subject.engine
    seconds = time.perf_counter() - started_s
    if not isinstance(engine, Transcriber):
        remedy = "Return a subclass of vmeet_core.hookspecs.Transcriber."
        raise Breach(f"load() returned {type(engine).__name__}.", remedy)
    rate_hz = getattr(engine, "sample_rate_hz", None)
    if not isinstance(rate_hz, int) or not 8_000 <= rate_hz <= 48_000:
        raise Breach(f"sample_rate_hz is {rate_hz!r}.", "Set it to a whole number from 8000 to 48000.")
    most_s = getattr(engine, "max_chunk_s", None)
    if not isinstance(most_s, int | float) or not 1 <= most_s <= 3600:
        raise Breach(f"max_chunk_s is {most_s!r}.", "Set it to a number from 1 to 3600: the core cuts the sound so.")
    return f"{seconds:.2f} s; {rate_hz} Hz, at most {most_s:g} s at once"


def check_segments(subject: Subject) -> str:
    """Segments are in order, inside the sound, and say something."""
    _transcribed(subject, _speech(subject), "auto")
    return _told(_reference(subject))


def check_words(subject: Subject) -> str:
    """Words, where there are any, are in order and inside their segment."""
    segments = _reference(subject)
    for segment in segments:
        _check_words(segment)
    count = sum(len(segment.words) for segment in segments)
    return f"{count} words with times" if count else "no times of words"


def check_silence(subject: Subject) -> str:
    """Nothing is said in silence, digital or not, whatever was said before."""
    rate_hz = subject.engine.sample_rate_hz
    sounds = {
        "digital silence": np.zeros(4 * rate_hz, np.float32),
        "faint noise": noise(rate_hz, 4.0, level=FAINT),
    }
    stream = subject.open()
    for label, audio in sounds.items():
        for language, context in (("auto", _PLAIN), (_language(subject), CONTEXT)):
            _check_nothing(stream.transcribe(audio.copy(), language, context), label)
    stream.close()
    return ""


def check_short(subject: Subject) -> str:
    """No sound at all, one sample, and less than any window: no error, and nothing invented."""
    rate_hz = subject.engine.sample_rate_hz
    audio, stream = _speech(subject), subject.open()
    for count in (0, 1, rate_hz // 100, rate_hz // 30, rate_hz // 4):
        short = audio[rate_hz // 2 : rate_hz // 2 + count]
        segments = stream.transcribe(short.copy(), _language(subject), _PLAIN)
        _check_segments(segments, count / rate_hz)
        if count < rate_hz // 50:
            _check_nothing(segments, f"{count} samples")
    stream.close()
    return ""


def check_longest(subject: Subject) -> str:
    """Exactly ``max_chunk_s`` is taken."""
    most_s = subject.engine.max_chunk_s
    return _told(_transcribed(subject, _speech(subject, most_s), _language(subject)))


def check_loud(subject: Subject) -> str:
    """Full scale of every shape breaks nothing; what is made of it, is up to the model."""
    rate_hz = subject.engine.sample_rate_hz
    shapes = {
        "a square wave": np.sign(np.sin(2 * np.pi * 220 * np.arange(2 * rate_hz) / rate_hz)),
        "noise": np.sign(noise(rate_hz, 2.0)),
        "a constant": np.ones(2 * rate_hz),
    }
    for audio in shapes.values():
        _transcribed(subject, audio.astype(np.float32), _language(subject))
    return ""


def check_input(subject: Subject) -> str:
    """Read-only input is accepted, and neither changed nor kept."""
    sounds, language = _two(subject), _language(subject)
    wanted = _all(subject, sounds, language)
    stream, given, lent = subject.open(), [], np.empty_like(sounds[0])
    for audio in sounds:
        lent[:] = audio
        lent.flags.writeable = False
        try:
            given.append(stream.transcribe(lent, language, _PLAIN))
        except ValueError as error:
            raise Breach(f"read-only input is refused: {error}.", "Copy the input before changing it.") from error
        lent.flags.writeable = True
        if not np.array_equal(lent, audio):
            raise Breach("the input was changed.", "Copy the input before changing it.")
        lent.fill(0.5)
    stream.close()
    _check_all_same(wanted, given, "from a buffer that is used again after each call")
    return ""


def check_repeat(subject: Subject) -> str:
    """The same sound gives the same text: a step that was killed is run again."""
    audio, language = _speech(subject), _language(subject)
    wanted = _transcribed(subject, audio, language, CONTEXT)
    _check_same(wanted, _transcribed(subject, audio, language, CONTEXT), "the second time")
    return ""


def check_state(subject: Subject) -> str:
    """Two streams at once do not hear one another, and a new stream starts afresh."""
    language, (one, other) = _language(subject), _two(subject)
    turns = ([one, other], [other, one])
    alone = [_all(subject, sounds, language) for sounds in turns]
    streams = subject.open(), subject.open()
    given: tuple[list[list[Segment]], list[list[Segment]]] = ([], [])
    for number in range(2):
        for stream, sounds, found in zip(streams, turns, given, strict=True):
            found.append(stream.transcribe(sounds[number].copy(), language, _PLAIN))
    for stream in streams:
        stream.close()
    for wanted, found in zip(alone, given, strict=True):
        _check_all_same(wanted, found, "beside another stream")
    return ""


def check_context(subject: Subject) -> str:
    """Names of 128 people and a page of what was said before are accepted."""
    audio, language = _speech(subject), _language(subject)
    for context in (CONTEXT, Context(("", " "), " ")):
        _transcribed(subject, audio, language, context)
    return ""


def check_language(subject: Subject) -> str:
    """Languages that it names are accepted with any region; of another it says that it does not know it."""
    audio, named = _speech(subject, 2.0), _named(subject)
    accepted = list(named[1:_MOST_LANGUAGES])
    if any(tag.split("-")[0].lower() == "zh" for tag in named):
        accepted += ["zh-TW", "zh-Hant-TW"]
    for tag in accepted:
        try:
            _transcribed(subject, audio, tag)
        except Permanent as error:
            remedy = 'Take each tag of `languages`, with any script and region, and "auto".'
            raise Breach(f"the language {tag!r} is refused: {error}.", remedy) from error
    return f"{UNKNOWN_LANGUAGE!r} is {_reception(subject, audio)}"


def _reception(subject: Subject, audio: Audio) -> str:
    try:
        _transcribed(subject, audio, UNKNOWN_LANGUAGE)
    except Permanent as error:
        if UNKNOWN_LANGUAGE not in str(error):
            remedy = "Let the message name the language, and those that it knows."
            raise Breach(f"of the language {UNKNOWN_LANGUAGE!r} it says: {error}.", remedy) from error
        return "refused"
    except Breach:
        raise
    except Exception as error:
        message = f"the language {UNKNOWN_LANGUAGE!r} raised {type(error).__name__}: {error}."
        remedy = 'Raise vmeet_core.hookspecs.Permanent naming the language, or take it as "auto".'
        raise Breach(message, remedy) from error
    return "accepted"


def check_update(subject: Subject) -> str:
    """New options while it runs: the same ones change nothing, those at the ends of their range work."""
    audio, language = _speech(subject), _language(subject)
    wanted = _reference(subject)
    stream = subject.open()
    stream.update(subject.provider.options())
    given = stream.transcribe(audio.copy(), language, _PLAIN)
    _check_same(wanted, given, "after an update to the options it has")
    short, variants = _speech(subject, 2.0), subject.variants()
    for options in variants:
        stream.update(options)
        _check_segments(stream.transcribe(short.copy(), language, _PLAIN), _seconds(subject, short))
    stream.close()
    return f"{len(variants)} variants"


def check_thread(subject: Subject) -> str:
    """A stream works in another thread than the one that opened it."""
    audio, language = _speech(subject), _language(subject)
    wanted = _reference(subject)
    with ThreadPoolExecutor(1) as executor:
        stream: TranscriberStream = subject.open()
        given = executor.submit(stream.transcribe, audio.copy(), language, _PLAIN).result()
        stream.close()
    _check_same(wanted, given, "in another thread")
    return ""


def check_close(subject: Subject) -> str:
    """Closing twice does no harm, and closing one stream harms no other."""
    audio, language = _speech(subject), _language(subject)
    wanted = _reference(subject)
    stays, goes = subject.open(), subject.open()
    close_twice(goes, "a stream")
    given = stays.transcribe(audio.copy(), language, _PLAIN)
    _check_same(wanted, given, "after another stream was closed")
    stays.close()
    close_twice(subject.load(), "an engine")
    _check_same(wanted, _transcribed(subject, audio, language), "after another engine was closed")
    return ""


def check_speed(subject: Subject) -> str:
    """Says how fast it is; how fast is enough depends on the machine."""
    audio, stream, language = _speech(subject, 10.0), subject.open(), _language(subject)
    started_s = time.perf_counter()
    stream.transcribe(audio, language, _PLAIN)
    factor = (time.perf_counter() - started_s) / _seconds(subject, audio)
    stream.close()
    return f"real-time factor {factor:.3f}"


def _named(subject: Subject) -> tuple[str, ...]:
    return tuple(getattr(subject.provider, "languages", ()))


def _language(subject: Subject) -> str:
    """The first that the provider names."""
    return _named(subject)[0] if _named(subject) else "auto"


def _speech(subject: Subject, seconds: float = 4.0, seed: int = 0) -> Audio:
    """Of so many seconds, but never more than the engine takes at once."""
    engine, make = subject.engine, subject.speech or speech_like
    audio = make(engine.sample_rate_hz, min(seconds, engine.max_chunk_s), seed)
    return audio[: int(engine.max_chunk_s * engine.sample_rate_hz)]


def _two(subject: Subject) -> tuple[Audio, Audio]:
    """Two sounds of one length."""
    return _speech(subject, 3.0, seed=1), _speech(subject, 3.0, seed=2)


def _reference(subject: Subject) -> list[Segment]:
    """What a stream of its own makes of the first probe; asked once, since many checks compare with it."""
    if "reference" not in subject.memory:
        subject.memory["reference"] = _transcribed(subject, _speech(subject), _language(subject))
    found: list[Segment] = subject.memory["reference"]
    return found


def _seconds(subject: Subject, audio: Audio) -> float:
    return float(len(audio) / subject.engine.sample_rate_hz)


def _transcribed(subject: Subject, audio: Audio, language: str, context: Context = _PLAIN) -> list[Segment]:
    """By a stream of its own, and of the right form."""
    return _all(subject, [audio], language, context)[0]


def _all(subject: Subject, sounds: Sequence[Audio], language: str, context: Context = _PLAIN) -> list[list[Segment]]:
    """One after the other by one stream; copies, so that a bad plugin does not spoil the probe."""
    stream, found = subject.open(), []
    for audio in sounds:
        segments = stream.transcribe(audio.copy(), language, context)
        _check_segments(segments, _seconds(subject, audio))
        found.append(segments)
    stream.close()
    return found


def _told(segments: list[Segment]) -> str:
    return f"{len(segments)} segments" if segments else "it heard nothing in the probe: give real speech"


def _check_nothing(segments: Any, label: str) -> None:
    if segments != []:
        said = " ".join(segment.text for segment in segments)
        raise Breach(f"in {label} it hears {said!r}.", "Return [] where nobody speaks.")


def _check_segments(segments: Any, duration_s: float) -> None:
    """A list of sound segments, in order, inside ``duration_s``."""
    if not isinstance(segments, list) or not all(isinstance(segment, Segment) for segment in segments):
        raise Breach(f"transcribe() gave {_short(segments)}.", "Return a list of vmeet_core.hookspecs.Segment.")
    for segment in segments:
        _check_segment(segment, duration_s)
    for one, other in pairwise(segments):
        if other.start_s < one.start_s:
            raise Breach(f"a segment at {other.start_s} s follows one at {one.start_s} s.", "Sort them by start_s.")


def _check_segment(segment: Segment, duration_s: float) -> None:
    _check_times(segment.start_s, segment.end_s, "a segment")
    if segment.start_s < -EDGE_S or segment.end_s > duration_s + EDGE_S:
        raise Breach(
            f"a segment, {segment.start_s:.3f} to {segment.end_s:.3f} s, lies outside a sound of {duration_s:.3f} s.",
            "Cut times to the sound: models pad it.",
        )
    if not isinstance(segment.text, str) or not segment.text.strip():
        raise Breach(f"a segment says {segment.text!r}.", "Leave out segments without text.")
    if not isinstance(segment.language, str) or not _TAG.fullmatch(segment.language):
        remedy = 'Give the BCP 47 tag of what was heard, or "und" where nobody knows.'
        raise Breach(f"a segment's language is {segment.language!r}.", remedy)
    confidence = segment.confidence
    if confidence is not None and not (isinstance(confidence, float | int) and 0 <= confidence <= 1):
        raise Breach(f"a segment's confidence is {confidence!r}.", "Give a number from 0 to 1, or None.")


def _check_words(segment: Segment) -> None:
    for start_s, end_s, text in segment.words:
        _check_times(start_s, end_s, f"the word {text!r}")
        if start_s < segment.start_s - EDGE_S or end_s > segment.end_s + EDGE_S:
            raise Breach(
                f"the word {text!r} from {start_s:.3f} to {end_s:.3f} s lies outside its segment from "
                f"{segment.start_s:.3f} to {segment.end_s:.3f} s.",
                "Let the segment begin with its first word and end with its last one.",
            )
        if not isinstance(text, str) or not text.strip():
            raise Breach(f"a word is {text!r}.", "Leave out words without text.")
    for one, other in pairwise(segment.words):
        if other[0] < one[0]:
            raise Breach(f"the word {other[2]!r} begins before the one before it.", "Sort the words by their start.")


def _check_times(start_s: Any, end_s: Any, label: str) -> None:
    for value in (start_s, end_s):
        if not isinstance(value, float | int) or not math.isfinite(value):
            raise Breach(f"a time of {label} is {value!r}.", "Give finite numbers of seconds.")
    if end_s < start_s:
        raise Breach(f"{label} ends at {end_s} s, before it begins at {start_s} s.", "Give start_s <= end_s.")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _check_all_same(wanted: list[list[Segment]], given: list[list[Segment]], label: str) -> None:
    for before, after in zip(wanted, given, strict=True):
        _check_same(before, after, label)


def _check_same(wanted: list[Segment], given: list[Segment], label: str) -> None:
    same = len(wanted) == len(given) and all(map(_same, wanted, given))
    if not same:
        said = [" ".join(segment.text for segment in segments) for segments in (wanted, given)]
        raise Breach(
            f"{label} the result is another: {said[1]!r} instead of {said[0]!r}."
            if said[0] != said[1]
            else f"{label} times, language or confidence are others: {given!r} instead of {wanted!r}.",
            "Keep all state in the stream, keep no view of the input, and let nothing depend on chance.",
        )


def _same(one: Segment, other: Segment) -> bool:
    times = [(one.start_s, other.start_s), (one.end_s, other.end_s)]
    times += [pair for a, b in zip(one.words, other.words, strict=False) for pair in ((a[0], b[0]), (a[1], b[1]))]
    confidences = (one.confidence or 0.0, other.confidence or 0.0)
    return (
        (one.text, one.language) == (other.text, other.language)
        and [word[2] for word in one.words] == [word[2] for word in other.words]
        and all(abs(a - b) <= SAME_TIME_S for a, b in times)
        and (one.confidence is None) == (other.confidence is None)
        and abs(confidences[0] - confidences[1]) <= SAME_CONFIDENCE
    )


TRANSCRIBER_CHECKS = (
    *PROVIDER_CHECKS,
    Check("languages", "the languages are tags", check_languages),
    Check("load", "it loads and declares rate and longest part", check_load),
    Check("segments", "segments in order, inside the sound, with text", check_segments, True),
    Check("words", "words in order, inside their segment", check_words, True),
    Check("silence", "nothing is said in silence", check_silence, True),
    Check("short", "no sound, one sample, less than a window", check_short, True),
    Check("longest", "exactly the longest part", check_longest, True),
    Check("loud", "full scale breaks nothing", check_loud, True),
    Check("input", "the input is neither changed nor kept", check_input, True),
    Check("repeat", "the same sound gives the same text", check_repeat, True),
    Check("state", "two streams share no state", check_state, True),
    Check("context", "names and the text before are accepted", check_context, True),
    Check("language", "its languages are accepted, others clearly refused", check_language, True),
    Check("update", "new options while it runs", check_update, True),
    Check("thread", "it works in another thread", check_thread, True),
    Check("close", "closing twice does no harm", check_close, True),
    Check("speed", "real-time factor, for your information", check_speed, True),
)
