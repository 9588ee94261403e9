"""The engine: parts of sound in, what was said in them out."""

import logging
import math

import numpy as np

from vmeet_core.hookspecs import Audio, Context, Segment, Transcriber, TranscriberStream
from vmeet_stt_sherpa.language import AUTO, language_heard, language_of
from vmeet_stt_sherpa.model import Model
from vmeet_stt_sherpa.recognizers import SAMPLE_RATE_HZ, Heard, Recognizers
from vmeet_stt_sherpa.settings import SherpaOptions, SherpaSettings
from vmeet_stt_sherpa.words import Word, plain, says_something, with_gaps, words_of

SENSE_VOICE_LANGUAGES = ("zh", "en", "ja", "ko", "yue")
LEAST_S = 0.1  #: no word is shorter; and the networks want a few frames
SILENT_DB = -60.0  #: of full scale, in the loudest 20 ms: networks invent words for it
_FRAME = SAMPLE_RATE_HZ // 50
_NO_SPEECH = "nospeech"
_OTHER_SOUNDS = ("BGM", "Applause")


class SherpaEngine(Transcriber):
    """One model, loaded."""

    sample_rate_hz = SAMPLE_RATE_HZ
    max_chunk_s = 30.0

    def __init__(self, model: Model, settings: SherpaSettings, logger: logging.Logger) -> None:
        """Raises Permanent where sherpa-onnx cannot use the network."""
        self.model, self.recognizers = model, Recognizers(model, settings.threads)
        self.languages = SENSE_VOICE_LANGUAGES if model.kind == "sense-voice" else settings.languages
        self.recognizers.try_out()
        logger.info("%s, %d units of text, %s", model.kind, len(model.tokens), ", ".join(self.languages))

    def open(self, options: SherpaOptions) -> "SherpaStream":
        return SherpaStream(self, options)

    def close(self) -> None:
        self.recognizers.close()


class SherpaStream(TranscriberStream):
    """One person's parts; it keeps nothing between them."""

    def __init__(self, engine: SherpaEngine, options: SherpaOptions) -> None:
        self._engine, self._options = engine, options

    def update(self, options: SherpaOptions) -> None:
        self._options = options

    def transcribe(self, audio: Audio, language: str, context: Context) -> list[Segment]:
        """One segment, or none. Raises Permanent for a language that the model does not know."""
        spoken = language_of(language, self._engine.languages)
        if is_silent(audio):
            return []
        options = self._options
        heard = self._engine.recognizers.recognise(
            audio, spoken, options.written_form, context.hot_words, options.hot_words_boost
        )
        return self._segments(heard, spoken, len(audio) / SAMPLE_RATE_HZ)

    def _segments(self, heard: Heard, spoken: str, duration_s: float) -> list[Segment]:
        text = plain(heard.text)
        if not says_something(text) or not self._is_speech(heard):
            return []
        words = self._words(heard, text, duration_s)
        start_s, end_s = (words[0][0], words[-1][1]) if words else (0.0, duration_s)
        return [Segment(start_s, end_s, text, self._language(heard, text, spoken), _confidence(heard), words)]

    def _is_speech(self, heard: Heard) -> bool:
        language, event = (tag.strip("<|>") for tag in (heard.language_tag, heard.event_tag))
        return language != _NO_SPEECH and not (self._options.speech_only and event in _OTHER_SOUNDS)

    def _words(self, heard: Heard, text: str, duration_s: float) -> tuple[Word, ...]:
        tokens = with_gaps(heard.tokens) if self._engine.model.kind == "paraformer" else heard.tokens
        return words_of(text, tokens, heard.times_s, duration_s)

    def _language(self, heard: Heard, text: str, spoken: str) -> str:
        told = heard.language_tag.strip("<|>")
        if told in self._engine.languages:
            return told
        return language_heard(text, self._engine.languages) if spoken == AUTO else spoken


def is_silent(audio: Audio) -> bool:
    """Too short or too faint for a word: (samples,), float32."""
    if len(audio) < LEAST_S * SAMPLE_RATE_HZ:
        return True
    frames = audio[: len(audio) - len(audio) % _FRAME].reshape(-1, _FRAME)
    loudest = float(np.max(np.mean(np.square(frames, dtype=np.float64), axis=1)))
    return loudest < 10 ** (SILENT_DB / 10)


def _confidence(heard: Heard) -> float | None:
    """The geometric mean of the tokens' probabilities, where the model tells them."""
    if not heard.log_probabilities:
        return None
    mean = sum(heard.log_probabilities) / len(heard.log_probabilities)
    return min(1.0, max(0.0, math.exp(min(0.0, mean))))
