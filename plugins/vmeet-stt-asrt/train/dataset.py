"""Utterances on disk: all sound in one memory-mapped file, and a list of what is where.

``audio.npy`` holds int16 samples at 16 kHz, ``utterances.json`` the list, ``syllables.txt`` the network's outputs.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin
from vmeet_stt_asrt.syllables import normal
from vmeet_stt_asrt.tables import Tables

Sound = NDArray[np.int16]
PINYIN = re.compile(r"[a-z]+[1-5]( [a-z]+[1-5])*")


class Utterance(NamedTuple):
    """``length`` samples from ``start`` on; ``source`` says where it is from, ``held_out`` that it is for measuring."""

    start: int
    length: int
    text: str
    syllables: tuple[str, ...]
    source: str
    held_out: bool


class Dataset:
    """A folder that ``prepare.py`` filled."""

    def __init__(self, folder: Path) -> None:
        self._audio = np.load(folder / "audio.npy", mmap_mode="r")
        rows = json.loads((folder / "utterances.json").read_text(encoding="utf-8"))
        self.utterances = [Utterance(*row[:3], tuple(row[3]), *row[4:]) for row in rows]
        self.syllables = tuple((folder / "syllables.txt").read_text(encoding="utf-8").split())
        self._numbers = {syllable: number for number, syllable in enumerate(self.syllables)}

    def sound(self, utterance: Utterance) -> Sound:
        """(length,) samples."""
        return np.asarray(self._audio[utterance.start : utterance.start + utterance.length])

    def labels(self, utterance: Utterance) -> list[int]:
        """The numbers of its syllables among the outputs."""
        return [self._numbers[syllable] for syllable in utterance.syllables]


def read_as(text: str) -> tuple[str, ...]:
    """The pinyin of Han characters, a syllable each; ValueError where pypinyin sees it otherwise. Pinyin such as
    ``ni3 hao3`` is taken as it is.
    """
    if PINYIN.fullmatch(text):
        return tuple(map(normal, text.split()))
    syllables = tuple(map(normal, lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)))
    if len(syllables) != len(text):
        raise ValueError(f"pypinyin reads {text} as {' '.join(syllables)}")
    return syllables


def all_syllables() -> tuple[str, ...]:
    """The outputs of a network: every syllable with every tone that the tables have, in the order of the alphabet."""
    tables = Tables.load()
    found = set()
    for base, number in tables.bases.items():
        entries = tables.entries((number,))
        if entries is not None:
            found |= {f"{base}{tone}" for tone in entries.tones.ravel()}
    return tuple(sorted(found))


def write(folder: Path, utterances: Iterable[tuple[Sound, str, str, bool]]) -> list[Utterance]:
    """Keeps (sound, text, source, held_out); what the syllables do not cover or is too long is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    known = set(all_syllables())
    kept: list[Utterance] = []
    sounds: list[Sound] = []
    start = 0
    for sound, text, source, held_out in utterances:
        try:
            syllables = read_as(text)
        except ValueError as error:
            print(f"left out: {error}")
            continue
        if not text or set(syllables) - known or len(sound) > 16 * 16_000:
            print(f"left out: {text}")
            continue
        kept.append(Utterance(start, len(sound), text, syllables, source, held_out))
        sounds.append(sound)
        start += len(sound)
    audio = open_memmap(folder / "audio.npy", "w+", np.int16, (start,))
    for utterance, sound in zip(kept, sounds, strict=True):
        audio[utterance.start : utterance.start + utterance.length] = sound
    audio.flush()
    (folder / "utterances.json").write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    (folder / "syllables.txt").write_text("\n".join(sorted(known)) + "\n", encoding="utf-8")
    return kept
