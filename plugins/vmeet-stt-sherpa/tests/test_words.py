"""From units with times to words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vmeet_stt_sherpa.words import plain, says_something, with_gaps, words_of


@pytest.mark.parametrize(
    ("text", "tokens", "words"),
    [
        ("你好", ["你", "好"], ["你", "好"]),
        ("你好,再見。", ["你", "好", ",", "再", "見", "。"], ["你", "好,", "再", "見。"]),
        ("Hello world.", [" He", "llo", " world", "."], ["Hello", "world."]),
        ("Hello world", ["▁He", "llo", "▁world"], ["Hello", "world"]),
        ("用 VMeet 開會", ["用", " V", "Me", "et", "開", "會"], ["用", "VMeet", "開", "會"]),
        ("用VMeet開會", ["用", "V", "Meet", "開", "會"], ["用", "VMeet", "開", "會"]),
        ("it's 2025年", [" it", "'", "s", " ", "20", "25", "年"], ["it's", "2025", "年"]),
        ("3.5, ok-ay.", [" 3", ".", "5", ",", " ok", "-", "ay", "."], ["3.5,", "ok-ay."]),
        ("ありがとう", ["あり", "がとう"], ["あり", "がとう"]),
        ("안녕 하세요", [" 안", "녕", " 하세요"], ["안녕", "하세요"]),
        ("你好", ["<|zh|>", "你", "<unk>", "好"], ["你", "好"]),
        ("「好」", ["「", "好", "」"], ["「", "好」"]),
    ],
)
def test_words(text: str, tokens: list[str], words: list[str]) -> None:
    times_s = [0.1 * number for number in range(len(tokens))]
    assert [word for _, _, word in words_of(text, tokens, times_s, 5.0)] == words


def test_pieces_of_paraformer_are_joined() -> None:
    tokens = ["mon@@", "day", "to@@", "mor@@", "row", "是", "星"]
    gaps = with_gaps(tokens)
    times_s = [0.1 * number for number in range(len(tokens))]
    found = words_of("monday tomorrow 是 星", gaps, times_s, 5.0)
    assert [word for _, _, word in found] == ["monday", "tomorrow", "是", "星"]


def test_times_end_with_the_next_unit_or_after_a_while() -> None:
    found = words_of("你好吗 ok", ["你", "好", "吗", " o", "k"], [0.5, 0.7, 1.5, 3.0, 3.1], 3.2)
    assert found == ((0.5, 0.7, "你"), (0.7, 1.0, "好"), (1.5, 1.8, "吗"), (3.0, 3.2, "ok"))


@pytest.mark.parametrize(
    ("text", "tokens", "times_s"),
    [
        ("你好", ["你", "好"], [0.1]),
        ("你好", ["你", "好"], []),
        ("你好", ["<0xE4>", "<0xBD>"], [0.1, 0.2]),
        ("你", ["你", "好"], [0.1, 0.2]),
        ("", [], []),
    ],
)
def test_what_does_not_fit_together_gives_no_words(text: str, tokens: list[str], times_s: list[float]) -> None:
    assert words_of(text, tokens, times_s, 5.0) == ()


@given(
    units=st.lists(st.tuples(st.sampled_from(["你", " a", "b", "。", "<|zh|>", " "]), st.floats(-1, 12)), max_size=30),
    end_s=st.floats(0.1, 10),
)
def test_words_are_in_order_and_inside_the_sound(units: list[tuple[str, float]], end_s: float) -> None:
    tokens, times_s = [unit for unit, _ in units], [time_s for _, time_s in units]
    text = plain("".join(tokens))
    found = words_of(text, tokens, times_s, end_s)
    starts = [start_s for start_s, _, _ in found]
    assert starts == sorted(starts)
    assert all(0 <= start_s <= word_end_s <= end_s + 5e-4 for start_s, word_end_s, _ in found)
    assert "".join(word for _, _, word in found) in ("", text.replace(" ", ""))


def test_tags_are_removed() -> None:
    assert plain(" <|zh|><|NEUTRAL|><|Speech|><|woitn|>你好 <|zh|>  吗<unk></s>") == "你好 吗"


def test_punctuation_says_nothing() -> None:
    assert not says_something("。 ,？!")
    assert says_something("。好")
    assert says_something("5")
