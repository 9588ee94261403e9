"""Brings utterances into the form that train.py reads: files of sound, each with a .txt beside it, or a .tsv."""

import argparse
import csv
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from dataset import PINYIN, Sound, write

from vmeet_core.media.audio import read_all

_HAN = re.compile(r"[㐀-鿿]+")
_SUFFIXES = {".wav", ".flac", ".mp3", ".ogg"}
RATE_HZ = 16_000
_FRAME = RATE_HZ // 100
_AROUND = 8  # frames that are kept around the sound
_SILENT = 0.01  # -40 dB of the loudest


def texts_beside(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file of sound that has a text: NAME.txt, or a row of transcripts.tsv (columns file and text)."""
    table = folder / "transcripts.tsv"
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            yield from ((folder / row["file"], row["text"]) for row in csv.DictReader(file, delimiter="\t"))
        return
    for path in sorted(folder.rglob("*")):
        text = path.with_suffix(".txt")
        if path.suffix in _SUFFIXES and text.is_file():
            yield path, text.read_text(encoding="utf-8-sig")


def held_out(text: str, share: float) -> bool:
    """By the text, so that a sentence that two people say is on one side only."""
    return zlib.crc32(text.encode()) % 1000 < 1000 * share


def sound_of(path: Path) -> Sound:
    """Without what is silent around it, which recordings of single words have much of."""
    audio = read_all(path, RATE_HZ)
    frames = np.abs(audio[: len(audio) // _FRAME * _FRAME].reshape(-1, _FRAME)).max(axis=1, initial=0)
    loud = np.flatnonzero(frames > _SILENT * frames.max(initial=0))
    if len(loud):
        audio = audio[max(0, (loud[0] - _AROUND) * _FRAME) : (loud[-1] + 1 + _AROUND) * _FRAME]
    return np.clip(np.round(audio * 32_767), -32_768, 32_767).astype(np.int16)


def text_of(raw: str) -> str:
    """Han characters alone; pinyin as it is."""
    return raw.strip() if PINYIN.fullmatch(raw.strip()) else "".join(_HAN.findall(raw))


def utterances(folders: list[Path], share: float, least: int) -> Iterator[tuple[Sound, str, str, bool]]:
    for folder in folders:
        for path, raw in texts_beside(folder):
            text = text_of(raw)
            if len(text) >= least:
                yield sound_of(path), text, folder.name, held_out(text, share)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True, help="the folder to fill")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of the sentences to measure on")
    parser.add_argument("--least", type=int, default=1, help="characters of an utterance")
    arguments = parser.parse_args()
    kept = write(arguments.data, utterances(arguments.folders, arguments.held_out, arguments.least))
    hours = sum(utterance.length for utterance in kept) / RATE_HZ / 3600
    measured = sum(utterance.held_out for utterance in kept)
    print(f"{len(kept)} utterances, {hours:.2f} h, {measured} of them held out")


if __name__ == "__main__":
    main()
