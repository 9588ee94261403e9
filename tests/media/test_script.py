"""Tests of Chinese scripts: what is Simplified is converted once, what is Traditional is left alone."""

from pathlib import Path

import pytest

from vmeet_core.media.script import in_script, is_simplified

#: As people in Taiwan write: words that a second conversion spoils, surnames, and signs that both scripts have.
TRADITIONAL = (Path(__file__).parent / "traditional_phrases.txt").read_text(encoding="utf-8").split()

SIMPLIFIED = {
    "软件": "軟體",
    "硬盘": "硬碟",
    "我们的信息": "我們的資訊",
    "视频": "影片",
    "网络": "網路",
    "这个程序": "這個程式",
    "鼠标": "滑鼠",
    "头发": "頭髮",
    "发现": "發現",
    "面条": "麵條",
    "干净": "乾淨",
    "我们的干部": "我們的幹部",
    "这里": "這裡",
    "后来他们说": "後來他們說",
    "早安，今天天气很好": "早安，今天天氣很好",
    "我们的会议记录": "我們的會議記錄",
    "范先生说余小姐来了": "范先生說余小姐來了",
    "于老师，您好": "于老師，您好",
    "关于老师的问题": "關於老師的問題",
    "然后老师说": "然後老師說",
    "范围": "範圍",
    "业余": "業餘",
}


def test_the_list_is_long_enough() -> None:
    assert len(TRADITIONAL) >= 200
    assert len(set(TRADITIONAL)) == len(TRADITIONAL)


@pytest.mark.parametrize("phrase", TRADITIONAL)
def test_traditional_text_stays_as_it_is(phrase: str) -> None:
    assert in_script(phrase, "traditional-tw") == phrase
    sentence = f"我們說「{phrase}」，對吧？"
    assert in_script(sentence, "traditional-tw") == sentence


@pytest.mark.parametrize(("before", "after"), SIMPLIFIED.items())
def test_simplified_text_becomes_taiwanese_once(before: str, after: str) -> None:
    assert in_script(before, "traditional-tw") == after
    assert in_script(after, "traditional-tw") == after
    assert not is_simplified(after)


def test_mixed_text_is_told_apart_phrase_by_phrase() -> None:
    mixed = "这个文件里有数据。這份文件很重要，余小姐說的。软件"
    assert in_script(mixed, "traditional-tw") == "這個檔案裡有資料。這份文件很重要，余小姐說的。軟體"
    assert in_script("軟件里的数据", "traditional-tw") == "軟件裡的資料"


def test_a_phrase_that_could_be_either_is_what_those_around_it_are() -> None:
    assert in_script("后面，里面，我们的", "traditional-tw") == "後面，裡面，我們的"
    assert in_script("后里，里長，我們的", "traditional-tw") == "后里，里長，我們的"
    assert in_script("后面", "traditional-tw") == "后面"


def test_names_come_out_as_they_are_given() -> None:
    names = ["陳怡君", "范余", "王小明", "李"]
    assert in_script("陈怡君和范余说，王小明来了", "traditional-tw", names) == "陳怡君和范余說，王小明來了"
    assert in_script("陳怡君來了", "simplified", names) == "陳怡君来了"


def test_the_other_scripts() -> None:
    assert in_script("軟體和文件", "simplified") == "软体和文件"
    assert in_script("软件和文件", "as-spoken") == "软件和文件"
    assert in_script("", "traditional-tw") == ""
    odd = "Hello, 余老师 123 \ue000\ue001"
    assert in_script(odd, "traditional-tw", ["王小明"]) == "Hello, 余老師 123 \ue000\ue001"
