"""Tests of the files that people get of a transcript."""

import sys
from pathlib import Path
from subprocess import run

import pytest
from spoken import transcript, utterance

from vmeet_core.media.minutes import About
from vmeet_core.media.transcript_files import FILES, write_transcript_files

SAID = transcript(utterance("p1", 1, 2, "早安，Ann。"), utterance("p2", 3, 4, "早。"))


def test_each_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    write_transcript_files(SAID, About("例會"), {result: tmp_path / file.name for result, file in FILES.items()})
    assert {path.name for path in tmp_path.iterdir()} == {
        f"transcript.{kind}" for kind in ("txt", "srt", "vtt", "md", "docx")
    }
    assert (tmp_path / "transcript.txt").read_bytes().startswith("\ufeff例會\n".encode())
    assert (tmp_path / "transcript.srt").read_text(encoding="utf-8").startswith("1\n00:00:01,000 --> 00:00:02,")
    captions = (tmp_path / "transcript.vtt").read_text(encoding="utf-8")
    assert captions.startswith("WEBVTT\n\n00:00:01.000 --> ")
    assert "\n<v 王小明>早安，Ann。\n" in captions
    assert "**王小明**" in (tmp_path / "transcript.md").read_text(encoding="utf-8")
    assert (tmp_path / "transcript.docx").read_bytes().startswith(b"PK")


def test_the_same_transcript_makes_the_same_text() -> None:
    for result in FILES.keys() - {"transcript-docx"}:
        assert FILES[result].made(SAID, About("例會")) == FILES[result].made(SAID, About("例會"))


def test_an_unknown_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="transcript-pdf"):
        write_transcript_files(SAID, About(), {"transcript-pdf": tmp_path / "a.pdf"})


def test_a_server_that_only_names_the_files_does_not_load_the_library_of_documents() -> None:
    script = "import sys, vmeet_core.media.transcript_files; sys.exit('docx' in sys.modules or 'lxml' in sys.modules)"
    assert run([sys.executable, "-c", script], timeout=60).returncode == 0
