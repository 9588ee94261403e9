"""Voices for captions: Opus packets of tones, which the transcriber of ``transcriber_kinds`` writes down as numbers."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

import av
import numpy as np

from vmeet_core.hookspecs import Audio
from vmeet_core.live.messages import LiveFrame
from vmeet_core.media.resampler import audio_frame

RATE_HZ, PACKET_SAMPLES, PACKET_S = 48_000, 960, 0.02


def tones(*parts: tuple[float, float]) -> Audio:
    """Each part is a pitch and its seconds; 0: nothing but the noise of a room, which is always there."""
    made = []
    for pitch_hz, seconds in parts:
        times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
        syllables = (pitch_hz > 0) * (times % 0.25 < 0.2)  # nobody speaks without a stop
        made.append((0.3 * syllables * np.sin(2 * np.pi * pitch_hz * times)).astype(np.float32))
    sound = np.concatenate(made)
    return sound + np.random.default_rng(3).normal(0, 0.0005, len(sound)).astype(np.float32)


def packets(sound: Audio, first_timestamp: int = 2**32 - 20_000) -> Iterator[LiveFrame]:
    """Of 20 ms each, as a browser sends them."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "flt"
    encoder.bit_rate = 48_000
    encoder.open()
    for count in range(len(sound) // PACKET_SAMPLES):
        frame = audio_frame(sound[count * PACKET_SAMPLES :][:PACKET_SAMPLES], RATE_HZ)
        frame.pts, frame.time_base = count * PACKET_SAMPLES, Fraction(1, RATE_HZ)
        data = b"".join(bytes(each) for each in encoder.encode(frame))
        timestamp = (first_timestamp + count * PACKET_SAMPLES) % 2**32
        yield LiveFrame("opus", data, timestamp, keyframe=True, sent_s=count * PACKET_S)


def numbers(texts: Sequence[str]) -> list[int]:
    """The pitches that were written down; syllables of the same pitch count as one."""
    return [pitch for pitch, _ in groupby(int(word) for text in texts for word in text.split())]
