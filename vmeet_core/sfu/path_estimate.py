"""What the way to one receiver carries, from what became of every packet, and by probing.

The sign of congestion is a standing queue: one-way delays whose *least* over a third of a second lies well above the
least of the last half minute. A busy receiver delays single packets, and jitter does too; a full queue delays them all.
(The idea of the base delay is that of LEDBAT, RFC 6817; cuts and loss thresholds follow draft-ietf-rmcat-gcc-02.)
A cut goes to a little below what was delivered while the queue stood; where the queue is long, pictures pause for as
long as it takes to drain. Upwards the estimate moves by what was proved: by the media itself, or by a probe that sends
packets again for about half a second. All rates count what goes over the wire: RTP, SRTP, UDP and IP.
"""

from collections import deque
from collections.abc import Sequence

from vmeet_core.sfu.link_loss import MAX_INHERENT, LinkLoss
from vmeet_core.sfu.sent_packets import Delivery

START_BPS = 2_500_000.0  #: most receivers carry it, and the others say so at once
FLOOR_BPS = 120_000.0  #: below it nothing goes for a mere delay: a small picture and sound; loss still lowers it
MIN_BPS = 20_000.0
MAX_BPS = 50_000_000.0
OVERFLOW = 0.05  #: loss beside a standing queue: it is full, and costs the sound
QUEUE_S = 0.08  #: a standing queue
PROBE_QUEUE_S, PROBE_QUEUE_WINDOW_S = 0.04, 0.12  #: what a probe does is undone with it: it stops sooner
QUEUE_WINDOW_S = 0.35
BASE_WINDOW_S = 15.0  #: two of them are kept
RATE_WINDOW_S = 0.6
WAITED_S, MIN_WAITED, MIN_SPAN_S = (
    0.04,
    6,
    0.05,
)  #: packets that waited so long came as fast as the link carries
CUT = 0.9  #: of what the link carries, sound included
GROWING_S = 0.005
STANDING_S = 0.8  #: a queue that does not grow either counts when it has stood for so long
REACTION_S = 0.7  #: after a cut the queue has to drain before it can be judged again
DRAIN = 0.7  #: when the queue still stands after two cuts
LONG_QUEUE_S = 0.12  #: pictures pause until it is gone
UNSEEN_S, MAX_PAUSE_S = 0.1, 1.0  #: what was sent since the latest report waits as well
DEEP = 0.6  #: of the estimate before: the link itself has become narrower
SMALL_FALL, WARNED_S = 0.8, 5.0  #: of a receiver's own estimate, below what is sent; how long it is remembered
SILENCE_S = 1.0  #: without any report: an outage; what was lost in it says nothing about the rate
GROWTH, GROWTH_AFTER_S = 1.08, 1.0  #: per second while the media itself uses most of the estimate
NEAR, NEAR_GROWTH = 0.85, 1.02  #: of what came through a full queue: from there on with care
USED, HEADROOM = 0.7, 1.5
PROBE_S, SETTLE_S = 0.6, 0.4
PROBE_FACTOR, PROBE_SURPLUS = 1.5, 1.15
PROBE_BEYOND = 1.5  #: times what is wanted: a last step, so that the next need is met without another probe
PROBE_CARRIED = 0.9
BLIND_S = 0.15  #: without a report a probe waits
ENOUGH = 0.9  #: what is wanted varies a little from one look to the next
CALM_S = 1.5  #: since the last sign of congestion, before a probe
FIRST_BACK_OFF_S, MAX_BACK_OFF_S = 3.0, 8.0  #: a failed probe costs 0.2 s of queue, being late costs the picture


class PathEstimate:
    """Feed it reports; all times but ``arrived_s`` are of one monotonic clock. ``bps`` is for pictures and padding.

    ``sound_bps`` is what goes to the receiver besides, to be kept up to date. Until ``drained_s`` no picture should be
    sent, so that the queue empties and sound comes through.
    """

    def __init__(self, now_s: float) -> None:
        self.bps = START_BPS
        self.sound_bps = 0.0
        self.drained_s = now_s
        self.queue_s = 0.0
        self.delivered_bps = 0.0
        self.loss = LinkLoss()
        self._delays: deque[tuple[float, float]] = deque(maxlen=1024)  # arrived, one-way delay with the clocks' offset
        self._arrived: deque[tuple[float, int, float]] = deque(maxlen=2048)  # arrival, size, one-way delay
        self._bases = (float("inf"), float("inf"))
        self._base_since_s = now_s
        self._heard_s = now_s
        self._grown_s = now_s
        self._full_bps = MAX_BPS  # of pictures, through a full queue
        self._cut_s = now_s - GROWTH_AFTER_S
        self.congested_s = now_s - CALM_S  #: when congestion was last seen
        self._cuts = 0
        self._warned_s = now_s - WARNED_S
        self._was_lossy = False
        self._standing_since_s: float | None = None
        self._probe_until_s: float | None = None
        self._probe_bps = 0.0
        self._probe_carried = False  # at least its first step
        self._back_off_s = FIRST_BACK_OFF_S
        self._probe_after_s = now_s

    # ---- reports ----

    def on_deliveries(self, deliveries: Sequence[Delivery], now_s: float) -> None:
        """What a report of the receiver says of packets; in the order in which they were sent."""
        after_outage = now_s - self._heard_s > SILENCE_S
        self._heard_s = now_s
        if after_outage:
            deliveries = [each for each in deliveries if each.arrived_s is not None]
        came = [each for each in deliveries if each.arrived_s is not None]
        if not came:
            return
        self._note_delays(came, now_s)
        self._note_rate(came)
        lost = len(deliveries) - len(came)
        sample = self.loss.add(lost / len(deliveries), len(deliveries), now_s)
        if sample is not None:
            excess = self.loss.excess(sample, self.delivered_bps)
            if excess and self._newest_queue_s() > QUEUE_S:
                self._relieve(now_s)
            elif excess and (self._was_lossy or excess > MAX_INHERENT):  # a sample alone may be chance
                self._cut(min(self.bps, 1.2 * self.delivered_bps) * (1 - 0.5 * excess), MIN_BPS, now_s)
            self._was_lossy = excess > 0
        self._judge_queue(now_s)

    def _note_delays(self, came: Sequence[Delivery], now_s: float) -> None:
        for sent_s, at_s, *_ in came:
            arrived_s = at_s or 0.0
            delay_s = arrived_s - sent_s
            if self._delays and abs(delay_s - self._delays[-1][1]) > 60:  # the receiver's clock has wrapped or was set
                self._delays.clear()
                self._bases = (float("inf"), float("inf"))
            self._delays.append((arrived_s, delay_s))
        newest_s = self._delays[-1][0]
        while self._delays[0][0] < newest_s - QUEUE_WINDOW_S:
            self._delays.popleft()
        least_s = min(delay for _, delay in self._delays)
        self._bases = (min(self._bases[0], least_s), self._bases[1])
        self.queue_s = least_s - min(self._bases)
        if now_s - self._base_since_s > BASE_WINDOW_S:
            self._bases, self._base_since_s = (least_s, self._bases[0]), now_s

    def _note_rate(self, came: Sequence[Delivery]) -> None:
        arrivals = ((each.arrived_s or 0.0, each.size_bytes, each.sent_s) for each in came)
        self._arrived.extend((arrived_s, size, arrived_s - sent_s) for arrived_s, size, sent_s in arrivals)
        newest_s = self._arrived[-1][0]
        while self._arrived[0][0] < newest_s - RATE_WINDOW_S or self._arrived[0][0] > newest_s + 60:
            self._arrived.popleft()
        span_s = max(newest_s - self._arrived[0][0], 0.1)
        self.delivered_bps = sum(size for _, size, _ in self._arrived) * 8 / span_s

    def _judge_queue(self, now_s: float) -> None:
        if self.is_probing and (self._latest_queue_s() > PROBE_QUEUE_S or self.loss.rises):
            self.congested_s = now_s
            self._end_probe(self._probe_carried, now_s)
        overflows = self.loss.rises and self._latest_queue_s() > QUEUE_S  # a short queue is full at once
        if self.queue_s <= QUEUE_S and not overflows:
            self._standing_since_s = None
            if now_s - self.congested_s > REACTION_S:
                self._cuts = 0
            return
        if self._standing_since_s is None:
            self._standing_since_s = now_s
        stands = now_s - self._standing_since_s > STANDING_S
        growth_s = self._growth_s()
        if not (growth_s > GROWING_S or self.loss.rises or (stands and growth_s > -GROWING_S)):
            return
        self.congested_s = now_s
        if now_s - max(self._cut_s, self.drained_s) > REACTION_S:
            self._relieve(now_s)

    def _relieve(self, now_s: float) -> None:
        """Send less than the link carries, and nothing until a long queue is gone."""
        self._cuts += 1
        self._full_bps = self._carried_bps()
        link_bps, wait_s = self._full_bps + self.sound_bps, self._newest_queue_s()
        pauses = wait_s > LONG_QUEUE_S and (self._cuts > 1 or link_bps < DEEP * self.bps)
        factor = CUT if self._cuts < 3 else DRAIN
        overflows = self.loss.share > OVERFLOW
        self._cut(factor * link_bps - self.sound_bps, MIN_BPS if overflows else FLOOR_BPS, now_s)
        if pauses:
            room = max(1 - self.sound_bps / link_bps, wait_s / MAX_PAUSE_S)
            self.drained_s = now_s + min(wait_s / room + UNSEEN_S, MAX_PAUSE_S)

    def _carried_bps(self) -> float:
        """Of pictures, by the latest packets that came one after the other out of a queue."""
        waited_s, size_bytes, packets, since_s = min(self._bases) + WAITED_S, 0, 0, self._arrived[-1][0]
        for arrived_s, size, delay_s in reversed(self._arrived):
            if delay_s < waited_s:
                break
            size_bytes, packets, since_s, first_bytes = size_bytes + size, packets + 1, arrived_s, size
        span_s = self._arrived[-1][0] - since_s
        if packets < MIN_WAITED or span_s < MIN_SPAN_S:
            return self.delivered_bps
        return (size_bytes - first_bytes) * 8 / span_s

    def _growth_s(self) -> float:
        """How much longer later packets waited. After a pause of the receiver it is the earlier ones that did."""
        middle_s = (self._sent_s(0) + self._sent_s(-1)) / 2
        earlier = min((delay for at_s, delay in self._delays if at_s - delay < middle_s), default=self._delays[0][1])
        later = min((delay for at_s, delay in self._delays if at_s - delay >= middle_s), default=earlier)
        return later - earlier

    def _latest_queue_s(self) -> float:
        newest_s = self._delays[-1][0]
        latest = min(delay for at_s, delay in self._delays if at_s >= newest_s - PROBE_QUEUE_WINDOW_S)
        return latest - min(self._bases)

    def _newest_queue_s(self) -> float:
        return self._delays[-1][1] - min(self._bases)

    def _sent_s(self, index: int) -> float:
        arrived_s, delay_s = self._delays[index]
        return arrived_s - delay_s

    def _cut(self, bps: float, floor_bps: float, now_s: float) -> None:
        self._cut_s = self.congested_s = now_s
        self._probe_after_s = max(self._probe_after_s, now_s + FIRST_BACK_OFF_S)
        before_bps, self.bps = self.bps, max(min(self.bps, bps), min(self.bps, floor_bps))
        if self.bps < before_bps:  # else the loss that comes is that of this rate
            self.loss.restart(now_s)

    # ---- upwards ----

    @property
    def is_probing(self) -> bool:
        """Whether padding flows, or its effect is awaited."""
        return self._probe_until_s is not None

    def is_blind(self, now_s: float) -> bool:
        """Whether no report has come for so long that a probe could not be stopped in time."""
        return now_s - self._heard_s > BLIND_S

    def tick(self, sent_bps: float, wanted_bps: float, now_s: float) -> float:
        """Grow, and probe where ``wanted_bps`` (0: nothing) is more than the estimate.

        Gives how much padding to send until the next call, in bits a second.
        """
        self._grow(sent_bps, now_s)
        if self._probe_until_s is not None:
            return self._advance_probe(sent_bps, wanted_bps, now_s)
        if wanted_bps <= self.bps or now_s < self._probe_after_s or now_s - self.congested_s < CALM_S:
            return 0.0
        if now_s - self._heard_s > SILENCE_S:  # no reports: nothing is sent, or the receiver gives none
            self.hope(PROBE_SURPLUS * wanted_bps, now_s)
            return 0.0
        if self.queue_s > PROBE_QUEUE_S:
            return 0.0
        self._probe_carried = False
        self._begin_step(min(PROBE_SURPLUS * wanted_bps, PROBE_FACTOR * max(sent_bps, self.bps)), now_s)
        return max(self._probe_bps - sent_bps, 0.0)

    def _begin_step(self, bps: float, now_s: float) -> None:
        self._probe_bps, self._probe_until_s = min(bps, MAX_BPS), now_s + PROBE_S + SETTLE_S

    def hope(self, bps: float, now_s: float) -> None:
        """Nothing is sent that could tell: try this much, and if that fails not again for a while."""
        if now_s >= self._probe_after_s and now_s - self.congested_s > CALM_S:
            self.bps, self._probe_after_s = max(self.bps, min(bps, MAX_BPS)), now_s + self._back_off_s
            self._back_off_s = min(2 * self._back_off_s, MAX_BACK_OFF_S)

    def _advance_probe(self, sent_bps: float, wanted_bps: float, now_s: float) -> float:
        """Go on to more as soon as one step has come through."""
        until_s = self._probe_until_s or now_s
        come_bps = self._probe_bps * (1 - min(self.loss.share, 0.5))
        if not self.loss.rises and self.delivered_bps > PROBE_CARRIED * come_bps:
            self._probe_carried = True
            self.bps = max(self.bps, self._probe_bps)
            if self.bps > self._full_bps:
                self._full_bps = MAX_BPS
            needed_bps = PROBE_SURPLUS * wanted_bps
            most_bps = needed_bps if self._probe_bps < ENOUGH * needed_bps else PROBE_BEYOND * wanted_bps
            if self._probe_bps >= ENOUGH * most_bps:
                self._end_probe(True, now_s)
                return 0.0
            self._begin_step(min(PROBE_FACTOR * self._probe_bps, most_bps), now_s)
        elif now_s >= until_s:
            self._end_probe(self._probe_carried, now_s)
            return 0.0
        elif now_s >= until_s - SETTLE_S or self.is_blind(now_s):
            return 0.0
        return max(self._probe_bps - sent_bps, 0.0)

    def _end_probe(self, carried: bool, now_s: float) -> None:
        self._probe_until_s = None
        if carried:
            self._back_off_s = FIRST_BACK_OFF_S
        self._probe_after_s = now_s + self._back_off_s
        self._back_off_s = min(2 * self._back_off_s, MAX_BACK_OFF_S)

    def _grow(self, sent_bps: float, now_s: float) -> None:
        elapsed_s, self._grown_s = now_s - self._grown_s, now_s
        calm = now_s - self._cut_s > GROWTH_AFTER_S and self.queue_s < PROBE_QUEUE_S
        if calm and sent_bps > USED * self.bps and self.bps < HEADROOM * self.delivered_bps:
            growth = GROWTH if self.bps < NEAR * self._full_bps else NEAR_GROWTH
            self.bps = min(self.bps * growth**elapsed_s, MAX_BPS)

    # ---- receivers without such reports ----

    def on_remb(self, bps: float, before_bps: float | None, sent_bps: float, now_s: float) -> None:
        """The estimate of a receiver that gives no reports of packets (REMB): only a fall says something.

        One that is a little below what is sent may be a moment in which the receiver was busy; where the way is too
        narrow, another follows.
        """
        fell = before_bps is not None and bps < 0.95 * before_bps and bps < sent_bps
        if not fell or now_s - self._cut_s <= REACTION_S or now_s - self._warned_s <= REACTION_S:
            return
        if bps > SMALL_FALL * sent_bps and now_s - self._warned_s > WARNED_S:
            self._warned_s = now_s
        else:
            self._cut(bps, FLOOR_BPS, now_s)

    def on_loss(self, fraction_lost: float, packets: int, sent_bps: float, now_s: float) -> None:
        """A block of a receiver report, for receivers that give no reports of packets."""
        sample = self.loss.add(fraction_lost, packets, now_s)
        if sample is not None and (excess := self.loss.excess(sample, sent_bps)):
            self._cut(min(self.bps, 1.2 * sent_bps) * (1 - 0.5 * excess), MIN_BPS, now_s)
