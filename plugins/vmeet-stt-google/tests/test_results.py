"""Google's results as segments: in order, inside the sound, words that make up the text."""

from typing import Any

import pytest
from vmeet_stt_google.results import segments_of

from vmeet_core.hookspecs import Segment


def test_words_carry_spaces_before_and_punctuation_after(make_result: Any) -> None:
    words = [("Hello", 0.1, 0.4), ("world", 0.5, 0.9), ("quoted", 1.0, 1.4)]
    (segment,) = segments_of([make_result(' Hello, world! "quoted".', words, 1.5, "en-us")], 2.0, "en-US")
    assert segment.text == 'Hello, world! "quoted".'
    assert [text for *_, text in segment.words] == ["Hello,", " world!", ' "quoted".']
    assert (segment.start_s, segment.end_s, segment.language) == (0.1, 1.4, "en-US")


def test_chinese_words(make_result: Any) -> None:
    words = [("「早安", 0.0, 0.4), ("王", 0.5, 0.9), ("先生", 1.0, 1.4)]
    (segment,) = segments_of([make_result("「早安」,《王》先生。", words, 1.5)], 2.0, "auto")
    assert [text for *_, text in segment.words] == ["「早安」,", "《王》", "先生。"]
    assert "".join(text for *_, text in segment.words) == segment.text


@pytest.mark.parametrize("words", [[("早", 0, 0), ("安", 0, 0)], [("晚安", 0.1, 0.5)], []])
def test_words_without_times_or_that_are_not_in_the_text_are_left_out(make_result: Any, words: Any) -> None:
    result = make_result("早安", words, 1.5)
    assert segments_of([result], 2.0, "auto") == [Segment(0.0, 1.5, "早安", "zh-TW", pytest.approx(0.9))]


def test_each_result_begins_where_the_one_before_ends(make_result: Any) -> None:
    results = [
        make_result("一", [], 1.0),
        make_result("", [], 1.5),
        make_result("二", [], 0.0),
        make_result("三", [], 9.0),
    ]
    found = segments_of(results, 4.0, "auto")
    assert [(each.start_s, each.end_s, each.text) for each in found] == [(0, 1, "一"), (1.5, 4, "二"), (4, 4, "三")]


def test_times_that_make_no_sense_are_brought_inside(make_result: Any) -> None:
    words = [("一", 0.5, 0.9), ("二", 0.2, 0.1), ("三", 1.8, 7.0)]
    (segment,) = segments_of([make_result("一二三", words, 8.0)], 2.0, "auto")
    assert segment.words == ((0.5, 0.9, "一"), (0.5, 0.5, "二"), (1.8, 2.0, "三"))


def test_results_without_alternatives_and_confidence(make_result: Any) -> None:
    empty, doubtful = make_result("", [], 1.0), make_result("嗯", [], 2.0, "")
    empty.alternatives.clear()
    doubtful.alternatives[0].confidence = 0
    assert segments_of([empty, doubtful], 2.0, "cmn-Hant-TW") == [Segment(1.0, 2.0, "嗯", "zh-TW", None)]
    assert segments_of([doubtful], 2.0, "auto")[0].language == "und"
