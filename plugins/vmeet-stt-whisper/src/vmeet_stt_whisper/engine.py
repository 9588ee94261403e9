"""The transcriber: a voice is found, encoded once, its language judged, written down, timed and cut at pauses."""

from dataclasses import replace
from typing import Any

import numpy as np
from faster_whisper import WhisperModel

from vmeet_core.hookspecs import Audio, Context, Segment, Transcriber, TranscriberStream
from vmeet_stt_whisper.guards import LOOP, is_echo_of_names, is_invented, sureness, syllables, without_loops
from vmeet_stt_whisper.language import LanguageEvidence, bcp47, whisper_language
from vmeet_stt_whisper.network import SAMPLE_RATE_HZ, WINDOW_S, Found, Network, Wanted
from vmeet_stt_whisper.parts import Part, each_alone, whole
from vmeet_stt_whisper.phantoms import letters
from vmeet_stt_whisper.prompt import names_of, prompt_for, prompt_with_names
from vmeet_stt_whisper.settings import WhisperOptions
from vmeet_stt_whisper.voice import LEAST_S, Stretch, Voice, find_voice
from vmeet_stt_whisper.words import Word, held_to_voice, split_at_pauses

_TOKENS_PER_S = 20  # Chinese has up to two tokens a character, and eight characters a second are fast
_MORE_TOKENS = 16
_SLOWEST_PER_S = 1.2  # syllables
_LEAST_MISSED_S = 0.8  # of voice: a shorter phrase may be a sigh
_NAME_COST = 0.1  # of the mean log-probability of a token
_NO_REPEAT = 8  # tokens: loops are longer, and what people repeat is mostly shorter


class WhisperEngine(Transcriber):
    """One network, loaded."""

    sample_rate_hz = SAMPLE_RATE_HZ
    max_chunk_s = WINDOW_S

    def __init__(self, model: WhisperModel) -> None:
        self._network = Network(model)

    def open(self, options: Any) -> "WhisperStream":
        """A stream for one person; ``options`` is a ``WhisperOptions``. Raises Permanent for an unknown language."""
        return WhisperStream(self._network, options)


class WhisperStream(TranscriberStream):
    """One person: what language they speak is remembered, and nothing else."""

    def __init__(self, network: Network, options: WhisperOptions) -> None:
        self._network, self._options = network, options
        self._evidence = self._fresh_evidence(options)

    def update(self, options: Any) -> None:
        """What has been heard of the language is forgotten where other ones are expected."""
        if options.expected != self._options.expected:
            self._evidence = self._fresh_evidence(options)
        self._options = options

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        """As the contract says: (samples,) at 16 kHz, at most 30 s. Raises ValueError, and Permanent for a language."""
        if language != "auto":
            whisper_language(language, self._network.languages)
        _check(audio)
        voice = find_voice(audio)
        if voice.sure_s < LEAST_S and self._options.guard:
            return []
        return self._part(audio, whole(voice, len(audio) / SAMPLE_RATE_HZ), voice, language, context)

    def _part(self, audio: Audio, part: Part, voice: Voice, language: str, context: Context) -> list[Segment]:
        sound = audio[int(part.start_s * SAMPLE_RATE_HZ) : int(part.end_s * SAMPLE_RATE_HZ)]
        encoded, voice_s = self._network.encode(sound), voice.within(part.start_s, part.end_s)
        spoken, tag = self._language(language, encoded, voice_s)
        prompt = prompt_for(spoken, context.text_before if self._options.text_before else "")
        wanted = Wanted(self._options.beam_size, most_tokens=_MORE_TOKENS + round(_TOKENS_PER_S * voice_s))
        found = self._found(encoded, spoken, prompt, wanted)
        if self._options.names:
            found = self._with_names(encoded, spoken, found, names_of(context), wanted)
        words = self._network.words(encoded, found, spoken, len(sound) / SAMPLE_RATE_HZ)
        words = held_to_voice([_moved(word, part) for word in words], voice)
        missed = [alone for alone in each_alone(part) if _is_passed_over(alone.phrases[0], words, voice)]
        if len(part.phrases) == 1 or not missed:
            return self._segments(words, voice, found, prompt, tag)
        words = [word for word in words if not any(alone.start_s <= _middle_s(word) < alone.end_s for alone in missed)]
        segments = self._segments(words, voice, found, prompt, tag)
        for alone in missed:
            segments += self._part(audio, alone, voice, language, context)
        return sorted(segments)

    def _language(self, language: str, encoded: Any, voice_s: float) -> tuple[str, str]:
        """Whisper's name of what is spoken, and the tag."""
        if language != "auto":
            return whisper_language(language, self._network.languages), language
        spoken = self._evidence.hear(self._network.language_probabilities(encoded), voice_s)
        return spoken, bcp47(spoken)

    def _found(self, encoded: Any, language: str, prompt: str, wanted: Wanted) -> Found:
        found = self._network.transcribe(encoded, language, prompt, wanted)
        if found.repetition <= LOOP:
            return found
        # Without what may have led it into the loop, and without a way to stay in it.
        return self._network.transcribe(encoded, language, "", replace(wanted, no_repeat=_NO_REPEAT))

    def _with_names(self, encoded: Any, language: str, plain: Found, names: tuple[str, ...], wanted: Wanted) -> Found:
        """As read by somebody who knows the names, where that finds one of them and is hardly less likely.

        Else as it was: told of names that nobody says, the network makes more mistakes everywhere.
        """
        if not names or not plain.tokens:
            return plain
        told = self._network.transcribe(encoded, language, prompt_with_names(language, names), wanted)
        if told.repetition > LOOP or told.mean_logprob < plain.mean_logprob - _NAME_COST:
            return plain
        if is_echo_of_names(told.text, names, plain.text):
            return plain
        return told if any(name in told.text and name not in plain.text for name in names) else plain

    def _segments(self, words: list[Word], voice: Voice, found: Found, prompt: str, tag: str) -> list[Segment]:
        segments = []
        for run in split_at_pauses(held_to_voice(words, voice)):
            if self._options.guard:
                run = without_loops(run)
                if is_invented(run, voice, found, prompt, sureness(words)):
                    continue
            segments.append(self._segment(run, tag))
        return [segment for segment in segments if segment.text]

    def _segment(self, run: list[Word], tag: str) -> Segment:
        timed = tuple((word.start_s, word.end_s, word.text) for word in run) if self._options.word_times else ()
        text = "".join(word.text for word in run).strip()
        return Segment(run[0].start_s, run[-1].end_s, text, tag, round(sureness(run), 3), timed)

    def _fresh_evidence(self, options: WhisperOptions) -> LanguageEvidence:
        expected = [tag.strip() for tag in options.expected.split(",") if tag.strip()]
        known = self._network.languages
        return LanguageEvidence(tuple(dict.fromkeys(whisper_language(tag, known) for tag in expected)) or known)


def _check(audio: Audio) -> None:
    if audio.ndim != 1 or audio.dtype != np.float32:
        raise ValueError(f"whisper takes float32 of shape (samples,), not {audio.dtype} of shape {audio.shape}")
    if len(audio) > WINDOW_S * SAMPLE_RATE_HZ:
        seconds = len(audio) / SAMPLE_RATE_HZ
        raise ValueError(f"whisper takes at most {WINDOW_S:g} s at once, not {seconds:.1f} s: cut it at a silence")


def _moved(word: Word, part: Part) -> Word:
    """In the time of the whole sound, within the part: the network's frames end a little later."""
    start_s, end_s = (min(part.start_s + time_s, part.end_s) for time_s in (word.start_s, word.end_s))
    return word._replace(start_s=start_s, end_s=end_s)


def _is_passed_over(phrase: Stretch, words: list[Word], voice: Voice) -> bool:
    """Whether hardly anything is written of a phrase: less than anybody says in that time."""
    text = "".join(word.text for word in words if phrase.start_s <= _middle_s(word) <= phrase.end_s)
    voice_s = voice.within(*phrase)
    return voice_s >= _LEAST_MISSED_S and syllables(letters(text)) < _SLOWEST_PER_S * voice_s


def _middle_s(word: Word) -> float:
    return (word.start_s + word.end_s) / 2
