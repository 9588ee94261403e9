"""Text as it is spoken: what of two ways to write the same words is no difference.

The normalisation of ``vmeet compare transcribers``: full and half width (Unicode NFKC), case, Simplified characters,
numbers as they are read aloud, no punctuation, symbols or spaces. What is left is counted in tokens: a Chinese
character each, as is usual for Mandarin, and a word of a script with spaces as one (the mixed error rate of
code-switching speech).
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby

from vmeet_core.evaluate.alignment import distance
from vmeet_core.evaluate.extra import extra
from vmeet_core.media.script import HAN, in_script

Tokens = tuple[str, ...]
Readings = tuple[str, ...]  # of one number, the likeliest first

_DIGITS = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿")  # of four digits each
_MOST_DIGITS = 4 * len(_MYRIADS)
#: 兩 is 2, 〇 and 幺 are 0 and 1, the characters of cheques are those of every day, and 妳 is 你.
_SAME = str.maketrans("两〇○幺壹贰叁肆伍陆柒捌玖拾佰仟妳", "二零零一一二三四五六七八九十百千你")
_SIGNS = (("°c", "摄氏度"), ("°", "度"))
_NUMBER = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<fraction>[0-9]+))?(?P<percent>\s*%)?(?P<year>\s*年)?"
)
_HAN_RUN = re.compile(f"[{HAN}]+")


def spoken_tokens(text: str, like: Sequence[str] = ()) -> Tokens:
    """The tokens of ``text``. A number that can be read in two ways is read as agrees best with ``like``.

    Raises CompareError where the packages for it are absent.
    """
    pieces = _pieces(_one_writing(text))
    chosen = [readings[0] for readings in pieces]
    for place, readings in enumerate(pieces):
        if len(readings) > 1 and like:

            def errors(reading: str, place: int = place) -> int:
                return distance(like, _tokens("".join([*chosen[:place], reading, *chosen[place + 1 :]])))

            chosen[place] = min(readings, key=errors)  # of equally good ones the likeliest
    return _tokens("".join(chosen))


def both_spoken(reference: str, heard: str) -> tuple[Tokens, Tokens]:
    """The tokens of two texts, their numbers read as agrees best with each other. Raises as ``spoken_tokens``."""
    said = spoken_tokens(reference, like=spoken_tokens(heard))
    return said, spoken_tokens(heard, like=said)


def syllables(tokens: Sequence[str]) -> Tokens:
    """Pinyin with its tone (5: none) for each Chinese character, by the words that it stands in; other tokens stay.

    Raises CompareError where the package for it is absent.
    """
    found: list[str] = []
    for is_han, run in groupby(tokens, key=lambda token: _HAN_RUN.fullmatch(token) is not None):
        each = tuple(run)
        found += _pinyin("".join(each)) if is_han else each
    return tuple(found)


def _pinyin(text: str) -> Tokens:
    pypinyin = extra("pypinyin")
    style = pypinyin.Style.TONE3
    return tuple(pypinyin.lazy_pinyin(text, style=style, errors=list, neutral_tone_with_five=True))


def _one_writing(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    for sign, spoken in _SIGNS:
        text = text.replace(sign, spoken)
    return in_script(text, "simplified").translate(_SAME)


def _pieces(text: str) -> list[Readings]:
    """Text between numbers, which has one reading, and numbers in turn."""
    pieces: list[Readings] = []
    position = 0
    for number in _NUMBER.finditer(text):
        pieces += [(text[position : number.start()],), _readings(number)]
        position = number.end()
    return [*pieces, (text[position:],)]


def _readings(number: re.Match[str]) -> Readings:
    whole, fraction = number["whole"].replace(",", ""), number["fraction"]
    one_by_one, value = _each(whole), _value(whole)
    is_code = (whole.startswith("0") and len(whole) > 1) or (len(whole) > 7 and "," not in number["whole"])
    is_year = number["year"] is not None and len(whole) == 4
    ways = (one_by_one, value) if is_code or is_year else (value, one_by_one)
    before = "百分之" if number["percent"] else ""
    after = ("点" + _each(fraction) if fraction else "") + ("年" if number["year"] else "")
    return tuple(dict.fromkeys(f"{before}{way}{after}" for way in ways))


def _each(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _value(digits: str) -> str:
    """一千零五 for 1005; digit by digit where it is too long for a number."""
    digits = digits.lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS:
        return _each(digits)
    digits = digits.zfill(-(-len(digits) // 4) * 4)
    groups = [digits[start : start + 4] for start in range(0, len(digits), 4)]
    spoken = ""
    for place, group in enumerate(groups):
        if int(group):
            spoken += _thousands(group) + _MYRIADS[len(groups) - 1 - place]
        elif not spoken.endswith("零"):
            spoken += "零"
    spoken = re.sub("零+", "零", spoken).strip("零")
    return (spoken.removeprefix("一") if spoken.startswith("一十") else spoken) or "零"


def _thousands(group: str) -> str:
    """Of four digits, with a 零 for each that is skipped before another."""
    return "".join(
        _DIGITS[int(digit)] + (_UNITS[3 - place] if digit != "0" else "") for place, digit in enumerate(group)
    ).rstrip("零")


def _tokens(text: str) -> Tokens:
    """Letters with case go together as a word, others count each; what is neither letter nor number is left out."""
    found: list[str] = []
    for is_word, run in groupby(text, key=_is_of_word):
        kept = [character for character in run if unicodedata.category(character)[0] in "LMN"]
        found += ["".join(kept)] if is_word and kept else kept
    return tuple(found)


def _is_of_word(character: str) -> bool:
    """The apostrophe and the hyphen too: wi-fi is wifi, don't is one word."""
    return unicodedata.category(character) in ("Ll", "Lu", "Lt", "Mn") or character in "'’-"
