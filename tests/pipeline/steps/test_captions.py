"""Tests of the captions of a recording."""

from collections.abc import Callable
from pathlib import Path

from vmeet_core.media.transcript import Transcript, Utterance, write_transcript
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.captions import ROLE, TRANSCRIPT, VOICES, Params, run, run_transcript
from vmeet_core.pipeline.steps.voices import Voices
from vmeet_core.timeline import Span


def test_who_speaks_when(tmp_path: Path, make_work: Callable[..., Work]) -> None:
    turns = {"p1": (Span(start_s=1, end_s=4), Span(start_s=3700, end_s=3702.5)), "p2": (Span(start_s=3.5, end_s=5),)}
    (tmp_path / "voices.json").write_text(Voices(turns=turns, floor=()).model_dump_json())
    params = Params(names={"p1": "王小明", "p2": "<Bob>"})
    inputs, outputs = {VOICES: tmp_path / "voices.json"}, {ROLE: tmp_path / "captions.vtt"}
    run(make_work(tmp_path, params, inputs, outputs))
    assert (tmp_path / "captions.vtt").read_text(encoding="utf-8") == (
        "WEBVTT\n"
        "\n00:00:01.000 --> 00:00:04.000\n<v 王小明>王小明\n"
        "\n00:00:03.500 --> 00:00:05.000\n<v &lt;Bob&gt;>&lt;Bob&gt;\n"
        "\n01:01:40.000 --> 01:01:42.500\n<v 王小明>王小明\n"
    )


def test_what_is_said(tmp_path: Path, make_work: Callable[..., Work]) -> None:
    said = Utterance(person="p1", start_s=1, end_s=4, text="大家早安。", language="zh")
    transcript = Transcript(people={"p1": "王小明"}, utterances=(said,), transcriber="t", script="traditional-tw")
    write_transcript(tmp_path / "t.json", transcript)
    inputs, outputs = {TRANSCRIPT: tmp_path / "t.json"}, {ROLE: tmp_path / "captions.vtt"}
    run_transcript(make_work(tmp_path, None, inputs, outputs))
    assert (tmp_path / "captions.vtt").read_text(encoding="utf-8") == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\n<v 王小明>大家早安。\n"
    )
