"""The report in its three forms: every figure is there, and nothing is loaded from elsewhere."""

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from vmeet_core.evaluate import evaluator
from vmeet_core.evaluate.comparison import Comparison, Contestant, Exhibit, Exhibition, Picture, Remark, Row
from vmeet_core.evaluate.report import as_html, as_json, as_text

VOID = {"meta", "img"}


@pytest.fixture
def comparison() -> Comparison:
    def row(name: str, item: str, db: float, rtf: float | None) -> Row:
        scores = {"si_sdr_db": db, "pesq": 2.0, "stoi": 0.9}
        return Row(name, item, scores if rtf is None else scores | {"rtf": rtf})

    rows = [row("noisy", "one", 1, None), row("noisy", "<two>", 2, None)]
    rows += [row("dtln", "one", 10, 0.02), row("dtln", "<two>", 11.5, 0.04)]
    dtln = Contestant("dtln", "A & B", "1.0", object, None)
    return Comparison(evaluator("denoisers"), Path("somewhere/pairs"), (dtln,), tuple(rows))


class Balance(HTMLParser):
    """Notes the tags that are open, and fails on one that is closed out of turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_json_is_means_and_counts(comparison: Comparison) -> None:
    assert json.loads(as_json(comparison)) == {
        "noisy": {"si_sdr_db": 1.5, "pesq": 2.0, "stoi": 0.9, "n": 2},
        "dtln": {"si_sdr_db": 10.75, "pesq": 2.0, "stoi": 0.9, "rtf": 0.03, "n": 2},
    }


def test_text_is_one_aligned_table(comparison: Comparison) -> None:
    lines = as_text(comparison).splitlines()
    assert [line.split() for line in lines] == [
        ["SI-SDR", "PESQ-WB", "STOI", "RTF", "n"],
        ["noisy", "1.50", "2.00", "0.900", "–", "2"],
        ["dtln", "10.75", "2.00", "0.900", "0.030", "2"],
    ]
    assert len({len(line) for line in lines}) == 1


def test_html_holds_every_figure_and_escapes_names(comparison: Comparison) -> None:
    page = as_html(comparison)
    assert {"10.75", "11.50", "0.030", "0.040", "1.50"} <= set(re.findall(r"[\d.]{4,}", page))
    assert "&lt;two&gt;" in page
    assert "<two>" not in page
    assert "A &amp; B 1.0" in page
    assert page.count("<td class=best>10.75</td>") == 1


def test_html_is_well_formed_and_self_contained(comparison: Comparison) -> None:
    page = as_html(comparison)
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert not re.search(r"https?:|src=|url\(|<script|<link", page)
    assert 'name="viewport"' in page


@pytest.fixture
def illustrated(comparison: Comparison) -> Comparison:
    """With pictures, a failure and a reservation."""
    pictures = (Picture("Photo <1>", "照片", b"\xff\xd8jpeg"), Picture("Mask", "遮罩", b"\xff\xd8jpeg"))
    exhibition = Exhibition("stoi", lambda item, engine, options: pictures, "red & blue", "紅與藍")
    remarks = (Remark("broken", "it raised <Error>", True), Remark("dtln", "half of it only", False))
    return replace(
        comparison,
        evaluator=comparison.evaluator._replace(exhibition=exhibition),
        exhibits=(Exhibit("dtln", "<two>", "worst", pictures),),
        remarks=remarks,
    )


def test_pictures_travel_inside_the_page_and_failures_are_told(illustrated: Comparison) -> None:
    page = as_html(illustrated)
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    sources = re.findall(r'src="([^"]*)"', page)
    assert sources == ["data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8jpeg").decode()] * 2
    assert not re.search(r"https?:|url\(|<script|<link", page)
    assert 'alt="Photo &lt;1&gt; (&lt;two&gt;, dtln)"' in page
    assert "red &amp; blue" in page
    assert "worst" in page
    assert "最差" in page
    assert "<dt>broken</dt><dd>it raised &lt;Error&gt;</dd>" in page


def test_what_failed_has_a_row_without_figures(illustrated: Comparison) -> None:
    assert json.loads(as_json(illustrated))["broken"] == {"n": 0}
    lines = as_text(illustrated).splitlines()
    assert lines[3].split() == ["broken", "–", "–", "–", "–", "0"]
    assert lines[4:] == ["dtln: half of it only"]


def test_what_was_measured_of_nothing_has_no_column(comparison: Comparison) -> None:
    rows = tuple(row._replace(scores={"stoi": row.scores["stoi"]}) for row in comparison.rows)
    bare = replace(comparison, rows=rows)
    assert as_text(bare).splitlines()[0].split() == ["STOI", "n"]
    assert "PESQ" not in as_html(bare)


def test_html_speaks_english_and_chinese(comparison: Comparison) -> None:
    page = as_html(comparison)
    for metric in comparison.evaluator.metrics:
        assert metric.title in page
        assert metric.title_zh in page
        assert metric.unit in page


def test_only_what_has_rivals_can_be_best(comparison: Comparison) -> None:
    assert "class=best>0.030" not in as_html(comparison)
