"""VP8 with three temporal layers, as the forwarder wants it, by libvpx through PyAV."""

from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.video.frame import PictureType, VideoFrame

PATTERN = (0, 2, 1, 2)  #: temporal layers of four frames; libvpx begins it anew at every keyframe
SWITCHABLE = (False, True, True, False)  #: those that refer to layer 0 alone: a decoder may go up a layer there
SHARES = (0.4, 0.6, 1.0)  #: of the bit rate, up to each layer
CLOCK_HZ = 90_000
MAX_CHANGE = 1.25  #: of the bit rate, before the encoder is made anew: that costs a keyframe


class Encoded(NamedTuple):
    """One picture: ``data`` is a VP8 frame without any RTP header. ``switchable``: it refers to layer 0 alone."""

    data: bytes
    keyframe: bool
    temporal: int
    switchable: bool


class Vp8Encoder:
    """Encodes I420 pictures as they come; the size may change, which gives a keyframe. One thread, no delay.

    Quality against speed: ``cpu_used`` as libvpx knows it for real time, 0 to 16.
    """

    def __init__(self, bitrate_bps: int, framerate_hz: int = 30, cpu_used: int = 8) -> None:
        self._bitrate_bps = bitrate_bps
        self._framerate_hz = framerate_hz
        self._cpu_used = cpu_used
        self._codec: Any = None
        self._since_keyframe = 0
        self._keyframe_wanted = False

    def request_keyframe(self) -> None:
        """The next picture can be decoded by itself."""
        self._keyframe_wanted = True

    def set_bitrate(self, bitrate_bps: int) -> None:
        """From the next picture on; small changes are left alone."""
        if not self._bitrate_bps / MAX_CHANGE <= bitrate_bps <= self._bitrate_bps * MAX_CHANGE:
            self._bitrate_bps = bitrate_bps
            self._codec = None

    def encode(self, picture: VideoFrame, pts: int) -> Encoded | None:
        """``picture`` is yuv420p, ``pts`` counts at 90 kHz and grows. None where the encoder leaves it out."""
        if self._codec is None or (self._codec.width, self._codec.height) != (picture.width, picture.height):
            self._codec = self._open(picture.width, picture.height)
        picture.pts, picture.time_base = pts, Fraction(1, CLOCK_HZ)
        picture.pict_type = PictureType.I if self._keyframe_wanted else PictureType.NONE
        packets = self._codec.encode(picture)
        if not packets:
            return None
        keyframe = bool(packets[0].is_keyframe)
        if keyframe:
            self._since_keyframe, self._keyframe_wanted = 0, False
        place = self._since_keyframe % len(PATTERN)
        self._since_keyframe += 1
        data = b"".join(bytes(packet) for packet in packets)
        return Encoded(data, keyframe, PATTERN[place], SWITCHABLE[place])

    def _open(self, width_px: int, height_px: int) -> Any:
        codec: Any = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height, codec.pix_fmt = width_px, height_px, "yuv420p"
        codec.bit_rate, codec.framerate = self._bitrate_bps, Fraction(self._framerate_hz, 1)
        codec.time_base, codec.thread_count = Fraction(1, CLOCK_HZ), 1
        kilobits = self._bitrate_bps // 1000
        rates = ",".join(str(max(round(share * kilobits), 1)) for share in SHARES)
        codec.options = {
            "deadline": "realtime",
            "cpu-used": str(self._cpu_used),
            "lag-in-frames": "0",
            "error-resilient": "1",
            "static-thresh": "1",
            "max-intra-rate": "300",
            "minrate": "0",
            "maxrate": str(self._bitrate_bps),
            "bufsize": str(self._bitrate_bps // 2),
            "ts-parameters": f"ts_number_layers=3:ts_target_bitrate={rates}:ts_rate_decimator=4,2,1:"
            f"ts_periodicity=4:ts_layer_id={','.join(map(str, PATTERN))}:ts_layering_mode=3",
        }
        codec.open()
        self._since_keyframe = 0
        return codec

    def close(self) -> None:
        """Free the encoder; twice is harmless."""
        self._codec = None
