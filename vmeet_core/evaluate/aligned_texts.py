"""What was said beside what each contestant wrote, for the report: errors told apart by colour and by line."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any

from vmeet_core.evaluate.alignment import Operation, Step
from vmeet_core.evaluate.comparison import Comparison, Row, Texts
from vmeet_core.media.typography import typeset

#: Colours of Okabe and Ito's palette, which people who are colour-blind tell apart; the lines do without any.
STYLE = """
table.texts { table-layout: fixed; line-height: 1.9; }
.texts :is(th, td) { text-align: left; white-space: normal; vertical-align: top; width: 41%; overflow-wrap: anywhere; }
.texts th:first-child { width: 18%; }
.texts small { display: block; line-height: 1.4; font-weight: normal; }
@media (max-width: 40rem) {
  .texts thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .texts :is(tbody, tr, th:first-child, td) { display: block; width: auto; max-width: none; }
  .texts td { border-top: 0; } .texts td::before { content: attr(data-column); opacity: .75; margin-right: .5em; }
}
.substitution { background: #e69f0055; text-decoration: underline wavy; }
.deletion { background: #d55e0044; text-decoration: line-through; }
.insertion { background: #56b4e955; border: 1px dashed; padding: 0 .1em; }
"""
_NAMES: dict[Operation, tuple[str, str]] = {
    "substitution": ("substituted", "替換"),
    "deletion": ("left out", "漏掉"),
    "insertion": ("too much", "多出"),
}
_WORD_CHARS = 2  # a token as long as that is a word, and stands apart from its neighbours


def texts_as_html(comparison: Comparison) -> str:
    """A section; "" where there are no texts."""
    rows = [row for row in comparison.rows if row.texts is not None]
    if not rows:
        return ""
    items = "".join(
        f"<h3>{escape(item)}</h3>{_table([row for row in rows if row.item == item])}" for item in comparison.items
    )
    return f'<h2>Texts <span lang="zh-Hant">文字對照</span></h2>\n{_legend()}{items}'


def texts_as_json(row: Row) -> dict[str, Any]:
    """One item of a contestant: scores (null where they are infinite), both texts, and the steps from one to the other,
    each an operation, a token that was said and one that was written, "" for none.
    """
    scores = {name: value if math.isfinite(value) else None for name, value in row.scores.items()}
    found: dict[str, Any] = {"item": row.item, **scores}
    if row.texts is not None:
        found |= {"reference": row.texts.reference, "heard": row.texts.heard}
        found["alignment"] = [list(step) for step in row.texts.alignment.steps]
    return found


def _legend() -> str:
    marks = " · ".join(
        f'<span class={operation}>{name}</span> <span lang="zh-Hant" class={operation}>{name_zh}</span>'
        for operation, (name, name_zh) in _NAMES.items()
    )
    return (
        f"<p>{marks}</p>\n<p>What is compared: one script, no punctuation, numbers as they are read aloud. "
        'The small lines are the texts as they came.</p><p lang="zh-Hant">比對的文字：統一字體、去除標點、數字照讀音；'
        "小字為原來的文字。</p>\n"
    )


def _table(rows: Sequence[Row]) -> str:
    head = '<tr><th></th><th scope=col>said <span lang="zh-Hant">原文</span></th>'
    head += '<th scope=col>written <span lang="zh-Hant">辨識結果</span></th></tr>'
    body = "".join(
        f"<tr><th scope=row>{escape(row.contestant)}{_counts(row.texts)}</th>{_cells(row.texts)}</tr>\n"
        for row in rows
        if row.texts is not None
    )
    return f"<div class=scroll><table class=texts><thead>{head}</thead><tbody>{body}</tbody></table></div>\n"


def _counts(texts: Texts) -> str:
    lines = [f"{texts.alignment.errors} / {texts.alignment.reference_tokens}"]
    for operation, (name, name_zh) in _NAMES.items():
        if count := texts.alignment.count(operation):
            lines.append(f'{count} {name} <span lang="zh-Hant">{name_zh}</span>')
    return f"<small>{'<br>'.join(lines)}</small>"


def _cells(texts: Texts) -> str:
    steps = texts.alignment.steps
    said = "".join(_marked(steps, "reference")) + f"<small>{escape(texts.reference)}</small>"
    written = "".join(_marked(steps, "heard")) + f"<small>{escape(typeset(texts.heard))}</small>"
    return f'<td lang="zh" data-column="said 原文">{said}</td><td lang="zh" data-column="written 辨識">{written}</td>'


def _marked(steps: Sequence[Step], side: str) -> Iterator[str]:
    for operation, run in groupby(steps, key=lambda step: step.operation):
        text = escape(_written([getattr(step, side) for step in run]))
        if operation == "equal" or not text:
            yield text
        else:
            yield f'<span class={operation} title="{_NAMES[operation][0]} {_NAMES[operation][1]}">{text}</span>'


def _written(tokens: Sequence[str]) -> str:
    return "".join(f" {token} " if len(token) >= _WORD_CHARS else token for token in tokens)
