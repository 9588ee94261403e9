"""Punctuation and spaces of Chinese text, as they are written in Taiwan.

Engines write 「你好,Ben 来了.」 and 「我 用Python」 as their training texts did. Beside Chinese characters punctuation
is full-width, Chinese characters have no spaces between them, and one space is between them and Latin words and
digits (W3C, Requirements for Chinese Text Layout, 3.2.2). Text in other languages stays as it is.
"""

import re

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_WIDE = "，。！？：；、（）「」『』《》〈〉【】…"
_FULL = str.maketrans(",.!?:;()", "，。！？：；（）")
_SPACES_BETWEEN = re.compile(rf"(?<=[{_HAN}{_WIDE}])[ \t\u3000]+(?=[{_HAN}{_WIDE}])")
_SPACES_BESIDE_WIDE = re.compile(rf"[ \t\u3000]+(?=[{_WIDE}])|(?<=[{_WIDE}])[ \t\u3000]+")
#: Half-width punctuation behind a Chinese character, or before one; not within numbers, addresses and file names.
_AFTER_HAN = re.compile(rf"(?<=[{_HAN}{_WIDE}])[ \t]*([,.!?:;]+)(?![A-Za-z0-9/])")
_BEFORE_HAN = re.compile(rf"([,!?;])[ \t]*(?=[{_HAN}])")
_STOP_BEFORE_HAN = re.compile(rf"(?<=[A-Za-z0-9%）])\.[ \t]+(?=[{_HAN}])")
_LAST_STOP = re.compile(rf"(?<=[{_HAN}{_WIDE}A-Za-z])\.(?=\s*$)")
_BRACKETS = re.compile(rf"\(([^()]*[{_HAN}][^()]*)\)")
_ELLIPSIS = re.compile(r"。{2,}|…+|\.{3,}")
_LATIN_AFTER_HAN = re.compile(rf"(?<=[{_HAN}])[ \t]*(?=[A-Za-z0-9@#$€£])")
_HAN_AFTER_LATIN = re.compile(rf"(?<=[A-Za-z0-9%+])[ \t]*(?=[{_HAN}])")
_IS_CHINESE = re.compile(f"[{_HAN}]")


def typeset(text: str) -> str:
    """``text`` with the punctuation and spaces of written Chinese; twice gives the same as once."""
    if not _IS_CHINESE.search(text):
        return text
    text = _BRACKETS.sub(r"（\1）", text)
    text = _AFTER_HAN.sub(lambda found: found.group(1).translate(_FULL), text)
    text = _BEFORE_HAN.sub(lambda found: found.group(1).translate(_FULL), text)
    text = _STOP_BEFORE_HAN.sub("。", text)
    text = _LAST_STOP.sub("。", text)
    text = _ELLIPSIS.sub("……", text)
    text = _SPACES_BETWEEN.sub("", text)
    text = _SPACES_BESIDE_WIDE.sub("", text)
    text = _LATIN_AFTER_HAN.sub(" ", text)
    return _HAN_AFTER_LATIN.sub(" ", text).strip()
