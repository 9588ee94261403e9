"""The texts in the report: nothing is lost, nothing is markup, errors are told without colour, too."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from vmeet_core.evaluate import evaluator
from vmeet_core.evaluate.aligned_texts import STYLE
from vmeet_core.evaluate.comparison import Comparison, Contestant, Cost, Row
from vmeet_core.evaluate.report import as_html, as_json, as_text
from vmeet_core.evaluate.transcribers import judge
from vmeet_core.evaluate.utterances import Utterance

VOID = {"meta", "br"}


class Cells(HTMLParser):
    """The text of each cell of the tables of texts, and the classes of the marks in it; fails on crossed tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.marks: list[tuple[str, str]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        self.open.append(tag)
        named = dict(attrs)
        if tag == "td" and named.get("lang") == "zh":
            self.cells.append("")
        elif tag == "span" and named.get("class") and "title" in named:
            self.marks.append((str(named["class"]), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open and self.cells and "small" not in self.open:
            self.cells[-1] += data
            if self.open[-1] == "span":
                self.marks[-1] = (self.marks[-1][0], self.marks[-1][1] + data)


def row(name: str, item: str, reference: str, heard: str) -> Row:
    return Row(name, item, *judge(Utterance(item, Path(item), reference, 1.0), heard))


@pytest.fixture
def comparison() -> Comparison:
    rows = [
        row("whisper", "<a>.flac", "今天用Python寫程式", "今天用 <b>PyTorch 城市 嗎"),
        row("whisper", "silent.flac", "", "謝謝觀看"),
        row("google", "<a>.flac", "今天用Python寫程式", "今天用Python写程式。"),
    ]
    contestants = tuple(Contestant(name, name.title(), "1", object, None) for name in ("whisper", "google"))
    costs = (Cost("whisper", "memory_mb", 312.4),)
    return Comparison(evaluator("transcribers"), Path("mandarin"), contestants, tuple(rows), (), (), costs)


def test_both_texts_are_whole_and_every_error_is_marked(comparison: Comparison) -> None:
    found = Cells(as_html(comparison))
    said, written = "今天用 python 写程式", "今天用 b pytorch 城市吗"
    shown = [" ".join(cell.split()) for cell in found.cells]
    assert [re.sub(" ", "", text) for text in shown[:2]] == [re.sub(" ", "", text) for text in (said, written)]
    assert {kind for kind, _ in found.marks} <= {"substitution", "deletion", "insertion"}
    marked = re.sub(r"\s", "", "".join(text for kind, text in found.marks if kind != "deletion"))
    assert "pytorch" in marked
    assert ("insertion", "谢谢观看") in found.marks


def test_nothing_in_a_text_or_a_name_is_markup(comparison: Comparison) -> None:
    page = as_html(comparison)
    assert "<b>" not in page
    assert "<a>" not in page
    assert "&lt;b&gt;PyTorch" in page


def test_errors_differ_without_colour() -> None:
    for kind, line in (("substitution", "underline wavy"), ("deletion", "line-through"), ("insertion", "dashed")):
        (rule,) = (each for each in STYLE.splitlines() if each.startswith(f".{kind} "))
        assert line in rule


def test_the_legend_is_in_both_languages(comparison: Comparison) -> None:
    page = as_html(comparison)
    for name in ("substituted", "left out", "too much", "替換", "漏掉", "多出", "文字對照"):
        assert name in page


def test_json_is_json_and_rates_without_end_are_null(comparison: Comparison) -> None:
    found = json.loads(as_json(comparison), parse_constant=pytest.fail)
    assert found["google"]["cer"] == 0
    assert found["whisper"]["memory_mb"] == 312.4
    assert found["whisper"]["n"] == len(found["whisper"]["items"]) == 2
    silent = found["whisper"]["items"][1]
    assert (silent["item"], silent["cer"], silent["heard"]) == ("silent.flac", None, "謝謝觀看")
    assert silent["alignment"] == [["insertion", "", character] for character in "谢谢观看"]


def test_what_belongs_to_no_item_has_no_table_of_items(comparison: Comparison) -> None:
    page = as_html(comparison)
    assert page.count(">312<") == 1
    assert '<h3>Memory <small lang="zh-Hant">' not in page
    assert "312" in as_text(comparison)


def test_without_texts_there_is_no_section(comparison: Comparison) -> None:
    bare = Comparison(evaluator("denoisers"), Path("pairs"), (), (Row("noisy", "a", {"stoi": 0.5}),))
    assert "文字對照" not in as_html(bare)
    assert json.loads(as_json(bare)) == {"noisy": {"stoi": 0.5, "n": 1}}
