"""Watches a picture for B-frames, which real-time viewers cannot show in time."""

from collections.abc import Callable

from vmeet_core.sfu.h264 import has_b_slice
from vmeet_core.sfu.packet import RtpPacket

REASON = (
    "the picture has B-frames, which viewers in real time cannot show. Turn them off in the encoder: "
    "0 B-frames (x264: bframes=0 or tune=zerolatency; FFmpeg: -bf 0; OBS: the setting is named B-frames)"
)


class BFrameWatch:
    """Listens to the ingress of a picture; ``on_found`` is called once."""

    def __init__(self, on_found: Callable[[], None]) -> None:
        self._on_found: Callable[[], None] | None = on_found

    def forward(self, packet: RtpPacket) -> None:
        """A packet of the picture."""
        if self._on_found is not None and packet.codec == "h264" and has_b_slice(packet.payload):
            on_found, self._on_found = self._on_found, None
            on_found()

    def interrupt(self) -> None:
        """What comes next is looked at in the same way."""

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """Clocks say nothing about B-frames."""
