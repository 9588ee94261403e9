"""Measures what pictures and voices cost here: a worker does so once, when its engines are loaded.

CPU time counts, so that other work on the machine spoils nothing; and that of all threads of this process does.
"""

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import FrameStream
from vmeet_core.live.cost import FULL_FPS, REDUCED_FPS, REDUCED_PX, Cost
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.picture_track import PictureTrack, Size
from vmeet_core.live.sound_track import FRAME_SAMPLES, RATE_HZ, LiveDenoiser, SoundTrack, opus_encoder
from vmeet_core.live.vp8_encoder import CLOCK_HZ, Vp8Encoder
from vmeet_core.media.frames import Planes, Scaler, frame_of, video_frame
from vmeet_core.media.resampler import audio_frame

WIDTH_PX, HEIGHT_PX = 1280, 720
PICTURES = 9  #: the first one is not counted: it is a keyframe, and filters make their arrays
BITRATE_BPS = 1_800_000
SIZES = (Size(180, 100_000), Size(0, BITRATE_BPS))
REAL_FACTOR = 1.2  #: so much more did real clips of people cost to decode and encode, at the same bit rate
FILTER_S = 0.08  #: of CPU for a filter in each size; a slow one is measured with fewer pictures
PACKETS = 21
TICKS = round(CLOCK_HZ / FULL_FPS)


class CostMeter:
    """Made-up pictures and sounds go the way that real ones go."""

    def codec(self) -> Cost:
        """Of a picture without any filter."""
        return Cost(self._codec_s(0, 0.0) * FULL_FPS, self._codec_s(REDUCED_PX, REDUCED_FPS) * FULL_FPS)

    def frame_filter(self, start: Callable[[], FrameStream]) -> Cost:
        """Of a filter alone; ``start`` opens it. Raises whatever it raises."""
        full_s, reduced_s = _filter_s(start(), self._pictures), _filter_s(start(), self._small)
        return Cost(full_s * FULL_FPS, reduced_s * REDUCED_FPS)

    def denoiser(self, denoiser: LiveDenoiser) -> Cost:
        """Of a voice, Opus included; closes it. Raises FilterFault."""
        packets, track = voice(PACKETS), SoundTrack(denoiser, 0)
        try:
            track.process(packets[0])
            began_s = time.process_time()
            for packet in packets[1:]:
                track.process(packet)
            spent_s = time.process_time() - began_s
        finally:
            track.close()
        share = spent_s / (len(packets) - 1) * RATE_HZ / FRAME_SAMPLES
        return Cost(share, share)

    def _codec_s(self, max_height_px: int, max_fps: float) -> float:
        """CPU for each picture that comes in."""
        track = PictureTrack((), SIZES, 0, lambda: None)
        track.limit(max_height_px, max_fps)
        frames = self._frames
        track.process(frames[0])
        began_s = time.process_time()
        for frame in frames[1:]:
            track.process(frame)
        spent_s = time.process_time() - began_s
        track.close()
        return spent_s / (len(frames) - 1) * REAL_FACTOR

    @cached_property
    def _pictures(self) -> list[Planes]:
        return [picture(number) for number in range(PICTURES)]

    @cached_property
    def _small(self) -> list[Planes]:
        scaler, width_px = Scaler(), WIDTH_PX * REDUCED_PX // HEIGHT_PX
        return [scaler.scale(video_frame(planes), width_px, REDUCED_PX) for planes in self._pictures]

    @cached_property
    def _frames(self) -> list[LiveFrame]:
        """As a browser sends them."""
        encoder, frames = Vp8Encoder(BITRATE_BPS), []
        for number, planes in enumerate(self._pictures):
            encoded = encoder.encode(video_frame(planes), number * TICKS)
            if encoded is not None:
                frames.append(LiveFrame("vp8", encoded.data, number * TICKS, keyframe=encoded.keyframe))
        return frames


def _filter_s(stream: FrameStream, pictures: Sequence[Planes]) -> float:
    """CPU for each picture, without the first where more of them can be afforded. Closes the stream."""
    spent_s: list[float] = []
    try:
        for number, planes in enumerate(pictures):
            frame = frame_of(video_frame(planes))
            for plane in (frame.y, frame.u, frame.v):
                plane.flags.writeable = False
            began_s = time.process_time()
            stream.process(frame, number / FULL_FPS)
            spent_s.append(time.process_time() - began_s)
            if sum(spent_s) > FILTER_S and len(spent_s) > 1:
                break
    finally:
        stream.close()
    return sum(spent_s[1:]) / len(spent_s[1:])


def picture(number: int) -> Planes:
    """720p: somebody round who sways before a cluttered room, with the noise of a camera."""
    rows, columns = np.ogrid[0:HEIGHT_PX, 0:WIDTH_PX]
    sway_px, random = round(60 * np.sin(number / 2)), np.random.default_rng(number)
    person = (rows - HEIGHT_PX * 0.55) ** 2 + (columns - WIDTH_PX // 2 - sway_px) ** 2 < (HEIGHT_PX * 0.4) ** 2
    luma = np.where(person, np.roll(_clutter(150, 30), sway_px, 1), _clutter(90, 45))
    noise = random.integers(-4, 5, luma.shape, np.int16)
    noise += person * _blocks(random, 16, 10)  # a face moves in itself
    half = (HEIGHT_PX // 2, WIDTH_PX // 2)
    u, v = np.full(half, 118, np.uint8), np.where(person[::2, ::2], 150, 124).astype(np.uint8)
    return np.clip(luma + noise, 16, 235).astype(np.uint8), u, v


@cache
def _clutter(level: int, contrast: int) -> NDArray[np.int16]:
    """Blocks of all sizes: as much detail as a browser's bit rate can carry."""
    random = np.random.default_rng(level)
    luma = np.full((HEIGHT_PX, WIDTH_PX), level, np.int16)
    for side_px in (80, 16, 8):
        luma += _blocks(random, side_px, contrast // 2)
    return luma


def _blocks(random: np.random.Generator, side_px: int, contrast: int) -> NDArray[np.int16]:
    blocks = random.integers(-contrast, contrast + 1, (HEIGHT_PX // side_px, WIDTH_PX // side_px), np.int16)
    return blocks.repeat(side_px, 0).repeat(side_px, 1)


def voice(count: int) -> list[LiveFrame]:
    """Packets of Opus: a tone that swells, in noise."""
    encoder, random, packets = opus_encoder(), np.random.default_rng(1), []
    for number in range(count):
        times_s = (np.arange(FRAME_SAMPLES) + number * FRAME_SAMPLES) / RATE_HZ
        tone = 0.3 * np.sin(2 * np.pi * 180 * times_s) * np.sin(2 * np.pi * 2 * times_s)
        frame = audio_frame((tone + random.normal(0, 0.02, FRAME_SAMPLES)).astype(np.float32), RATE_HZ)
        frame.pts, frame.time_base = number * FRAME_SAMPLES, Fraction(1, RATE_HZ)
        data = b"".join(bytes(packet) for packet in encoder.encode(frame))
        packets.append(LiveFrame("opus", data, number * FRAME_SAMPLES, keyframe=True))
    return packets
