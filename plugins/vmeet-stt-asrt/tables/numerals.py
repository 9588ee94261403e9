"""Arabic numerals in a text, written as Mandarin says them."""

import re

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
_NUMBER = re.compile(r"(\d+(?:,\d{3})*)(?:\.(\d+))?([%％])?(年)?")
_MOST_DIGITS = 13  # longer, or with a zero before it: a telephone number or the like


def spoken(text: str) -> str:
    """2,024年 stays a number, 2024年 becomes 二零二四年, 12.5% 百分之十二点五."""
    return _NUMBER.sub(_said, text)


def _said(match: re.Match[str]) -> str:
    whole, fraction, percent, year = match.groups()
    plain = whole.replace(",", "")
    one_by_one = (
        len(plain) > _MOST_DIGITS
        or (len(plain) > 1 and plain[0] == "0")
        or (year and whole.isdigit() and len(plain) == 4)
    )
    said = _digits(plain) if one_by_one else _cardinal(plain)
    if fraction:
        said += "点" + _digits(fraction)
    return ("百分之" if percent else "") + said + (year or "")


def _digits(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _cardinal(digits: str) -> str:
    """120045 is 十二万零四十五: groups of four digits, one 零 for any run of empty places inside."""
    said, empty = "", False
    for index, digit in enumerate(digits):
        left = len(digits) - index - 1
        if digit == "0":
            empty = True
        else:
            said += ("零" if empty and said else "") + _DIGITS[int(digit)] + _PLACES[left % 4]
            empty = False
        if left % 4 == 0 and left and int(digits[max(0, index - 3) : index + 1] or "0"):
            said += _GROUPS[left // 4]
    said = re.sub("^一十", "十", said)
    return said or "零"
