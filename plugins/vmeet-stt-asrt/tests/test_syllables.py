"""Spellings, and files of labels."""

from pathlib import Path

import pytest
from vmeet_stt_asrt.syllables import normal, read_labels

from vmeet_core.hookspecs import Permanent


@pytest.mark.parametrize(
    ("syllable", "wanted"),
    [
        ("zao3", "zao3"),
        ("nü3", "nv3"),
        ("nv3", "nv3"),
        ("lüe4", "lve4"),
        ("lue4", "lve4"),
        ("lve4", "lve4"),
        ("nue4", "nve4"),
    ],
)
def test_one_spelling_for_each_sound(syllable: str, wanted: str) -> None:
    assert normal(syllable) == wanted


def test_the_first_word_of_each_line_is_the_label(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    path.write_text("﻿a1\t阿啊\r\nzao3\t早枣\r\nlv4\t绿\r\n\r\n", encoding="utf-8")
    assert read_labels(path, 4) == ("a1", "zao3", "lv4")


def test_labels_of_another_release_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    path.write_text("a1\nzao3\n")
    with pytest.raises(Permanent, match=r"4 outputs, so 3 syllables and the blank, but the labels .* are 2"):
        read_labels(path, 4)


@pytest.mark.parametrize("text", ["a1\n早\n", "a1\nzao\n", "<html>\n", "a1\nzao6\n"])
def test_what_are_no_syllables_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dict.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Permanent, match="which is no syllable such as zao3"):
        read_labels(path, 3)


def test_absent_labels_are_named(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"dict\.txt cannot be read"):
        read_labels(tmp_path / "dict.txt", 3)
