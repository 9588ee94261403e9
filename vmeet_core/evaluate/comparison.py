"""What every bake-off is made of: metrics, items, contestants, and the rows that come out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, NamedTuple, Protocol

from vmeet_core.hookspecs import Permanent, Retryable
from vmeet_core.settings import Kind

Scores = Mapping[str, float]  # metric name -> value
Rank = Literal["worst", "median", "best"]


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


class Row(NamedTuple):
    """The scores of one contestant on one item."""

    contestant: str
    item: str
    scores: Scores


class Picture(NamedTuple):
    """A small picture that the report shows."""

    title: str
    title_zh: str
    jpeg: bytes


class Exhibition(NamedTuple):
    """What the report shows of a contestant's worst, median and best item by ``metric`` (one where more is better)."""

    metric: str
    pictures: Callable[[Any, Any, Any], Sequence[Picture]]  #: of (item, engine, options)
    legend: str
    legend_zh: str


class Evaluator(NamedTuple):
    """How one kind of provider is measured. An item may lack some of the metrics."""

    kind: Kind
    title: str
    title_zh: str
    metrics: tuple[Metric, ...]
    baseline: str | None  #: the name of the row for the unprocessed input; None where that means nothing
    items: Callable[[Path], Sequence[Any]]  #: the material of a folder; raises CompareError
    score_baseline: Callable[[Any], Scores] | None
    score: Callable[[Any, Any, Any], Scores]  #: of (item, engine, options)
    exhibition: Exhibition | None = None
    #: of (options, rows): what the figures do not tell, and why; None where they tell all
    reservation: Callable[[Any, Sequence[Row]], str | None] = lambda options, rows: None


class Contestant(NamedTuple):
    """A provider to be measured: its engine is loaded when its turn comes, and closed after it."""

    name: str
    title: str
    version: str
    load: Callable[[], Any]
    options: Any


class Remark(NamedTuple):
    """What could not be measured of a contestant, and why; where it ``failed``, nothing was."""

    contestant: str
    text: str
    failed: bool

    def __str__(self) -> str:
        return f"{self.contestant}: {self.text}"


class Exhibit(NamedTuple):
    """Pictures of one item as a contestant made it."""

    contestant: str
    item: str
    rank: Rank
    pictures: tuple[Picture, ...]


class Result(NamedTuple):
    """All that came of one contestant."""

    rows: tuple[Row, ...] = ()
    remarks: tuple[Remark, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Everything that was measured."""

    evaluator: Evaluator
    data: Path
    contestants: tuple[Contestant, ...]
    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()

    @property
    def names(self) -> list[str]:
        """The baseline first, then the contestants in their order; those that failed come last."""
        failed = [remark.contestant for remark in self.remarks if remark.failed]
        return list(dict.fromkeys([*(row.contestant for row in self.rows), *failed]))

    @property
    def failures(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.failed]

    @property
    def items(self) -> list[str]:
        return list(dict.fromkeys(row.item for row in self.rows))

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Those that were measured of anything: without clips, say, there is no flicker."""
        found = {metric for row in self.rows for metric in row.scores}
        return tuple(metric for metric in self.evaluator.metrics if metric.name in found)

    def scores(self, name: str, item: str) -> Scores:
        """Empty for a contestant that failed."""
        return next((row.scores for row in self.rows if (row.contestant, row.item) == (name, item)), {})

    def means(self) -> dict[str, dict[str, float]]:
        """``{contestant: {metric: mean over the items that have it, ..., "n": items}}``; ``n`` is 0 after a failure."""
        result: dict[str, dict[str, float]] = {}
        for name in self.names:
            rows = [row.scores for row in self.rows if row.contestant == name]
            metrics = dict.fromkeys(metric for row in rows for metric in row)
            result[name] = {metric: fmean(row[metric] for row in rows if metric in row) for metric in metrics}
            result[name]["n"] = len(rows)
        return result


Progress = Callable[[str, int, int], None]  # contestant, items done, items in all


def compare(evaluator: Evaluator, data: Path, contestants: Sequence[Contestant], progress: Progress) -> Comparison:
    """Measure every contestant on every item of ``data``. One that fails loses its own results and leaves a remark.

    Raises CompareError for material that cannot be measured.
    """
    if any(contestant.name == evaluator.baseline for contestant in contestants):
        raise CompareError(f'a provider is called "{evaluator.baseline}", as is the row of the unprocessed input')
    items = evaluator.items(data)
    results = [Result()]
    if evaluator.baseline is not None and evaluator.score_baseline is not None:
        results.append(Result(tuple(_rows(evaluator.baseline, items, evaluator.score_baseline, progress))))
    results += [_measured(evaluator, contestant, items, progress) for contestant in contestants]
    rows, remarks, exhibits = (tuple(chain.from_iterable(parts)) for parts in zip(*results, strict=True))
    return Comparison(evaluator, data, tuple(contestants), rows, remarks, exhibits)


def _measured(evaluator: Evaluator, contestant: Contestant, items: Sequence[Item], progress: Progress) -> Result:
    name = contestant.name
    try:
        with closing(contestant.load()) as engine:
            rows = _rows(name, items, lambda item: evaluator.score(item, engine, contestant.options), progress)
            kept = tuple(rows)
            exhibits = tuple(_exhibits(evaluator.exhibition, contestant, engine, items, kept))
    except Exception as error:  # a plugin may raise anything, and the others' results must not be lost with its own
        return Result(remarks=(Remark(name, _told(error), True),))
    reservation = evaluator.reservation(contestant.options, kept)
    return Result(kept, (Remark(name, reservation, False),) if reservation else (), exhibits)


def _rows(name: str, items: Sequence[Item], score: Callable[[Any], Scores], progress: Progress) -> Iterator[Row]:
    for index, item in enumerate(items):
        progress(name, index, len(items))
        try:
            yield Row(name, item.name, score(item))
        except Exception as error:
            raise CompareError(f"{item.name}: {_told(error)}") from error
    progress(name, len(items), len(items))


def _exhibits(
    exhibition: Exhibition | None, contestant: Contestant, engine: Any, items: Sequence[Item], rows: Sequence[Row]
) -> Iterator[Exhibit]:
    """The worst, the median and the best item; fewer where there are fewer."""
    if exhibition is None:
        return
    known = {item.name: item for item in items}
    ranked = sorted((row for row in rows if exhibition.metric in row.scores), key=lambda r: r.scores[exhibition.metric])
    places: dict[int, Rank] = {len(ranked) // 2: "median"} if len(ranked) > 2 else {}
    places |= {0: "worst", len(ranked) - 1: "best"} if ranked else {}
    for place, rank in sorted(places.items()):
        item = ranked[place].item
        pictures = exhibition.pictures(known[item], engine, contestant.options)
        yield Exhibit(contestant.name, item, rank, tuple(pictures))


def _told(error: Exception) -> str:
    """Our own errors and those of the contract speak for themselves; others are a fault of the plugin."""
    if isinstance(error, CompareError | Permanent | Retryable):
        return str(error)
    return f"it raised {type(error).__name__}: {error}"
