"""One person's voice in the process that writes captions: Opus in, phrases out."""

from typing import Any, NamedTuple

import numpy as np
from av.error import FFmpegError
from av.packet import Packet

from vmeet_core.hookspecs import Audio
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.sound_track import MAX_GAP_SAMPLES, RATE_HZ, WRAP, opus_decoder
from vmeet_core.media.phrase_finder import PACKET_SAMPLES, PAUSE_S, FoundPhrase, PhraseFinder


class Spoken(NamedTuple):
    """A phrase: mono float32 at ``RATE_HZ``, and when it was said by this machine's monotonic clock."""

    audio: Audio
    start_s: float
    end_s: float


class DictationTrack:
    """``packet`` takes what comes; ``pause`` is to be called while nothing does: a browser may send no silence, and a
    microphone that is off sends nothing at all.
    """

    def __init__(self, most_s: float) -> None:
        self._finder = PhraseFinder(most_s)
        self._decoder: Any = opus_decoder()
        self._next: int | None = None  # the timestamp that continues what came
        self._rest = np.zeros(0, np.float32)
        self._heard = 0  # samples that the finder has
        self._sent_s = 0.0  # when the last packet was handed over
        self._came_s = 0.0

    def packet(self, frame: LiveFrame, now_s: float) -> list[Spoken]:
        """The phrases that end with it."""
        step = 0 if self._next is None else (frame.rtp_timestamp - self._next + WRAP // 2) % WRAP - WRAP // 2
        if -MAX_GAP_SAMPLES < step < 0:
            return []  # it was here before
        ended = [] if self._next is None or abs(step) < MAX_GAP_SAMPLES else self._begin_anew()
        audio = self._decoded(frame.data)
        if audio is None:
            return ended
        gap = max(0, step) if step < MAX_GAP_SAMPLES else 0
        self._next = (frame.rtp_timestamp + len(audio)) % WRAP
        self._sent_s, self._came_s = frame.sent_s, now_s
        return ended + self._heard_of(np.concatenate([np.zeros(gap, np.float32), audio]))

    def pause(self, now_s: float) -> list[Spoken]:
        """Nothing has come meanwhile: a phrase may be over."""
        return self.end() if self._finder.speaks and now_s - self._came_s > PAUSE_S else []

    def end(self) -> list[Spoken]:
        """What was being said."""
        return self._placed([self._finder.end()])

    def _begin_anew(self) -> list[Spoken]:
        self._decoder, self._rest = opus_decoder(), np.zeros(0, np.float32)
        return self.end()

    def _decoded(self, data: bytes) -> Audio | None:
        try:
            parts = [part.to_ndarray().reshape(-1) for part in self._decoder.decode(Packet(data))] if data else []
        except FFmpegError:  # damaged: a gap, like one that was lost
            return None
        return np.concatenate(parts).astype(np.float32, copy=False) if parts else None

    def _heard_of(self, audio: Audio) -> list[Spoken]:
        waiting = np.concatenate([self._rest, audio])
        whole = len(waiting) - len(waiting) % PACKET_SAMPLES
        self._rest = waiting[whole:]
        self._heard += whole
        starts = range(0, whole, PACKET_SAMPLES)
        return self._placed([self._finder.hear(waiting[at : at + PACKET_SAMPLES]) for at in starts])

    def _placed(self, found: list[FoundPhrase | None]) -> list[Spoken]:
        """The last sample that is there came when the last packet did."""
        spoken = []
        for phrase in found:
            if phrase is not None:
                end_s = self._sent_s - (self._heard - phrase.end + len(self._rest)) / RATE_HZ
                spoken.append(Spoken(phrase.audio, end_s - len(phrase.audio) / RATE_HZ, end_s))
        return spoken
