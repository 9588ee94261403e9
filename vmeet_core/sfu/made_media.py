"""What the server has made of a publisher's picture or sound, as a source of RTP packets."""

from vmeet_core.manifest import SourceKind
from vmeet_core.sfu.packet import NO_DATA, RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.source import Source


class MadeMedia(Source):
    """Numbers its own packets. ``ssrc`` only has to differ from those of other sources; receivers never see it."""

    def __init__(self, source: SourceKind, clock: PublisherClock, ssrc: int) -> None:
        super().__init__(source, clock)
        self.ssrc = self._own_ssrc = ssrc
        self._sequence = 0

    def _packet(
        self, marker: bool, rtp_timestamp: int, payload: bytes, extensions: dict[int, bytes] = NO_DATA
    ) -> RtpPacket:
        """The next one."""
        packet = RtpPacket(0, marker, self._sequence, rtp_timestamp, self._own_ssrc, payload, extensions)
        self._sequence = self._sequence + 1 & 0xFFFF
        return packet

    def on_sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The clocks of the publisher of whose media this was made, for lip sync; told on when they are new."""
        if self.last_sender_report != (ntp_timestamp, rtp_timestamp):
            self._tell_clocks(ntp_timestamp, rtp_timestamp)

    def continue_after(self) -> None:
        """What comes next does not continue what was: another worker, another activation."""
        self._interrupt()
