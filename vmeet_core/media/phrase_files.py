"""What people say, cut at silences: a sound file for each phrase, in one archive, with a table of who says what when.

The table is what ``vmeet compare transcribers --data`` reads: with its texts put right, it measures transcribers on the
meetings of those who have it.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile, ZipInfo

from vmeet_core.media.audio import AudioWriter, read_audio, sound_info
from vmeet_core.media.silence import Phrase, heard, phrases
from vmeet_core.media.transcribe import sliced
from vmeet_core.media.transcript import Utterance

MOST_S = 30.0  #: what transcribers take at once; where somebody goes on for longer, it is cut at a quiet moment
TABLE = "transcripts.tsv"
COLUMNS = ("file", "person", "start_s", "end_s", "text")
_NO_NAME = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')  # what a file system refuses
_MOST_CHARS = 40
_READABLE = 0o644

Row = tuple[str, ...]  #: of ``COLUMNS``


class Speaker(NamedTuple):
    """``sound`` is over the whole time; ``said`` in order, () where nothing was transcribed."""

    name: str
    sound: Path
    said: Sequence[Utterance]


def write_phrase_files(
    path: Path, speakers: Sequence[Speaker], temp_dir: Path, progress: Callable[[float], None] | None = None
) -> None:
    """Write the archive, the same bytes each time. ``progress`` is told how much of it is done, 0 to 1.

    Raises MediaError and OSError.
    """
    rows: list[Row] = []
    with ZipFile(path, "w") as archive:  # sound of which nothing can be saved any more
        for number, speaker in enumerate(speakers):
            for file, row in _files(speaker, number + 1, temp_dir):
                archive.writestr(_entry(row[0]), file.read_bytes())
                file.unlink()
                rows.append(row)
            if progress is not None:
                progress((number + 1) / len(speakers))
        archive.writestr(_entry(TABLE), _table(rows))


def _entry(name: str) -> ZipInfo:
    """Of no time: that of its making is of no interest."""
    entry = ZipInfo(name)
    entry.external_attr = _READABLE << 16
    return entry


def _files(speaker: Speaker, number: int, temp_dir: Path) -> Iterator[tuple[Path, Row]]:
    rate_hz = sound_info(speaker.sound).sample_rate_hz
    cut = phrases(heard(read_audio(speaker.sound, rate_hz), rate_hz), MOST_S)
    texts = _texts(cut, speaker.said)
    folder = f"{number:02}-{_NO_NAME.sub('_', _plain(speaker.name))[:_MOST_CHARS]}".rstrip("- .")
    for index, audio in enumerate(sliced(read_audio(speaker.sound, rate_hz), rate_hz, cut)):
        file = temp_dir / "phrase.flac"
        with AudioWriter(file, rate_hz) as writer:
            writer.write(audio)
        start_s, end_s = (f"{time_s:.2f}" for time_s in cut[index])
        yield file, (f"{folder}/{index + 1:05}.flac", _plain(speaker.name), start_s, end_s, texts[index])


def _texts(cut: Sequence[Phrase], said: Sequence[Utterance]) -> list[str]:
    """What was said in each phrase: a word belongs where its middle is, or is nearest."""
    texts = [""] * len(cut)
    starts_s = [phrase.start_s for phrase in cut]
    for utterance in said if cut else ():
        words = [(word.start_s, word.end_s, word.text) for word in utterance.words]
        apart = " "  # utterances are; words of one are by spaces of their own
        for start_s, end_s, text in words or [(utterance.start_s, utterance.end_s, utterance.text)]:
            texts[_place(cut, starts_s, (start_s + end_s) / 2)] += apart + text
            apart = ""
    return [_plain(text) for text in texts]


def _place(cut: Sequence[Phrase], starts_s: Sequence[float], at_s: float) -> int:
    after = min(bisect_right(starts_s, at_s), len(cut) - 1)
    before = max(0, after - 1)
    is_before = at_s <= cut[before].end_s or at_s - cut[before].end_s <= cut[after].start_s - at_s
    return before if is_before and at_s < cut[after].start_s else after


def _plain(text: str) -> str:
    """In one cell of a table: without tabs and line ends."""
    return " ".join(text.split())


def _table(rows: Sequence[Row]) -> str:
    return "".join("\t".join(row) + "\n" for row in (COLUMNS, *rows))
