"""Tests of text as it is to be read."""

import pytest

from vmeet_core.media.writing import as_read, has_own_han


def test_numbers_are_written_as_they_are_wanted_and_then_typeset() -> None:
    assert as_read("二十三個 bug,好", "digits") == "23 個 bug，好"
    assert as_read("二十三個 bug,好", "as-spoken") == "二十三個 bug，好"


@pytest.mark.parametrize(
    ("language", "own"), [("ja", True), ("JA-JP", True), ("ko", True), ("zh-TW", False), ("", False)]
)
def test_some_languages_are_left_as_they_are(language: str, own: bool) -> None:
    assert has_own_han(language) is own
