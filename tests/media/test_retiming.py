"""Tests of the times of words whose text was changed."""

import pytest

from vmeet_core.media.retiming import Timed, retimed

WORDS = [(0.0, 0.4, "软"), (0.4, 1.0, "件"), (1.5, 2.0, " 的"), (2.0, 3.0, "bug")]


def test_words_stay_in_their_places() -> None:
    timed = retimed(WORDS, "軟體的 bug。")
    assert "".join(each.text for each in timed) == "軟體的 bug。"
    assert timed[0] == Timed(0.0, 0.4, "軟")
    assert timed[1] == Timed(0.4, 1.0, "體")
    assert timed[2].start_s >= 1.5
    assert (timed[-1].text, timed[-1].start_s, timed[-1].end_s) == ("bug。", 2.0, 3.0)


def test_what_becomes_longer_or_shorter_shares_the_time() -> None:
    timed = retimed([(0.0, 1.0, "二十"), (1.0, 2.0, "三"), (2.0, 3.0, "人")], "23 人")
    assert [each.text for each in timed] == ["23 ", "人"]
    assert (timed[0].start_s, timed[0].end_s) == (0.0, 2.0)
    longer = retimed([(0.0, 1.0, "信息"), (1.0, 2.0, "好")], "資訊很好")
    assert [each.text for each in longer] == ["資", "訊", "很", "好"]
    assert (longer[0].start_s, longer[-1].end_s) == (0.0, 2.0)


@pytest.mark.parametrize(("words", "text"), [([], "你好"), (WORDS, ""), ([(0.0, 1.0, "")], "好")])
def test_without_words_or_text_there_is_nothing(words: list[tuple[float, float, str]], text: str) -> None:
    assert retimed(words, text) == []


def test_times_never_go_back() -> None:
    timed = retimed([(0.0, 1.0, "abc "), (1.0, 2.0, "def "), (2.0, 3.0, "ghi")], "ghi abc, def!")
    assert "".join(each.text for each in timed) == "ghi abc, def!"
    times = [time_s for each in timed for time_s in (each.start_s, each.end_s)]
    assert times == sorted(times)
