"""Chinese number words as digits, as Taiwanese newspapers write them: 23個, 120萬, 2026年, 50%, 3.5.

Only what is surely a number: 十 and more, decimals, percentages, dates, times of day, numbers that are read digit by
digit, and one to nine before units of measure. Words that hold a numeral (一些, 十分, 萬一, 星期三), one to nine of
anything else (三個人), what is about so many (三四個, 十幾, 二三十) and fractions (三分之一) stay. Where both can be
meant, the words stay.
"""

import re
from itertools import pairwise
from typing import NamedTuple

_DIGITS = {character: value for value, written in enumerate("零一二三四五六七八九") for character in written}
_DIGITS |= {"〇": 0, "兩": 2, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_D, _M = "".join(_DIGITS), "萬万億亿兆"
_N = _D + "".join(_TENS) + _M
_ONE_TO_NINE = _D.replace("零", "").replace("〇", "")

#: Words that begin like a number and are none; idioms; days of the week.
_WORDS = (
    f"(?:星期|禮拜|礼拜|(?<![{_N}])[週周])[一二三四五六](?!十(?![點点月]))|[初雙双][一二三四五六七八九十]|合十|五月天|"
    "十分(?![鐘钟之])|十足|十字|十全十美|十之八九|十有八九|十拿九[穩稳]|十[萬万]火急|十[惡恶]不赦|十[幾几來来數数]|"
    "[幾几數数][十百千萬万億亿兆]+|一五一十|五十步笑百步|五十音|二百五(?!十)|三十而立|四十不惑|七七八八|"
    "[一二三四五六七八九十百千萬万]+分之[一二三四五六七八九十百千]+|"  # 百分之 is looked for before
    "一[點点]一(?:[點点]|滴)|一不做二不休|三心二意|五花八[門门]|四面八方|七上八下|[萬万]無一失|[萬万]无一失"
)
_POWERS = ((12, "兆"), (8, "億亿"), (4, "萬万"))
_MOST_ASCENDING = 5  #: 三四五 is about so many, and 一二三四五 counts
_DAYTIMES = ("上午", "下午", "早上", "晚上", "中午", "凌晨", "清晨", "傍晚", "半夜", "今晚", "明早", "今早", "明晚")
#: What 一點 (a little) follows: 快一點, 有一點.
_LITTLE = "快慢早晚多少大小高低好有差遠远近長长短輕轻重這这那"
#: What begins with 一 and is no number: 早一點一起去.
_WITH_ONE = "起些下樣样般定直切邊边旦致向再同律連连共個个"
_UNITS = (
    "平方公尺|平方公里|公里|公尺|公分|公[釐厘]|公斤|公克|公[噸吨]|公升|公[頃顷]|毫米|毫升|毫克|坪|"
    "美元|[歐欧]元|日[圓元]|英[鎊镑]|港[幣币]|元(?![論论對对化復复素])|[歲岁]|小[時时]|分[鐘钟]|秒[鐘钟]"
)
_FIGURE = f"[{_N}]+(?:[點点][{_D}]+)?"
_PATTERN = re.compile(
    f"百分之(?P<percent>{_FIGURE})(?:(?P<to>[到至])(?P<percent_to>{_FIGURE}))?"
    f"|(?P<word>{_WORDS})"
    f"|(?P<month>[{_N}]+)月(?:(?P<day>[{_N}]+)(?P<day_sign>[日號号]))?"
    f"|(?P<whole>[{_N}]+)(?P<point>[點点])"
    f"(?:(?P<tail>[半整鐘钟]|[一三]刻)|(?P<rest>[{_N}]+(?:[點点][{_D}]+)*)(?P<minutes>分(?![鐘钟之]))?)?"
    f"|(?P<run>[{_N}]+)"
)
#: 五到 before 10個.
_RANGE = re.compile(f"(?<![{_N}])([{_ONE_TO_NINE}])([到至])(?=[0-9])")
_UNIT = re.compile(_UNITS)
_SOME = re.compile("[來来][個个人位次天年歲岁塊块]")  #: 一百來個 is about so many


def with_digits(text: str) -> str:
    """``text`` with its numbers in digits; twice gives the same as once. 萬, 億 and 兆 stay where they make it shorter.

    It adds no spaces: ``typeset`` comes after it.
    """
    return _RANGE.sub(lambda found: f"{_DIGITS[found[1]]}{found[2]}", _PATTERN.sub(_written, text))


def _written(found: re.Match[str]) -> str:
    made: str | None = None
    if found.start() and found.string[found.start() - 1].isdigit():
        return found[0]
    if found["percent"]:
        made = _percent(found)
    elif found["month"]:
        made = _date(found)
    elif found["whole"]:
        made = _point(found)
    elif found["run"]:
        made = _run(found["run"], _around(found))
    return found[0] if made is None else made


class _Around(NamedTuple):
    before: str
    after: str


def _around(found: re.Match[str]) -> _Around:
    return _Around(found.string[max(0, found.start() - 2) : found.start()], found.string[found.end() :][:6])


def _percent(found: re.Match[str]) -> str | None:
    """百分之三到五 is 3%到5%."""
    parts = [found["percent"]] + ([found["percent_to"]] if found["to"] else [])
    made = ["100" if part == "百" else _decimal(part) for part in parts]
    return None if None in made else (found["to"] or "").join(f"{each}%" for each in made)


def _decimal(text: str) -> str | None:
    whole, point, fraction = text.replace("点", "點").partition("點")
    value = _figure(whole)
    return None if value is None else f"{value}.{_each(fraction)}" if point else value


def _date(found: re.Match[str]) -> str | None:
    """A month, with its day."""
    month = _value(found["month"])
    if month is None or not 1 <= month <= 12:
        return None
    if found["day"] is None:
        return f"{month}月"
    day = _value(found["day"])
    return f"{month}月{day}{found['day_sign']}" if day is not None and 1 <= day <= 31 else None


def _point(found: re.Match[str]) -> str | None:
    """Either a decimal or a time of the day."""
    around, whole, rest = _around(found), found["whole"], found["rest"]
    if rest is None:
        return _hour(found, around)
    if "十" in rest or found["minutes"]:
        return _time(whole, found["point"], rest, found["minutes"] or "")
    if around.before in _DAYTIMES:  # 下午三點三個人
        hour = _value(whole)
        return None if hour is None else f"{hour}{found['point']}{rest}"
    is_little = whole == "一" and around.before[-1:] in tuple(_LITTLE)
    is_word = rest.endswith("一") and around.after[:1] in tuple(_WITH_ONE)
    return None if is_little or is_word else _fraction(whole, rest)


def _fraction(whole: str, rest: str) -> str | None:
    """3.5, 1.2億, 192.168.1.1."""
    digits = rest.rstrip(_M)
    figures = [_figure(whole), *(_each(part) for part in re.split("[點点]", digits))]
    return None if None in figures else ".".join(map(str, figures)) + rest[len(digits) :]


def _hour(found: re.Match[str], around: _Around) -> str | None:
    """三點 may be three points: a part of the day is said before it, or 半, 整, 鐘 after it."""
    hour = _value(found["whole"])
    if hour is None or hour > 24 or not (found["tail"] or around.before in _DAYTIMES or hour >= 10):
        return None
    return f"{hour}{found[0][len(found['whole']) :]}"


def _time(hour_text: str, sign: str, minute_text: str, after: str) -> str | None:
    hour, minute = _value(hour_text), _value(minute_text.lstrip("零〇") or "零")
    if hour is None or minute is None or hour > 24 or minute > 59:
        return None
    zero = "0" if minute_text[0] in "零〇" else ""
    return f"{hour}{sign}{zero}{minute}{after}"


def _run(text: str, around: _Around) -> str | None:
    """A number without a point."""
    if len(text) == 1:
        return _single(text, around)
    if text[0] in "百千" + _M or _SOME.match(around.after):
        return None
    if len(text) == 2 and set(text) <= set(_D):
        # Two digits are mostly about so many, 三四年; but 零八年 and 八零後 are years.
        is_year = bool(set(text) & {"零", "〇"}) and around.after[:1] in tuple("年後后")
        return _each(text) if is_year else None
    return _figure(text)


def _single(text: str, around: _Around) -> str | None:
    if text == "十":
        return "10"
    if text not in _ONE_TO_NINE or (text == "一" and around.before[-1:] in tuple("下每這这那第同某任上")):
        return None
    is_measure = _UNIT.match(around.after) or around.before in ("零下", "攝氏", "摄氏", "華氏", "华氏")
    return str(_DIGITS[text]) if is_measure or (text != "一" and around.after[:1] in ("號", "号")) else None


def _figure(text: str) -> str | None:
    """In digits; None where it is no number, or about so many: 三四, 二三十."""
    if not set(text) <= set(_D):
        number = _number(text)
        return None if number is None else number.written
    values = [_DIGITS[character] for character in text]
    ascends = all(after == before + 1 for before, after in pairwise(values))
    if len(text) > 1 and ((ascends and len(text) <= _MOST_ASCENDING) or {"兩", "两"} & set(text)):
        return None
    return _each(text)


def _each(text: str) -> str | None:
    """Digit by digit."""
    return "".join(str(_DIGITS[character]) for character in text) if text and set(text) <= set(_D) else None


class _Number(NamedTuple):
    value: int
    written: str


def _value(text: str) -> int | None:
    number = _number(text)
    return None if number is None else number.value


def _number(text: str, after_power: int | None = None) -> _Number | None:
    """Of words with 十 and more, or one digit; None where they are none. What follows a 萬 has ``after_power`` 4."""
    for power, signs in _POWERS:
        place = max(text.rfind(sign) for sign in signs)
        if place < 0:
            continue
        left = _number(text[:place])
        right = _after_sign(text[place + 1 :], power)
        most = 10**8 if power == 8 else 10**4  # 萬億, but no 萬萬
        if left is None or right is None or not 0 < left.value < most or right.value >= 10**power:
            return None
        value = left.value * 10**power + right.value
        is_padded = 0 < right.value < 1000  # 10萬零5 would be 10萬0005
        return _Number(value, str(value) if is_padded else f"{left.written}{text[place]}{right.written}")
    value_below = _below_myriad(text, after_power)
    if value_below is None:
        return None
    return _Number(value_below, str(value_below) if value_below < 10_000 else f"{value_below // 10_000}萬")


def _after_sign(text: str, power: int) -> _Number | None:
    """The rest of a number after its 萬, 億 or 兆; 零 keeps 三 from being 3000."""
    if not text:
        return _Number(0, "")
    return _number(text[1:]) if text[0] in "零〇" else _number(text, power)


def _below_myriad(text: str, after_power: int | None) -> int | None:
    """Up to 9999; but 三 in 兩萬三 is 3000, in 一億三 3000 萬."""
    if after_power and len(text) == 1 and text in _ONE_TO_NINE:
        return int(_DIGITS[text] * 10 ** (after_power - 1))
    value, unit, digit, skipped = 0, 10_000, 0, False
    for place, character in enumerate(text):
        if character in _TENS:
            size = _TENS[character]
            if size >= unit or not (digit or size == 10):
                return None
            value, unit, digit, skipped = value + (digit or 1) * size, size, 0, False
        elif digit or (character in "零〇" and not place and len(text) > 1):
            return None
        else:
            digit = _DIGITS[character]
            skipped = skipped or not digit
    is_short = digit and not skipped and 10 < unit < 10_000  # 一百二 is 120
    return value + digit * (unit // 10 if is_short else 1) if text else None
