"""What every bake-off is made of: metrics, items, contestants, and the rows that come out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from vmeet_core.evaluate.alignment import Alignment
from vmeet_core.evaluate.compare_error import CompareError as CompareError
from vmeet_core.evaluate.own_process import Died, in_own_process
from vmeet_core.evaluate.ratio import pooled
from vmeet_core.hookspecs import Permanent, Retryable
from vmeet_core.settings import Kind
from vmeet_core.usage import forget_peak, own_usage

Scores = Mapping[str, float]  # metric name -> value
MEMORY = "memory_mb"  #: the metric of contestants that have a process of their own
Rank = Literal["worst", "median", "best"]


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


class Texts(NamedTuple):
    """What was said and what was written of it, as they came, and what of them was compared."""

    reference: str
    heard: str
    alignment: Alignment


class Judged(NamedTuple):
    """Scores, and the texts that they were found on."""

    scores: Scores
    texts: Texts | None = None


class Row(NamedTuple):
    """The scores of one contestant on one item."""

    contestant: str
    item: str
    scores: Scores
    texts: Texts | None = None


class Cost(NamedTuple):
    """A figure of a contestant that belongs to no single item."""

    contestant: str
    metric: str
    value: float


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


def nothing() -> None:
    """What most kinds have to prepare."""


def no_reservation(options: Any, rows: Sequence[Row]) -> str | None:
    """The figures tell all."""
    return None


class Evaluator(NamedTuple):
    """How one kind of provider is measured. An item may lack some of the metrics."""

    kind: Kind
    title: str
    title_zh: str
    metrics: tuple[Metric, ...]
    baseline: str | None  #: the name of the row for the unprocessed input; None where that means nothing
    items: Callable[[Path], Sequence[Any]]  #: the material of a folder; raises CompareError
    score_baseline: Callable[[Any], Scores] | None
    score: Callable[[Any, Any, Any], Scores | Judged]  #: of (item, engine, options)
    exhibition: Exhibition | None = None
    #: of (options, rows): what the figures do not tell, and why; None where they tell all
    reservation: Callable[[Any, Sequence[Row]], str | None] = no_reservation
    #: each contestant has a process of its own, whose memory is measured; all that goes there is pickled
    own_process: bool = False
    prepare: Callable[[], None] = nothing  #: loads what the scoring needs, so that it counts for no contestant's memory


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
    costs: tuple[Cost, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Everything that was measured."""

    evaluator: Evaluator
    data: Path
    contestants: tuple[Contestant, ...]
    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    costs: tuple[Cost, ...] = ()

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
        found = {metric for row in self.rows for metric in row.scores} | {cost.metric for cost in self.costs}
        return tuple(metric for metric in self.evaluator.metrics if metric.name in found)

    def scores(self, name: str, item: str) -> Scores:
        """Empty for a contestant that failed."""
        return next((row.scores for row in self.rows if (row.contestant, row.item) == (name, item)), {})

    def means(self) -> dict[str, dict[str, float]]:
        """``{contestant: {metric: mean over the items that have it, ..., "n": items}}``; ``n`` is 0 after a failure.

        Of a metric that is a Ratio it is the sum of the parts over the sum of the wholes.
        """
        result: dict[str, dict[str, float]] = {}
        for name in self.names:
            rows = [row.scores for row in self.rows if row.contestant == name]
            metrics = dict.fromkeys(metric for row in rows for metric in row)
            result[name] = {metric: pooled([row[metric] for row in rows if metric in row]) for metric in metrics}
            result[name] |= {cost.metric: cost.value for cost in self.costs if cost.contestant == name}
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
    measure = _measured_apart if evaluator.own_process else _measured
    results += [measure(evaluator, contestant, items, progress) for contestant in contestants]
    rows, remarks, exhibits, costs = (tuple(chain.from_iterable(parts)) for parts in zip(*results, strict=True))
    return Comparison(evaluator, data, tuple(contestants), rows, remarks, exhibits, costs)


def _measured_apart(evaluator: Evaluator, contestant: Contestant, items: Sequence[Item], progress: Progress) -> Result:
    try:
        return in_own_process(_measured_with_memory, (evaluator, contestant, items), progress)
    except Died as death:
        return Result(remarks=(Remark(contestant.name, str(death), True),))


def _measured_with_memory(
    evaluator: Evaluator, contestant: Contestant, items: Sequence[Item], progress: Progress
) -> Result:
    evaluator.prepare()
    forget_peak()
    before = own_usage()
    result = _measured(evaluator, contestant, items, progress)
    after = own_usage()
    if before is None or after is None or not result.rows:
        return result
    grown_mb = (after.peak_memory_bytes - before.memory_bytes) / 1e6
    return result._replace(costs=(Cost(contestant.name, MEMORY, grown_mb),))


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


def _rows(
    name: str, items: Sequence[Item], score: Callable[[Any], Scores | Judged], progress: Progress
) -> Iterator[Row]:
    for index, item in enumerate(items):
        progress(name, index, len(items))
        try:
            judged = score(item)
        except Exception as error:
            raise CompareError(f"{item.name}: {_told(error)}") from error
        yield Row(name, item.name, *(judged if isinstance(judged, Judged) else (judged,)))
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
