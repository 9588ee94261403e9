"""What Cloud Speech-to-Text answers, as segments."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from vmeet_core.hookspecs import Segment
from vmeet_stt_google.languages import tag_of
from vmeet_stt_google.settings import AUTO

Word = tuple[float, float, str]
_UNDETERMINED = "und"


def segments_of(results: Iterable[Any], duration_s: float, language: str) -> list[Segment]:
    """One of each ``SpeechRecognitionResult`` or ``StreamingRecognitionResult`` with text, in order, inside the sound.

    ``language`` is a code of Google's or "auto": what was asked for, where the result names none.
    """
    found: list[Segment] = []
    before_s = 0.0
    for result in results:
        said_until_s = _inside(result.result_end_offset.total_seconds() or duration_s, before_s, duration_s)
        best: Any = result.alternatives[0] if result.alternatives else None
        text = best.transcript.strip() if best else ""
        if text:
            words = words_of(text, best.words, before_s, duration_s)
            start_s, end_s = (words[0][0], words[-1][1]) if words else (before_s, said_until_s)
            code = result.language_code or language
            tag = _UNDETERMINED if code == AUTO else tag_of(code)
            found.append(Segment(start_s, end_s, text, tag, _confidence(best.confidence), words))
        before_s = said_until_s
    return found


def words_of(text: str, words: Sequence[Any], from_s: float, until_s: float) -> tuple[Word, ...]:
    """``WordInfo`` with times, each with the spaces before it and the punctuation after it: together they are ``text``.

    None where a word has no time, or is not in the text.
    """
    placed: list[Word] = []
    position = 0
    for word in words:
        at = text.find(word.word, position)
        if at < 0 or not word.word or word.end_offset.total_seconds() <= 0:
            return ()
        ends = position + _closing(text[position:at])
        if placed:
            placed[-1] = (*placed[-1][:2], placed[-1][2] + text[position:ends])
        else:
            ends = position
        start_s = _inside(word.start_offset.total_seconds(), from_s, until_s)
        end_s = _inside(word.end_offset.total_seconds(), start_s, until_s)
        placed.append((start_s, end_s, text[ends : at + len(word.word)]))
        from_s, position = start_s, at + len(word.word)
    if placed:
        placed[-1] = (*placed[-1][:2], placed[-1][2] + text[position:])
    return tuple(placed)


def _closing(gap: str) -> int:
    """How many characters of what is between two words belong to the first: its punctuation."""
    for index, character in enumerate(gap):
        if character.isspace() or unicodedata.category(character) in ("Ps", "Pi"):
            return index
    return len(gap)


def _inside(moment_s: float, from_s: float, until_s: float) -> float:
    return min(max(moment_s, from_s), until_s)


def _confidence(value: float) -> float | None:
    """0 means that there is none."""
    return min(value, 1.0) if value > 0 else None
