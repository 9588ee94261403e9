"""Tests of minutes as text and Markdown."""

from datetime import datetime, timedelta, timezone

import pytest
from spoken import transcript, utterance

from vmeet_core.media.minutes import About, clock, facts, markdown, plain_text, turns, words_of

TAIPEI = timezone(timedelta(hours=8))
ABOUT = About("週一例會", datetime(2026, 11, 26, 9, 5, tzinfo=TAIPEI), 3725.9)
SAID = transcript(
    utterance("p1", 12, 14, "早安。"),
    utterance("p1", 14.5, 16, "今天有三件事"),
    utterance("p1", 16.4, 17, "第一件是預算。"),
    utterance("p2", 20, 21, "好的，我先報告。"),
    utterance("p2", 24, 26, "上個月的支出比較多。"),
)


def test_plain_text_has_a_line_for_each_utterance() -> None:
    assert plain_text(SAID, ABOUT).splitlines() == [
        "週一例會",
        "日期：2026-11-26 09:05 (UTC+08:00)",
        "長度：1:02:05",
        "與會者：王小明、Ann",
        "語音辨識：whisper",
        "",
        "[0:00:12] 王小明：早安。",
        "[0:00:14] 王小明：今天有三件事",
        "[0:00:16] 王小明：第一件是預算。",
        "[0:00:20] Ann: 好的，我先報告。",
        "[0:00:24] Ann: 上個月的支出比較多。",
    ]


def test_markdown_has_a_turn_for_each_speaker_and_a_paragraph_after_each_pause() -> None:
    assert markdown(SAID, ABOUT).split("\n\n") == [
        "# 週一例會",
        "- 日期：2026-11-26 09:05 (UTC+08:00)\n- 長度：1:02:05\n- 與會者：王小明、Ann\n- 語音辨識：whisper",
        "## 逐字稿",
        "**王小明** `0:00:12`",
        "早安。今天有三件事　第一件是預算。",
        "**Ann** `0:00:20`",
        "好的，我先報告。",
        "上個月的支出比較多。\n",
    ]


def test_whoever_speaks_for_long_gets_more_time_stamps() -> None:
    said = [utterance("p1", at_s, at_s + 6, f"第{at_s}秒。") for at_s in range(0, 150, 10)]
    found = list(turns(transcript(*said)))
    assert [turn.start_s for turn in found] == [0, 70, 140]
    assert sum(len(turn.paragraphs) for turn in found) == 15


def test_nothing_of_what_is_said_is_markdown() -> None:
    text = markdown(
        transcript(utterance("p1", 0, 1, "# 1. *重點* [見](x) <b> a_b"), people={"p1": "- A*"}), About("1. _x_")
    )
    assert text.startswith("# 1\\. \\_x\\_\n")
    assert "\n\n**\\- A\\*** `0:00:00`\n\n\\# 1. \\*重點\\* \\[見\\](x) \\<b\\> a\\_b\n" in text


@pytest.mark.parametrize(
    ("language", "script", "heading", "nothing"),
    [
        ("zh", "traditional-tw", "逐字稿", "錄影"),
        ("zh-TW", "as-spoken", "逐字稿", "錄影"),
        ("yue", "simplified", "逐字稿", "录像"),
        ("en-GB", "traditional-tw", "Transcript", "Recording"),
    ],
)
def test_the_words_are_in_the_language_that_is_spoken(language: str, script: str, heading: str, nothing: str) -> None:
    said = transcript(utterance("p1", 0, 1, "…", language), script=script)
    assert words_of(said).transcript == heading
    assert markdown(said, About()).startswith(f"# {nothing}\n")


def test_what_is_not_known_is_not_told() -> None:
    empty = transcript(people={"p1": ""})
    assert facts(empty, About()) == [("Transcriber", "whisper")]
    assert plain_text(empty, About("Talk")).splitlines() == ["Talk", "Transcriber: whisper", "", "Nothing was said."]
    assert markdown(empty, About("Talk")).endswith("## Transcript\n\nNothing was said.\n")
    nameless = transcript(utterance("p1", 0, 1, "早。"), people={"p1": ""})
    assert plain_text(nameless, About()).endswith("[0:00:00] 早。\n")
    assert markdown(nameless, About()).endswith("\n\n`0:00:00`\n\n早。\n")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00:00"), (59.99, "0:00:59"), (36_061, "10:01:01")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text
