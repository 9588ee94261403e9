"""What is given to the network at once: everything, and where that passes over a phrase, each phrase alone.

What was said before a pause helps to understand what follows, and a call costs the same however short its sound is. But
over a pause of a second or two Whisper at times thinks that all has been said.
"""

from itertools import pairwise
from typing import NamedTuple

from vmeet_stt_whisper.voice import Stretch, Voice
from vmeet_stt_whisper.words import PAUSE_S

PAD_S = 0.4  #: of the pauses around a phrase


class Part(NamedTuple):
    """From ``start_s`` to ``end_s`` of the sound; ``phrases`` are without pauses around them, in order."""

    start_s: float
    end_s: float
    phrases: tuple[Stretch, ...]


def whole(voice: Voice, duration_s: float) -> Part:
    """All of a sound. Stretches of voice that are less than a pause apart are one phrase."""
    found: list[Stretch] = []
    for stretch in voice.stretches:
        if found and stretch.start_s - found[-1].end_s < PAUSE_S:
            found[-1] = Stretch(found[-1].start_s, stretch.end_s)
        else:
            found.append(stretch)
    return Part(0.0, duration_s, tuple(found))


def each_alone(part: Part) -> list[Part]:
    """A part for every phrase; they meet half-way at most, so that no sound is in two."""
    phrases = part.phrases
    if not phrases:
        return []
    middles_s = [(before.end_s + after.start_s) / 2 for before, after in pairwise(phrases)]
    return [
        Part(max(least_s, phrase.start_s - PAD_S), min(most_s, phrase.end_s + PAD_S), (phrase,))
        for phrase, least_s, most_s in zip(phrases, [part.start_s, *middles_s], [*middles_s, part.end_s], strict=True)
    ]
