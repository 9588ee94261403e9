"""Chinese text in the script that readers want: Simplified becomes Taiwan's Traditional, Traditional stays as it is.

OpenCC's ``s2twp`` turns characters and words of the mainland into those of Taiwan (软件 into 軟體). It takes for
granted that the text is Simplified: of text that is Traditional already it makes 檔案 of 文件 (a document), and
範先生 of 范先生. So each phrase, a run of Chinese characters, is judged by itself: characters that exist in one
script alone say which it is; where there are none, the phrases around it do.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby, pairwise
from typing import NamedTuple

import opencc

from vmeet_core.settings import Script

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_RUN = re.compile(f"[{HAN}]+")
_BIG5_COMMON = range(0xA440, 0xC67F)  # the 5,401 characters of Taiwan's everyday use
#: Surnames that are not written with the Traditional character that the same sign stands for elsewhere: 余, not 餘.
#: The second ones end common words, too (然后, 关于, 旅游): they are only looked for where a phrase begins.
_SURNAMES, _FIRST_SURNAMES = "范余姜岳沈涂郁", "于后游谷曲朴"
_TITLES = "先生|小姐|女士|太太|老师|教授|同学|医师|医生|经理|主任|校长|董事长|总经理"
_WITH_TITLE = re.compile(f"(?:[{_SURNAMES}]|^[{_FIRST_SURNAMES}])(?={_TITLES})")
#: Private characters, one for each piece of text that is held back from conversion: OpenCC knows none of them.
_PRIVATE = range(0xF0000, 0xFFFFE)
_MOST_HELD = 4096


class _Signs(NamedTuple):
    """Characters that exist in one of the scripts alone."""

    simplified: frozenset[str]
    traditional: frozenset[str]


@cache
def _converter(config: str) -> opencc.OpenCC:
    return opencc.OpenCC(config)


@cache
def _signs() -> _Signs:
    """Found with OpenCC: Simplified alone is what it changes, unless Taiwan uses it every day (后, 里, 台, 范)."""
    characters = [chr(code) for start, end in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(start, end)]
    lines = "\n".join(characters)
    to_traditional = _converter("s2t").convert(lines).split("\n")
    to_simplified = _converter("t2s").convert(lines).split("\n")
    pairs = list(zip(characters, to_traditional, to_simplified, strict=True))
    return _Signs(
        frozenset(each for each, other, _ in pairs if each != other and not _is_everyday(each)),
        frozenset(each for each, same, other in pairs if each != other and each == same),
    )


def _is_everyday(character: str) -> bool:
    try:
        return int.from_bytes(character.encode("big5"), "big") in _BIG5_COMMON
    except UnicodeEncodeError:
        return False


def in_script(text: str, script: Script, names: Iterable[str] = ()) -> str:
    """``text`` in that script; twice gives the same as once. ``names`` of people come out as they are given.

    Text in other languages, and Chinese that is in the script already, stays as it is.
    """
    if script == "as-spoken":
        return text
    held = _Held(text)
    text = _with_names_held(text, names, held)
    text = _converter("tw2s").convert(text) if script == "simplified" else _in_traditional(text, held)
    return text.translate(held.pieces)


class _Held:
    """Pieces of a text that are to come out as they are, by the private character that stands for each."""

    def __init__(self, text: str) -> None:
        self.pieces: dict[int, str] = {}
        self._free = iter([code for code in _PRIVATE[:_MOST_HELD] if chr(code) not in text])

    def hold(self, piece: str) -> str:
        """The character for ``piece``; the piece itself when there are too many of them."""
        code = next(self._free, None)
        if code is None:
            return piece
        self.pieces[code] = piece
        return chr(code)


def is_simplified(text: str) -> bool:
    """Whether it holds a character that exists only in Simplified Chinese."""
    return not _signs().simplified.isdisjoint(text)


def _with_names_held(text: str, names: Iterable[str], held: _Held) -> str:
    """Names, in whichever script they are written, become what conversion leaves alone; the longest first."""
    for name in sorted({name for name in names if len(_RUN.findall(name)) and len(name) > 1}, key=len, reverse=True):
        for written in dict.fromkeys((name, _converter("t2s").convert(name), _converter("s2tw").convert(name))):
            if written in text:
                text = text.replace(written, held.hold(name))
    return text


def _in_traditional(text: str, held: _Held) -> str:
    runs = list(_RUN.finditer(text))
    kinds = _kinds([run.group() for run in runs])
    made, position = [], 0
    for run, is_to_convert in zip(runs, kinds, strict=True):
        made.append(text[position : run.start()])
        made.append(_converted(run.group(), held) if is_to_convert else run.group())
        position = run.end()
    return "".join([*made, text[position:]])


def _kinds(runs: Sequence[str]) -> list[bool]:
    """Whether each is Simplified. One that could be either is what the one before is, or else the one after."""
    signs = _signs()
    known: list[bool | None] = []
    for run in runs:
        simplified = not signs.simplified.isdisjoint(run)
        traditional = not signs.traditional.isdisjoint(run)
        known.append(True if simplified else False if traditional else None)
    for number, (before, now) in enumerate(pairwise(known), start=1):
        known[number] = before if now is None else now
    first = next((each for each in known if each is not None), False)
    return [first if each is None else each for each in known]


def _converted(run: str, held: _Held) -> str:
    """A run that is Simplified, or both: then only the stretches between characters that are Traditional alone."""
    traditional = _signs().traditional
    stretches = groupby(run, key=traditional.__contains__)
    return "".join("".join(each) if is_done else _stretch("".join(each), held) for is_done, each in stretches)


def _stretch(text: str, held: _Held) -> str:
    text = _WITH_TITLE.sub(lambda found: held.hold(found.group()), text)
    converted: str = _converter("s2twp").convert(text)
    return converted
