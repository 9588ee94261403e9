"""The small core of every bake-off, with a kind that only this test knows."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from vmeet_core.evaluate import EVALUATORS, evaluator
from vmeet_core.evaluate.comparison import CompareError, Contestant, Evaluator, Metric, compare


class Number(NamedTuple):
    name: str
    value: float


class Engine:
    def __init__(self, log: list[str], gain: float) -> None:
        self.log, self.gain = log, gain
        log.append("load")

    def close(self) -> None:
        self.log.append("close")


def score(item: Number, engine: Engine, options: Any) -> dict[str, float]:
    if item.value < 0:
        raise CompareError("is negative")
    return {"size": item.value * engine.gain, "options": options}


METRIC = Metric("size", "Size", "大小", "m", 1, 1, "how large", "多大")


def judge(*values: float) -> Evaluator:
    items = [Number(f"item{index}", value) for index, value in enumerate(values)]
    return Evaluator(
        "denoisers", "Numbers", "數", (METRIC,), "plain", lambda folder: items, lambda item: {"size": 0.0}, score
    )


def contestant(name: str, log: list[str], gain: float = 2.0) -> Contestant:
    return Contestant(name, name.title(), "1", lambda: Engine(log, gain), 7)


def silent(name: str, done: int, total: int) -> None:
    pass


def test_means_and_count_of_every_contestant() -> None:
    log: list[str] = []
    result = compare(judge(1, 3), Path(), [contestant("a", log), contestant("b", log, 5)], silent)
    assert result.means() == {
        "plain": {"size": 0.0, "n": 2},
        "a": {"size": 4.0, "options": 7, "n": 2},
        "b": {"size": 10.0, "options": 7, "n": 2},
    }
    assert log == ["load", "close", "load", "close"]
    assert (result.names, result.items) == (["plain", "a", "b"], ["item0", "item1"])
    assert result.scores("b", "item1")["size"] == 15


def test_progress_tells_every_item() -> None:
    told: list[tuple[str, int, int]] = []
    compare(judge(1, 2), Path(), [contestant("a", [])], lambda *args: told.append(args))
    assert told == [(name, done, 2) for name in ("plain", "a") for done in (0, 1, 2)]


def test_a_failure_names_contestant_and_item_and_closes_the_engine() -> None:
    log: list[str] = []
    with pytest.raises(CompareError, match="a on item1: is negative"):
        compare(judge(1, -1), Path(), [contestant("a", log)], silent)
    assert log == ["load", "close"]


def test_a_provider_may_not_be_called_as_the_baseline() -> None:
    with pytest.raises(CompareError, match='a provider is called "plain"'):
        compare(judge(1), Path(), [contestant("plain", [])], silent)


@pytest.mark.parametrize("kind", EVALUATORS)
def test_every_kind_has_an_evaluator_with_distinct_metrics(kind: str) -> None:
    metrics = evaluator(kind).metrics
    assert len({metric.name for metric in metrics}) == len(metrics)
    assert all(metric.better in (1, -1) for metric in metrics)
