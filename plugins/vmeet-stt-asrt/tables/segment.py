"""Cuts texts of free licences into words: one file a source, one sentence a line, a space between words.

Everything is made Simplified, character by character: Taiwanese words stay what they are (软体, 网路).
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import jieba
import opencc
from numerals import spoken

SOURCES = ("transcript", "Laws", "cc0-sentences", "tatoeba")
_HAN = re.compile(r"[㐀-鿿]+")
_SENTENCES = re.compile(r"[。！？!?；;…\n]+")
_MARKUP = re.compile(r"<[^>]*>|\[([^\]]*)\]\([^)]*\)")
_ASIDE = re.compile(r"（[^（）]*）|\([^()]*\)")
_LEAST_HAN = 0.5  # of a line's characters: less is another language
#: Marks that a speaker passes over; anything else that is not Han breaks a sentence in two.
_PASSED_OVER = re.compile(r"[，,、：:\s「」『』“”‘’\"'《》〈〉—·\-]+")


def lines_of(source: str, repositories: Path) -> Iterator[str]:
    """The lines of text of one source, as they are written."""
    if source == "transcript":
        for path in sorted((repositories / source).glob("[12]*.md")):
            yield from (line for line in _text(path) if not line.startswith(("#", ">")))
    elif source == "Laws":
        # Without DLC, the regional ones: they say much the same again.
        for path in sorted((repositories / source).rglob("*.md")):
            _, found, law = path.read_text("utf-8").rpartition("<!-- INFO END -->")
            if found and "DLC" not in path.parts:
                yield from law.splitlines()
    elif source == "cc0-sentences":
        for path in sorted((repositories / source / "zh-TW").glob("*.txt")):
            yield from _text(path)
    elif source == "tatoeba":
        yield from (line.split("\t")[1] for line in _text(repositories / "cmn.txt") if "\t" in line)


def _text(path: Path) -> list[str]:
    return path.read_text("utf-8", errors="replace").splitlines()


def sentences(line: str) -> Iterator[str]:
    """Runs of Han characters that were said in one breath."""
    line = _ASIDE.sub("", _MARKUP.sub(r"\1", line))
    if len("".join(_HAN.findall(line))) < _LEAST_HAN * len(line):
        return
    for sentence in _SENTENCES.split(line):
        for run in _HAN.findall(_PASSED_OVER.sub("", sentence)):
            if len(run) > 1:
                yield run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=Path, required=True, help="the folder of clones that README.md lists")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--source", choices=SOURCES, action="append", help="all by default")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    tokenizer, simplify = jieba.Tokenizer(), opencc.OpenCC("t2s").convert
    for source in arguments.source or SOURCES:
        count = 0
        with (arguments.out / f"{source}.txt").open("w", encoding="utf-8") as out:
            for line in lines_of(source, arguments.repositories):
                for sentence in sentences(simplify(spoken(line))):
                    out.write(" ".join(tokenizer.cut(sentence, HMM=False)) + "\n")
                    count += len(sentence)
        print(f"{source}: {count} characters", flush=True)


if __name__ == "__main__":
    main()
