"""From syllables to characters: the likeliest sequence of words that sounds like them.

A beam search over words and their pairs (bigrams with back-off). The character is thus chosen by its neighbours:
zao3 an1 is 早安, a word and a greeting, not 枣 and 安. A word may also be read with another tone, at a cost, since an
acoustic model, and people, get the tones wrong more often than the rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmeet_stt_asrt.syllables import normal
from vmeet_stt_asrt.tables import Entries, Floats, Ints, Tables

BORDER = 0
LONGEST_WORD = 8  #: syllables
_UNKNOWN = 30.0  # a syllable that no word is read as


class Costs(NamedTuple):
    """In nats, of a syllable whose word is read with one tone, and that is heard with another."""

    other_tone: float = 10.0
    neutral_tone: float = 2.0  #: the one or the other is the neutral one
    sandhi: float = 1.5  #: a third tone before another one is said as a second one


class Word(NamedTuple):
    """``text`` is read as ``length`` syllables from number ``start`` on; text and length differ where unknown."""

    text: str
    start: int
    length: int


class Decoded(NamedTuple):
    """The words and what they cost in nats, less being likelier."""

    words: tuple[Word, ...]
    cost: float

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words)


class _States(NamedTuple):
    """The best ways to one place: the last word, the cost, and from which place and which state there it came."""

    words: Ints
    costs: Floats
    places: Ints
    origins: Ints


class Decoder:
    """Thread-safe: it keeps no state between calls."""

    def __init__(self, tables: Tables, beam: int = 24, most_words: int = 60, costs: Costs | None = None) -> None:
        self._tables, self._beam, self._most_words = tables, beam, most_words
        self._costs = costs or Costs()

    def decode(self, syllables: tuple[str, ...]) -> Decoded:
        """``syllables`` such as ("zao3", "an1") to words. What no word is read as stays as it is."""
        if not syllables:
            return Decoded((), 0.0)
        heard = [normal(each) for each in syllables]
        bases = [self._tables.bases.get(each[:-1], -1) for each in heard]
        tones = np.array([int(each[-1]) for each in heard], np.uint8)
        zero = np.zeros(1, np.int64)
        lattice = [_States(zero, np.zeros(1, np.float32), zero - 1, zero)]
        for end in range(1, len(heard) + 1):
            lattice.append(self._states(lattice, bases, tones, end))
        return self._best(lattice, syllables)

    def _states(self, lattice: list[_States], bases: list[int], tones: NDArray[np.uint8], end: int) -> _States:
        found = []
        for start in range(max(0, end - LONGEST_WORD), end):
            entries = self._tables.entries(tuple(bases[start:end]))
            if entries is not None:
                found.append(self._joined(lattice[start], start, *self._heard(entries, tones[start:end])))
        if not found:
            found = [self._unknown(lattice[end - 1], end - 1)]
        return self._pruned(_States._make(np.concatenate(parts) for parts in zip(*found, strict=True)))

    def _heard(self, entries: Entries, tones: NDArray[np.uint8]) -> tuple[Ints, Floats]:
        """The likeliest of the words that sound so, and what each costs before the words around are looked at."""
        costs = entries.costs + self._tone_costs(entries.tones, tones)
        if len(costs) > self._most_words:
            total = costs + self._tables.unigrams[entries.words]
            kept = np.argpartition(total, self._most_words)[: self._most_words]
            return entries.words[kept], costs[kept]
        return entries.words, costs

    def _tone_costs(self, read: NDArray[np.uint8], heard: NDArray[np.uint8]) -> Floats:
        costs = np.where(read == heard, 0.0, self._costs.other_tone)
        costs[(read != heard) & ((read == 5) | (heard == 5))] = self._costs.neutral_tone
        if read.shape[1] > 1:
            changed = (read[:, :-1] == 3) & (heard[:-1] == 2) & (read[:, 1:] == 3)
            costs[:, :-1][changed] = self._costs.sandhi
        summed: Floats = costs.sum(axis=1).astype(np.float32)
        return summed

    def _joined(self, states: _States, start: int, words: Ints, own_costs: Floats) -> _States:
        """Each word after the best of the states before it: with pairs of words, the others can never win."""
        total = states.costs[:, None] + self._tables.follow_costs(states.words, words)
        origins = total.argmin(axis=0)
        costs = total[origins, np.arange(len(words))] + own_costs
        return _States(words, costs, np.full(len(words), start, np.int64), origins)

    def _unknown(self, states: _States, start: int) -> _States:
        best = states.costs.argmin()
        cost = states.costs[best : best + 1] + np.float32(_UNKNOWN)
        return _States(np.array([BORDER]), cost, np.array([start]), np.array([best]))

    def _pruned(self, states: _States) -> _States:
        order = np.argsort(states.costs, kind="stable")
        _, first = np.unique(states.words[order], return_index=True)  # the cheapest way to each word
        kept = order[np.sort(first)[: self._beam]]
        return _States._make(part[kept] for part in states)

    def _best(self, lattice: list[_States], syllables: tuple[str, ...]) -> Decoded:
        last = lattice[-1]
        total = last.costs + self._tables.follow_costs(last.words, np.zeros(1, np.int64))[:, 0]
        state, place, words = int(total.argmin()), len(syllables), []
        cost = float(total[state])
        while place:
            states = lattice[place]
            start, number = int(states.places[state]), int(states.words[state])
            text = self._tables.words[number] if number != BORDER else syllables[start]
            words.append(Word(text, start, place - start))
            state, place = int(states.origins[state]), start
        return Decoded(tuple(reversed(words)), cost)
