"""From the units that a model gives, each with the time at which it was recognised, to words."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from vmeet_stt_sherpa.tokens import WORD_BEGIN, is_ideographic

LAST_UNIT_S = 0.3  #: how long a unit takes at most, where no other follows
_TAG = re.compile(r"<\|[^|<>]*\|>|<unk>|<sos/eos>|</?s>")
_INSIDE_WORDS = "'’-."  # it's, 3.5
_GOES_ON = "@@"  #: Paraformer's sign for a piece of a word that goes on

Word = tuple[float, float, str]


class _Unit(NamedTuple):
    start_s: float
    text: str
    begins: bool  # a word


def plain(text: str) -> str:
    """Without tags such as <|zh|>, and without spaces around."""
    return re.sub(r"\s+", " ", _TAG.sub("", text)).strip()


def says_something(text: str) -> bool:
    """Not only punctuation."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def words_of(text: str, tokens: Sequence[str], times_s: Sequence[float], end_s: float) -> tuple[Word, ...]:
    """The words of ``text``, which must be what ``tokens`` make together; () where they do not, or have no times.

    Han and Kana are words by themselves; punctuation belongs to the word before it. A word lasts until the next unit,
    but ``LAST_UNIT_S`` at most after its last one, and not beyond ``end_s``.
    """
    if len(tokens) != len(times_s):
        return ()
    units = list(_units(tokens, times_s))
    joined = "".join(unit.text for unit in units)
    if not units or joined != text.replace(" ", ""):
        return ()
    return tuple(_words(units, end_s))


def _units(tokens: Sequence[str], times_s: Sequence[float]) -> list[_Unit]:
    found: list[_Unit] = []
    ended = True  # whether what follows begins a word
    for token, time_s in zip(tokens, times_s, strict=True):
        begins = ended or token.startswith((" ", WORD_BEGIN))
        goes_on = token.endswith(_GOES_ON) and len(token) > len(_GOES_ON)
        text = _TAG.sub("", token.removesuffix(_GOES_ON) if goes_on else token).replace(WORD_BEGIN, " ")
        text = re.sub(r"\s", "", text)
        if not text:
            ended = ended or begins
            continue
        if found and not says_something(text):
            found.append(_Unit(time_s, text, False))
            ended = text[-1] not in _INSIDE_WORDS
            continue
        found.append(_Unit(time_s, text, begins or is_ideographic(text[0])))
        ended = is_ideographic(text[-1])
    return found


def with_gaps(tokens: Sequence[str]) -> list[str]:
    """Paraformer's tokens, whose words are whole unless they end with "@@", with a space before each word."""
    found, goes_on = [], False
    for token in tokens:
        found.append(token if goes_on else f" {token}")
        goes_on = token.endswith(_GOES_ON) and len(token) > len(_GOES_ON)
    return found


def _words(units: list[_Unit], end_s: float) -> list[Word]:
    words: list[Word] = []
    for number, unit in enumerate(units):
        following_s = units[number + 1].start_s if number + 1 < len(units) else end_s
        start_s = min(max(0.0, unit.start_s), end_s)
        unit_end_s = min(max(start_s, min(following_s, start_s + LAST_UNIT_S)), end_s)
        if words and not unit.begins:
            first_s, last_s, text = words[-1]
            words[-1] = (first_s, max(last_s, unit_end_s), text + unit.text)
        else:
            words.append((max(start_s, words[-1][0] if words else 0.0), unit_end_s, unit.text))
    return [(round(start_s, 3), round(max(start_s, word_end_s), 3), text) for start_s, word_end_s, text in words]
