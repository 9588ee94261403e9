"""Tests of the form of transcripts."""

from pathlib import Path

import pytest

from vmeet_core.media.transcript import Transcript, Utterance, Word, read_transcript, write_transcript


def test_what_is_written_is_read(tmp_path: Path) -> None:
    said = Utterance(
        person="a",
        start_s=1.0,
        end_s=2.0,
        text="早安",
        language="zh",
        words=(Word(start_s=1.0, end_s=1.4, text="早"), Word(start_s=1.4, end_s=2.0, text="安")),
    )
    written = Transcript(people={"a": "安安"}, utterances=(said,), transcriber="whisper", script="traditional-tw")
    write_transcript(tmp_path / "t.json", written)
    assert read_transcript(tmp_path / "t.json") == written
    assert "早安" in (tmp_path / "t.json").read_text(encoding="utf-8")


def test_another_file_is_no_transcript(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"people": {}}')
    with pytest.raises(ValueError, match="utterances"):
        read_transcript(tmp_path / "t.json")
