"""What the load generator sends: VP8 in the shape of a 720p camera with temporal layers, and Opus in that of speech.

The shape is real (payload descriptors of RFC 7741, keyframe headers of RFC 6386, L1T3), the picture is noise: servers
that forward never look at it. Each payload ends with a mark by which a receiver knows it again.
"""

import random
import struct
from typing import NamedTuple, Protocol

FPS = 30
VIDEO_CLOCK_HZ, AUDIO_CLOCK_HZ = 90_000, 48_000
AUDIO_INTERVAL_S = 0.02
WIDTH_PX, HEIGHT_PX = 1280, 720
VIDEO_PAYLOAD_BYTES = 1155
FRAME_PACKETS, KEYFRAME_PACKETS = 5, 17  #: with a keyframe every 3 s: 154 packets and 1.45 Mb a second
KEYFRAME_INTERVAL = 3 * FPS
TEMPORAL_LAYERS = (0, 2, 1, 2)

MARK = struct.Struct("!HHI")  #: magic, source, running number
MAGIC = 0x564D


class Pictures(Protocol):
    """A camera: the VP8 payloads of one frame after another."""

    marked: bool

    def next_frame(self, keyframe: bool) -> list[bytes]:
        """The payloads of the next frame, without marks."""


class Descriptor(NamedTuple):
    """The fields of a VP8 payload descriptor that change from frame to frame."""

    picture_id: int
    layer_0_index: int
    layer: int
    is_sync: bool

    def pack(self, is_start: bool) -> bytes:
        """Six bytes: 15-bit picture id, TL0PICIDX, temporal layer."""
        first = 0x80 | (0x20 if self.layer == 2 else 0) | (0x10 if is_start else 0)
        layer = self.layer << 6 | (0x20 if self.is_sync else 0)
        return struct.pack("!BBHBB", first, 0xE0, 0x8000 | self.picture_id, self.layer_0_index, layer)


class MarkedPictures:
    """Frames of noise in the size of a real camera's."""

    marked = True

    def __init__(self, seed: int) -> None:
        noise = random.Random(seed)
        self._noise = noise.randbytes(VIDEO_PAYLOAD_BYTES)
        self._picture_id = noise.randrange(1 << 15)
        self._layer_0_index = noise.randrange(1 << 8)
        self._since_keyframe = KEYFRAME_INTERVAL

    def next_frame(self, keyframe: bool) -> list[bytes]:
        """A keyframe when asked for, and one every KEYFRAME_INTERVAL frames."""
        is_keyframe = keyframe or self._since_keyframe >= KEYFRAME_INTERVAL
        self._since_keyframe = 1 if is_keyframe else self._since_keyframe + 1
        layer = TEMPORAL_LAYERS[(self._since_keyframe - 1) % len(TEMPORAL_LAYERS)]
        self._picture_id = self._picture_id + 1 & 0x7FFF
        if layer == 0:
            self._layer_0_index = self._layer_0_index + 1 & 0xFF
        descriptor = Descriptor(self._picture_id, self._layer_0_index, layer, is_sync=layer == 1)
        count = KEYFRAME_PACKETS if is_keyframe else FRAME_PACKETS
        return [self._payload(descriptor, index == 0, is_keyframe, count) for index in range(count)]

    def _payload(self, descriptor: Descriptor, is_start: bool, is_keyframe: bool, count: int) -> bytes:
        head = descriptor.pack(is_start) + (frame_header(is_keyframe, count) if is_start else b"")
        return head + self._noise[: VIDEO_PAYLOAD_BYTES - len(head) - MARK.size]


def frame_header(is_keyframe: bool, packets: int) -> bytes:
    """The uncompressed start of a VP8 frame (RFC 6386, 9.1): shown; a keyframe tells its size."""
    tag = (0 if is_keyframe else 1) | 1 << 4 | min(packets * 200, 0x7FFFF) << 5
    size = b"\x9d\x01\x2a" + struct.pack("<HH", WIDTH_PX, HEIGHT_PX) if is_keyframe else b""
    return tag.to_bytes(3, "little") + size


class MarkedSound:
    """Opus packets of 80 to 100 bytes; ``marked`` ones end with a mark."""

    marked = True

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._noise = self._random.randbytes(100)

    def next_packet(self) -> bytes:
        """20 ms of hybrid super-wideband mono, going by its first byte (RFC 6716, 3.1)."""
        return b"\x68" + self._noise[: self._random.randint(71, 91)]
