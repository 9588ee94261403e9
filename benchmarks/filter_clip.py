"""A 720p film of somebody who talks and moves before a room, as a browser's camera sends it: VP8, frame by frame."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import av
import cv2
import numpy as np

from vmeet_core.hookspecs import Frame
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.vp8_encoder import Vp8Encoder
from vmeet_core.media.frames import Scaler, video_frame

WIDTH_PX, HEIGHT_PX, FPS = 1280, 720, 30
FRAMES = 5 * FPS
BITRATE_BPS = 1_800_000  #: what the page asks the browser for
TICKS = 90_000 // FPS


def drawn() -> Iterator[Frame]:
    """A head and shoulders that sway, before shelves, with a camera's noise."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 3, (HEIGHT_PX, WIDTH_PX + 64)).astype(np.float32)
    y, x = np.mgrid[0 : 1 : HEIGHT_PX * 1j, 0 : 1 : WIDTH_PX * 1j].astype(np.float32)
    room = 70 + 50 * ((x * 24).astype(int) % 2) + 30 * ((y * 5).astype(int) % 2)
    chroma = np.full((HEIGHT_PX // 2, WIDTH_PX // 2), 128, np.uint8)
    for number in range(FRAMES):
        shift = 0.05 * np.sin(number / 15)
        head = ((x - 0.5 - shift) / 0.09) ** 2 + ((y - 0.38) / 0.2) ** 2 < 1
        body = ((x - 0.5 - shift / 2) / 0.27) ** 2 + ((y - 1.02) / 0.42) ** 2 < 1
        skin = 150 + 25 * np.sin((y - 0.3) * 40 + number / 3) * (np.abs(x - 0.5 - shift) < 0.04)
        luma = np.where(head, skin, np.where(body, 60, room)) + np.roll(noise, 13 * number)[:, :WIDTH_PX]
        small = cv2.resize(head.astype(np.uint8), (WIDTH_PX // 2, HEIGHT_PX // 2))
        yield Frame(np.clip(luma, 16, 235).astype(np.uint8), chroma - 16 * small, chroma + 24 * small)


def filmed(path: Path) -> Iterator[Frame]:
    """The beginning of a file, scaled to 720p, again and again until there is enough."""
    scaler = Scaler()
    with av.open(str(path)) as container:
        pictures = list(islice(container.decode(video=0), FRAMES))
        frames = [Frame(*map(np.array, scaler.scale(picture, WIDTH_PX, HEIGHT_PX))) for picture in pictures]
    forth_and_back = chain.from_iterable((frames, frames[::-1]) for _ in range(FRAMES))
    yield from islice(chain.from_iterable(forth_and_back), FRAMES)


def encoded(frames: Iterator[Frame]) -> list[LiveFrame]:
    """The first is a keyframe, so that they may be played over and over."""
    encoder = Vp8Encoder(BITRATE_BPS)
    made = []
    for number, frame in enumerate(frames):
        packet = encoder.encode(video_frame((frame.y, frame.u, frame.v)), number * TICKS)
        if packet is not None:
            made.append(LiveFrame("vp8", packet.data, number * TICKS, keyframe=packet.keyframe))
    return made


def again(frames: list[LiveFrame]) -> Iterator[LiveFrame]:
    """Without an end; the time goes on."""
    number = 0
    while True:
        for frame in frames:
            yield frame._replace(rtp_timestamp=number * TICKS % 2**32)
            number += 1
