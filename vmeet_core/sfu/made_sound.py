"""A voice that the server has made of another, such as a denoised one, as a source of RTP packets (Opus, RFC 7587)."""

import time

from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.source import Source

_LEVEL_ID = 1  # of the extension in our own packets; what receivers negotiated is put in its place


class MadeSound(Source):
    """``send`` packets made of the microphone ``raw``; their timestamps count as those of ``raw`` do.

    ``ssrc`` only has to differ from those of other sources; receivers never see it.
    """

    def __init__(self, raw: Source, ssrc: int) -> None:
        super().__init__(raw.source, raw.clock)
        self.timeline = raw.timeline
        self.ssrc = self._own_ssrc = ssrc
        self._sequence = 0

    def send(self, data: bytes, rtp_timestamp: int, level: bytes | None) -> None:
        """One Opus packet; ``rtp_timestamp`` (48 kHz) is that of its capture, ``level`` as RFC 6464 writes it.

        The level is that of the raw sound: who speaks is judged alike, whether receivers hear the raw sound or this.
        """
        now_s = time.monotonic()
        if self.muted or not data:
            return
        self.heard_s = now_s
        extensions = {_LEVEL_ID: level} if level else {}
        packet = RtpPacket(0, False, self._sequence, rtp_timestamp, self._own_ssrc, data, extensions)
        self._sequence = self._sequence + 1 & 0xFFFF
        packet.prepare(self, "opus", now_s)
        self._hand_on(packet)

    def level_of(self, packet: RtpPacket) -> bytes | None:
        """That of the raw sound at the time of its capture."""
        return packet.extensions.get(_LEVEL_ID)

    def on_sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The publisher's clocks, for lip sync; told on when they are new."""
        if self.last_sender_report != (ntp_timestamp, rtp_timestamp):
            self._tell_clocks(ntp_timestamp, rtp_timestamp)

    def continue_after(self) -> None:
        """What comes next does not continue what was: another worker, another activation."""
        self._interrupt()

    def request_keyframe(self) -> None:
        """Every packet of sound is one."""
