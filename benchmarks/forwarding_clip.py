"""A real 720p clip in VP8 with sound in Opus, for servers that decode, and when each picture of it came out again.

Every picture carries its number as black and white blocks, which survive encoding.
"""

import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
from aiortc.codecs.vpx import VpxPayloadDescriptor
from forwarding_media import AUDIO_CLOCK_HZ, FPS, HEIGHT_PX, VIDEO_PAYLOAD_BYTES, WIDTH_PX, Descriptor

FRAMES = 3 * FPS
BITRATE_BPS = 1_450_000
BITS, BLOCK_PX = 7, 64
SPEED = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1", "auto-alt-ref": "0"}


def _picture(number: int, noise: Any) -> Any:
    """I420: a disc that wanders over a gradient, with some noise, and its number in the corner."""
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    centre = WIDTH_PX * (0.5 + 0.2 * np.sin(number / 20))
    disc = (rows - HEIGHT_PX / 2) ** 2 + (columns - centre) ** 2 < (HEIGHT_PX / 3) ** 2
    luma = columns / 12 + 40 + 80 * disc + np.roll(noise, 7 * number)
    for bit in range(BITS):
        luma[:BLOCK_PX, bit * BLOCK_PX : (bit + 1) * BLOCK_PX] = 235 if number >> bit & 1 else 16
    planar = np.full((HEIGHT_PX * 3 // 2, WIDTH_PX), 128, np.uint8)
    planar[:HEIGHT_PX] = np.clip(luma, 16, 235)
    return planar


def read_number(luma: Any) -> int:
    """The number in the corner of a picture."""
    middle = BLOCK_PX // 2
    means = (luma[16 : BLOCK_PX - 16, bit * BLOCK_PX + 16 : bit * BLOCK_PX + middle + 16].mean() for bit in range(BITS))
    return sum(1 << bit for bit, mean in enumerate(means) if mean > 126)


def encode_pictures() -> list[bytes]:
    """FRAMES frames, of which the first is the only keyframe."""
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    encoder.bit_rate, encoder.time_base, encoder.options = BITRATE_BPS, Fraction(1, FPS), SPEED
    encoder.gop_size, encoder.thread_count = 10 * FRAMES, 1
    noise = np.random.default_rng(1).integers(-6, 6, (HEIGHT_PX, WIDTH_PX))
    frames = []
    for number in range(FRAMES):
        frame = av.VideoFrame.from_ndarray(_picture(number, noise), format="yuv420p")
        frame.pts = number
        frames += encoder.encode(frame)
    return [bytes(packet) for packet in [*frames, *encoder.encode(None)]]


def encode_sound() -> list[bytes]:
    """A second of a tone that rises and falls, in packets of 20 ms."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = AUDIO_CLOCK_HZ, "mono", "s16", 36_000
    times = np.arange(AUDIO_CLOCK_HZ) / AUDIO_CLOCK_HZ
    samples = (8000 * np.sin(2 * np.pi * 300 * times) * np.sin(2 * np.pi * times)).astype(np.int16)
    packets = []
    for start in range(0, len(samples), 960):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts = AUDIO_CLOCK_HZ, start
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in packets]


class ClipPictures:
    """The clip over and over; from its start when a keyframe is asked for. ``shown_ns`` is when each frame began."""

    marked = False

    def __init__(self, frames: list[bytes]) -> None:
        self.shown_ns: list[tuple[int, int]] = []  #: number in the clip, CLOCK_REALTIME in ns
        self._frames = frames
        self._next = 0
        self._picture_id = 0

    def next_frame(self, keyframe: bool) -> list[bytes]:
        """The payloads of the next frame."""
        number = 0 if keyframe else self._next
        self._next = (number + 1) % len(self._frames)
        self._picture_id = self._picture_id + 1 & 0x7FFF
        self.shown_ns.append((number, time.time_ns()))
        data = self._frames[number]
        descriptor = Descriptor(self._picture_id, self._picture_id & 0xFF, 0, is_sync=False)
        starts = range(0, len(data), VIDEO_PAYLOAD_BYTES)
        return [descriptor.pack(start == 0) + data[start : start + VIDEO_PAYLOAD_BYTES] for start in starts]


class ClipSound:
    """The tone over and over."""

    marked = False

    def __init__(self, packets: list[bytes]) -> None:
        self._packets = packets
        self._next = 0

    def next_packet(self) -> bytes:
        """The next 20 ms."""
        self._next = (self._next + 1) % len(self._packets)
        return self._packets[self._next]


class ArrivedPacket(NamedTuple):
    """A video packet as a receiver kept it."""

    at_ns: int
    timestamp: int
    payload: bytes


def pictures_of(packets: Iterable[ArrivedPacket]) -> Iterator[tuple[int, int]]:
    """The number of each picture that can be decoded, and when its last packet came."""
    decoder: Any = av.CodecContext.create("vp8", "r")
    for at_ns, data in _frames_of(packets):
        try:
            decoded = decoder.decode(av.Packet(data))
        except av.FFmpegError:
            continue  # before the first keyframe
        for frame in decoded:
            yield read_number(frame.to_ndarray()[:BLOCK_PX]), at_ns


def _frames_of(packets: Iterable[ArrivedPacket]) -> Iterator[tuple[int, bytes]]:
    timestamp, at_ns, data = None, 0, b""
    for packet in packets:
        _, body = VpxPayloadDescriptor.parse(packet.payload)
        if packet.timestamp != timestamp and data:
            yield at_ns, data
            data = b""
        timestamp, at_ns, data = packet.timestamp, packet.at_ns, data + body
    if data:
        yield at_ns, data
