"""Tests of captions that can be read."""

from itertools import pairwise

import pytest

from vmeet_core.media.caption_lines import (
    LINE_WIDTH,
    LINES,
    LONGEST_S,
    SHORTEST_S,
    WIDTH_PER_S,
    Caption,
    Said,
    captions,
    width,
)

LONG = (
    "各位早安，今天我們要討論的是第三季的營運報告，請大家先看第一頁的圖表。這一季的營收比去年同期成長了百分之十二，"
    "主要來自海外市場；不過成本也上升了，所以毛利率沒有明顯的改善。接下來請小明說明細節！"
)


def test_widths_count_full_width_characters() -> None:
    assert width("早安") == 2
    assert width("VMeet 2") == 3.5
    assert width("你好，Ben。") == 5.5


def test_lines_are_short_and_end_where_one_pauses() -> None:
    found = captions([Said(10.0, 40.0, LONG)])
    assert "".join(line for caption in found for line in caption.lines) == LONG
    for caption in found:
        assert 1 <= len(caption.lines) <= LINES
        assert all(width(line) <= LINE_WIDTH for line in caption.lines)
        assert caption.end_s - caption.start_s <= LONGEST_S
        assert caption.lines[-1][-1] in "，。；！"
        assert not any(line[0] in "，。；！" for line in caption.lines)
    assert found[0].start_s == 10.0
    assert all(before.end_s <= after.start_s + 1e-9 for before, after in pairwise(found))


def test_words_keep_their_times() -> None:
    said = [Said(1.0, 1.5, "早"), Said(1.5, 2.0, "安。"), Said(3.5, 4.5, "再見。"), Said(4.8, 5.8, "Ben。")]
    assert captions(said) == [Caption(1.0, 2.0, ("早安。",)), Caption(3.5, 5.8, ("再見。Ben。",))]


def test_what_is_said_fast_stays_long_enough_to_be_read() -> None:
    text = "這句話說得非常非常非常快所以要久一點。"
    (caption,) = captions([Said(0.0, 1.0, text)])
    assert caption.end_s == pytest.approx(width(text) / WIDTH_PER_S)
    assert captions([Said(0.0, 0.1, "好。")])[0].end_s == SHORTEST_S
    assert captions([Said(0.0, 0.1, "好。")], until_s=0.5)[0].end_s == 0.5


def test_latin_words_and_brackets_are_not_torn() -> None:
    text = "我們用「VMeet」和 Kubernetes 來部署 internationalization 的服務（測試版），很方便。"
    found = captions([Said(0.0, 12.0, text)])
    lines = [line for caption in found for line in caption.lines]
    assert all(width(line) <= LINE_WIDTH for line in lines)
    for word in ("「VMeet」", "Kubernetes", "internationalization"):
        assert any(word in line for line in lines)
    assert not any(line[-1] in "「（" or line[0] in "」），" for line in lines)


def test_a_word_longer_than_a_line_is_shown_all_the_same() -> None:
    word = "a" * 50
    assert captions([Said(0.0, 1.0, f"好 {word} 好")])[1].lines == (word,)


def test_nothing_said_gives_nothing() -> None:
    assert captions([]) == []
    assert captions([Said(0.0, 1.0, "  ")]) == []
