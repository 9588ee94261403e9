"""Number words as digits, and words that only look like numbers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmeet_core.media.numerals import with_digits

LINES = (Path(__file__).parent / "number_phrases.txt").read_text(encoding="utf-8").splitlines()
PHRASES = [(spoken, written or spoken) for spoken, _, written in (line.partition("\t") for line in LINES[1:])]
#: Numerals, and characters that the rules look at.
ALPHABET = "零〇一二兩三四五六七八九十百千萬万億兆點点分半月日號年個百分之到至幾公里元第星期週初午下上35 ,"


def test_there_are_enough_phrases_of_both_sorts() -> None:
    assert sum(spoken != written for spoken, written in PHRASES) >= 80
    assert sum(spoken == written for spoken, written in PHRASES) >= 80


@pytest.mark.parametrize(("spoken", "written"), PHRASES, ids=[spoken for spoken, _ in PHRASES])
def test_phrases(spoken: str, written: str) -> None:
    assert with_digits(spoken) == written
    assert with_digits(f"他說{spoken}，對。") == f"他說{written}，對。"


def in_words(value: int) -> str:
    """As a newsreader says it, up to 9999億; written independently of the code under test."""
    if value >= 10**8:
        left, right, sign = value // 10**8, value % 10**8, "億"
        zero = "零" if 0 < right < 10**7 else ""
        return in_words(left) + sign + zero + (in_words(right) if right else "")
    if value >= 10**4:
        left, right = value // 10**4, value % 10**4
        zero = "零" if 0 < right < 1000 else ""
        return in_words(left) + "萬" + zero + (in_words(right) if right else "")
    said = ""
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, size)
        if digit:
            said += "零一二三四五六七八九"[digit] + unit
        elif said and value and not said.endswith("零"):
            said += "零"
    return said


@given(st.integers(20, 10**12 - 1))
def test_every_number_keeps_its_value(value: int) -> None:
    written = with_digits(f"共{in_words(value)}個").removeprefix("共").removesuffix("個")
    total = 0
    for size, sign in ((10**8, "億"), (10**4, "萬")):
        left, found, rest = written.rpartition(sign)
        if found:
            total, written = total + int(left) * size, rest or "0"
    assert total + int(written) == value


@given(st.text(ALPHABET, max_size=14))
def test_twice_is_the_same_as_once(text: str) -> None:
    once = with_digits(text)
    assert with_digits(once) == once


@given(st.text(max_size=30))
def test_any_text_is_taken(text: str) -> None:
    with_digits(text)


def test_what_is_no_chinese_numeral_stays() -> None:
    text = "Meet at 10:30, 3.5 km; 会議は５時。"
    assert with_digits(text) == text
