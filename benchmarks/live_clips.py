"""Cameras for benchmarks of live filters: clips that are encoded beforehand and start anew for a keyframe."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.vp8_encoder import Vp8Encoder
from vmeet_core.media.frames import Planes, Scaler, video_frame

FPS, TICKS = 30, 3000
FRAMES = 3 * FPS
BITS_PER_PIXEL = 0.065  #: 1.8 Mb/s at 720p, as pages send
WRAP = 1 << 32


class Coded(NamedTuple):
    """A picture as a browser sends it."""

    data: bytes
    keyframe: bool


def pictures(width_px: int, height_px: int, video: Path | None = None) -> Iterator[Planes]:
    """Of a file, stretched to this size, or else of a disc that wanders over a gradient, with noise."""
    if video is not None:
        scaler, count = Scaler(), 0
        with av.open(str(video)) as container:
            for frame in container.decode(video=0):
                yield scaler.scale(frame, width_px, height_px)
                count += 1
                if count == FRAMES:
                    return
        return
    rows, columns = np.ogrid[0:height_px, 0:width_px]
    noise = np.random.default_rng(1).integers(-6, 7, (height_px, width_px), np.int16)
    half = np.full(((height_px + 1) // 2, (width_px + 1) // 2), 128, np.uint8)
    for number in range(FRAMES):
        centre_px = width_px * (0.5 + 0.2 * np.sin(number / 20))
        disc = (rows - height_px / 2) ** 2 + (columns - centre_px) ** 2 < (height_px / 3) ** 2
        shade = (columns * 110 // width_px + 40).astype(np.int16)
        luma = np.where(disc, shade + 80, shade) + np.roll(noise, 7 * number)
        yield np.clip(luma, 16, 235).astype(np.uint8), half, half


def encode(width_px: int, height_px: int, video: Path | None = None) -> list[Coded]:
    """A clip whose first picture is its only keyframe."""
    encoder = Vp8Encoder(round(BITS_PER_PIXEL * width_px * height_px * FPS))
    coded = []
    for number, planes in enumerate(pictures(width_px, height_px, video)):
        made = encoder.encode(video_frame(planes), number * TICKS)
        if made is not None:
            coded.append(Coded(made.data, made.keyframe))
    return coded


class Camera:
    """The clip over and over."""

    def __init__(self, clip: list[Coded]) -> None:
        self._clip = clip
        self._next = 0
        self._timestamp = 0

    def start_anew(self) -> None:
        """With a keyframe: of this clip or another one."""
        self._next = 0

    def change(self, clip: list[Coded]) -> None:
        """Another clip, from its start."""
        self._clip, self._next = clip, 0

    def frame(self) -> LiveFrame:
        """The next picture."""
        coded = self._clip[self._next]
        self._next = (self._next + 1) % len(self._clip)
        self._timestamp = (self._timestamp + TICKS) % WRAP
        return LiveFrame("vp8", coded.data, self._timestamp, keyframe=coded.keyframe)
