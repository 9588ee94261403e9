"""Where a voice is: Silero's detector, which faster-whisper carries, in windows of 32 ms.

Whisper writes something under any sound, so what has no voice in it is never given to it. In synthetic music, keys and
noise the detector hears 0.1 s of voice at most, in the shortest real utterances measured 0.9 s, in a word a quarter.
"""

from typing import Any, NamedTuple

import numpy as np
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio

WINDOW = 512  #: samples at 16 kHz
WINDOW_S = WINDOW / 16_000
LEAST_S = 0.16  #: with less voice than this, nothing was said
_SURE = 0.5
_LIKELY, _STILL = 0.35, 0.2  # a stretch of voice reaches the first, and lasts until it is below the second
_AHEAD = 31  # windows
_BRIDGED_S = 0.2  # a gap this short is a stop consonant


class Stretch(NamedTuple):
    """A voice is heard from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float


class Voice(NamedTuple):
    """``sure_s`` is how much of the sound is surely a voice; the stretches are in order and apart."""

    sure_s: float
    stretches: tuple[Stretch, ...]

    def within(self, start_s: float, end_s: float) -> float:
        """Seconds of voice between the two."""
        return sum(max(0.0, min(end_s, each.end_s) - max(start_s, each.start_s)) for each in self.stretches)


def find_voice(audio: Audio) -> Voice:
    """The voice in (samples,) at 16 kHz."""
    if not len(audio):
        return Voice(0.0, ())
    detector: Any = get_vad_model()
    # It takes any beginning for a voice, for some tenths of a second: so it hears the first second backwards before.
    ahead = audio[: _AHEAD * WINDOW][::-1]
    ahead = np.pad(ahead, (-len(ahead) % WINDOW, 0))
    sound = np.concatenate([ahead, np.pad(audio, (0, -len(audio) % WINDOW))])
    sureness = np.asarray(detector(sound)).reshape(-1)[len(ahead) // WINDOW :]
    sure_s = float(np.count_nonzero(sureness >= _SURE)) * WINDOW_S
    return Voice(sure_s, _stretches(sureness, len(audio) / 16_000))


def _stretches(sureness: NDArray[np.float32], duration_s: float) -> tuple[Stretch, ...]:
    edges = np.diff(np.concatenate([[0], (sureness >= _STILL).astype(np.int8), [0]]))
    found: list[Stretch] = []
    for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        if not np.any(sureness[start:end] >= _LIKELY):
            continue
        stretch = Stretch(float(start) * WINDOW_S, min(duration_s, float(end) * WINDOW_S))
        if found and stretch.start_s - found[-1].end_s < _BRIDGED_S:
            stretch = Stretch(found.pop().start_s, stretch.end_s)
        found.append(stretch)
    return tuple(found)
