"""Where somebody speaks, and where sound can be cut: at silences, so that no word is torn.

What is speech is told in packets of 20 ms by the voice activity detector of WebRTC (a mixture of Gaussians over six
bands, which follows the noise): steady noise, rustling and typing are none, and speech without a pause is found from
its first word on. Music is taken for speech. What is more silent than ``SPEECH_DB`` is none, nor what is so steady for
a second as nobody speaks: a loud fan, a hum. Memory grows by 100 bytes a second.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import rechunked
from vmeet_core.media.resampler import Resampler
from vmeet_core.media.voices import PACKET_S, Levels, levels

SPEECH_DB = -55.0  #: dBFS; what is more silent is no speech
STRICTNESS = 2  #: of the detector, 0 to 3; measured on real speech: 3 loses words, 1 takes white noise for speech
STEADY_DB, STEADY_S = 1.5, 1.0  #: the standard deviation of the levels around a packet: more in any speech
SMOOTHING_S = 0.18  #: most of the packets around one say what it is: a click is no word, a stop consonant no pause
GAP_S = 0.4  #: between words; a longer silence lies between phrases
LEAST_S = 0.2  #: of speech in a phrase, or it is a cough
PAD_S = 0.25  #: kept around a phrase: soft consonants begin and end words
_RATES_HZ = (8_000, 16_000, 32_000, 48_000)  #: that the detector takes
_SILENT = 127
_PACKETS_PER_S = round(1 / PACKET_S)

Mask = NDArray[np.bool_]


class Phrase(NamedTuple):
    """From ``start_s`` up to ``end_s`` of the sound, padding included."""

    start_s: float
    end_s: float


class Heard(NamedTuple):
    """Of each packet of 20 ms, how loud it is and whether it is speech; (packets,) both."""

    levels: Levels
    is_speech: Mask

    def between(self, first: int, last: int) -> "Heard":
        """The packets from ``first`` up to, but without, ``last``."""
        return Heard(self.levels[first:last], self.is_speech[first:last])


def heard(blocks: Iterable[Audio], sample_rate_hz: int) -> Heard:
    """What is in a signal in blocks of any length (mono float32). The detector begins anew with each."""
    detector, loud, speech = webrtcvad.Vad(STRICTNESS), [np.zeros(0, np.uint8)], [np.zeros(0, np.bool_)]
    rate_hz = sample_rate_hz if sample_rate_hz in _RATES_HZ else _RATES_HZ[-1]
    for block in rechunked(_at_rate(blocks, sample_rate_hz, rate_hz), rate_hz):
        loud.append(levels(block, rate_hz))
        speech.append(_detected(detector, block, rate_hz))
    return Heard(np.concatenate(loud), np.concatenate(speech))


def _at_rate(blocks: Iterable[Audio], from_hz: int, to_hz: int) -> Iterable[Audio]:
    if from_hz == to_hz:
        yield from blocks
        return
    resampler = Resampler(from_hz, to_hz)
    yield from (resampler.push(block) for block in blocks)
    yield resampler.flush()


def _detected(detector: webrtcvad.Vad, block: Audio, rate_hz: int) -> Mask:
    packet = round(PACKET_S * rate_hz)
    samples = (np.clip(np.pad(block, (0, -len(block) % packet)), -1, 1) * 32_767).astype("<i2")
    packets = samples.reshape(-1, packet)
    return np.fromiter((detector.is_speech(each.tobytes(), rate_hz) for each in packets), np.bool_, len(packets))


def pause_s(loud: Levels, from_s: float, until_s: float) -> float:
    """Where to cut between these times, which is told by how loud it is between them alone: where it is quiet for
    ``GAP_S``, or least loud. Of equally quiet moments it is the last one.
    """
    first, last = round(from_s * _PACKETS_PER_S), round(until_s * _PACKETS_PER_S)
    power, width = _power(loud[first:last]), round(GAP_S * _PACKETS_PER_S)
    if len(power) < width:
        return until_s
    # Whole numbers of a step of sound that nobody hears: two silences are equally quiet.
    means = np.rint(np.convolve(power, np.full(width, 1 / width), "valid") / 10 ** (SPEECH_DB / 10 - 2))
    quietest = len(means) - 1 - int(np.argmin(means[::-1]))
    return from_s + (quietest + width / 2) * PACKET_S


def phrases(given: Heard, most_s: float, join_s: float = 0.0) -> list[Phrase]:
    """What is said in a sound in which this is heard, in order, without overlap; [] for silence.

    None is longer than ``most_s``: where somebody goes on for longer, it is cut at the quietest moment of the second
    half. Phrases less than ``join_s`` apart are given as one where that is not too long. Raises ValueError for less
    than a second.
    """
    if most_s < 1:
        raise ValueError(f"phrases of at most {most_s} s would tear words: allow a second or more")
    smooth = _smoothed(given.levels)
    found = _padded(_spoken(given), len(given.levels))
    parts = [part for phrase in found for part in _cut(phrase, smooth, round(most_s * _PACKETS_PER_S))]
    return [
        Phrase(round(start * PACKET_S, 3), round(end * PACKET_S, 3))
        for start, end in _joined(parts, round(join_s * _PACKETS_PER_S), round(most_s * _PACKETS_PER_S))
    ]


_Range = tuple[int, int]  # packets, from the first up to, but without, the last


def _smoothed(loud: Levels) -> NDArray[np.float64]:
    """In dBFS; the mean power of the packets around each."""
    if not len(loud):
        return np.zeros(0)
    mean = _mean(_power(loud))
    smooth: NDArray[np.float64] = 10 * np.log10(np.maximum(mean, 10 ** (-_SILENT / 10)))
    return smooth


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the packets around each."""
    width = round(SMOOTHING_S / PACKET_S) | 1
    return np.convolve(np.pad(values, width // 2), np.full(width, 1 / width), "valid")


def _power(loud: Levels) -> NDArray[np.float64]:
    """Of each packet, full scale being 1."""
    return np.where(loud < _SILENT, 10 ** (-loud.astype(np.float64) / 10), 0.0)


def _spoken(given: Heard) -> list[_Range]:
    """Stretches of speech; short gaps belong to them, and what is too short is none."""
    if not len(given.levels):
        return []
    speaks = given.is_speech & (given.levels < -SPEECH_DB) & (_spread_db(given.levels) > STEADY_DB)
    found: list[tuple[int, int, int]] = []  # start, end, packets of speech
    for start, end in _stretches(_mean(speaks.astype(np.float64)) > 0.5):
        if found and start - found[-1][1] < GAP_S * _PACKETS_PER_S:
            found[-1] = (found[-1][0], end, found[-1][2] + end - start)
        else:
            found.append((start, end, end - start))
    return [(start, end) for start, end, spoken in found if spoken >= LEAST_S * _PACKETS_PER_S]


def _spread_db(loud: Levels) -> NDArray[np.float64]:
    """The standard deviation of the levels of the second around each packet."""
    width = round(STEADY_S / PACKET_S) | 1
    around = np.lib.stride_tricks.sliding_window_view(np.pad(loud, width // 2, mode="edge"), width)
    spread: NDArray[np.float64] = around.std(axis=1, dtype=np.float32).astype(np.float64)
    return spread


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
