"""H.264 as x264 makes it and as RTP carries it, for tests."""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder


def encode(width_px: int = 320, height_px: int = 240, b_frames: int = 0, **options: str) -> list[Any]:
    """Packets of a picture that moves, in the order in which they are sent."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width_px, height_px, options.pop("pix_fmt", "yuv420p")
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"preset": "veryfast", "bf": str(b_frames), "x264-params": "b-adapt=0", **options}
    texture = np.random.default_rng(1).integers(0, 255, (height_px, width_px, 3))
    packets = []
    for number in range(12):
        frame = av.VideoFrame.from_ndarray(np.roll(texture, number, axis=1).astype(np.uint8), format="rgb24")
        frame.pts = number
        packets += encoder.encode(frame)
    return packets + encoder.encode(None)


def units(packet: Any) -> list[bytes]:
    """The NAL units of one picture."""
    return list(H264Encoder._split_bitstream(bytes(packet)))


def fragments(unit: bytes, size_bytes: int = 40) -> list[bytes]:
    """FU-A payloads (RFC 6184 5.8) of one NAL unit."""
    body = [unit[i : i + size_bytes] for i in range(1, len(unit), size_bytes)]
    marks = [(0x80 if i == 0 else 0) | (0x40 if i == len(body) - 1 else 0) for i in range(len(body))]
    return [bytes((unit[0] & 0xE0 | 28, mark | unit[0] & 0x1F)) + part for mark, part in zip(marks, body, strict=True)]


def aggregate(*parts: bytes) -> bytes:
    """A STAP-A payload (RFC 6184 5.7.1)."""
    return bytes((0x78,)) + b"".join(len(part).to_bytes(2) + part for part in parts)
