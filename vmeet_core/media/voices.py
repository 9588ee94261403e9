"""Who speaks when in a recording: by the loudness of each person's sound, as it is judged in a running meeting.

Levels are those of RFC 6464 (a packet of 20 ms, 0 loud .. 127 silent). What is decided about a moment depends on what
was heard up to ``LOOK_AHEAD_S`` after it, and on nothing later: a beginning that is judged alone is judged the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio
from vmeet_core.media.active_speaker import ATTACK_S, TICK_S, ActiveSpeaker

SHOT_S = 2.0  #: whoever is shown large stays so for at least this long
PAUSE_S = 1.0  #: a shorter pause does not end what somebody says
SPEECH_S = 0.4  #: less speech than this is a cough or a click
LOOK_AHEAD_S = SHOT_S + ATTACK_S + PAUSE_S
PACKET_S = 0.02
_PACKETS = round(TICK_S / PACKET_S)

Levels = NDArray[np.uint8]


class Turn(NamedTuple):
    """From ``start_s`` up to ``end_s`` a person speaks, pauses of up to ``PAUSE_S`` included."""

    start_s: float
    end_s: float


class Change(NamedTuple):
    """From ``at_s`` on, ``person`` has the floor."""

    at_s: float
    person: str


def levels(audio: Audio, sample_rate_hz: int) -> Levels:
    """The level of every packet, uint8 (packets,): -dB below full scale, 0 to 127; the last one may be short."""
    packet = round(PACKET_S * sample_rate_hz)
    padded = np.pad(audio, (0, -len(audio) % packet)).reshape(-1, packet)
    power = np.mean(np.square(padded), axis=1, dtype=np.float64)
    found: Levels = np.clip(np.rint(-10 * np.log10(np.maximum(power, 1e-13))), 0, 127).astype(np.uint8)
    return found


@dataclass
class _Speech:
    """What one person has said so far; a turn is open until a pause is long enough."""

    turns: list[Turn] = field(default_factory=list)
    start_s: float | None = None
    end_s: float = 0.0
    spoken_s: float = 0.0

    def tick(self, from_s: float, speaks: bool) -> None:
        if self.start_s is not None and from_s - self.end_s > PAUSE_S:
            self.close()
        if speaks:
            self.start_s = from_s if self.start_s is None else self.start_s
            self.end_s = from_s + TICK_S
            self.spoken_s += TICK_S

    def close(self) -> None:
        if self.start_s is not None and self.spoken_s >= SPEECH_S - TICK_S / 2:
            self.turns.append(Turn(round(self.start_s, 3), round(self.end_s, 3)))
        self.start_s, self.spoken_s = None, 0.0


class Listener:
    """Hears all people at once, in order: ``hear`` block by block, then ``finish``. Memory grows by turns alone."""

    def __init__(self, people: Iterable[str]) -> None:
        self._room = ActiveSpeaker()
        self._speech = {person: _Speech() for person in people}
        self._changes: list[Change] = []
        self._ticks = 0

    def hear(self, heard: Mapping[str, Levels]) -> None:
        """The levels of the same whole ticks of everybody; only the last call may end within a tick."""
        longest = max((len(each) for each in heard.values()), default=0)
        for start in range(0, longest, _PACKETS):
            for person, packets in heard.items():
                voice = self._room.voice(person)
                for level in packets[start : start + _PACKETS].tolist():
                    voice.on_level(level, 0.0)
            self._tick()

    def _tick(self) -> None:
        holder = self._room.speaker_id
        self._room.tick()
        from_s = self._ticks * TICK_S
        self._ticks += 1
        for person, speech in self._speech.items():
            speech.tick(from_s, self._room.voice(person).is_speech)
        if self._room.speaker_id not in (holder, None):
            # The floor is given when somebody has been the loudest for a while: they began before.
            at_s = max(0.0, round(self._ticks * TICK_S - ATTACK_S, 3))
            self._changes.append(Change(at_s, str(self._room.speaker_id)))

    def finish(self) -> None:
        for speech in self._speech.values():
            speech.close()

    @property
    def turns(self) -> dict[str, list[Turn]]:
        """By person, in order; complete after ``finish``."""
        return {person: speech.turns for person, speech in self._speech.items()}

    @property
    def floor(self) -> list[Change]:
        """Who has the floor, at least ``SHOT_S`` each."""
        return list(_calm(self._changes))


def _calm(changes: list[Change]) -> Iterator[Change]:
    """Without those that would be over before they could be shown."""
    last: Change | None = None
    for number, change in enumerate(changes):
        at_s = change.at_s if last is None else max(change.at_s, round(last.at_s + SHOT_S, 3))
        following = changes[number + 1] if number + 1 < len(changes) else None
        if following is not None and following.at_s <= at_s:
            continue
        if last is None or change.person != last.person:
            last = Change(at_s, change.person)
            yield last
