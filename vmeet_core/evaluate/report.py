"""A bake-off as JSON, as text for a terminal, and as one self-contained HTML page in English and Chinese."""

import base64
import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from vmeet_core.evaluate import aligned_texts
from vmeet_core.evaluate.comparison import Comparison, Exhibit, Metric, Picture, Scores

ABSENT = "–"
_RANKS_ZH = {"worst": "最差", "median": "中位", "best": "最佳"}
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --best: #1a7f3722; }
body { font: 16px/1.5 system-ui, "Noto Sans TC", sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p, dd { margin: .25rem 0; } small, .unit, dd { opacity: .75; } .unit { display: block; font-weight: normal; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .7rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { background: var(--soft); border-top: 0; vertical-align: bottom; }
th:first-child { text-align: left; white-space: normal; position: sticky; left: 0; background: Canvas; }
@media (max-width: 40rem) { th, td { padding: .3rem .4rem; font-size: .85rem; } th:first-child { max-width: 7rem; } }
td.best { background: var(--best); font-weight: 600; }
dt { font-weight: 600; margin-top: .5rem; } dd { margin-left: 1rem; }
.pictures { display: grid; grid-template-columns: repeat(4, 1fr); gap: .5rem; margin: .5rem 0 1.5rem; }
@media (max-width: 40rem) { .pictures { grid-template-columns: repeat(2, 1fr); } }
figure { margin: 0; } img { width: 100%; height: auto; border-radius: .25rem; } figcaption { font-size: .85rem; }
"""


def as_json(comparison: Comparison) -> str:
    """``{contestant: {metric: mean, ..., "n": items}, ...}``; where there are texts, ``items`` has them."""
    result: dict[str, dict[str, Any]] = {}
    for name, means in comparison.means().items():
        items = [aligned_texts.texts_as_json(row) for row in comparison.rows if row.contestant == name and row.texts]
        result[name] = {**means, "items": items} if items else {**means}
    return json.dumps(result, indent=2, ensure_ascii=False) + "\n"


def as_text(comparison: Comparison) -> str:
    """The means as an aligned table, and below it what it does not tell of those that did not fail."""
    metrics, means = comparison.metrics, comparison.means()
    width = max([12, *map(len, means)])
    columns = [max(10, len(metric.title) + 2) for metric in metrics]
    head = " " * width + "".join(f"{metric.title:>{size}}" for metric, size in zip(metrics, columns, strict=True))
    lines = [head + f"{'n':>6}"]
    for name, scores in means.items():
        cells = [f"{_value(metric, scores):>{size}}" for metric, size in zip(metrics, columns, strict=True)]
        lines.append(f"{name:{width}}{''.join(cells)}{round(scores['n']):>6}")
    return "\n".join([*lines, *(str(remark) for remark in comparison.remarks if not remark.failed)])


def as_html(comparison: Comparison) -> str:
    """The page: the means, pictures, each item, and what the figures mean. It loads nothing from elsewhere."""
    evaluator = comparison.evaluator
    title = f"{evaluator.title} {evaluator.title_zh}"
    count = len(comparison.items)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · VMeet</title><style>{_STYLE}{aligned_texts.STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>{count} items 個項目 · {escape(comparison.data.name)}</p>
<h2>Overall <span lang="zh-Hant">整體</span></h2>
{_means(comparison)}
{_remarks(comparison)}{_exhibits(comparison)}{aligned_texts.texts_as_html(comparison)}
<h2>Each item <span lang="zh-Hant">各項目</span></h2>
{"".join(_item_table(comparison, metric) for metric in comparison.metrics)}
<h2>What the figures mean <span lang="zh-Hant">數值說明</span></h2>
<dl>{"".join(_meaning(metric) for metric in comparison.metrics)}</dl>
</body></html>
"""


def _means(comparison: Comparison) -> str:
    metrics, means = comparison.metrics, comparison.means()
    best = {metric.name: _best(metric, means.values()) for metric in metrics}
    rows = [
        _row(_label(comparison, name), [_cell(metric, scores, best[metric.name]) for metric in metrics])
        for name, scores in means.items()
    ]
    return _table([_heading(metric) for metric in metrics], rows)


def _item_table(comparison: Comparison, metric: Metric) -> str:
    """One metric: a row an item, a column a contestant; items and contestants without the metric are left out."""
    having = {(row.contestant, row.item) for row in comparison.rows if metric.name in row.scores}
    names = [name for name in comparison.names if any(name == contestant for contestant, _ in having)]
    rows = []
    for item in [item for item in comparison.items if any(item == other for _, other in having)]:
        scores = [comparison.scores(name, item) for name in names]
        best = _best(metric, scores)
        rows.append(_row(f"{escape(item)}", [_cell(metric, each, best) for each in scores]))
    if not rows:
        return ""
    heading = f'<h3>{escape(metric.title)} <small lang="zh-Hant">{escape(metric.title_zh)}</small></h3>'
    return heading + _table([f"<th scope=col>{escape(name)}</th>" for name in names], rows)


def _remarks(comparison: Comparison) -> str:
    if not comparison.remarks:
        return ""
    texts = (f"<dt>{escape(remark.contestant)}</dt><dd>{escape(remark.text)}</dd>" for remark in comparison.remarks)
    return f'<h2>Not measured <span lang="zh-Hant">未能測量</span></h2>\n<dl>{"".join(texts)}</dl>\n'


def _exhibits(comparison: Comparison) -> str:
    exhibition = comparison.evaluator.exhibition
    if exhibition is None or not comparison.exhibits:
        return ""
    (metric,) = (metric for metric in comparison.metrics if metric.name == exhibition.metric)
    return (
        f'<h2>Pictures <span lang="zh-Hant">圖例</span></h2>\n<p>{escape(exhibition.legend)}</p>'
        f'<p lang="zh-Hant">{escape(exhibition.legend_zh)}</p>\n'
        + "".join(_exhibit(comparison, metric, exhibit) for exhibit in comparison.exhibits)
    )


def _exhibit(comparison: Comparison, metric: Metric, exhibit: Exhibit) -> str:
    value = _value(metric, comparison.scores(exhibit.contestant, exhibit.item))
    rank = f'{exhibit.rank} <span lang="zh-Hant">{_RANKS_ZH[exhibit.rank]}</span>'
    heading = f"<h3>{escape(exhibit.contestant)}: {rank}</h3>"
    figures = "".join(_figure(picture, exhibit) for picture in exhibit.pictures)
    return (
        f"{heading}<p>{escape(exhibit.item)} · {escape(metric.title)} {value}</p><div class=pictures>{figures}</div>\n"
    )


def _figure(picture: Picture, exhibit: Exhibit) -> str:
    data = base64.b64encode(picture.jpeg).decode("ascii")
    label = escape(f"{picture.title} ({exhibit.item}, {exhibit.contestant})", quote=True)
    caption = f'{escape(picture.title)} <span lang="zh-Hant">{escape(picture.title_zh)}</span>'
    return f'<figure><img alt="{label}" src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _table(headings: Iterable[str], rows: Iterable[str]) -> str:
    head = f"<tr><th></th>{''.join(headings)}</tr>"
    return f"<div class=scroll><table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table></div>"


def _row(label: str, cells: Iterable[str]) -> str:
    return f"<tr><th scope=row>{label}</th>{''.join(cells)}</tr>\n"


def _label(comparison: Comparison, name: str) -> str:
    """A contestant with its title and version; the baseline with what it is."""
    for contestant in comparison.contestants:
        if contestant.name == name:
            return f"{escape(name)}<small class=unit>{escape(f'{contestant.title} {contestant.version}')}</small>"
    return f"{escape(name)}<small class=unit>unprocessed 未處理</small>"


def _heading(metric: Metric) -> str:
    arrow = "↑" if metric.better > 0 else "↓"
    title = f'{escape(metric.title)} {arrow}<span class=unit lang="zh-Hant">{escape(metric.title_zh)}</span>'
    return f"<th scope=col>{title}<span class=unit>{escape(metric.unit)}</span></th>"


def _cell(metric: Metric, scores: Scores, best: float | None) -> str:
    mark = " class=best" if best is not None and scores.get(metric.name) == best else ""
    return f"<td{mark}>{_value(metric, scores)}</td>"


def _best(metric: Metric, rows: Iterable[Mapping[str, float]]) -> float | None:
    values = [row[metric.name] for row in rows if metric.name in row]
    return max(values, key=lambda value: metric.better * value) if len(values) > 1 else None


def _value(metric: Metric, scores: Scores) -> str:
    return f"{scores[metric.name]:.{metric.digits}f}" if metric.name in scores else ABSENT


def _meaning(metric: Metric) -> str:
    direction = ("higher is better", "越高越好") if metric.better > 0 else ("lower is better", "越低越好")
    return (
        f"<dt>{escape(metric.title)} ({escape(metric.unit)})</dt><dd>{escape(metric.meaning)}; {direction[0]}.</dd>"
        f'<dd lang="zh-Hant">{escape(metric.meaning_zh)},{direction[1]}。</dd>'
    )
