"""What a network does to packets in one direction: loss, delay, a limit of the rate, an outage."""

import dataclasses
import random
from typing import NamedTuple

UDP_HEADER_BYTES = 28  #: of IPv4 and UDP: a rate limit counts them


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What happens to packets in one direction; the default is a perfect network.

    ``loss`` is a share in [0, 1]; with ``burst_packets`` losses come in bursts of that mean length (the two-state
    model of Gilbert), else each packet by itself. ``rate_bps`` limits the rate; what would wait longer than
    ``queue_s`` is dropped. ``jitter_s`` adds a random delay of up to so much; the order is kept.
    """

    loss: float = 0.0
    burst_packets: float | None = None
    rate_bps: float | None = None
    queue_s: float = 0.15
    delay_s: float = 0.0
    jitter_s: float = 0.0
    blackout: bool = False


class Counts(NamedTuple):
    """Datagrams of one direction so far: ``lost`` by the loss pattern, ``overflowed`` at the rate limit."""

    passed: int = 0
    lost: int = 0
    overflowed: int = 0
    blacked_out: int = 0


class Channel:
    """One direction of a line: decides about each packet. The same ``seed`` loses the same packets."""

    def __init__(self, seed: int) -> None:
        self.conditions = Conditions()
        self.counts = Counts()
        self._random = random.Random(seed)
        self._in_burst = False
        self._busy_until_s = 0.0
        self._latest_s = 0.0

    def admit(self, size_bytes: int, now_s: float) -> float | None:
        """When a packet that is sent now arrives, in the unit and origin of ``now_s``; None when it never does."""
        fate = self._fate(now_s)
        self.counts = self.counts._replace(**{fate: getattr(self.counts, fate) + 1})
        if fate != "passed":
            return None
        wanted, sent_s = self.conditions, now_s
        if wanted.rate_bps is not None:
            sent_s = max(self._busy_until_s, now_s) + (size_bytes + UDP_HEADER_BYTES) * 8 / wanted.rate_bps
            self._busy_until_s = sent_s
        arrives_s = sent_s + wanted.delay_s + wanted.jitter_s * self._random.random()
        self._latest_s = max(arrives_s, self._latest_s)
        return self._latest_s

    def _fate(self, now_s: float) -> str:
        wanted = self.conditions
        if wanted.blackout:
            return "blacked_out"
        if self._loses(wanted):
            return "lost"
        full = wanted.rate_bps is not None and self._busy_until_s - now_s > wanted.queue_s
        return "overflowed" if full else "passed"

    def _loses(self, wanted: Conditions) -> bool:
        if wanted.burst_packets is None or not 0 < wanted.loss < 1:
            return self._random.random() < wanted.loss
        leaves = 1 / max(wanted.burst_packets, 1.0)
        enters = min(wanted.loss * leaves / (1 - wanted.loss), 1.0)
        self._in_burst = self._random.random() < (1 - leaves if self._in_burst else enters)
        return self._in_burst
