"""A microphone's packets on their way to a denoiser, and how loud they were."""

from collections import deque
from collections.abc import Callable

from vmeet_core.server.sound_lag import SoundLag
from vmeet_core.sfu.packet import RtpPacket, timestamp_difference
from vmeet_core.sfu.source import Source

KEPT_LEVELS = 64  #: packets: longer than a denoised one can be late and still be of use


class RawSound:
    """Listens to ``microphone`` between ``start`` and ``stop``. ``hand_over`` gets what a worker is to denoise.

    Packets go on as they come: sound is not asked for again when it is lost, and waiting would only make all of it
    late. ``on_stall`` is called with every packet that comes while nothing of use has come back for too long.
    """

    def __init__(
        self,
        microphone: Source,
        hand_over: Callable[[RtpPacket], None],
        on_stall: Callable[[], None],
        on_sender_report: Callable[[int, int], None],
    ) -> None:
        self.lag = SoundLag()
        self._microphone = microphone
        self._hand_over = hand_over
        self._on_stall = on_stall
        self._on_sender_report = on_sender_report
        self._levels: deque[tuple[int, bytes | None]] = deque(maxlen=KEPT_LEVELS)

    def start(self) -> None:
        """From the next packet on, with a worker that is new; twice is harmless."""
        self.stop()
        self.lag = SoundLag()
        if self._microphone.last_sender_report is not None:
            self._on_sender_report(*self._microphone.last_sender_report)
        self._microphone.add_listener(self)

    def stop(self) -> None:
        """No more; harmless when it has not begun."""
        self._microphone.remove_listener(self)
        self.interrupt()

    def forward(self, packet: RtpPacket) -> None:
        """A packet of the microphone, in order of arrival."""
        if packet.codec != "opus" or not packet.payload:
            return
        self._levels.append((packet.timestamp, self._microphone.level_of(packet)))
        if self.lag.came(packet.timestamp, packet.arrived_s):
            self._hand_over(packet)
        if self.lag.is_stalled:
            self._on_stall()

    def interrupt(self) -> None:
        """It pauses: what is still under way belongs to what was."""
        self.lag.reset()
        self._levels.clear()

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The publisher's clocks."""
        self._on_sender_report(ntp_timestamp, rtp_timestamp)

    def level_at(self, timestamp: int) -> bytes | None:
        """The audio level of the packet that was captured nearest to this."""
        nearest = min(self._levels, key=lambda each: abs(timestamp_difference(each[0], timestamp)), default=None)
        return nearest[1] if nearest is not None else None
