"""What every bake-off is made of: metrics, items, contestants, and the rows that come out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple, Protocol

from vmeet_core.settings import Kind

Scores = Mapping[str, float]  # metric name -> value


class CompareError(Exception):
    """A bake-off that cannot be held: the text says what is wrong, where, and what helps."""


class Metric(NamedTuple):
    """A figure of merit; ``better`` is +1 where more is better, -1 where less is."""

    name: str
    title: str
    title_zh: str
    unit: str
    better: int
    digits: int
    meaning: str
    meaning_zh: str


class Item(Protocol):
    """One piece of test material."""

    @property
    def name(self) -> str: ...


class Evaluator(NamedTuple):
    """How one kind of provider is measured."""

    kind: Kind
    title: str
    title_zh: str
    metrics: tuple[Metric, ...]
    baseline: str  #: the name of the row for the unprocessed input
    items: Callable[[Path], Sequence[Any]]  #: the material of a folder; raises CompareError
    score_baseline: Callable[[Any], Scores]
    score: Callable[[Any, Any, Any], Scores]  #: of (item, engine, options)


class Contestant(NamedTuple):
    """A provider to be measured: its engine is loaded when its turn comes, and closed after it."""

    name: str
    title: str
    version: str
    load: Callable[[], Any]
    options: Any


class Row(NamedTuple):
    """The scores of one contestant on one item."""

    contestant: str
    item: str
    scores: Scores


@dataclass(frozen=True)
class Comparison:
    """Everything that was measured."""

    evaluator: Evaluator
    data: Path
    contestants: tuple[Contestant, ...]
    rows: tuple[Row, ...]

    @property
    def names(self) -> list[str]:
        """The baseline first, then the contestants in their order."""
        return list(dict.fromkeys(row.contestant for row in self.rows))

    @property
    def items(self) -> list[str]:
        return list(dict.fromkeys(row.item for row in self.rows))

    def scores(self, name: str, item: str) -> Scores:
        return next(row.scores for row in self.rows if (row.contestant, row.item) == (name, item))

    def means(self) -> dict[str, dict[str, float]]:
        """``{contestant: {metric: mean over the items, ..., "n": items}}``; a metric without values is left out."""
        result: dict[str, dict[str, float]] = {}
        for name in self.names:
            rows = [row.scores for row in self.rows if row.contestant == name]
            result[name] = {metric: fmean(row[metric] for row in rows) for metric in rows[0]} | {"n": len(rows)}
        return result


Progress = Callable[[str, int, int], None]  # contestant, items done, items in all


def compare(evaluator: Evaluator, data: Path, contestants: Sequence[Contestant], progress: Progress) -> Comparison:
    """Measure every contestant on every item of ``data``.

    Raises CompareError for the material or a result that cannot be measured; what a provider raises passes through.
    """
    if any(contestant.name == evaluator.baseline for contestant in contestants):
        raise CompareError(f'a provider is called "{evaluator.baseline}", as is the row of the unprocessed input')
    items = evaluator.items(data)
    rows = list(_rows(evaluator.baseline, items, evaluator.score_baseline, progress))
    for contestant in contestants:
        rows += _measured(evaluator, contestant, items, progress)
    return Comparison(evaluator, data, tuple(contestants), tuple(rows))


def _measured(evaluator: Evaluator, contestant: Contestant, items: Sequence[Item], progress: Progress) -> list[Row]:
    with closing(contestant.load()) as engine:
        return list(
            _rows(contestant.name, items, lambda item: evaluator.score(item, engine, contestant.options), progress)
        )


def _rows(name: str, items: Sequence[Item], score: Callable[[Any], Scores], progress: Progress) -> Iterator[Row]:
    for index, item in enumerate(items):
        progress(name, index, len(items))
        try:
            yield Row(name, item.name, score(item))
        except CompareError as error:
            raise CompareError(f"{name} on {item.name}: {error}") from error
    progress(name, len(items), len(items))
