"""A transcript as captions: what each person says, in cues of their own."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import inf

from vmeet_core.media.caption_lines import PAUSE, Said, captions, ends_wide
from vmeet_core.media.captions import Cue
from vmeet_core.media.transcript import Transcript, Utterance


def cues(transcript: Transcript, named: bool = False) -> list[Cue]:
    """In order of time; people who speak at once have cues at once, and nobody has two at once.

    ``named``: where somebody else goes on, the text begins with the name, for formats that tell no speakers.
    """
    told = [each for each in transcript.utterances if each.text.strip()]
    runs = [list(each) for _, each in groupby(told, key=lambda each: each.person)]
    ends = _next_starts_s(runs)
    found, several = [], len({each.person for each in told}) > 1
    for run, until_s in zip(runs, ends, strict=True):
        name = transcript.people.get(run[0].person, "")
        label = f"{name}{'：' if ends_wide(name) else ': '}" if named and several and name else ""
        for start_s, end_s, lines in captions(_said(run), until_s, label):
            found.append(Cue(start_s, end_s, name, "\n".join(lines)))
    return sorted(found)


def separator(text: str) -> str:
    """What belongs between this and what the same person says next."""
    last = text.rstrip()[-1:]
    if not last.isalnum():
        return "" if ends_wide(text) else " "
    return PAUSE if ends_wide(text) else " "


def _said(run: Sequence[Utterance]) -> Iterator[Said]:
    for utterance in run:
        words = [Said(word.start_s, word.end_s, word.text) for word in utterance.words]
        if "".join(word.text for word in words).strip() != utterance.text.strip():
            words = [Said(utterance.start_s, utterance.end_s, utterance.text)]
        yield from words[:-1]
        last = words[-1]
        yield last._replace(text=last.text.rstrip() + separator(last.text))


def _next_starts_s(runs: Sequence[Sequence[Utterance]]) -> list[float]:
    """When the person of each run speaks again."""
    known: dict[str, float] = {}
    found = []
    for run in reversed(runs):
        found.append(known.get(run[0].person, inf))
        known[run[0].person] = run[0].start_s
    return found[::-1]
