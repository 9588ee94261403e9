"""How words are read: pinyin with tones, from pypinyin."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pypinyin import Style, lazy_pinyin, pinyin
from vmeet_stt_asrt.syllables import TONES, normal

_RAREST = 6.0  #: nats: what a reading costs that the dictionary has and the texts have not


class Reading(NamedTuple):
    """``cost`` is -ln of how often the word is read so."""

    word: str
    syllables: tuple[str, ...]
    cost: float


def syllables_of(text: str) -> tuple[str, ...]:
    """The likeliest reading of Han characters."""
    return tuple(map(normal, lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)))


def count_readings(sentences: Iterable[str]) -> dict[str, Counter[str]]:
    """How often each character is read how, in sentences."""
    counts: dict[str, Counter[str]] = {}
    for sentence in sentences:
        syllables = syllables_of(sentence)
        if len(syllables) == len(sentence):
            for character, syllable in zip(sentence, syllables, strict=True):
                counts.setdefault(character, Counter())[syllable] += 1
    return counts


def readings_of(words: Iterable[str], counts: dict[str, Counter[str]]) -> Iterator[Reading]:
    """Every reading of each character, and the likeliest of each longer word."""
    for word in words:
        if len(word) > 1:
            syllables = syllables_of(word)
            if len(syllables) == len(word) and all(map(_usable, syllables)):
                yield Reading(word, syllables, 0.0)
        else:
            yield from _of_character(word, counts.get(word, Counter()))


def _of_character(character: str, counted: Counter[str]) -> Iterator[Reading]:
    (known,) = pinyin(character, style=Style.TONE3, neutral_tone_with_five=True, heteronym=True)
    usable = [syllable for syllable in dict.fromkeys(map(normal, known)) if _usable(syllable)]
    total = sum(counted.values())
    for number, syllable in enumerate(usable):
        # Without a text to go by, the dictionary's first reading counts.
        share = counted[syllable] / total if total else float(number == 0)
        yield Reading(character, (syllable,), min(_RAREST, -math.log(share)) if share else _RAREST)


def _usable(syllable: str) -> bool:
    return len(syllable) > 1 and syllable[-1] in TONES and syllable[:-1].isascii() and syllable[:-1].isalpha()
