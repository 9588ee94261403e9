"""Tags of meetings, and the languages of models."""

import pytest
from vmeet_stt_sherpa.language import language_heard, language_of

from vmeet_core.hookspecs import Permanent

SENSE_VOICE = ("zh", "en", "ja", "ko", "yue")


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("auto", "auto"),
        ("zh", "zh"),
        ("zh-Hant-TW", "zh"),
        ("ZH-tw", "zh"),
        ("cmn-Hans-CN", "zh"),
        ("yue", "yue"),
        ("zh-HK", "yue"),
        ("zh-yue", "yue"),
        ("en-GB", "en"),
        ("ja-JP", "ja"),
        ("ko", "ko"),
    ],
)
def test_tags_of_sense_voice(tag: str, language: str) -> None:
    assert language_of(tag, SENSE_VOICE) == language


def test_without_cantonese_hong_kong_is_chinese() -> None:
    assert language_of("zh-HK", ("zh", "en")) == "zh"


@pytest.mark.parametrize("tag", ["fr", "tlh", "", "x-klingon"])
def test_another_language_is_refused_with_those_that_are_known(tag: str) -> None:
    with pytest.raises(Permanent, match=rf"does not know the language '{tag}': it knows zh, en"):
        language_of(tag, ("zh", "en"))


@pytest.mark.parametrize(
    ("text", "known", "language"),
    [
        ("你好", ("zh", "en"), "zh"),
        ("hello", ("zh", "en"), "en"),
        ("VMeet 很好", ("en", "zh"), "zh"),
        ("hello", ("zh",), "zh"),
        ("你好", ("en",), "en"),
    ],
)
def test_the_script_tells_the_language(text: str, known: tuple[str, ...], language: str) -> None:
    assert language_heard(text, known) == language
