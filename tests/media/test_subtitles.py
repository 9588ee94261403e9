"""Tests of SubRip; FFmpeg reads what is written."""

from pathlib import Path

import av
import pytest

from vmeet_core.media.captions import Cue
from vmeet_core.media.subtitles import subtitles


def test_cues_are_numbered_in_order_of_time() -> None:
    text = subtitles([Cue(3700, 3701.5, "Ann", "Second."), Cue(1.2345, 2, "王小明", "第一句，\n兩行。")])
    assert text == ("1\n00:00:01,234 --> 00:00:02,000\n第一句，\n兩行。\n\n2\n01:01:40,000 --> 01:01:41,500\nSecond.\n")


@pytest.mark.parametrize(("given", "written"), [("a <b> {c} --> d", "a ‹b› ｛c｝ → d"), ("a\n\n b  c", "a\nb c")])
def test_nothing_of_a_text_is_a_sign(given: str, written: str) -> None:
    assert subtitles([Cue(0, 1, "", given)]).split("\n", 2)[2] == f"{written}\n"


def test_no_cues_are_an_empty_file() -> None:
    assert subtitles([]) == ""


def test_ffmpeg_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text(subtitles([Cue(1, 2.5, "Ann", "早安。"), Cue(3, 3, "Ann", "再見。")]), encoding="utf-8")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(subtitles=0) if packet.size]
    assert [bytes(packet).decode() for packet in packets] == ["早安。", "再見。"]
    assert [(packet.pts, packet.duration) for packet in packets] == [(1000, 1500), (3000, 1)]
