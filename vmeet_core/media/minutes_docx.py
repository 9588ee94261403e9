"""A transcript as minutes for word processors (DOCX, ECMA-376), on A4, with fonts for its language."""

import re
from datetime import UTC
from io import BytesIO
from typing import Any

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from vmeet_core.media.caption_lines import PAUSE
from vmeet_core.media.minutes import About, Turn, clock, facts, turns, words_of
from vmeet_core.media.transcript import Transcript

#: By the language of the minutes: which font Chinese characters have. What is absent is replaced by a like one.
EAST_ASIAN = {"zh-TW": "Microsoft JhengHei", "zh-CN": "Microsoft YaHei", "en": "Microsoft JhengHei"}
EAST_ASIAN_LANGUAGE = {"zh-TW": "zh-TW", "zh-CN": "zh-CN", "en": "zh-TW"}
LATIN = "Calibri"
MUTED = RGBColor(0x54, 0x63, 0x6A)
_SPACES = re.compile(rf"[^\S{PAUSE}]+")
STYLES = ("Normal", "Title", "Heading 1", "Heading 2")


def minutes_docx(transcript: Transcript, about: About) -> bytes:
    """The file. Each turn is a line with name and time, which stays with what was said."""
    words = words_of(transcript)
    document = docx.Document()
    _set_page(document)
    _set_fonts(document, words.locale)
    title = about.title or words.untitled
    document.add_heading(_printable(title), level=0)
    for key, value in facts(transcript, about):
        line = document.add_paragraph()
        line.paragraph_format.space_after = Pt(2)
        line.add_run(f"{key}{words.colon}").bold = True
        line.add_run(_printable(value))
    document.add_heading(words.transcript, level=1)
    said = list(turns(transcript))
    for turn in said:
        _add_turn(document, turn)
    if not said:
        document.add_paragraph(words.nothing)
    _set_properties(document, title, about, words.locale)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _add_turn(document: Document, turn: Turn) -> None:
    head = document.add_paragraph()
    head.paragraph_format.keep_with_next = True
    head.paragraph_format.space_before, head.paragraph_format.space_after = Pt(10), Pt(2)
    if turn.name:
        head.add_run(_printable(turn.name)).bold = True
        head.add_run("  ")
    time = head.add_run(clock(turn.start_s))
    time.font.size, time.font.color.rgb = Pt(9), MUTED
    for text in turn.paragraphs:
        document.add_paragraph(_printable(text)).paragraph_format.space_after = Pt(4)


def _set_page(document: Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(25)
    section.top_margin = section.bottom_margin = Mm(22)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    footer._p.append(field)


def _set_fonts(document: Document, locale: str) -> None:
    """The template's fonts are those of a theme, which knows no Chinese."""
    for name in STYLES:
        style: Any = document.styles[name]
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{attribute}"), None)
        for attribute in ("ascii", "hAnsi", "cs"):
            fonts.set(qn(f"w:{attribute}"), LATIN)
        fonts.set(qn("w:eastAsia"), EAST_ASIAN[locale])
    normal: Any = document.styles["Normal"]
    normal.font.size = Pt(11)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), EAST_ASIAN_LANGUAGE[locale])
    normal.element.get_or_add_rPr().append(language)


def _set_properties(document: Document, title: str, about: About, locale: str) -> None:
    properties = document.core_properties
    properties.title, properties.author, properties.comments = _printable(title)[:255], "VMeet", ""
    properties.language = locale
    if about.started_at is not None:
        at = about.started_at.astimezone(UTC).replace(tzinfo=None)
        properties.created = properties.modified = at


def _printable(text: str) -> str:
    """One line, without what XML cannot hold."""
    return "".join(each for each in _SPACES.sub(" ", text).strip() if each.isprintable() or each == PAUSE)
