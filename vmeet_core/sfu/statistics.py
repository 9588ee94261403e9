"""Reception statistics of one RTP stream, for receiver reports (RFC 3550, section 6.4.1 and appendix A)."""

from collections import deque
from typing import Literal, NamedTuple

from aiortc.rtp import RtcpReceiverInfo, clamp_packets_lost

from vmeet_core.manifest import SourceKind
from vmeet_core.sfu.packet import sequence_newer, timestamp_difference

RATE_WINDOW_S = 1.0


class SourceReport(NamedTuple):
    """How one source of a publisher arrives; ``loss`` is a share of the latest seconds, before any repair.

    ``rtt_s`` is how long a lost packet takes to come when it is asked for; None while nothing was lost.
    """

    source: SourceKind
    bitrate_bps: float
    loss: float
    jitter_s: float
    rtt_s: float | None


class LinkReport(NamedTuple):
    """The way to one receiver: ``estimate_bps`` is what it is thought to carry (None: not known yet)."""

    estimate_bps: float | None
    sent_bps: float
    loss: float
    rtt_s: float | None


class SlotReport(NamedTuple):
    """One picture on the way to a receiver: what was chosen for it, and what it takes."""

    layer: Literal["full", "small"] | None
    temporal: int
    bitrate_bps: float


class RateMeter:
    """Bits a second over the latest ``window_s`` or so, from a running count of bytes."""

    def __init__(self, window_s: float = RATE_WINDOW_S) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque(maxlen=64)

    def bps(self, total_bytes: int, now_s: float) -> float:
        """Give the count as it is now; to be called several times a second."""
        samples = self._samples
        samples.append((now_s, total_bytes))
        while len(samples) > 2 and now_s - samples[1][0] >= self._window_s:
            samples.popleft()
        elapsed_s = now_s - samples[0][0]
        return (total_bytes - samples[0][1]) * 8 / elapsed_s if elapsed_s > 0 else 0.0


class ReceptionStatistics:
    """Counts packets and jitter of one SSRC."""

    def __init__(self, ssrc: int, clock_hz: int) -> None:
        self._ssrc = ssrc
        self._clock_hz = clock_hz
        self._base: int | None = None
        self._highest = 0
        self._cycles = 0
        self.packets = 0
        self.bytes = 0
        self._jitter = 0.0
        self._last: tuple[float, int] | None = None
        self._prior = (0, 0)
        self.fraction_lost = 0.0  #: of the latest report
        self._report_middle = 0
        self._report_at_s = 0.0

    def add(self, sequence: int, timestamp: int, size_bytes: int, now_s: float) -> None:
        """A packet of the stream itself (no retransmission) has come."""
        self.packets += 1
        self.bytes += size_bytes
        if self._base is None:
            self._base = self._highest = sequence
        elif sequence_newer(sequence, self._highest):
            self._cycles += 0x10000 if sequence < self._highest else 0
            self._highest = sequence
        if self._last is not None and timestamp != self._last[1]:
            transit = (now_s - self._last[0]) * self._clock_hz - timestamp_difference(timestamp, self._last[1])
            self._jitter += (abs(transit) - self._jitter) / 16
        if self._last is None or timestamp != self._last[1]:
            self._last = (now_s, timestamp)

    def add_sender_report(self, ntp_timestamp: int, now_s: float) -> None:
        """A sender report has come: the next receiver report tells the sender how long ago."""
        self._report_middle = ntp_timestamp >> 16 & 0xFFFFFFFF
        self._report_at_s = now_s

    @property
    def expected(self) -> int:
        """Packets that the sender has sent, judged by its sequence numbers."""
        return 0 if self._base is None else self._cycles + self._highest - self._base + 1

    @property
    def jitter_s(self) -> float:
        """Interarrival jitter."""
        return self._jitter / self._clock_hz

    def report(self, now_s: float) -> RtcpReceiverInfo:
        """The block of the next receiver report; loss is counted since the one before."""
        expected, received = self.expected - self._prior[0], self.packets - self._prior[1]
        self._prior = (self.expected, self.packets)
        lost = max(expected - received, 0)
        self.fraction_lost = lost / expected if expected > 0 else 0.0
        delay = int((now_s - self._report_at_s) * 65536) if self._report_middle else 0
        return RtcpReceiverInfo(
            ssrc=self._ssrc,
            fraction_lost=min((lost << 8) // expected, 255) if expected > 0 else 0,
            packets_lost=clamp_packets_lost(self.expected - self.packets),
            highest_sequence=self._cycles + self._highest & 0xFFFFFFFF,
            jitter=int(self._jitter),
            lsr=self._report_middle,
            dlsr=min(max(delay, 0), 0xFFFFFFFF),
        )
