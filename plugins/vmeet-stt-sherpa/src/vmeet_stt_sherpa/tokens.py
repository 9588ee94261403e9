"""``tokens.txt``: the units of text that a model knows, each with its number."""

import re
from pathlib import Path

from vmeet_core.hookspecs import Permanent

WORD_BEGIN = "▁"  #: sentencepiece's sign for the beginning of a word


def read_tokens(path: Path) -> dict[str, int]:
    """Numbers by units. Raises Permanent for a line that is no unit and number: sherpa-onnx would end the process."""
    found: dict[str, int] = {}
    try:
        # No splitlines() and split(): some units are spaces and line ends of Unicode.
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Permanent(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, start=1):
        fields = re.split("[ \t]+", line.strip(" \t\r\f\v"))
        if not (1 <= len(fields) <= 2 and fields[-1].isascii() and fields[-1].isdecimal()):
            raise Permanent(f"line {number} of {path} is no unit of text and its number: {line[:40]!r}")
        found.setdefault(fields[0] if len(fields) == 2 else " ", int(fields[-1]))
    return found


def is_ideographic(character: str) -> bool:
    """Of Han or Kana: such a character is a word of its own for our purposes."""
    code = ord(character)
    return (
        0x3040 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF
    )
