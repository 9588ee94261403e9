"""Tests of captions made of a transcript."""

import time
from itertools import pairwise

import pytest
from spoken import transcript, utterance, words

from vmeet_core.media.caption_lines import LINE_WIDTH, LINES, width
from vmeet_core.media.speech_captions import cues

LONG = "今天我們要討論的是下一季的預算，還有新產品上市的時間表，請大家先看手上的資料。"


def test_captions_are_short_and_lose_no_word() -> None:
    found = cues(transcript(utterance("p1", 10, 20, LONG)))
    assert len(found) > 1
    assert "".join(cue.text.replace("\n", "") for cue in found) == LONG
    for cue in found:
        assert cue.speaker == "王小明"
        assert len(cue.text.splitlines()) <= LINES
        assert all(width(line) <= LINE_WIDTH for line in cue.text.splitlines())
    assert found[0].start_s == 10
    assert all(before.end_s <= after.start_s for before, after in pairwise(found))


def test_people_who_speak_at_once_have_cues_at_once() -> None:
    both = transcript(
        utterance("p1", 1, 6, "這個部分由我來說明，請各位看一下螢幕。"),
        utterance("p2", 2, 3, "Yes.", "en"),
        utterance("p1", 7, 8, "好。"),
    )
    found = cues(both)
    assert [(cue.speaker, cue.start_s) for cue in found] == [("王小明", 1), ("Ann", 2), ("王小明", 7)]
    assert found[0].end_s > found[1].end_s
    assert found[0].end_s <= 7


def test_word_times_say_when_a_caption_begins() -> None:
    text = "第一句話說得很快。" + "第二句話說得很慢。" * 2
    spoken = words(0, 0.1, *text[:9]) + words(4, 0.3, *text[9:])
    with_words = cues(transcript(utterance("p1", 0, 9.4, text, words=spoken)))
    assert [cue.start_s for cue in with_words] == [0, 4]
    assert cues(transcript(utterance("p1", 0, 9.4, text)))[1].start_s != 4


def test_words_that_are_not_the_text_are_left_alone() -> None:
    spoken = words(5, 0.5, "别", "的")
    found = cues(transcript(utterance("p1", 1, 2, "軟體", words=spoken)))
    assert [(cue.start_s, cue.text) for cue in found] == [(1, "軟體")]


def test_latin_words_keep_their_spaces() -> None:
    spoken = words(0, 0.4, "Good ", "morning ", "everyone.")
    said = [
        utterance("p2", 0, 1.2, "Good morning everyone.", "en", spoken),
        utterance("p2", 1.3, 2, "Shall we?", "en"),
    ]
    assert [cue.text for cue in cues(transcript(*said))] == ["Good morning everyone. Shall we?"]


def test_without_punctuation_a_pause_parts_what_is_said() -> None:
    said = [utterance("p1", 0, 1.5, "我們開始吧"), utterance("p1", 1.9, 4, "先看上次的記錄")]
    assert [cue.text for cue in cues(transcript(*said))] == ["我們開始吧　先看上次的記錄"]


def test_a_short_answer_is_shown_long_enough_to_be_read() -> None:
    said = [utterance("p1", 0, 0.3, "好。"), utterance("p2", 0.4, 2, "Fine.", "en")]
    assert cues(transcript(*said))[0].end_s == 1


def test_names_are_told_where_somebody_else_goes_on() -> None:
    said = [
        utterance("p1", 0, 1, "早安。"),
        utterance("p1", 3, 4, "請坐。"),
        utterance("p2", 5, 6, "Thank you.", "en"),
    ]
    texts = [cue.text for cue in cues(transcript(*said), named=True)]
    assert texts == ["王小明：早安。", "請坐。", "Ann: Thank you."]
    assert cues(transcript(said[0]), named=True)[0].text == "早安。"


@pytest.mark.parametrize("people", [{}, {"p1": ""}])
def test_a_speaker_without_a_name_speaks_all_the_same(people: dict[str, str]) -> None:
    found = cues(transcript(utterance("p1", 0, 1, "早安。"), people=people), named=True)
    assert [(cue.speaker, cue.text) for cue in found] == [("", "早安。")]


def test_nothing_said_is_no_caption() -> None:
    assert cues(transcript()) == []
    assert cues(transcript(utterance("p1", 0, 1, " "))) == []


def test_a_long_meeting_takes_no_long_time() -> None:
    said = [utterance("p1" if n % 40 < 30 else "p2", n * 3.6, n * 3.6 + 3.4, LONG[n % 20 :]) for n in range(300)]
    began = time.process_time()
    assert len(cues(transcript(*said))) > 300
    assert time.process_time() - began < 3
