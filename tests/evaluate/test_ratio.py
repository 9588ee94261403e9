"""Ratios, and how they and other figures are pooled."""

import pickle
from math import inf

import pytest

from vmeet_core.evaluate.ratio import Ratio, pooled


def test_a_ratio_is_a_number() -> None:
    assert Ratio(1, 4) == 0.25
    assert f"{Ratio(1, 4):.1f}" == "0.2"


@pytest.mark.parametrize(("part", "value"), [(0, 0.0), (2, inf)])
def test_of_nothing(part: float, value: float) -> None:
    assert Ratio(part, 0) == value


def test_pooled_ratios_weigh_by_their_wholes() -> None:
    assert pooled([Ratio(1, 1), Ratio(0, 9)]) == 0.1
    assert pooled([Ratio(3, 0), Ratio(1, 8)]) == 0.5  # words on silence count, too


def test_other_figures_are_averaged() -> None:
    assert pooled([1.0, 0.0]) == 0.5
    assert pooled([Ratio(1, 1), 0.0]) == 0.5


def test_pickled_it_keeps_its_parts() -> None:
    again = pickle.loads(pickle.dumps(Ratio(3, 4)))
    assert (again, again.part, again.whole) == (0.75, 3, 4)
