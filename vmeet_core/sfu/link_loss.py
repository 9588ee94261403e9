"""Loss on the way to one receiver: how much of it would vanish if we sent less?"""

import math

SAMPLE_S = 0.7  # of reports; these come every second or so
SAMPLE_PACKETS = 20
SMOOTHING = 0.3
EXCESS = 0.10  # draft-ietf-rmcat-gcc-02, section 6: above this the rate goes down
REACTION_S = 1.5  # reports come every second or so and cover the second before
LESS_SENT = 0.85  # of the rate before: enough of a change to see its effect
NOT_CURED = 0.75  # of the loss before: sending less did not help
MAX_INHERENT = 0.3
RISE = 0.03


class LinkLoss:
    """Gathers receiver reports into samples of a second.

    Random loss (radio) stays when the rate is cut, loss by an overflowing queue or a policer does not. So when a cut
    has not helped, what is lost is put down as ``inherent`` and no longer counts as congestion. Without that, a
    rate that falls while loss exceeds a tenth would fall for ever on a line that loses a fifth of everything.
    """

    def __init__(self) -> None:
        self.share = 0.0  # smoothed, 0..1
        self.inherent = 0.0
        self.rises = False  # the latest reports show clearly more loss than is usual here
        self._lost = 0.0
        self._packets = 0
        self._since_s = float("-inf")
        self._before: tuple[float, float] | None = None  # an earlier sample and the rate then

    def add(self, fraction_lost: float, packets: int, now_s: float) -> float | None:
        """Take one report block; gives the loss of a full sample when there is one."""
        if now_s < self._since_s:
            return None
        self._lost += fraction_lost * packets
        self._packets += packets
        self.rises = self._is_rising()
        if self._packets < SAMPLE_PACKETS or now_s - self._since_s < SAMPLE_S:
            return None
        sample = self._lost / self._packets
        self.share += SMOOTHING * (sample - self.share)
        self._begin(now_s)
        return sample

    def excess(self, sample: float, rate_bps: float) -> float:
        """The part of ``sample`` that sending less may cure, given the rate now; 0 when it is no more than a tenth."""
        self.inherent = min(self.inherent, self.inherent + SMOOTHING * (sample - self.inherent))
        before, self._before = self._before, (sample, rate_bps)
        if sample - self.inherent <= EXCESS:
            return 0.0
        if before is not None and rate_bps >= LESS_SENT * before[1]:
            self._before = before if before[0] - self.inherent > EXCESS else self._before
        elif before is not None and sample >= NOT_CURED * before[0]:
            self.inherent = min(sample, MAX_INHERENT)
            return 0.0
        return sample - self.inherent

    def _is_rising(self) -> bool:
        if self._packets < SAMPLE_PACKETS:
            return False
        deviation = math.sqrt(max(self.share * (1 - self.share), 0.01) / self._packets)
        return self._lost / self._packets > self.share + RISE + 2 * deviation

    def restart(self, now_s: float) -> None:
        """The rate was cut: the reports of the next while speak of what was sent before."""
        if now_s >= self._since_s:  # else it waits already
            self._begin(now_s + REACTION_S)

    def _begin(self, since_s: float) -> None:
        self._lost, self._packets, self._since_s = 0.0, 0, since_s
