"""The parts of a recording: spans of time that are worked on one by one, some of them while it still runs."""

from collections.abc import Sequence
from typing import NamedTuple

LEAST_S = 1.0  #: no part is shorter, the last one included


class Part(NamedTuple):
    """From ``from_s`` up to, but without, ``until_s``."""

    number: int
    from_s: float
    until_s: float
    is_last: bool

    @property
    def duration_s(self) -> float:
        return self.until_s - self.from_s


def parts(borders: Sequence[float], duration_s: float, ready_s: float | None = None) -> list[Part]:
    """All parts between the inner ``borders``; of a recording that runs, those that are over by ``ready_s``."""
    edges = [0.0, *borders, duration_s]
    last = len(edges) - 2
    found = [Part(k, edges[k], edges[k + 1], k == last) for k in range(len(edges) - 1)]
    if ready_s is None:
        return found
    # Where the last one ends, nobody knows yet.
    return [part for part in found if not part.is_last and part.until_s <= ready_s]


def borders_every(part_s: float, duration_s: float) -> tuple[float, ...]:
    """The inner borders of a recording that goes on in new files after each multiple of ``part_s``."""
    count = max(0, int((duration_s - LEAST_S) // part_s))
    return tuple(number * part_s for number in range(1, count + 1))
