"""Chooses sentences to be spoken so that rare syllables occur: of each few candidates, the one with the rarest."""

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dataset import read_as

_CANDIDATES = 12


def candidates(paths: list[Path], shortest: int, longest: int, chance: random.Random) -> Iterator[str]:
    """Sentences of Han characters alone, from every file equally often, whatever their sizes; without end."""
    files = [path.read_text(encoding="utf-8").replace(" ", "").splitlines() for path in paths]
    while True:
        line = chance.choice(chance.choice(files))
        if shortest <= len(line) <= longest and all("一" <= character <= "鿿" for character in line):
            yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="text with one sentence a line, Simplified")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--shortest", type=int, default=5, help="characters")
    parser.add_argument("--longest", type=int, default=16, help="characters")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    lines = candidates(arguments.files, arguments.shortest, arguments.longest, random.Random(arguments.seed))
    heard: Counter[str] = Counter()
    chosen: list[str] = []
    while len(chosen) < arguments.count:
        few = [next(lines) for _ in range(_CANDIDATES)]
        best = max(few, key=lambda line: sum(1 / (1 + heard[each]) for each in read_as(line)) / len(line))
        heard.update(read_as(best))
        chosen.append(best)
    arguments.out.write_text("\n".join(chosen) + "\n", encoding="utf-8")
    print(f"{len(chosen)} sentences with {len(heard)} syllables")


if __name__ == "__main__":
    main()
