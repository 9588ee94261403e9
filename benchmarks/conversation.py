"""A conversation put together from known utterances: who says what, and when, to the hundredth of a second."""

import csv
import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import read_all
from vmeet_core.media.voices import PACKET_S, levels

RATE_HZ, OPUS_SAMPLES = 48_000, 960
ROOM_DB = -65.0  #: no room is silent
BELOW_PEAK_DB = 16  #: what is that much softer than the loudest is no part of an utterance: breath, and the room
SMOOTH = 5  #: packets; a click is no part of it either
PAUSE_S = 0.6  #: at least, between two people
MANDARIN = Path(__file__).parents[2] / "shared/data/mandarin"
#: When speech begins and ends in each of its files: read off spectrograms by eye, to about 0.03 s, since a loud room, a
#: breath or a click is what no measure of loudness tells from the first and the last word.
MANDARIN_SPEECH = Path(__file__).with_name("mandarin_speech.tsv")


class Utterance(NamedTuple):
    """Somebody speaks from ``start_s`` to ``end_s`` of the sound; around that is the room, breath, a click."""

    audio: Audio
    text: str
    start_s: float
    end_s: float


class Turn(NamedTuple):
    """``person`` counts from 0; times are those of the speech."""

    person: int
    start_s: float
    end_s: float
    text: str


class Conversation(NamedTuple):
    """``sounds[person]`` is as long for everybody."""

    turns: list[Turn]
    sounds: list[Audio]


def utterances(folder: Path) -> list[Utterance]:
    """Those that ``transcripts.tsv`` names (columns ``file`` and ``text``), whole where it is known when speech begins
    and ends in them (``speech.tsv``: ``file``, ``start_s``, ``end_s``), else as loud sound alone, which is near it.

    Raises OSError and KeyError.
    """
    known = MANDARIN_SPEECH if folder.resolve() == MANDARIN.resolve() else folder / "speech.tsv"
    times = {row["file"]: row for row in _rows(known)} if known.exists() else {}
    return [
        _utterance(read_all(folder / row["file"], RATE_HZ), row["text"], times.get(row["file"]))
        for row in _rows(folder / "transcripts.tsv")
    ]


def converse(said: list[Utterance], people: int, least_s: float, speech_share: float = 0.6) -> Conversation:
    """People take turns, for ``least_s`` or a little longer; somebody speaks ``speech_share`` of the time."""
    turns: list[Turn] = []
    placed: list[list[tuple[int, Audio]]] = [[] for _ in range(people)]
    at_s = 1.0
    for number, utterance in enumerate(itertools.cycle(said)):
        length_s = utterance.end_s - utterance.start_s
        person = number % people
        turns.append(Turn(person, at_s, at_s + length_s, utterance.text))
        placed[person].append((round((at_s - utterance.start_s) * RATE_HZ), utterance.audio))
        at_s += length_s + max(PAUSE_S, length_s * (1 / speech_share - 1))
        if at_s > least_s:
            break
    return Conversation(turns, [_laid(each, round(at_s * RATE_HZ), person) for person, each in enumerate(placed)])


def opus(sound: Audio) -> Iterator[bytes]:
    """Packets of 20 ms, as a browser sends them."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "stereo", "flt"
    encoder.time_base = Fraction(1, RATE_HZ)
    for start in range(0, len(sound) - OPUS_SAMPLES + 1, OPUS_SAMPLES):
        stereo: Any = np.repeat(sound[start : start + OPUS_SAMPLES], 2)[None]
        frame = av.AudioFrame.from_ndarray(stereo, format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        yield from (bytes(packet) for packet in encoder.encode(frame))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _utterance(audio: Audio, text: str, times: dict[str, str] | None) -> Utterance:
    if times is not None:
        return Utterance(audio, text, float(times["start_s"]), float(times["end_s"]))
    loud = _trimmed(audio)
    return Utterance(loud, text, 0.0, len(loud) / RATE_HZ)


def _trimmed(audio: Audio) -> Audio:
    loud = levels(audio, RATE_HZ)
    power = np.convolve(10 ** (-loud.astype(np.float64) / 10), np.full(SMOOTH, 1 / SMOOTH), "same")
    heard = np.flatnonzero(power >= power.max() * 10 ** (-BELOW_PEAK_DB / 10))
    packet = round(PACKET_S * RATE_HZ)
    return audio[heard[0] * packet : (heard[-1] + 1) * packet]


def _laid(placed: list[tuple[int, Audio]], samples: int, seed: int) -> Audio:
    sound = np.random.default_rng(seed).normal(0, 10 ** (ROOM_DB / 20), samples).astype(np.float32)
    for start, audio in placed:
        sound[start : start + len(audio)] += audio[: samples - start]
    return sound
