"""Tests of the step that puts a transcript together."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from vmeet_core.media.transcript import Transcript, Utterance, Word, read_transcript
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.transcribe import Speech
from vmeet_core.pipeline.steps.transcript import ROLE, Params, run
from vmeet_core.settings import Script

MakeWork = Callable[..., Work]


def said(person: str, start_s: float, text: str, language: str = "zh", words: tuple[Word, ...] = ()) -> Utterance:
    return Utterance(person=person, start_s=start_s, end_s=start_s + 1, text=text, language=language, words=words)


@pytest.fixture
def written(tmp_path: Path, make_work: MakeWork) -> Callable[..., Transcript]:
    def write(
        *parts: list[Utterance], script: Script = "traditional-tw", files: Sequence[str] = (), **given: Any
    ) -> Transcript:
        inputs = {}
        for number, utterances in enumerate(parts):
            inputs[f"speech:{number}"] = tmp_path / f"{number}.json"
            inputs[f"speech:{number}"].write_text(Speech(utterances=tuple(utterances)).model_dump_json())
        params = Params(names={"a": "余先生", "b": "Ben"}, transcriber="whisper", script=script, **given)
        outputs = {ROLE: tmp_path / "out.json"} | {name: tmp_path / name for name in files}
        run(make_work(tmp_path, params, inputs, outputs))
        return read_transcript(tmp_path / "out.json")

    return write


def test_everybodys_speech_is_in_order_of_time(written: Callable[..., Transcript]) -> None:
    transcript = written([said("a", 1, "一"), said("a", 9, "三"), said("b", 5, "二")], [said("b", 12, "四")])
    assert [each.text for each in transcript.utterances] == ["一", "二", "三", "四"]
    assert transcript.people == {"a": "余先生", "b": "Ben"}
    assert (transcript.transcriber, transcript.script) == ("whisper", "traditional-tw")


def test_simplified_becomes_what_taiwan_writes_once(written: Callable[..., Transcript]) -> None:
    transcript = written([said("a", 1, "软件 的bug,余先生"), said("a", 3, "文件"), said("b", 5, "這個文件")])
    assert [each.text for each in transcript.utterances] == ["軟體的 bug，余先生", "檔案", "這個文件"]
    again = written([*transcript.utterances])
    assert [each.text for each in again.utterances] == ["軟體的 bug，余先生", "檔案", "這個文件"]


def test_other_scripts_and_languages(written: Callable[..., Transcript]) -> None:
    both = [said("a", 1, "軟體"), said("b", 2, "文件を学ぶ", "ja")]
    assert [each.text for each in written(both, script="simplified").utterances] == ["软体", "文件を学ぶ"]
    assert [each.text for each in written(both, script="as-spoken").utterances] == ["軟體", "文件を学ぶ"]


def test_words_keep_their_times(written: Callable[..., Transcript]) -> None:
    words = (Word(start_s=1.0, end_s=1.5, text="软"), Word(start_s=1.5, end_s=2.0, text="件"))
    (utterance,) = written([said("a", 1, "软件", words=words)]).utterances
    assert utterance.text == "軟體"
    assert [(word.start_s, word.end_s, word.text) for word in utterance.words] == [(1.0, 1.5, "軟"), (1.5, 2.0, "體")]


def test_a_line_break_in_what_an_engine_says_moves_nothing(written: Callable[..., Transcript]) -> None:
    transcript = written([said("a", 1, "第一\n行"), said("a", 3, "第二行")])
    assert [each.text for each in transcript.utterances] == ["第一行", "第二行"]


def test_nobody_said_anything(written: Callable[..., Transcript]) -> None:
    assert written([]).utterances == ()


def test_numbers_are_digits_where_that_is_wanted(written: Callable[..., Transcript]) -> None:
    both = [said("a", 1, "二十三个软件"), said("b", 5, "我们一起去")]
    assert [each.text for each in written(both).utterances] == ["二十三個軟體", "我們一起去"]
    assert [each.text for each in written(both, numbers="digits").utterances] == ["23 個軟體", "我們一起去"]


def test_it_is_also_written_to_be_read(written: Callable[..., Transcript], tmp_path: Path) -> None:
    began = datetime(2026, 11, 26, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    files = ("transcript-txt", "transcript-srt", "transcript-vtt", "transcript-md", "transcript-docx")
    written([said("b", 1, "早安")], files=files, title="週會", started_at=began, duration_s=60.0)
    minutes = (tmp_path / "transcript-md").read_text(encoding="utf-8")
    assert "週會" in minutes
    assert "09:30" in minutes
    for name in files[:-1]:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "早安" in text
        assert "Ben" in text or name == "transcript-srt"  # one speaker alone needs no name there
    assert (tmp_path / "transcript-docx").read_bytes().startswith(b"PK")
