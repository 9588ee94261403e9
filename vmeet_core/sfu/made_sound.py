"""A voice that the server has made of another, such as a denoised one, as a source of RTP packets (Opus, RFC 7587)."""

import time

from vmeet_core.sfu.made_media import MadeMedia
from vmeet_core.sfu.packet import NO_DATA, RtpPacket
from vmeet_core.sfu.source import Source

_LEVEL_ID = 1  # of the extension in our own packets; what receivers negotiated is put in its place


class MadeSound(MadeMedia):
    """``send`` packets made of the microphone ``raw``; their timestamps count as those of ``raw`` do."""

    def __init__(self, raw: Source, ssrc: int) -> None:
        super().__init__(raw.source, raw.clock, ssrc)
        self.timeline = raw.timeline

    def send(self, data: bytes, rtp_timestamp: int, level: bytes | None) -> None:
        """One Opus packet; ``rtp_timestamp`` (48 kHz) is that of its capture, ``level`` as RFC 6464 writes it.

        The level is that of the raw sound: who speaks is judged alike, whether receivers hear the raw sound or this.
        """
        now_s = time.monotonic()
        if self.muted or not data:
            return
        self.heard_s = now_s
        packet = self._packet(False, rtp_timestamp, data, {_LEVEL_ID: level} if level else NO_DATA)
        packet.prepare(self, "opus", now_s)
        self._hand_on(packet)

    def level_of(self, packet: RtpPacket) -> bytes | None:
        """That of the raw sound at the time of its capture."""
        return packet.extensions.get(_LEVEL_ID)

    def request_keyframe(self) -> None:
        """Every packet of sound is one."""
