"""Compressed frames of real encoders."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count

import av
import numpy as np
import pytest

from vmeet_core.media.encoded import EncodedFrame

Frames = Iterator[EncodedFrame]


def video(
    codec: str = "vp8", size_px: tuple[int, int] = (160, 120), ssrc: int = 1, keyframe_every: int = 15, **options: str
) -> Frames:
    """30 pictures a second, for ever."""
    encoder = av.CodecContext.create("libvpx" if codec == "vp8" else "libx264", "w")
    encoder.width, encoder.height = size_px
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 90_000), Fraction(30)
    encoder.gop_size = keyframe_every
    fast = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    encoder.options = (fast if codec == "vp8" else {"preset": "ultrafast", "tune": "zerolatency"}) | options
    for number in count():
        level = np.full((size_px[1] * 3 // 2, size_px[0]), 16 + number % 200, np.uint8)
        frame = av.VideoFrame.from_ndarray(level, format="yuv420p")
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90_000)
        for packet in encoder.encode(frame):
            yield EncodedFrame(
                codec,  # type: ignore[arg-type]
                (0xFFFFF000 + number * 3000) & 0xFFFFFFFF,
                bytes(packet),
                packet.is_keyframe,
                ssrc,
                1_700_000_000 + number / 30,
            )


def audio(ssrc: int = 2) -> Frames:
    """50 Opus packets of 20 ms a second, for ever."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    for number in count():
        tone = (8000 * np.sin(2 * np.pi * 440 * (np.arange(960) + number * 960) / 48_000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None, :], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, number * 960
        for packet in encoder.encode(frame):
            yield EncodedFrame("opus", number * 960, bytes(packet), True, ssrc, 1_700_000_000 + number / 50)


@pytest.fixture
def video_frames() -> Callable[..., Frames]:
    return video


@pytest.fixture
def audio_frames() -> Callable[..., Frames]:
    return audio
