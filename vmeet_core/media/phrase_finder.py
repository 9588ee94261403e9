"""Phrases of a voice while it speaks: what ``silence`` finds in a recording, told from what was heard so far alone.

Whoever reads along cannot wait for the silence after the next phrase. So a phrase ends as soon as its pause is long
enough, and one that goes on without a pause is cut soon. What is speech is told as in ``silence``.
"""

from collections import deque
from math import log10
from typing import NamedTuple

import numpy as np
import webrtcvad

from vmeet_core.hookspecs import Audio
from vmeet_core.media.silence import LEAST_S, PAD_S, SMOOTHING_S, SPEECH_DB, STEADY_DB, STEADY_S, STRICTNESS
from vmeet_core.media.voices import PACKET_S, levels

RATE_HZ = 48_000
PACKET_SAMPLES = round(PACKET_S * RATE_HZ)
PAUSE_S = 0.7  #: ends a phrase; half a second is also within sentences, and half a sentence is understood badly
SHORT_PAUSE_S = 0.35  #: ends a phrase that is ``LONG_S`` long: who never stops is to be read, too
LONG_S = 6.0
CUT_S = 2.0  #: who goes on without any pause is cut within so much of what was said last: the rest waits no longer
_SILENT = 127
_SMOOTHED = round(SMOOTHING_S / PACKET_S) | 1  # packets
_LATE = _SMOOTHED // 2  # packets: what is smoothed is of the middle one
_PAD = round(PAD_S / PACKET_S)


class FoundPhrase(NamedTuple):
    """``audio`` is mono float32 at ``RATE_HZ``, padding included; ``end`` is the sample of the voice behind it."""

    audio: Audio
    end: int


class SpeechDetector:
    """Whether somebody speaks, packet after packet, ``_LATE`` of them late; and how loud it is there, in dBFS."""

    def __init__(self) -> None:
        self._detector = webrtcvad.Vad(STRICTNESS)
        self._levels: deque[int] = deque(maxlen=round(STEADY_S / PACKET_S))
        self._speaks: deque[bool] = deque(maxlen=_SMOOTHED)

    def hear(self, packet: Audio, level: int) -> tuple[bool, float]:
        """``packet`` has ``PACKET_SAMPLES``, ``level`` is its own."""
        self._levels.append(level)
        samples = (np.clip(packet, -1, 1) * 32_767).astype("<i2")
        detected = bool(self._detector.is_speech(samples.tobytes(), RATE_HZ))
        is_steady = len(self._levels) == self._levels.maxlen and float(np.std(self._levels)) <= STEADY_DB
        self._speaks.append(detected and level < -SPEECH_DB and not is_steady)
        return sum(self._speaks) > len(self._speaks) / 2, self._loudness_db()

    def _loudness_db(self) -> float:
        recent = list(self._levels)[-_SMOOTHED:]
        mean = sum(10 ** (-each / 10) for each in recent if each < _SILENT) / len(recent)
        return 10 * log10(mean) if mean else -float(_SILENT)


class PhraseFinder:
    """``hear`` packet after packet; phrases are at most ``most_s`` long, a second or more.

    Memory: the phrase that is being said, and what is needed of the time before.
    """

    def __init__(self, most_s: float) -> None:
        if most_s < 1:
            raise ValueError(f"phrases of at most {most_s} s would tear words: allow a second or more")
        self.speaks = False  #: whether a phrase has begun and not ended
        self._most = int(most_s / PACKET_S)
        self._detector = SpeechDetector()
        self._heard = 0  # packets
        self._held: list[Audio] = []
        self._levels: list[int] = []  # of each that is held
        self._loud_db: list[float] = []  # when each that is held came; of what was ``_LATE`` before
        self._spoken: list[bool] = []
        self._continues = False  # what is held goes on from what was cut

    def hear(self, packet: Audio) -> FoundPhrase | None:
        """The phrase that ends here, if one does. ``packet`` has ``PACKET_SAMPLES``."""
        level = int(levels(packet, RATE_HZ)[0])
        is_speech, loud_db = self._detector.hear(packet, level)
        self._heard += 1
        self._held.append(packet)
        self._levels.append(level)
        self._loud_db.append(loud_db)
        self._spoken.append(is_speech)
        if not self.speaks and not is_speech:
            self._forget_silence()
            return None
        self.speaks = True
        return self._ended()

    def end(self) -> FoundPhrase | None:
        """What was being said when the sound ended, or pauses."""
        return self._take() if self.speaks else None

    def _ended(self) -> FoundPhrase | None:
        pause_s = PAUSE_S if len(self._held) < LONG_S / PACKET_S else SHORT_PAUSE_S
        if self._quiet() >= pause_s / PACKET_S:
            return self._take()
        return self._cut() if len(self._held) >= self._most else None

    def _quiet(self) -> int:
        """For how many packets nothing has been said."""
        late = self._spoken[::-1].index(True) if True in self._spoken else len(self._spoken)
        return late + _LATE if late else 0

    def _take(self) -> FoundPhrase | None:
        """All that was said, unless it is none; the silence behind it may belong to the next phrase."""
        last = min(len(self._held), len(self._held) - self._quiet() + _PAD)
        is_phrase = self._is_phrase()
        found = self._found(last) if is_phrase else None
        self._forget(last if is_phrase else 0)
        self._spoken = [False] * len(self._held)
        self._forget_silence()
        self.speaks = self._continues = False
        return found

    def _is_phrase(self) -> bool:
        """No cough, nor the beginning of a noise that is steady, which shows only when it has gone on for a while."""
        spoken = [level for level, speaks in zip(self._levels, self._spoken[_LATE:], strict=False) if speaks]
        if self._continues:
            return bool(spoken)
        inner = spoken[_LATE:-_LATE]
        is_steady = len(inner) >= STEADY_S / PACKET_S / 2 and float(np.std(inner)) <= STEADY_DB
        return len(spoken) >= LEAST_S / PACKET_S and not is_steady

    def _cut(self) -> FoundPhrase:
        """At the quietest moment of the last ``CUT_S``, or of the second half; of equally quiet ones the last."""
        first = max(len(self._held) // 2, len(self._held) - round(CUT_S / PACKET_S)) + _LATE
        last = self._loud_db[first:][::-1]
        found = self._found(len(self._held) - last.index(min(last)) - 1 - _LATE)
        self._forget(len(found.audio) // PACKET_SAMPLES)
        self._continues = True
        return found

    def _found(self, count: int) -> FoundPhrase:
        end = (self._heard - len(self._held) + count) * PACKET_SAMPLES
        return FoundPhrase(np.concatenate(self._held[:count]), end)

    def _forget_silence(self) -> None:
        self._forget(max(0, len(self._held) - _PAD - _LATE))

    def _forget(self, count: int) -> None:
        del self._held[:count], self._levels[:count], self._loud_db[:count], self._spoken[:count]
