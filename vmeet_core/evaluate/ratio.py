"""Figures that are a part of a whole, such as errors of characters, and how figures of many items become one."""

from collections.abc import Sequence
from math import inf
from statistics import fmean


class Ratio(float):
    """``part / whole``; of nothing it is 0 where there is no part either, else infinite."""

    part: float
    whole: float

    def __new__(cls, part: float, whole: float) -> "Ratio":
        self = super().__new__(cls, part / whole if whole else inf if part else 0.0)
        self.part, self.whole = part, whole
        return self

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]  # for pickle, which calls __new__
        return self.part, self.whole


def pooled(values: Sequence[float]) -> float:
    """Of ratios the sum of the parts over the sum of the wholes, so that a long item counts for more; else the mean."""
    ratios = [value for value in values if isinstance(value, Ratio)]
    if len(ratios) == len(values):
        return Ratio(sum(ratio.part for ratio in ratios), sum(ratio.whole for ratio in ratios))
    return fmean(values)
