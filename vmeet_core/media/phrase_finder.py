"""Phrases of a voice while it speaks: what ``silence`` finds in a recording, told from what was heard so far alone.

Whoever reads along cannot wait for the noise of the next ten seconds. So the noise is the lowest level of the last
``NOISE_S``, a phrase ends as soon as its pause is long enough, and one that goes on without a pause is cut at its
quietest moment. The thresholds are those of ``silence``.
"""

from collections import deque
from math import log10
from typing import NamedTuple

import numpy as np

from vmeet_core.hookspecs import Audio
from vmeet_core.media.silence import ABOVE_NOISE_DB, LEAST_S, NOISE_SHARE, PAD_S, SMOOTHING_S, SPEECH_DB
from vmeet_core.media.voices import PACKET_S, levels

PAUSE_S = 0.5  #: ends a phrase,
SHORT_PAUSE_S = 0.25  #: and this one a phrase that is ``LONG_S`` long: who never stops is to be read, too
LONG_S = 5.0
CUT_S = (
    2.0  #: who goes on without any pause is cut within so much of what was said last: what is before waits no longer
)
NOISE_S = 20.0
FIRST_S = 1.0  #: who speaks from the beginning is known after a few syllables, and so much is given from before
_SILENT = 127
_LOWEST_DB = -float(_SILENT)
_SMOOTHED = round(SMOOTHING_S / PACKET_S)  # packets


class FoundPhrase(NamedTuple):
    """``audio`` is mono float32, padding included; ``end`` is the sample of the voice behind its last one."""

    audio: Audio
    end: int


class NoiseFloor:
    """The level that the quietest ``NOISE_SHARE`` of the last ``NOISE_S`` stay under, from levels as in RFC 6464."""

    def __init__(self) -> None:
        self._levels: deque[int] = deque()
        self._count = np.zeros(_SILENT + 1, np.int64)

    def hear(self, level: int) -> None:
        """Of the next packet; digital silence says nothing of the noise."""
        if level >= _SILENT:
            return
        self._levels.append(level)
        self._count[level] += 1
        if len(self._levels) > NOISE_S / PACKET_S:
            self._count[self._levels.popleft()] -= 1

    @property
    def db(self) -> float:
        """In dBFS; that of silence while nothing was heard."""
        if not self._levels:
            return -float(_SILENT)
        quieter = np.cumsum(self._count[::-1])
        return -float(_SILENT - np.searchsorted(quieter, max(1, round(NOISE_SHARE * len(self._levels)))))


class PhraseFinder:
    """``hear`` packet after packet; phrases are at most ``most_s`` long, a second or more.

    Memory: the phrase that is being said, and what is needed of the time before.
    """

    def __init__(self, sample_rate_hz: int, most_s: float) -> None:
        if most_s < 1:
            raise ValueError(f"phrases of at most {most_s} s would tear words: allow a second or more")
        self.packet_samples = round(PACKET_S * sample_rate_hz)
        self._rate_hz = sample_rate_hz
        self._most = int(most_s / PACKET_S)
        self._pad, self._first = round(PAD_S / PACKET_S), round(FIRST_S / PACKET_S)
        self._noise = NoiseFloor()
        self._powers: deque[float] = deque(maxlen=_SMOOTHED)
        self._heard = 0  # packets
        self._held: list[Audio] = []
        self._loud: list[float] = []  # of what is held, smoothed, in dBFS
        self._spoken: list[bool] = []
        self._continues = False  # what is held goes on from what was cut
        self.speaks = False  #: whether a phrase has begun and not ended

    def hear(self, packet: Audio) -> FoundPhrase | None:
        """The phrase that ends here, if one does. ``packet`` has ``packet_samples``."""
        level = int(levels(packet, self._rate_hz)[0])
        self._noise.hear(level)
        self._powers.append(10 ** (-level / 10) if level < _SILENT else 0.0)
        mean = sum(self._powers) / len(self._powers)
        loud_db = 10 * log10(mean) if mean else _LOWEST_DB
        is_speech = loud_db > max(SPEECH_DB, self._noise.db + ABOVE_NOISE_DB)
        self._heard += 1
        self._held.append(packet)
        self._loud.append(loud_db)
        self._spoken.append(is_speech)
        if not self.speaks and not is_speech:
            self._forget_silence()
            return None
        self.speaks = True
        return self._ended()

    def end(self) -> FoundPhrase | None:
        """What was being said when the sound ended, or pauses."""
        found = self._take() if self.speaks else None
        self._powers.clear()
        return found

    def _ended(self) -> FoundPhrase | None:
        quiet = self._spoken[::-1].index(True) if True in self._spoken else len(self._spoken)
        pause_s = PAUSE_S if len(self._held) < LONG_S / PACKET_S else SHORT_PAUSE_S
        if quiet >= pause_s / PACKET_S:
            return self._take()
        return self._cut() if len(self._held) >= self._most else None

    def _take(self) -> FoundPhrase | None:
        """All that was said, unless it is a cough; the silence behind it may belong to the next phrase."""
        spoken = sum(self._spoken)
        quiet = self._spoken[::-1].index(True) if spoken else len(self._spoken)
        last = min(len(self._held), len(self._held) - quiet + self._pad)
        is_phrase = spoken > 0 if self._continues else spoken >= LEAST_S / PACKET_S
        found = self._found(last) if is_phrase else None
        self._forget(last if is_phrase else 0)
        self._spoken = [False] * len(self._held)
        self._forget_silence()
        self.speaks = self._continues = False
        return found

    def _cut(self) -> FoundPhrase:
        """At the quietest moment of the last ``CUT_S``, or of the second half; of equally quiet ones the last."""
        first = max(len(self._held) // 2, len(self._held) - round(CUT_S / PACKET_S))
        last = self._loud[first:][::-1]
        at = len(self._held) - last.index(min(last)) - 1 - _SMOOTHED // 2
        found = self._found(at)
        self._forget(at)
        self._continues = True
        return found

    def _found(self, count: int) -> FoundPhrase:
        end = (self._heard - len(self._held) + count) * self.packet_samples
        return FoundPhrase(np.concatenate(self._held[:count]), end)

    def _forget_silence(self) -> None:
        kept = self._first if self._heard <= self._first else self._pad
        self._forget(max(0, len(self._held) - kept))

    def _forget(self, count: int) -> None:
        del self._held[:count], self._loud[:count], self._spoken[:count]
