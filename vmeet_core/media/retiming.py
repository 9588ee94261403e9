"""The times of words after their text was changed: converted to another script, typeset, or written with digits."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple

import numpy as np

_TOKEN = re.compile(r"[A-Za-z0-9À-ɏ'’_.@-]+\W?\s*|.\s*", re.DOTALL)


class Timed(NamedTuple):
    """A word, or a character with the punctuation behind it."""

    start_s: float
    end_s: float
    text: str


def retimed(words: Sequence[tuple[float, float, str]], text: str) -> list[Timed]:
    """``text`` in words, each with its time; ``words`` are those of the text as it was, in order.

    Together they are ``text``, spaces included. A character that was there before has the time that it had, others
    share that of what they stand for. Without words there are none.
    """
    bare = [(start_s, end_s, _bare(word)) for start_s, end_s, word in words]
    before = "".join(word for _, _, word in bare)
    if not before or not text:
        return []
    places = _places(before, _bare(text))  # of each border between characters of the text, its place in the one before
    starts = [0, *accumulate(len(word) for _, _, word in bare)]
    timed, last = [], 0
    for token in _TOKEN.findall(text):
        first, last = last, last + len(_bare(token))
        start_s = _time_s(bare, starts, places[first], at_end=False)
        end_s = _time_s(bare, starts, places[last], at_end=True)
        timed.append(Timed(round(start_s, 3), round(max(start_s, end_s), 3), token))
    return timed


def _bare(text: str) -> str:
    """Spaces come and go."""
    return "".join(text.split())


def _places(before: str, after: str) -> list[float]:
    """Where each border between characters of ``after`` lies in ``before``."""
    places = np.zeros(len(after) + 1)
    for _, first, last, new_first, new_last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if new_last > new_first:
            places[new_first : new_last + 1] = np.linspace(first, last, new_last - new_first + 1)
    found: list[float] = np.maximum.accumulate(places).tolist()
    return found


def _time_s(words: Sequence[tuple[float, float, str]], starts: Sequence[int], place: float, at_end: bool) -> float:
    """When what lies at ``place`` is said; of a border between two words it is where the first ends, or the other
    begins.
    """
    bisect = bisect_left if at_end else bisect_right
    number = min(max(bisect(starts, place) - 1, 0), len(words) - 1)
    start_s, end_s, word = words[number]
    return start_s + (end_s - start_s) * (place - starts[number]) / max(1, len(word))
