"""A Whisper network at work on one window of 30 s: encoded once, then asked for languages, texts and times of words.

A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from vmeet_core.hookspecs import Audio
from vmeet_stt_whisper.words import Word

SAMPLE_RATE_HZ = 16_000
WINDOW_S = 30.0
_FRAMES = 3000
_FRAME_SAMPLES = 160
_FRAME_S = _FRAME_SAMPLES / SAMPLE_RATE_HZ
_TOKEN_S = 2 * _FRAME_S  # what attention tells apart
_PROMPT_TOKENS = 223  # half of the decoder's length, less the token that begins a prompt
_BEFORE, _BEHIND = "\"'“¿([{-「『（《", "\"'.。,，!！?？:：;；”)]}、」』）》…"


@dataclass(frozen=True)
class Wanted:
    """How a text is searched for."""

    beams: int = 5
    patience: float = 1.0
    most_tokens: int = 224
    no_repeat: int = 0  #: no run of so many tokens occurs twice; 0: as it comes


@dataclass(frozen=True)
class Found:
    """A text and what speaks for it."""

    tokens: list[int]
    text: str
    mean_logprob: float  #: of a token, natural
    no_speech: float  #: the probability that nobody speaks, by the network

    @property
    def repetition(self) -> float:
        """How much smaller zlib makes it: over 2.4 it is a loop."""
        data = self.text.encode()
        return len(data) / len(zlib.compress(data)) if data else 0.0


class Network:
    """Thread-safe as CTranslate2 is: it keeps no state."""

    def __init__(self, model: WhisperModel) -> None:
        self._model, self._runtime = model, model.model
        self.languages = tuple(model.supported_languages)

    def encode(self, audio: Audio) -> Any:
        """What the decoder sees of (samples,) at 16 kHz, at most 30 s."""
        # Silence to the end, as Whisper was trained: faster-whisper's own padding is as loud as a soft voice.
        padded = np.pad(audio, (0, max(0, _FRAMES * _FRAME_SAMPLES - len(audio))))
        features = self._model.feature_extractor(padded)[:, :_FRAMES]
        return self._model.encode(features)

    def language_probabilities(self, encoded: Any) -> dict[str, float]:
        """By Whisper's names of languages."""
        if not self._runtime.is_multilingual:
            return dict.fromkeys(self.languages, 1.0)
        (found,) = self._runtime.detect_language(encoded)
        return {token[2:-2]: probability for token, probability in found}

    def transcribe(self, encoded: Any, language: str, prompt: str, wanted: Wanted) -> Found:
        """The likeliest text; ``prompt`` is what might stand before it."""
        tokenizer = self._tokenizer(language)
        start = [*self._prompt_tokens(tokenizer, prompt), *tokenizer.sot_sequence, tokenizer.no_timestamps]
        (result,) = self._runtime.generate(
            encoded,
            [start],
            beam_size=wanted.beams,
            patience=wanted.patience,
            no_repeat_ngram_size=wanted.no_repeat,
            max_length=min(self._model.max_length, len(start) + wanted.most_tokens),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=[-1],
        )
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        return Found(tokens, tokenizer.decode(tokens).strip(), result.scores[0], result.no_speech_prob)

    def words(self, encoded: Any, found: Found, language: str, duration_s: float) -> list[Word]:
        """The words of ``found``, with times from the beginning of the sound that was encoded."""
        if not found.tokens:
            return []
        tokenizer = self._tokenizer(language)
        frames = min(_FRAMES, int(duration_s / _FRAME_S))
        (aligned,) = self._runtime.align(encoded, tokenizer.sot_sequence, [found.tokens], frames)
        texts, groups = tokenizer.split_to_word_tokens([*found.tokens, tokenizer.eot])
        begins_s = _beginnings(aligned.alignments, len(found.tokens) + 1)
        words, first = [], 0
        for text, group in zip(texts[:-1], groups[:-1], strict=True):
            last = first + len(group)
            probability = float(np.mean(aligned.text_token_probs[first:last]))
            words.append(Word(float(begins_s[first]), float(begins_s[last]), text, probability))
            first = last
        return _with_punctuation(words)

    def _tokenizer(self, language: str) -> Tokenizer:
        return Tokenizer(self._model.hf_tokenizer, self._runtime.is_multilingual, task="transcribe", language=language)

    def _prompt_tokens(self, tokenizer: Tokenizer, prompt: str) -> list[int]:
        if not prompt:
            return []
        return [tokenizer.sot_prev, *tokenizer.encode(" " + prompt.strip())[-_PROMPT_TOKENS:]]


def _beginnings(alignments: Sequence[tuple[int, int]], tokens: int) -> Any:
    """When each token begins: the path's first frame of it."""
    begins = np.full(tokens, np.nan)
    for token, frame in alignments:
        if token < tokens and np.isnan(begins[token]):
            begins[token] = frame * _TOKEN_S
    last = np.nanmax(begins) if not np.all(np.isnan(begins)) else 0.0
    return np.where(np.isnan(begins), last, begins)


def _with_punctuation(words: Sequence[Word]) -> list[Word]:
    """Marks join the word that they belong to."""
    joined: list[Word] = []
    opening: Word | None = None
    for word in words:
        mark = word.text.strip()
        if opening is not None:
            word, opening = word._replace(text=opening.text + word.text), None
        if mark and mark in _BEFORE and not (joined and mark in _BEHIND):
            opening = word
        elif joined and mark and all(character in _BEHIND for character in mark):
            joined[-1] = joined[-1]._replace(text=joined[-1].text + word.text)
        else:
            joined.append(word)
    return joined
