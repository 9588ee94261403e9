"""Syllables as text: pinyin with the tone as a last digit, 1 to 5 (5 is the neutral tone), and v for ü."""

import re
from pathlib import Path

from vmeet_core.hookspecs import Permanent

TONES = "12345"
_SYLLABLE = re.compile(r"[a-zê]{1,6}[1-5]")
_SPELT_OTHERWISE = {"lue": "lve", "nue": "nve"}  # both spellings are about; only one sound each


def normal(syllable: str) -> str:
    """The one spelling that the tables use: nü3 and nv3 are nv3, lue4 and lve4 are lve4."""
    base, tone = syllable[:-1].replace("ü", "v"), syllable[-1]
    return _SPELT_OTHERWISE.get(base, base) + tone


def read_labels(path: Path, outputs: int) -> tuple[str, ...]:
    """The syllables of a network with ``outputs`` outputs, from a file with one a line, first on it (upstream's
    dict.txt is one). Raises Permanent where they are not as many, or no syllables.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Permanent(f"the labels {path} cannot be read: {error}") from None
    syllables = tuple(line.split()[0] for line in lines if line.strip())
    for number, syllable in enumerate(syllables, 1):
        if not _SYLLABLE.fullmatch(normal(syllable)):
            raise Permanent(
                f'the labels {path} have "{syllable}" as number {number}, which is no syllable such as zao3: '
                "name the dict.txt of the release that the model is from"
            )
    if len(syllables) != outputs - 1:
        raise Permanent(
            f"the model has {outputs} outputs, so {outputs - 1} syllables and the blank, but the labels {path} are "
            f"{len(syllables)}: name the dict.txt of the very release that the model is from"
        )
    return syllables
