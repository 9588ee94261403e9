"""Full where there is room, reduced where there is less, and else not at all."""

import pytest

from vmeet_core.live.admission import choose
from vmeet_core.live.cost import Cost


@pytest.mark.parametrize(
    ("used", "cost", "chosen"),
    [
        ({"a": 0.0, "b": 0.0}, Cost(0.4, 0.1), ("a", False)),
        ({"a": 0.4, "b": 0.3}, Cost(0.4, 0.1), ("b", False)),
        ({"a": 0.5, "b": 0.6}, Cost(0.4, 0.1), ("a", True)),
        ({"a": 0.8, "b": 0.9}, Cost(0.4, 0.1), None),
        ({"a": 0.0}, Cost(0.94, 0.4), ("a", False)),  # alone: slower for nobody else
        ({"a": 0.0}, Cost(1.2, 0.4), ("a", True)),
        ({"a": 0.0}, Cost(3.0, 1.1), None),
        ({"a": 0.05}, Cost(0.85, 0.4), ("a", True)),
        ({}, Cost(0.1, 0.1), None),
    ],
)
def test_choice(used: dict[str, float], cost: Cost, chosen: tuple[str, bool] | None) -> None:
    assert choose(used, cost) == chosen


def test_what_cannot_be_reduced_is_refused() -> None:
    assert choose({"a": 0.5}, Cost(0.4, 0.1), may_reduce=False) is None
