"""Folders of recorded speech, good and bad."""

from pathlib import Path

import numpy as np
import pytest

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.utterances import find_utterances
from vmeet_core.media.audio import AudioWriter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the sounds a.flac and in/b.ogg, and no table yet."""
    (tmp_path / "in").mkdir()
    for name, codec in (("a.flac", "flac"), ("in/b.ogg", "libopus")):
        with AudioWriter(tmp_path / name, 48_000, codec) as writer:
            writer.write(np.full(48_000, 0.1, np.float32))
    return tmp_path


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    (folder / "transcripts.tsv").write_bytes(text.encode(encoding))
    return folder


def test_order_text_and_length(folder: Path) -> None:
    lines = 'file\tsource\ttext\r\nin/b.ogg\tme\t他說"好"\r\n\r\na.flac\t\t\r\n'
    found = find_utterances(table(folder, lines, "utf-8-sig"))
    assert [(each.name, each.text) for each in found] == [
        ("in/b.ogg", '他說"好"'),
        ("a.flac", ""),
    ]
    assert [each.path for each in found] == [folder / "in/b.ogg", folder / "a.flac"]
    assert [each.duration_s for each in found] == pytest.approx([1, 1], abs=0.05)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("file,text\na.flac,好\n", r"transcripts\.tsv has no column file: its first line names the columns, with tabs"),
        ("file\twords\na.flac\t好\n", r"transcripts\.tsv has no column text"),
        ("", r"transcripts\.tsv has no column file"),
        ("file\ttext\na.flac 好\n", r'transcripts\.tsv, line 2: it has no "text": separate the columns by tabs'),
        ("file\ttext\n\t好\n", r'line 2: it has no "file"'),
        ("file\ttext\na.flac\t好\na.flac\t好\n", r"line 3: a\.flac is there twice: remove one of them"),
        ("file\ttext\nc.flac\t好\n", r"line 2: .*c\.flac.*: add the file, or remove the line"),
        ("file\ttext\nin\t好\n", r"line 2: .*in.*: add the file, or remove the line"),
        ("file\ttext\ntranscripts.tsv\t好\n", r"line 2: .*cannot be read as a media file.*: add the file, or"),
        ("file\ttext\na.flac\t。\n", r"transcripts\.tsv has no text: write what is said into the column text"),
        ("file\ttext\n", r"transcripts\.tsv has no text"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Path, lines: str, told: str) -> None:
    with pytest.raises(CompareError, match=told):
        find_utterances(table(folder, lines))


def test_a_table_of_another_encoding_is_named(folder: Path) -> None:
    with pytest.raises(CompareError, match=r"transcripts\.tsv cannot be read"):
        find_utterances(table(folder, "file\ttext\na.flac\t好\n", "big5"))


def test_no_folder_and_no_table(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(CompareError, match=r"has no transcripts\.tsv: put one there, with the columns file and"):
            find_utterances(folder)
