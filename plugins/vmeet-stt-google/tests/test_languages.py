"""BCP 47 tags and Google's codes."""

import pytest
from vmeet_stt_google.languages import LANGUAGES, cloud_code, tag_of, web_code

from vmeet_core.hookspecs import Permanent


@pytest.mark.parametrize(
    ("tag", "cloud", "web"),
    [
        ("zh", "cmn-Hant-TW", "zh-TW"),
        ("zh-TW", "cmn-Hant-TW", "zh-TW"),
        ("zh-hant", "cmn-Hant-TW", "zh-TW"),
        ("cmn-Hant-TW", "cmn-Hant-TW", "zh-TW"),
        ("zh-CN", "cmn-Hans-CN", "zh-CN"),
        ("zh-Hans", "cmn-Hans-CN", "zh-CN"),
        ("zh-HK", "yue-Hant-HK", "yue-Hant-HK"),
        ("yue", "yue-Hant-HK", "yue-Hant-HK"),
        ("en", "en-US", "en-US"),
        ("EN-gb", "en-GB", "en-GB"),
        ("ja", "ja-JP", "ja-JP"),
        ("sr-latn-rs", "sr-Latn-RS", "sr-Latn-RS"),
        ("nan-tw", "nan-TW", "nan-TW"),
        ("auto", "auto", "auto"),
    ],
)
def test_codes(tag: str, cloud: str, web: str) -> None:
    assert (cloud_code(tag), web_code(tag)) == (cloud, web)


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("cmn-hant-tw", "zh-TW"),
        ("cmn-Hans-CN", "zh-CN"),
        ("yue-hant-hk", "yue-HK"),
        ("en-us", "en-US"),
        ("zh-TW", "zh-TW"),
    ],
)
def test_tags(code: str, tag: str) -> None:
    assert tag_of(code) == tag


def test_a_language_that_could_be_of_many_regions() -> None:
    with pytest.raises(Permanent, match='Give the language with a region, such as "nan-XX"'):
        cloud_code("nan")


def test_every_language_that_is_offered_has_a_code() -> None:
    assert len(LANGUAGES) > 50
    for language in LANGUAGES:
        assert cloud_code(language).startswith("cmn" if language == "zh" else language)
