"""The small core of every bake-off, with a kind that only this test knows."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from vmeet_core.evaluate import EVALUATORS, evaluator
from vmeet_core.evaluate.alignment import Alignment
from vmeet_core.evaluate.comparison import (
    CompareError,
    Contestant,
    Cost,
    Evaluator,
    Exhibition,
    Judged,
    Metric,
    Picture,
    Texts,
    compare,
)
from vmeet_core.evaluate.ratio import Ratio
from vmeet_core.hookspecs import Permanent


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
    result = compare(judge(1, -1), Path(), [contestant("a", log)], silent)
    assert [str(failure) for failure in result.failures] == ["a: item1: is negative"]
    assert log == ["load", "close"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Permanent("run vmeet weights fetch a"), "a: run vmeet weights fetch a"),
        (KeyError("colour"), "a: it raised KeyError: 'colour'"),
    ],
)
def test_one_that_does_not_load_leaves_the_others(error: Exception, text: str) -> None:
    def fail() -> Engine:
        raise error

    broken = Contestant("a", "A", "1", fail, 7)
    result = compare(judge(1, 3), Path(), [broken, contestant("b", [])], silent)
    assert [str(remark) for remark in result.remarks] == [text]
    assert result.means() == {
        "plain": {"size": 0.0, "n": 2},
        "b": {"size": 4.0, "options": 7, "n": 2},
        "a": {"n": 0},
    }
    assert result.scores("a", "item0") == {}


def test_material_that_cannot_be_measured_ends_the_bake_off() -> None:
    def refuse(item: Number) -> dict[str, float]:
        raise CompareError("cut them alike")

    with pytest.raises(CompareError, match="item0: cut them alike"):
        compare(judge(1)._replace(score_baseline=refuse), Path(), [contestant("a", [])], silent)


def test_an_interrupt_is_no_failure_of_a_plugin() -> None:
    def interrupt(item: Number, engine: Engine, options: Any) -> dict[str, float]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(judge(1)._replace(score=interrupt), Path(), [contestant("a", [])], silent)


def test_without_a_baseline_and_without_contestants_there_is_nothing() -> None:
    bare = judge(1)._replace(baseline=None, score_baseline=None)
    assert compare(bare, Path(), [], silent).means() == {}
    assert compare(bare, Path(), [contestant("a", [])], silent).names == ["a"]


def test_a_metric_counts_where_there_is_one() -> None:
    def odd(item: Number, engine: Engine, options: Any) -> dict[str, float]:
        return {"size": item.value} if item.value % 2 else {"other": item.value}

    result = compare(judge(2, 1, 3)._replace(score=odd, baseline=None), Path(), [contestant("a", [])], silent)
    assert result.means() == {"a": {"other": 2, "size": 2, "n": 3}}


def test_ratios_are_pooled_not_averaged() -> None:
    def one_of(item: Number, engine: Engine, options: Any) -> dict[str, float]:
        return {"size": Ratio(1, item.value)}

    result = compare(judge(1, 3)._replace(score=one_of, baseline=None), Path(), [contestant("a", [])], silent)
    assert result.means() == {"a": {"size": 0.5, "n": 2}}
    assert [row.scores["size"] for row in result.rows] == [1, 1 / 3]


def test_texts_come_with_the_scores() -> None:
    texts = Texts("一", "二", Alignment(()))

    def judged(item: Number, engine: Engine, options: Any) -> Judged:
        return Judged({"size": item.value}, texts)

    result = compare(judge(1)._replace(score=judged, baseline=None), Path(), [contestant("a", [])], silent)
    assert [(row.scores, row.texts) for row in result.rows] == [({"size": 1}, texts)]


def test_costs_belong_to_a_contestant_as_a_whole() -> None:
    heavy = judge(1)._replace(metrics=(METRIC, METRIC._replace(name="weight")))
    result = replace(compare(heavy, Path(), [contestant("a", [])], silent), costs=(Cost("a", "weight", 7.0),))
    assert result.means()["a"] == {"size": 2.0, "options": 7, "weight": 7.0, "n": 1}
    assert [metric.name for metric in result.metrics] == ["size", "weight"]


def test_a_reservation_is_told_beside_the_results() -> None:
    doubtful = judge(1)._replace(reservation=lambda options, rows: f"{options} of {len(rows)} rows are doubtful")
    result = compare(doubtful, Path(), [contestant("a", [])], silent)
    assert ([str(remark) for remark in result.remarks], result.failures) == (["a: 7 of 1 rows are doubtful"], [])


def test_the_worst_the_median_and_the_best_are_exhibited() -> None:
    shown = Exhibition("size", lambda item, engine, options: [Picture(item.name, "", b"")], "", "")
    result = compare(judge(5, 1, 4, 2, 3)._replace(exhibition=shown), Path(), [contestant("a", [])], silent)
    assert [(each.rank, each.item) for each in result.exhibits] == [
        ("worst", "item1"),
        ("median", "item4"),
        ("best", "item0"),
    ]
    assert [each.pictures[0].title for each in result.exhibits] == ["item1", "item4", "item0"]


def test_a_provider_may_not_be_called_as_the_baseline() -> None:
    with pytest.raises(CompareError, match='a provider is called "plain"'):
        compare(judge(1), Path(), [contestant("plain", [])], silent)


@pytest.mark.parametrize("kind", EVALUATORS)
def test_every_kind_has_an_evaluator_with_distinct_metrics(kind: str) -> None:
    metrics = evaluator(kind).metrics
    assert len({metric.name for metric in metrics}) == len(metrics)
    assert all(metric.better in (1, -1) for metric in metrics)
