"""What is said, as captions that can be read: short lines broken where one would pause, and long enough on the screen.

Widths count full-width characters: a Chinese one is 1, a Latin one a half. Chinese is broken between any two
characters, but for those that must not begin or end a line (W3C, Requirements for Chinese Text Layout, 3.1.3); Latin
words are whole.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

LINE_WIDTH = 16.0
LINES = 2
WIDTH_PER_S = 9.0  #: who reads faster than this sees nothing else
LONGEST_S, SHORTEST_S = 7.0, 1.0
SILENCE_S = 1.0  #: where nobody says anything for so long, a caption ends
PAUSE = "\u3000"  #: in Chinese without punctuation, an ideographic space is where one pauses
_ENDS, _PAUSES = "。！？!?…；;", "，、：,:"
_CLOSING = "，。、；：？！…」』）】》〉’”％,.;:?!)]}%"
_OPENING = "「『（【《〈‘“([{"
_UNIT = re.compile(rf"[{re.escape(_OPENING)}]*(?:[A-Za-z0-9À-ɏ'’_@#&/+.-]+|\S)[{re.escape(_CLOSING)}]*\s*")
#: What it costs to end a caption, or a line, after a sentence, after a pause in it, and elsewhere.
_COST = {"end": 0.0, "pause": 1.0, "other": 6.0}
_COST_OF_ONE = 2.0  # for each caption: few are better than many


class Said(NamedTuple):
    """A piece of text and when it was said; pieces follow one another, and ``text`` has the spaces between them."""

    start_s: float
    end_s: float
    text: str


class _Unit(NamedTuple):
    """What is not torn; ``at`` is the width of all before it, ``bare`` its own without the spaces behind it."""

    start_s: float
    end_s: float
    text: str
    at: float
    bare: float


class Caption(NamedTuple):
    """At most ``LINES`` lines, shown from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def captions(said: Iterable[Said], until_s: float = inf, label: str = "") -> list[Caption]:
    """In order, without overlap. What is to be read longer than it was said stays on as far as the next one begins.

    ``until_s``: when something else is shown. ``label`` is put before the first word, and not torn.
    """
    pieces = [unit for piece in said for unit in _units(piece)]
    pieces[:1] = [unit._replace(text=label + unit.text) for unit in pieces[:1]]
    units = _measured(pieces)
    found = [_caption(units[start:end]) for start, end in _best(units)]
    ends = [*(each.start_s for each in found[1:]), until_s][: len(found)]
    return [each._replace(end_s=_readable_until_s(each, most_s)) for each, most_s in zip(found, ends, strict=True)]


def width(text: str) -> float:
    """In full-width characters."""
    return sum(1.0 if unicodedata.east_asian_width(each) in "WFA" else 0.5 for each in text)


def ends_wide(text: str) -> bool:
    """Whether the last character is a full-width one: Chinese, not Latin."""
    return unicodedata.east_asian_width(text.rstrip()[-1:] or " ") in "WFA"


def _units(piece: Said) -> Iterator[Said]:
    """What is not torn; each has its share of the time."""
    texts = _UNIT.findall(piece.text)
    total = sum(map(width, texts)) or 1.0
    at_s = piece.start_s
    for text in texts:
        end_s = at_s + (piece.end_s - piece.start_s) * width(text) / total
        yield Said(at_s, end_s, text)
        at_s = end_s


def _measured(pieces: Iterable[Said]) -> list[_Unit]:
    found, at = [], 0.0
    for start_s, end_s, text in pieces:
        found.append(_Unit(start_s, end_s, text, at, width(text.rstrip())))
        at += width(text)
    return found


def _best(units: Sequence[_Unit]) -> list[tuple[int, int]]:
    """Which units share a caption: the cheapest way to cut them."""
    costs, begins = [0.0], [0]
    for end in range(1, len(units) + 1):
        best, begin = inf, end - 1
        for start in range(end - 1, -1, -1):
            if start < end - 1 and not _fit(units[start:end]):  # a word that is too long for a line has to be shown
                break
            cost = costs[start] + _COST_OF_ONE + _COST[_ending(units[end - 1].text)]
            if cost < best:
                best, begin = cost, start
        costs.append(best)
        begins.append(begin)
    found, end = [], len(units)
    while end:
        found.append((begins[end], end))
        end = begins[end]
    return found[::-1]


def _fit(units: Sequence[_Unit]) -> bool:
    """Whether these may share a caption, of which it is known that all but the first may."""
    if units[1].start_s - units[0].end_s > SILENCE_S or units[-1].end_s - units[0].start_s > LONGEST_S:
        return False
    first, last = units[0], units[-1]
    end = last.at + last.bare
    if not LINE_WIDTH < end - first.at <= LINES * LINE_WIDTH:
        return end - first.at <= LINE_WIDTH
    for number in range(len(units) - 1, 0, -1):  # the longest upper line leaves the shortest lower one
        upper = units[number - 1]
        if upper.at + upper.bare - first.at <= LINE_WIDTH:
            return end - units[number].at <= LINE_WIDTH
    return False


def _ending(text: str) -> str:
    if text.endswith(PAUSE):
        return "pause"
    last = text.rstrip().rstrip("」』）】》〉’”)]}")[-1:]
    return "end" if last in _ENDS and last else "pause" if last in _PAUSES and last else "other"


def _lines(units: Sequence[_Unit]) -> tuple[str, ...]:
    """The text in lines that fit; () when it does not fit. Of two lines the upper one ends where one would pause."""
    texts = [unit.text for unit in units]
    whole = "".join(texts).strip()
    if width(whole) <= LINE_WIDTH:
        return (whole,)
    if width(whole) > LINES * LINE_WIDTH:
        return ()
    best: tuple[float, tuple[str, ...]] = (inf, ())
    for number in range(1, len(texts)):
        upper, lower = "".join(texts[:number]).strip(), "".join(texts[number:]).strip()
        if max(width(upper), width(lower)) <= LINE_WIDTH:
            cost = _COST[_ending(upper)] + abs(width(upper) - width(lower)) / 4
            best = min(best, (cost, (upper, lower)))
    return best[1]


def _caption(units: Sequence[_Unit]) -> Caption:
    return Caption(units[0].start_s, units[-1].end_s, _lines(units) or ("".join(each.text for each in units).strip(),))


def _readable_until_s(caption: Caption, most_s: float) -> float:
    needed_s = max(SHORTEST_S, sum(map(width, caption.lines)) / WIDTH_PER_S)
    return max(caption.start_s, min(most_s, max(caption.end_s, caption.start_s + needed_s)))
