"""A publisher's wall clock against ours, from the sender reports of all its sources (RFC 3550, section 6.4.1).

Receivers are told of every source in one clock, the server's: a slot may go from person to person, and a receiver
that sees the clock jump would lose the step of sound and picture. All sources of a publisher share one offset, so what
was in step stays in step.
"""

import time

from aiortc.clock import current_ntp_time

DRIFT_S = 0.0002  #: how much later than the quickest report may count as the offset, per report: clocks drift


class PublisherClock:
    """``offset_s`` is what to add to the publisher's NTP time; None before the first report."""

    def __init__(self) -> None:
        self.offset_s: float | None = None

    def add_sender_report(self, ntp_timestamp: int, now_s: float) -> None:
        """A report arrived at monotonic time ``now_s``; the quickest ones tell the offset best."""
        behind_s = time.monotonic() - now_s
        offset_s = current_ntp_time() / 2**32 - behind_s - ntp_timestamp / 2**32
        if self.offset_s is None or abs(offset_s - self.offset_s) > 1.0:
            self.offset_s = offset_s
        else:
            self.offset_s = min(offset_s, self.offset_s + DRIFT_S)

    def server_ntp_s(self, ntp_timestamp: int) -> float | None:
        """The publisher's NTP timestamp in seconds of the server's clock; None before the first report."""
        return None if self.offset_s is None else ntp_timestamp / 2**32 + self.offset_s
