"""What is given to the network at once: phrases between pauses, short ones together.

Over a pause of a second or two Whisper may think that all has been said, or pass over a phrase; alone, each is written.
But each call costs the same, however short its sound is.
"""

from collections.abc import Sequence
from typing import NamedTuple

from vmeet_stt_whisper.voice import Stretch, Voice
from vmeet_stt_whisper.words import PAUSE_S

JOINED_S = 6.0  #: phrases are given together up to this length
PAD_S = 0.4  #: of the pauses around them


class Part(NamedTuple):
    """From ``start_s`` to ``end_s`` of the sound, padding included; ``phrases`` are without it, in order."""

    start_s: float
    end_s: float
    phrases: tuple[Stretch, ...]


def parts_of(voice: Voice, duration_s: float, joined_s: float = JOINED_S) -> list[Part]:
    """All phrases of the voice, in order; no two parts share any sound."""
    groups: list[list[Stretch]] = []
    for phrase in _phrases(voice.stretches):
        if groups and phrase.end_s - groups[-1][0].start_s <= joined_s:
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
    return [
        Part(
            max(_middle(groups[number - 1][-1], group[0]) if number else 0.0, group[0].start_s - PAD_S),
            min(
                _middle(group[-1], groups[number + 1][0]) if number + 1 < len(groups) else duration_s,
                group[-1].end_s + PAD_S,
            ),
            tuple(group),
        )
        for number, group in enumerate(groups)
    ]


def _phrases(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Stretches that are less than a pause apart are one."""
    found: list[Stretch] = []
    for stretch in stretches:
        if found and stretch.start_s - found[-1].end_s < PAUSE_S:
            found[-1] = Stretch(found[-1].start_s, stretch.end_s)
        else:
            found.append(stretch)
    return found


def _middle(before: Stretch, after: Stretch) -> float:
    return (before.end_s + after.start_s) / 2
