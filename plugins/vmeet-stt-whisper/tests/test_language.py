"""Names of languages, and evidence that grows."""

import pytest
from vmeet_stt_whisper.language import LANGUAGES, LanguageEvidence, bcp47, whisper_language

from vmeet_core.hookspecs import Permanent

KNOWN = ("en", "ja", "jw", "no", "zh")
MANDARIN, JAPANESE = {"zh": 0.95, "ja": 0.04, "en": 0.01}, {"zh": 0.05, "ja": 0.94, "en": 0.01}
ENGLISH = {"zh": 0.01, "ja": 0.0, "en": 0.99}


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("zh", "zh"),
        ("zh-TW", "zh"),
        ("zh-Hant-TW", "zh"),
        ("cmn", "zh"),
        ("yue-HK", "zh"),
        ("EN_gb", "en"),
        ("jv", "jw"),
    ],
)
def test_tags_find_whispers_names(tag: str, name: str) -> None:
    assert whisper_language(tag, KNOWN) == name


def test_cantonese_is_itself_where_the_model_knows_it() -> None:
    assert whisper_language("yue", (*KNOWN, "yue")) == "yue"


def test_an_unknown_language_is_named_with_those_that_are_known() -> None:
    with pytest.raises(Permanent, match=r'"tlh".*en, ja'):
        whisper_language("tlh", KNOWN)


def test_whispers_names_are_tags_again() -> None:
    assert bcp47("jw") == "jv"
    assert bcp47("zh") == "zh"
    assert len(set(LANGUAGES)) == len(LANGUAGES) == 100


def test_a_long_clear_phrase_is_believed() -> None:
    assert LanguageEvidence(KNOWN).hear(MANDARIN, 6.0) == "zh"


def test_a_short_phrase_does_not_change_what_was_heard_before() -> None:
    evidence = LanguageEvidence(KNOWN)
    evidence.hear(MANDARIN, 5.0)
    assert [evidence.hear(JAPANESE, 0.8) for _ in range(3)] == ["zh"] * 3


def test_whoever_changes_the_language_is_followed_at_once() -> None:
    evidence = LanguageEvidence(KNOWN)
    for _ in range(50):
        evidence.hear(MANDARIN, 10.0)
    assert evidence.hear(ENGLISH, 5.0) == "en"
    assert evidence.hear(MANDARIN, 5.0) == "zh"


def test_only_expected_languages_are_heard() -> None:
    assert LanguageEvidence(("zh", "en")).hear(JAPANESE, 10.0) == "zh"
    assert LanguageEvidence(("zh", "en")).hear({}, 10.0) in ("zh", "en")
