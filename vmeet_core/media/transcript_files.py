"""The files that people get of a transcript, by the names of their results."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from vmeet_core.media.captions import captions_text
from vmeet_core.media.minutes import About, markdown, plain_text
from vmeet_core.media.speech_captions import cues
from vmeet_core.media.subtitles import subtitles
from vmeet_core.media.transcript import Transcript


class TranscriptFile(NamedTuple):
    """``name`` of the file, and how its bytes are made."""

    name: str
    made: Callable[[Transcript, About], bytes]


def _docx(transcript: Transcript, about: About) -> bytes:
    from vmeet_core.media.minutes_docx import minutes_docx  # its library is large: only steps that write have it

    return minutes_docx(transcript, about)


#: Windows' own programs take text for UTF-8 where it begins so.
_BOM = "\ufeff"

FILES: Mapping[str, TranscriptFile] = {
    "transcript-txt": TranscriptFile(
        "transcript.txt", lambda transcript, about: (_BOM + plain_text(transcript, about)).encode()
    ),
    "transcript-srt": TranscriptFile(
        "transcript.srt", lambda transcript, _: subtitles(cues(transcript, named=True)).encode()
    ),
    "transcript-vtt": TranscriptFile("transcript.vtt", lambda transcript, _: captions_text(cues(transcript)).encode()),
    "transcript-md": TranscriptFile("transcript.md", lambda transcript, about: markdown(transcript, about).encode()),
    "transcript-docx": TranscriptFile("transcript.docx", _docx),
}


def write_transcript_files(transcript: Transcript, about: About, outputs: Mapping[str, Path]) -> None:
    """``outputs``: which of ``FILES`` to write, and where. Raises KeyError for another one, and OSError."""
    for result, path in outputs.items():
        path.write_bytes(FILES[result].made(transcript, about))
