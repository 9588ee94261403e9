"""One compressed picture or sound packet, whole, between forwarding and recording."""

from dataclasses import dataclass
from typing import Literal

CLOCK_HZ = {"opus": 48_000, "vp8": 90_000, "h264": 90_000}  #: RTP clock rates (RFC 7587, RFC 7741, RFC 6184)


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """``data`` is a VP8 frame, an H.264 access unit (Annex B) or an Opus packet.

    ``rtp_timestamp`` counts at 90 kHz (pictures) or 48 kHz (sound); ``wall_s`` is the server's Unix time of arrival.
    """

    codec: Literal["opus", "vp8", "h264"]
    rtp_timestamp: int
    data: bytes
    keyframe: bool
    ssrc: int
    wall_s: float


def opus_samples(payload: bytes) -> int:
    """How long the sound of an Opus packet is, in samples at 48 kHz; 0 of an empty one."""
    if not payload:
        return 0
    config, code = payload[0] >> 3, payload[0] & 0x03
    if config < 12:
        one = (480, 960, 1920, 2880)[config % 4]
    elif config < 16:
        one = (480, 960)[config % 2]
    else:
        one = (120, 240, 480, 960)[config % 4]
    if code < 3:
        return one * (1, 2, 2)[code]
    return one * (payload[1] & 0x3F) if len(payload) > 1 else 0
