"""Tests of minutes as DOCX: read again, and opened by LibreOffice where it is installed."""

import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from spoken import transcript, utterance

from vmeet_core.media.minutes import About
from vmeet_core.media.minutes_docx import minutes_docx

ABOUT = About("週一例會", datetime(2026, 11, 26, 9, 5, tzinfo=timezone(timedelta(hours=8))), 60.0)
SAID = transcript(utterance("p1", 12, 14, "早安。"), utterance("p2", 20, 21, "Good morning.\x0b", "zh"))


def read(data: bytes) -> Any:
    return docx.Document(BytesIO(data))


def test_it_says_who_said_what_and_when() -> None:
    document = read(minutes_docx(SAID, ABOUT))
    assert [paragraph.text for paragraph in document.paragraphs] == [
        "週一例會",
        "日期：2026-11-26 09:05 (UTC+08:00)",
        "長度：0:01:00",
        "與會者：王小明、Ann",
        "語音辨識：whisper",
        "逐字稿",
        "王小明  0:00:12",
        "早安。",
        "Ann  0:00:20",
        "Good morning.",
    ]
    styles = [paragraph.style.name for paragraph in document.paragraphs]
    assert (styles[0], styles[5]) == ("Title", "Heading 1")
    assert document.core_properties.title == "週一例會"
    assert document.core_properties.created == datetime(2026, 11, 26, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("script", "font", "language"),
    [("traditional-tw", "Microsoft JhengHei", "zh-TW"), ("simplified", "Microsoft YaHei", "zh-CN")],
)
def test_chinese_has_its_fonts_and_its_language(script: str, font: str, language: str) -> None:
    document = read(minutes_docx(transcript(utterance("p1", 0, 1, "早。"), script=script), ABOUT))
    for name in ("Normal", "Title", "Heading 1"):
        fonts = document.styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) == font, name
        assert fonts.get(qn("w:eastAsiaTheme")) is None, name
    tag = document.styles["Normal"].element.rPr.find(qn("w:lang"))
    assert tag.get(qn("w:eastAsia")) == language


def test_the_page_is_a4_with_numbers() -> None:
    data = minutes_docx(SAID, ABOUT)
    section = read(data).sections[0]
    assert (section.page_width.mm, section.page_height.mm) == pytest.approx((210, 297), abs=0.1)
    with zipfile.ZipFile(BytesIO(data)) as archive:
        footers = [archive.read(name).decode() for name in archive.namelist() if "footer" in name]
    assert any('w:instr="PAGE"' in footer for footer in footers)


def test_what_xml_cannot_hold_is_left_out() -> None:
    said = transcript(utterance("p1", 0, 1, "a\x00b\ufffe <c> & d"), people={"p1": "\x1b王"})
    texts = [paragraph.text for paragraph in read(minutes_docx(said, About("T\x08"))).paragraphs]
    assert texts[0] == "T"
    assert texts[-2:] == ["王  0:00:00", "ab <c> & d"]


def test_a_pause_stays_one() -> None:
    said = transcript(utterance("p1", 0, 1, "開始吧"), utterance("p1", 1.5, 2, "好"))
    assert read(minutes_docx(said, About("A\n B"))).paragraphs[-1].text == "開始吧　好"
    assert read(minutes_docx(said, About("A\n B"))).paragraphs[0].text == "A B"


def test_nothing_said_is_said() -> None:
    assert read(minutes_docx(transcript(), About())).paragraphs[-1].text == "Nothing was said."


def test_libreoffice_opens_it(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed; on Debian: apt-get install libreoffice-writer-nogui")
    (tmp_path / "a.docx").write_bytes(minutes_docx(SAID, ABOUT))
    home = f"-env:UserInstallation={(tmp_path / 'home').as_uri()}"
    command = [office, home, "--headless", "--convert-to", "txt:Text (encoded):UTF8", "a.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    text = (tmp_path / "a.txt").read_text(encoding="utf-8-sig")
    assert "王小明  0:00:12\n早安。" in text
