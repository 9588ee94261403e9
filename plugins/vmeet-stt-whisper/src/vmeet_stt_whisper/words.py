"""Words with times, and segments of them that are split where somebody pauses.

Whisper's cross-attention tells when each word begins; where it ends is when the next one does, pauses included. So a
word is held to the stretch of voice that it lies in, and a pause is what is left between two.
"""

import math
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

from vmeet_stt_whisper.voice import Stretch, Voice

PAUSE_S = 0.6  #: between segments
_NEAR_S = 1.0  # farther from any voice a word is nobody's
_SHORT_S = 0.1  # a syllable
_FADING_S = 0.6
_ABOUT = 0.8


class Word(NamedTuple):
    """Spaces, where the language has them, belong to ``text``, and punctuation to the word that it follows."""

    start_s: float
    end_s: float
    text: str
    probability: float


def held_to_voice(words: Sequence[Word], voice: Voice) -> list[Word]:
    """Each in the stretch of voice that most of it lies in, or that is nearest; in order, without overlap.

    Of two stretches in which about as much of it lies, it is in the one where no other word is: it is a voice, too.
    """
    reached = [sum(_overlap_s(word, stretch) > 0 for word in words) for stretch in voice.stretches]
    alone = frozenset(stretch for stretch, times in zip(voice.stretches, reached, strict=True) if times == 1)
    held: list[Word] = []
    for word in words:
        start_s, end_s = _within(word, voice.stretches, alone)
        start_s = max(start_s, held[-1].end_s if held else 0.0)
        held.append(word._replace(start_s=start_s, end_s=max(end_s, start_s)))
    after_s = [word.start_s for word in held[1:]] + [math.inf]
    return [_sounded_out(word, next_s, voice.stretches) for word, next_s in zip(held, after_s, strict=True)]


def _sounded_out(word: Word, next_s: float, stretches: Sequence[Stretch]) -> Word:
    """The last word of a stretch ends with it: the network ends a text early."""
    for each in stretches:
        if each.start_s <= word.end_s < each.end_s <= min(next_s, word.end_s + _FADING_S):
            return word._replace(end_s=each.end_s)
    return word


def _within(word: Word, stretches: Sequence[Stretch], alone: Container[Stretch]) -> tuple[float, float]:
    if not stretches:
        return word.start_s, word.end_s
    # Of what lies in no stretch the overlap is negative: how far it is from there.
    most_s = max(_overlap_s(word, each) for each in stretches)
    about = [each for each in stretches if _overlap_s(word, each) >= (most_s * _ABOUT if most_s > 0 else most_s)]
    _, overlap_s, best = max((each in alone, _overlap_s(word, each), each) for each in about)
    if overlap_s < -_NEAR_S:
        return word.start_s, word.end_s
    if word.start_s >= best.end_s:
        return best.end_s, min(word.end_s, best.end_s + _SHORT_S)
    return max(word.start_s, best.start_s), max(best.start_s + _SHORT_S, min(word.end_s, best.end_s))


def _overlap_s(word: Word, stretch: Stretch) -> float:
    return min(word.end_s, stretch.end_s) - max(word.start_s, stretch.start_s)


def split_at_pauses(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Runs of words that follow one another without a pause."""
    run: list[Word] = []
    for word in words:
        if run and word.start_s - run[-1].end_s >= PAUSE_S:
            yield run
            run = []
        run.append(word)
    if run:
        yield run
