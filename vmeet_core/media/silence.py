"""Where somebody speaks, and where sound can be cut: at silences, so that no word is torn.

Judged by loudness alone, in packets of 20 ms (levels as in RFC 6464: 0 loud .. 127 silent): speech stands out of the
noise around it, whose level is followed, and of what no microphone gives (``SPEECH_DB``). Steady noise is no speech,
however loud; whatever else is loud for a while is. Memory grows by 50 bytes a second.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import rechunked
from vmeet_core.media.voices import PACKET_S, Levels, levels

SPEECH_DB = -55.0  #: dBFS; what is more silent is no speech
ABOVE_NOISE_DB = 8.0  #: speech stands out of the noise by so much
SMOOTHING_S = 0.1  #: a click, which is shorter, never reaches its own height
GAP_S = 0.4  #: between words; a longer silence lies between phrases
LEAST_S = 0.2  #: of speech in a phrase, or it is a cough
PAD_S = 0.25  #: kept around a phrase: soft consonants begin and end words
NOISE_AROUND_S = 10  #: the noise is the lowest level of so many seconds before and after
NOISE_SHARE = 0.15  #: this share of the time is below it
_SILENT = 127
_PACKETS_PER_S = round(1 / PACKET_S)

Mask = NDArray[np.bool_]


class Phrase(NamedTuple):
    """From ``start_s`` up to ``end_s`` of the sound, padding included."""

    start_s: float
    end_s: float


def loudness(blocks: Iterable[Audio], sample_rate_hz: int) -> Levels:
    """The levels of a signal in blocks of any length (mono float32), uint8 (packets,)."""
    found = [levels(block, sample_rate_hz) for block in rechunked(blocks, sample_rate_hz)]
    return np.concatenate([np.zeros(0, np.uint8), *found])


def pause_s(heard: Levels, from_s: float, until_s: float) -> float:
    """Where to cut between these times, which is told by what is heard between them alone: where it is quiet for
    ``GAP_S``, or least loud. Of equally quiet moments it is the last one.
    """
    first, last = round(from_s * _PACKETS_PER_S), round(until_s * _PACKETS_PER_S)
    power, width = _power(heard[first:last]), round(GAP_S * _PACKETS_PER_S)
    if len(power) < width:
        return until_s
    # Whole numbers of a step of sound that nobody hears: two silences are equally quiet.
    loud = np.rint(np.convolve(power, np.full(width, 1 / width), "valid") / 10 ** (SPEECH_DB / 10 - 2))
    quietest = len(loud) - 1 - int(np.argmin(loud[::-1]))
    return from_s + (quietest + width / 2) * PACKET_S


def phrases(heard: Levels, most_s: float, join_s: float = 0.0) -> list[Phrase]:
    """What is said in a sound with these levels, in order, without overlap; [] for silence.

    None is longer than ``most_s``: where somebody goes on for longer, it is cut at the quietest moment of the second
    half. Phrases less than ``join_s`` apart are given as one where that is not too long. Raises ValueError for less
    than a second.
    """
    if most_s < 1:
        raise ValueError(f"phrases of at most {most_s} s would tear words: allow a second or more")
    smooth = _smoothed(heard)
    found = _padded(_spoken(smooth, _noise_db(heard)), len(heard))
    parts = [part for phrase in found for part in _cut(phrase, smooth, round(most_s * _PACKETS_PER_S))]
    return [
        Phrase(round(start * PACKET_S, 3), round(end * PACKET_S, 3))
        for start, end in _joined(parts, round(join_s * _PACKETS_PER_S), round(most_s * _PACKETS_PER_S))
    ]


_Range = tuple[int, int]  # packets, from the first up to, but without, the last


def _smoothed(heard: Levels) -> NDArray[np.float64]:
    """In dBFS; the mean power of the packets around each."""
    if not len(heard):
        return np.zeros(0)
    width = max(1, round(SMOOTHING_S / PACKET_S)) | 1
    mean = np.convolve(np.pad(_power(heard), width // 2), np.full(width, 1 / width), "valid")
    smooth: NDArray[np.float64] = 10 * np.log10(np.maximum(mean, 10 ** (-_SILENT / 10)))
    return smooth


def _power(heard: Levels) -> NDArray[np.float64]:
    """Of each packet, full scale being 1."""
    return np.where(heard < _SILENT, 10 ** (-heard.astype(np.float64) / 10), 0.0)


def _noise_db(heard: Levels) -> NDArray[np.float64]:
    """The noise around each packet; digital silence (a microphone that is off) says nothing of it.

    Found in single packets: between two syllables there is room for some.
    """
    seconds = -(-len(heard) // _PACKETS_PER_S)
    floor = np.empty(seconds)
    for second in range(seconds):
        first, last = second - NOISE_AROUND_S, second + NOISE_AROUND_S + 1
        around = heard[max(0, first) * _PACKETS_PER_S : last * _PACKETS_PER_S]
        sounding = around[around < _SILENT]
        floor[second] = -np.quantile(sounding, 1 - NOISE_SHARE) if len(sounding) else -_SILENT
    return np.repeat(floor, _PACKETS_PER_S)[: len(heard)]


def _spoken(smooth: NDArray[np.float64], noise_db: NDArray[np.float64]) -> list[_Range]:
    """Stretches of speech; short gaps belong to them, and what is too short is none."""
    is_speech = smooth > np.maximum(SPEECH_DB, noise_db + ABOVE_NOISE_DB)
    found: list[tuple[int, int, int]] = []  # start, end, packets of speech
    for start, end in _stretches(is_speech):
        if found and start - found[-1][1] < GAP_S * _PACKETS_PER_S:
            found[-1] = (found[-1][0], end, found[-1][2] + end - start)
        else:
            found.append((start, end, end - start))
    return [(start, end) for start, end, spoken in found if spoken >= LEAST_S * _PACKETS_PER_S]


def _stretches(mask: Mask) -> Iterator[_Range]:
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True)


def _padded(found: list[_Range], total: int) -> list[_Range]:
    """Each a little longer at both ends, as far as the next one: then they meet half-way."""
    pad = round(PAD_S * _PACKETS_PER_S)
    padded = []
    for number, (start, end) in enumerate(found):
        before = (found[number - 1][1] + start) // 2 if number else 0
        after = (end + found[number + 1][0]) // 2 if number + 1 < len(found) else total
        padded.append((max(before, start - pad), min(after, end + pad)))
    return padded


def _cut(phrase: _Range, smooth: NDArray[np.float64], most: int) -> Iterator[_Range]:
    start, end = phrase
    while end - start > most:
        # As late as it can be: of equally quiet moments the last one.
        second_half = smooth[start + most // 2 : start + most][::-1]
        at = start + most - 1 - int(np.argmin(second_half))
        yield start, at
        start = at
    yield start, end


def _joined(parts: list[_Range], gap: int, most: int) -> list[_Range]:
    joined: list[_Range] = []
    for start, end in parts:
        if joined and start - joined[-1][1] < gap and end - joined[-1][0] <= most:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
