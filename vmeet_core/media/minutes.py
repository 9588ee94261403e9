"""A transcript as minutes to be read: who spoke, when, and what was said; as plain text and as Markdown."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from vmeet_core.media.caption_lines import ends_wide
from vmeet_core.media.speech_captions import separator
from vmeet_core.media.transcript import Transcript, Utterance

PARAGRAPH_S = 2.0  #: a pause that ends a paragraph
STAMP_S = 60.0  #: whoever speaks for longer gets another time stamp at the next paragraph
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")
_LIST = re.compile(r"^(\d+)?([-+.)])(?=\s|$)")
_CHINESE = ("zh", "yue", "nan", "hak", "cmn", "wuu")


class About(NamedTuple):
    """What a transcript is of. ``started_at`` is a local time with its zone; what is not known is None, or empty."""

    title: str = ""
    started_at: datetime | None = None
    duration_s: float | None = None


class Words(NamedTuple):
    """What minutes say themselves; ``locale`` is BCP 47."""

    locale: str
    untitled: str
    date: str
    length: str
    people: str
    transcriber: str
    transcript: str
    nothing: str
    colon: str
    comma: str


ENGLISH = Words(
    "en", "Recording", "Date", "Length", "People", "Transcriber", "Transcript", "Nothing was said.", ": ", ", "
)
TRADITIONAL = Words("zh-TW", "錄影", "日期", "長度", "與會者", "語音辨識", "逐字稿", "沒有人說話。", "：", "、")
SIMPLIFIED = Words("zh-CN", "录像", "日期", "长度", "与会者", "语音识别", "逐字稿", "没有人说话。", "：", "、")


class Turn(NamedTuple):
    """What one person says until somebody else does, in paragraphs. ``name`` is empty where it is not known."""

    name: str
    start_s: float
    paragraphs: tuple[str, ...]


def plain_text(transcript: Transcript, about: About) -> str:
    """A head, and a line for each utterance: ``[0:03:12] 王小明：早安。``"""
    words = words_of(transcript)
    head = [_title(about) or words.untitled, *(f"{key}{words.colon}{value}" for key, value in facts(transcript, about))]
    lines = [_line(each, transcript.people.get(each.person, "")) for each in transcript.utterances if each.text.strip()]
    return "\n".join([*head, "", *(lines or [words.nothing])]) + "\n"


def markdown(transcript: Transcript, about: About) -> str:
    """A heading, facts as a list, and for each turn a line with name and time and then what was said."""
    words = words_of(transcript)
    blocks = [f"# {_escaped(_title(about) or words.untitled)}"]
    blocks.append("\n".join(f"- {key}{words.colon}{_escaped(value)}" for key, value in facts(transcript, about)))
    blocks.append(f"## {words.transcript}")
    for turn in turns(transcript):
        name = f"**{_escaped(turn.name)}** " if turn.name else ""
        blocks += [f"{name}`{clock(turn.start_s)}`", *map(_escaped, turn.paragraphs)]
    if len(blocks) == 3:
        blocks.append(words.nothing)
    return "\n\n".join(block for block in blocks if block) + "\n"


def turns(transcript: Transcript) -> Iterator[Turn]:
    """In order of time."""
    turn: list[Utterance] = []
    for utterance in transcript.utterances:
        if not utterance.text.strip():
            continue
        if turn and _ends(turn, utterance):
            yield _turn(turn, transcript)
            turn = []
        turn.append(utterance)
    if turn:
        yield _turn(turn, transcript)


def facts(transcript: Transcript, about: About) -> list[tuple[str, str]]:
    """What is known of it, each with what it is."""
    words = words_of(transcript)
    found = []
    if about.started_at is not None:
        found.append((words.date, _date(about.started_at)))
    if about.duration_s is not None:
        found.append((words.length, clock(about.duration_s)))
    people = [name for name in transcript.people.values() if name]
    if people:
        found.append((words.people, words.comma.join(people)))
    if transcript.transcriber:
        found.append((words.transcriber, transcript.transcriber))
    return found


def words_of(transcript: Transcript) -> Words:
    """In the language that most was said in: Chinese, in the transcript's script, or else English."""
    said: Counter[str] = Counter()
    for each in transcript.utterances:
        said[each.language.partition("-")[0].lower()] += len(each.text)
    if not said or said.most_common(1)[0][0] not in _CHINESE:
        return ENGLISH
    return SIMPLIFIED if transcript.script == "simplified" else TRADITIONAL


def clock(seconds: float) -> str:
    """``H:MM:SS``"""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _ends(turn: list[Utterance], following: Utterance) -> bool:
    is_long = following.start_s - turn[0].start_s > STAMP_S
    return following.person != turn[0].person or (is_long and _is_pause(turn[-1], following))


def _turn(said: list[Utterance], transcript: Transcript) -> Turn:
    paragraphs = [" ".join(said[0].text.split())]
    for before, now in pairwise(said):
        text = " ".join(now.text.split())
        if _is_pause(before, now):
            paragraphs.append(text)
        else:
            paragraphs[-1] += separator(paragraphs[-1]) + text
    return Turn(transcript.people.get(said[0].person, ""), said[0].start_s, tuple(paragraphs))


def _is_pause(before: Utterance, now: Utterance) -> bool:
    return now.start_s - before.end_s > PARAGRAPH_S


def _line(utterance: Utterance, name: str) -> str:
    colon = "：" if ends_wide(name) else ": "
    return f"[{clock(utterance.start_s)}] {f'{name}{colon}' if name else ''}{' '.join(utterance.text.split())}"


def _title(about: About) -> str:
    return " ".join(about.title.split())


def _date(started_at: datetime) -> str:
    offset = started_at.strftime("%z")
    return f"{started_at:%Y-%m-%d %H:%M}" + (f" (UTC{offset[:3]}:{offset[3:5]})" if offset else "")


def _escaped(text: str) -> str:
    """Nothing of it is a sign of Markdown."""
    text = _MARKDOWN.sub(r"\\\1", text)
    return _LIST.sub(r"\1\\\2", text)
