"""WebVTT: captions with speakers, and chapters."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MIN_CUE_MS = 1


class Cue(NamedTuple):
    """``text`` is what ``speaker`` says; where nobody wrote that down it is the speaker's name alone."""

    start_s: float
    end_s: float
    speaker: str
    text: str = ""


class Chapter(NamedTuple):
    """``kind`` names what begins here, for programs: one word. It lasts until the next one, or the end."""

    start_s: float
    kind: str
    title: str


def write_captions(path: Path, cues: Iterable[Cue]) -> None:
    """In order of time; people who speak at once have cues at once."""
    path.write_text(captions_text(cues), encoding="utf-8")


def captions_text(cues: Iterable[Cue]) -> str:
    """The same as text."""
    blocks = []
    for cue in sorted(cues):
        speaker = _plain(cue.speaker)
        text = "\n".join(line for line in map(_plain, cue.text.splitlines()) if line) or speaker
        voice = f"<v {speaker}>" if speaker else ""
        blocks.append(f"{_times(cue.start_s, cue.end_s)}\n{voice}{text}\n")
    return _file(blocks)


def write_chapters(path: Path, chapters: Iterable[Chapter], end_s: float) -> None:
    """One after the other, without a gap and never two at once; what begins at the end or later is left out."""
    ordered = sorted(chapter for chapter in chapters if chapter.start_s < end_s)
    starts = _increasing([chapter.start_s for chapter in ordered])
    ends = [*starts[1:], max(end_s, starts[-1] + _MIN_CUE_MS / 1000)] if starts else []
    blocks = [
        f"{chapter.kind}\n{_times(start_s, until_s)}\n{_plain(chapter.title)}\n"
        for chapter, start_s, until_s in zip(ordered, starts, ends, strict=True)
    ]
    path.write_text(_file(blocks), encoding="utf-8")


def time_text(seconds: float) -> str:
    """``HH:MM:SS.mmm``; more than 99 hours take more digits."""
    milliseconds = round(max(0.0, seconds) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _times(start_s: float, end_s: float) -> str:
    return f"{time_text(start_s)} --> {time_text(max(end_s, start_s + _MIN_CUE_MS / 1000))}"


def _plain(text: str) -> str:
    """One line, with what WebVTT would take for its own escaped; "-->" cannot be left of it."""
    return " ".join(text.replace("\0", "\ufffd").split()).translate(_ESCAPES)


def _increasing(times_s: list[float]) -> list[float]:
    """Each at least a millisecond after the one before."""
    found: list[float] = []
    for time_s in times_s:
        found.append(time_s if not found else max(time_s, found[-1] + _MIN_CUE_MS / 1000))
    return found


def _file(blocks: list[str]) -> str:
    return "\n".join(["WEBVTT\n", *blocks])
