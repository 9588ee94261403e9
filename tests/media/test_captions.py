"""Tests of WebVTT as it is written; what Chromium makes of it is tested with the page."""

from pathlib import Path

import pytest

from vmeet_core.media.captions import Chapter, Cue, time_text, write_captions, write_chapters


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00.000"),
        (59.9996, "00:01:00.000"),
        (3599.9994, "00:59:59.999"),
        (3661.25, "01:01:01.250"),
        (360_000, "100:00:00.000"),
        (-1, "00:00:00.000"),
    ],
)
def test_times(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def captions(path: Path, *cues: Cue) -> list[str]:
    write_captions(path / "a.vtt", cues)
    text = (path / "a.vtt").read_text(encoding="utf-8")
    assert text.startswith("WEBVTT\n")
    return text.removesuffix("\n").split("\n\n")[1:]


def test_without_words_a_cue_has_the_speakers_name(tmp_path: Path) -> None:
    found = captions(tmp_path, Cue(3700, 3701.5, "王小明"), Cue(1, 2, "Ann"))
    assert found == [
        "00:00:01.000 --> 00:00:02.000\n<v Ann>Ann",
        "01:01:40.000 --> 01:01:41.500\n<v 王小明>王小明",
    ]


def test_words_take_the_names_place(tmp_path: Path) -> None:
    assert captions(tmp_path, Cue(0, 1, "Ann", "早安\n\n您好")) == ["00:00:00.000 --> 00:00:01.000\n<v Ann>早安\n您好"]


@pytest.mark.parametrize(
    ("name", "escaped"),
    [("<b>&", "&lt;b&gt;&amp;"), ("a --> b", "a --&gt; b"), ("a\n\n00:00", "a 00:00"), ("\t a \r b ", "a b")],
)
def test_a_name_cannot_become_markup(tmp_path: Path, name: str, escaped: str) -> None:
    (cue,) = captions(tmp_path, Cue(0, 1, name))
    assert cue == f"00:00:00.000 --> 00:00:01.000\n<v {escaped}>{escaped}"


def test_no_cue_is_empty(tmp_path: Path) -> None:
    assert captions(tmp_path, Cue(1, 1, "Ann"))[0].startswith("00:00:01.000 --> 00:00:01.001")
    assert captions(tmp_path) == []


def test_chapters_follow_one_another(tmp_path: Path) -> None:
    chapters = [Chapter(5, "left", "− Bob"), Chapter(0, "joined", "+ A & B"), Chapter(5, "joined", "+ Cat")]
    write_chapters(tmp_path / "c.vtt", [*chapters, Chapter(9, "left", "late")], 8)
    assert (tmp_path / "c.vtt").read_text(encoding="utf-8").split("\n\n")[1:] == [
        "joined\n00:00:00.000 --> 00:00:05.000\n+ A &amp; B",
        "joined\n00:00:05.000 --> 00:00:05.001\n+ Cat",
        "left\n00:00:05.001 --> 00:00:08.000\n− Bob\n",
    ]


def test_no_chapters(tmp_path: Path) -> None:
    write_chapters(tmp_path / "c.vtt", [], 8)
    assert (tmp_path / "c.vtt").read_text(encoding="utf-8") == "WEBVTT\n"
