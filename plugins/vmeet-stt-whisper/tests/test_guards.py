"""What is taken for an invention, and what is not."""

import pytest
from vmeet_stt_whisper.guards import is_echo_of_names, is_invented, sureness, syllables, without_loops
from vmeet_stt_whisper.network import Found
from vmeet_stt_whisper.voice import Stretch, Voice
from vmeet_stt_whisper.words import Word

SPOKEN = Voice(3.0, (Stretch(0.0, 3.0),))
PROMPT = "以下是普通話的句子。"


def heard(no_speech: float, mean_logprob: float = -0.5) -> Found:
    return Found([], "", mean_logprob, no_speech)


def said(text: str, probability: float = 0.8, seconds: float = 3.0) -> list[Word]:
    step_s = seconds / len(text)
    return [Word(i * step_s, (i + 1) * step_s, each, probability) for i, each in enumerate(text)]


def test_speech_passes() -> None:
    assert not is_invented(said("今天的會議到此結束"), SPOKEN, heard(0.1), PROMPT)


def test_what_is_said_away_from_any_voice_does_not() -> None:
    assert is_invented(said("今天的會議到此結束"), Voice(1.0, (Stretch(8.0, 9.0),)), heard(0.1), PROMPT)


def test_faster_than_anybody_speaks() -> None:
    assert is_invented(said("今天的會議到此結束我們下週再談" * 4), SPOKEN, heard(0.0), PROMPT)


def test_doubt_counts_where_nobody_seems_to_speak() -> None:
    assert is_invented(said("你好", 0.4), SPOKEN, heard(0.9), PROMPT)
    assert not is_invented(said("你好", 0.4), SPOKEN, heard(0.1), PROMPT)
    assert not is_invented(said("你好", 0.8), SPOKEN, heard(0.9), PROMPT)


def test_guessed_words_are_nothing() -> None:
    assert is_invented(said("你好", 0.1), SPOKEN, heard(0.0), PROMPT)


def test_a_misheard_word_beside_sure_ones_was_said() -> None:
    assert is_invented(said("公", 0.08), SPOKEN, heard(0.0), PROMPT, sureness_of_all=0.1)
    assert not is_invented(said("公", 0.08), SPOKEN, heard(0.0), PROMPT, sureness_of_all=0.6)
    assert is_invented(said("今天的會議", 0.08), SPOKEN, heard(0.0), PROMPT, sureness_of_all=0.6)


@pytest.mark.parametrize(
    ("told", "plain", "is_echo"),
    [
        ("Person 1、Person 2。", "换一首歌", True),
        ("王小明。", "換一首歌。", True),
        ("王小明。", "王曉明。", False),
        ("王小明，換一首歌。", "王曉明，換一首歌。", False),
        ("王小明換一首歌", "亂七八糟", False),
        ("kevin", "Kavin.", False),
    ],
)
def test_names_that_only_echo(told: str, plain: str, is_echo: bool) -> None:
    assert is_echo_of_names(told, ("王小明", "Person 1", "Person 2", "Kevin"), plain) == is_echo


def test_an_unlikely_text_counts_less() -> None:
    assert is_invented(said("你好", 0.9), SPOKEN, heard(0.4, -1.5), PROMPT)
    assert not is_invented(said("你好", 0.9), SPOKEN, heard(0.1, -1.5), PROMPT)


def test_an_echo_of_the_prompt() -> None:
    assert is_invented(said("普通話的句子", 0.3), SPOKEN, heard(0.1), PROMPT)
    assert not is_invented(said("普通話的句子", 0.9), SPOKEN, heard(0.1), PROMPT)


def test_how_videos_end_goes_only_in_doubt() -> None:
    assert is_invented(said("謝謝收看", 0.4), SPOKEN, heard(0.1), PROMPT)
    assert is_invented(said("謝謝收看", 0.9), SPOKEN, heard(0.5), PROMPT)
    assert not is_invented(said("謝謝收看", 0.9), SPOKEN, heard(0.1), PROMPT)
    assert is_invented(said("字幕由Amara.org社區提供", 1.0), SPOKEN, heard(0.0), PROMPT)


@pytest.mark.parametrize("text", ["", "。。。", " … "])
def test_marks_alone_are_nothing(text: str) -> None:
    assert is_invented([Word(0.0, 1.0, text, 1.0)], SPOKEN, heard(0.0), PROMPT)


def test_loops_are_cut_short() -> None:
    words = [*said("好"), *said("試" * 9), *said("一二" * 7), *said("完")]
    assert "".join(word.text for word in without_loops(words)) == "好試試試一二一二一二完"


def test_what_people_repeat_stays() -> None:
    words = said("哈哈哈哈哈對對對一二三一二三")
    assert without_loops(words) == words


def test_sureness_and_syllables() -> None:
    assert sureness([]) == 0
    assert sureness([Word(0, 1, "a", 0.2), Word(1, 2, "b", 0.6)]) == pytest.approx(0.4)
    assert syllables("你好abc") == 3
