"""The pinyin table and the n-grams: what words there are, how they are read, and how they follow one another.

They are made by ``tables/build.py`` and carried as package data; README.md lists the texts that they come from.
"""

import io
import lzma
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

TABLES = "tables.npz.xz"
_STEP = 0.1  #: nats: probabilities are kept as one byte each, -ln(p) in steps of this

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


class Entries(NamedTuple):
    """Words that sound alike but for tones.

    ``words`` (n,), the ``tones`` (n, syllables) of their readings, ``costs`` (n,): -ln of how often each is read so.
    """

    words: Ints
    tones: NDArray[np.uint8]
    costs: Floats


class Tables:
    """Words are numbers; 0 is the border of a sentence."""

    def __init__(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        self.words: list[str] = arrays["words"].tobytes().decode().split("\n")
        self.bases: dict[str, int] = {
            base: number for number, base in enumerate(arrays["bases"].tobytes().decode().split("\n"))
        }
        self.unigrams = _nats(arrays["unigrams"])
        self.backoffs = _nats(arrays["backoffs"])
        self._pairs = _pairs(arrays["followers"], arrays["follower_counts"])
        self._pair_costs = _nats(arrays["pair_costs"])
        self._lexicon = _lexicon(arrays)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The tables in ``path``, or those of this package."""
        packed = (path or files("vmeet_stt_asrt") / TABLES).read_bytes()
        with np.load(io.BytesIO(lzma.decompress(packed)), allow_pickle=False) as arrays:
            return cls(dict(arrays))

    def entries(self, bases: tuple[int, ...]) -> Entries | None:
        """The words that are read as ``bases``, whatever the tones; none where there is no such word."""
        return self._lexicon.get(bases)

    def follow_costs(self, before: Ints, after: Ints) -> Floats:
        """-ln of the probability of each of ``after`` (n,) after each of ``before`` (m,): (m, n)."""
        pairs = (before[:, None] * len(self.words) + after[None, :]).ravel()
        places = np.searchsorted(self._pairs, pairs)
        places[places == len(self._pairs)] = 0
        known = self._pairs[places] == pairs
        backed_off = self.backoffs[before][:, None] + self.unigrams[after][None, :]
        costs = np.where(known, self._pair_costs[places], backed_off.ravel())
        return costs.reshape(len(before), len(after)).astype(np.float32)


def _nats(steps: NDArray[np.generic]) -> Floats:
    return steps.astype(np.float32) * np.float32(_STEP)


def _pairs(followers: NDArray[np.generic], follower_counts: NDArray[np.generic]) -> Ints:
    """Each pair of words as one number, ascending; the file keeps, for each word, the distances of its followers."""
    counts: Ints = follower_counts.astype(np.int64)
    before = np.repeat(np.arange(len(counts)), counts)
    after = np.cumsum(followers.astype(np.int64))
    starts = np.cumsum(counts) - counts
    offsets = np.concatenate([[0], after])[starts]
    after -= np.repeat(offsets, counts)
    pairs: Ints = before * len(counts) + after
    return pairs


def _lexicon(arrays: dict[str, NDArray[np.generic]]) -> dict[tuple[int, ...], Entries]:
    """By bases of syllables. The entries of one length lie together, sorted by their bases."""
    lexicon: dict[tuple[int, ...], Entries] = {}
    length = 1
    while f"words{length}" in arrays:
        words = arrays[f"words{length}"].astype(np.int64)
        bases, tones = arrays[f"bases{length}"], arrays[f"tones{length}"].astype(np.uint8)
        costs = _nats(arrays[f"costs{length}"])
        begins = np.flatnonzero(np.any(bases[1:] != bases[:-1], axis=1)) + 1
        edges = [0, *begins.tolist(), len(words)]
        for key, start, end in zip(bases[edges[:-1]].tolist(), edges[:-1], edges[1:], strict=True):
            lexicon[tuple(key)] = Entries(words[start:end], tones[start:end], costs[start:end])
        length += 1
    return lexicon


def pack(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    """The file of tables; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def steps_of(costs: NDArray[np.floating]) -> NDArray[np.uint8]:
    """-ln(p) in the bytes that a file of tables keeps."""
    return np.clip(np.round(costs / _STEP), 0, 255).astype(np.uint8)
