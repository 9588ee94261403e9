"""Error rates of texts, and of a whole bake-off."""

import sys
from pathlib import Path

import pytest

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.transcribers import METRICS, find_items, judge
from vmeet_core.evaluate.utterances import Utterance


def utterance(text: str) -> Utterance:
    return Utterance("a.flac", Path("a.flac"), text, 2.0)


def test_a_text_that_is_right_has_no_errors() -> None:
    scores = judge(utterance("我们三十个人开会。"), "我們30個人 開會").scores
    assert set(scores.values()) == {0.0}
    assert scores.keys() == {"cer", "ser", "substitutions", "deletions", "insertions"}


def test_each_kind_of_error_is_counted_and_the_kinds_make_the_rate() -> None:
    judged = judge(utterance("天氣很好今天晚上"), "天器很好天晚上嗎")
    assert judged.scores == {
        "cer": 3 / 8,
        "substitutions": 1 / 8,
        "deletions": 1 / 8,
        "insertions": 1 / 8,
        "ser": 2 / 8,  # 器 sounds like 氣
    }
    assert judged.texts is not None
    assert (judged.texts.reference, judged.texts.heard) == ("天氣很好今天晚上", "天器很好天晚上嗎")


def test_words_where_nothing_was_said_are_errors_without_end() -> None:
    assert judge(utterance("。"), "謝謝觀看").scores["cer"] == float("inf")
    assert judge(utterance("。"), "…").scores["cer"] == 0


def test_every_metric_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/compare.md").read_text(encoding="utf-8")
    for metric in METRICS:
        assert f"| `{metric.name}` | {metric.unit} | lower |" in text


def test_a_package_that_is_absent_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypinyin", None)
    with pytest.raises(CompareError, match=r"the package pypinyin is needed to measure: run pip install"):
        find_items(tmp_path)
