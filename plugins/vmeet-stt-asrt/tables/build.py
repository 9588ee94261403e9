"""Makes the pinyin table and the n-grams of the decoder out of jieba's word frequencies and cut texts."""

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import jieba
import numpy as np
from numpy.typing import NDArray
from readings import Reading, count_readings, readings_of
from vmeet_stt_asrt.decoder import BORDER, LONGEST_WORD
from vmeet_stt_asrt.tables import pack, steps_of

#: How much a word of each source counts, and its share in the probability of single words.
WEIGHTS = {"transcript": 1.0, "Laws": 1.0, "cc0-sentences": 3.0, "tatoeba": 3.0}
SHARES = {"jieba": 0.5, "transcript": 0.25, "Laws": 0.1, "cc0-sentences": 0.05, "tatoeba": 0.1}
DISCOUNT = 0.8
LEAST_JIEBA, LEAST_TEXT = 20, 4  #: occurrences that make a word worth keeping
DIGITS = "零一二三四五六七八九幺"  # 幺 is how one says 1 in telephone numbers
DIGIT_PAIR_COUNT = 50.0  #: telephone numbers and the like are not in the texts: any digit may follow any other
READ_SENTENCES = 60_000  #: of which characters' readings are counted

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def jieba_frequencies() -> Counter[str]:
    """The word frequencies that jieba carries."""
    frequencies: Counter[str] = Counter()
    with (Path(jieba.__file__).parent / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, frequency, *_ = line.split()
            if all("一" <= character <= "鿿" for character in word):
                frequencies[word] += int(frequency)
    return frequencies


def cut_sentences(folder: Path, source: str) -> Iterator[list[str]]:
    with (folder / f"{source}.txt").open(encoding="utf-8") as lines:
        yield from (line.split() for line in lines)


def vocabulary(frequencies: Counter[str], counts: dict[str, Counter[str]]) -> list[str]:
    """All characters and the words that are not rare."""
    in_texts: Counter[str] = Counter()
    for counted in counts.values():
        in_texts.update(counted)
    words = {word for word, count in frequencies.items() if len(word) == 1 or count >= LEAST_JIEBA}
    words |= {word for word, count in in_texts.items() if len(word) == 1 or count >= LEAST_TEXT}
    return sorted(word for word in words if len(word) <= LONGEST_WORD)


def unigrams(words: list[str], frequencies: Counter[str], counts: dict[str, Counter[str]]) -> Floats:
    """The probabilities of the border of a sentence, which is one word in ten, and of each of ``words``."""
    mixed = np.zeros(len(words))
    for source, share in SHARES.items():
        counted = frequencies if source == "jieba" else counts[source]
        column = np.array([counted[word] for word in words], np.float64)
        mixed += share * column / column.sum()
    smoothed = mixed * (1 - 1e-3) + 1e-3 / len(words)
    return np.concatenate([[0.1], 0.9 * smoothed])


def pairs(folder: Path, numbers: dict[str, int]) -> tuple[Ints, Floats]:
    """Every pair of neighbours as one number, ascending, and its weighted count."""
    size = len(numbers) + 1
    codes, weights = [], []
    for source, weight in WEIGHTS.items():
        tokens = [BORDER]
        for sentence in cut_sentences(folder, source):
            for word in sentence:
                tokens += [numbers[word]] if word in numbers else [numbers[c] for c in word if c in numbers]
            tokens.append(BORDER)
        row = np.array(tokens, np.int64)
        found, counted = np.unique(row[:-1] * size + row[1:], return_counts=True)
        codes.append(found)
        weights.append(counted * weight)
    digits = np.array(sorted(numbers[digit] for digit in DIGITS))
    codes.append((digits[:, None] * size + digits).ravel())
    weights.append(np.full(len(digits) ** 2, DIGIT_PAIR_COUNT))
    unique, places = np.unique(np.concatenate(codes), return_inverse=True)
    return unique, np.bincount(places, np.concatenate(weights))


class Bigrams:
    """Absolute discounting with back-off to ``alone``; pairs that say little more than the back-off are left out."""

    def __init__(self, codes: Ints, counts: Floats, alone: Floats, most: int) -> None:
        size = len(alone)
        before, after = np.divmod(codes, size)
        totals = np.bincount(before, counts, size)
        kept_back = np.bincount(before, DISCOUNT * np.minimum(counts, 1), size) / np.maximum(totals, 1e-9)
        probability = (counts - DISCOUNT * np.minimum(counts, 1)) / totals[before] + kept_back[before] * alone[after]
        gain = counts * np.log(probability / (kept_back[before] * alone[after]))
        kept = np.sort(np.argsort(-gain, kind="stable")[:most])
        self.codes, self.costs = codes[kept], -np.log(probability[kept])
        # What the pairs that were left out had is given to the back-off.
        said = np.bincount(before[kept], probability[kept], size)
        alone_said = np.bincount(before[kept], alone[after[kept]], size)
        self.backoffs = -np.log(np.maximum(1 - said, 1e-4) / np.maximum(1 - alone_said, 1e-4))
        self.backoffs = np.maximum(self.backoffs, 0)


def table_arrays(words: list[str], readings: list[Reading], alone: Floats, bigrams: Bigrams) -> dict[str, NDArray]:
    """What ``vmeet_stt_asrt.tables.Tables`` reads."""
    size = len(alone)
    before, after = np.divmod(bigrams.codes, size)
    distances = np.diff(after, prepend=0)
    firsts = np.flatnonzero(np.diff(before, prepend=-1))
    distances[firsts] = after[firsts]
    bases = sorted({syllable[:-1] for reading in readings for syllable in reading.syllables})
    arrays: dict[str, NDArray] = {
        "words": np.frombuffer("\n".join(["", *words]).encode(), np.uint8),
        "bases": np.frombuffer("\n".join(bases).encode(), np.uint8),
        "unigrams": steps_of(-np.log(alone)),
        "backoffs": steps_of(bigrams.backoffs),
        "followers": distances.astype(np.int32),
        "follower_counts": np.bincount(before, minlength=size).astype(np.uint32),
        "pair_costs": steps_of(bigrams.costs),
    }
    numbers = {word: number for number, word in enumerate(words, 1)}
    base_numbers = {base: number for number, base in enumerate(bases)}
    for length in range(1, LONGEST_WORD + 1):
        rows = sorted(
            (
                [base_numbers[s[:-1]] for s in reading.syllables],
                [int(s[-1]) for s in reading.syllables],
                numbers[reading.word],
                reading.cost,
            )
            for reading in readings
            if len(reading.syllables) == length
        )
        arrays[f"bases{length}"] = np.array([row[0] for row in rows], np.uint16)
        arrays[f"tones{length}"] = np.array([row[1] for row in rows], np.uint8)
        arrays[f"words{length}"] = np.array([row[2] for row in rows], np.int32)
        arrays[f"costs{length}"] = steps_of(np.array([row[3] for row in rows]))
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True, help="the folder that segment.py filled")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=500_000, help="of words, at most")
    arguments = parser.parse_args()
    counts = {source: Counter(w for s in cut_sentences(arguments.texts, source) for w in s) for source in WEIGHTS}
    sentences = (
        "".join(s) for source in WEIGHTS for n, s in enumerate(cut_sentences(arguments.texts, source)) if n % 7 == 0
    )
    readings_in_texts = count_readings(islice(sentences, READ_SENTENCES))
    frequencies = jieba_frequencies()
    readings = list(readings_of(vocabulary(frequencies, counts), readings_in_texts))
    words = sorted({reading.word for reading in readings})
    alone = unigrams(words, frequencies, counts)
    found, counted = pairs(arguments.texts, {word: number for number, word in enumerate(words, 1)})
    bigrams = Bigrams(found, counted, alone, arguments.pairs)
    packed = pack(table_arrays(words, readings, alone, bigrams))
    arguments.out.write_bytes(packed)
    print(
        f"{len(words)} words, {len(readings)} readings, {len(bigrams.codes)} of {len(found)} pairs, {len(packed)} bytes"
    )


if __name__ == "__main__":
    main()
