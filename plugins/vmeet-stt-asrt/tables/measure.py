"""Measures the decoder alone: characters from the true pinyin, which pypinyin gives."""

import argparse
import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

from readings import syllables_of
from vmeet_stt_asrt.decoder import Decoder
from vmeet_stt_asrt.tables import Tables

_HAN = re.compile(r"[㐀-鿿]+")


def texts_of(path: Path) -> list[str]:
    """The column ``text`` of a .tsv file, or the lines of another one, Han characters only, whatever stood between."""
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".tsv":
            rows = [row["text"] for row in csv.DictReader(file, delimiter="\t")]
        else:
            rows = file.read().splitlines()
    return ["".join(_HAN.findall(row)) for row in rows if _HAN.search(row)]


def decoded(decoder: Decoder, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Each text and what becomes of it. Raises ValueError where pypinyin does not give a syllable a character."""
    for text in texts:
        syllables = syllables_of(text)
        if len(syllables) != len(text):
            raise ValueError(f"pypinyin reads {text} as {' '.join(syllables)}")
        found = decoder.decode(syllables).text
        yield text, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", type=Path, help="a .tsv file with a column text, or a file of lines; Simplified")
    parser.add_argument("--tables", type=Path, help="others than those of the package")
    parser.add_argument("--show", action="store_true", help="print what differs")
    arguments = parser.parse_args()
    decoder = Decoder(Tables.load(arguments.tables))
    texts = texts_of(arguments.texts)
    begun_s = time.perf_counter()
    right = total = sentences = 0
    for text, found in decoded(decoder, texts):
        same = sum(one == other for one, other in zip(text, found, strict=True))
        right, total, sentences = right + same, total + len(text), sentences + (found == text)
        if arguments.show and found != text:
            print(f"{text}\n{''.join('＿' if a == b else b for a, b in zip(text, found, strict=True))}")
    spent_s = time.perf_counter() - begun_s
    figures = {"characters": total, "accuracy": round(right / total, 4), "sentences": round(sentences / len(texts), 4)}
    print(json.dumps(figures | {"ms_per_character": round(1000 * spent_s / total, 2)}))


if __name__ == "__main__":
    main()
