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
