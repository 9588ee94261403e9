"""What is taken for congestion, what is not, and how the estimate rises again."""

import itertools
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmeet_core.sfu.path_estimate import (
    FIRST_BACK_OFF_S,
    FLOOR_BPS,
    MAX_BACK_OFF_S,
    MAX_BPS,
    MIN_BPS,
    SILENCE_S,
    START_BPS,
    PathEstimate,
)
from vmeet_core.sfu.sent_packets import Delivery

SIZE_BYTES = 1000
OFFSET_S = 500.0  # of the receiver's clock


class Path:
    """Sends evenly at ``bps`` and reports every 100 ms. ``delay_s`` and ``is_lost`` are asked at every packet."""

    def __init__(self, bps: float = 1e6) -> None:
        self.bps = bps
        self.now_s = 0.0
        self.offset_s = OFFSET_S
        self.estimate = PathEstimate(0.0)
        self.wanted_bps = 0.0
        self.padding_bps = 0.0
        self.paddings: list[float] = []  # at every tick
        self._sent_s = 0.0
        self._ticked_s = 0.0

    def go(
        self, seconds: float, delay_s: Callable[[float], float] = lambda now_s: 0.0,
        is_lost: Callable[[], bool] = lambda: False,
    ) -> PathEstimate:  # fmt: skip
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s += 0.1
            report = []
            while self._sent_s < self.now_s:
                delay = 0.02 + delay_s(self._sent_s)
                arrived_s = None if is_lost() else self._sent_s + delay + self.offset_s
                report.append(Delivery(self._sent_s, arrived_s, SIZE_BYTES))
                self._sent_s += SIZE_BYTES * 8 / (self.bps + self.padding_bps)
            self.estimate.on_deliveries(report, self.now_s)
            if not self.estimate.is_probing:
                self.padding_bps = 0.0
            if self.now_s - self._ticked_s > 0.19:
                self._ticked_s = self.now_s
                self.padding_bps = self.estimate.tick(self.bps, self.wanted_bps, self.now_s)
                self.paddings.append(self.padding_bps)
        return self.estimate


def growing(start_s: float, a_second: float) -> Callable[[float], float]:
    """A queue that fills: each packet waits longer than the one before."""
    return lambda now_s: max(now_s - start_s, 0.0) * a_second


# ---- congestion ----


def test_a_calm_way_changes_nothing() -> None:
    estimate = Path().go(20)
    assert estimate.bps == START_BPS
    assert estimate.queue_s == pytest.approx(0, abs=1e-6)
    assert estimate.delivered_bps == pytest.approx(1e6, rel=0.05)


def test_jitter_and_single_late_packets_are_no_queue() -> None:
    chance = random.Random(5)
    estimate = Path().go(30, lambda now_s: chance.choice((0.0, 0.0, 0.01, 0.03, 0.15, 0.3)))
    assert estimate.bps == START_BPS


def test_a_queue_that_grows_is_cut_to_what_comes() -> None:
    path = Path()
    path.go(5)
    estimate = path.go(1, growing(5, 0.25))  # the way carries 1 / 1.25 of it
    assert 0.6e6 < estimate.bps < 1e6
    assert estimate.congested_s > 5


def test_a_queue_that_stands_counts_after_a_while() -> None:
    path = Path()
    path.go(5)
    assert path.go(0.8, lambda now_s: 0.1).bps == START_BPS, "a keyframe is larger than others"
    assert path.go(2, lambda now_s: 0.1).bps < 1e6


def test_a_small_queue_is_none() -> None:
    path = Path()
    path.go(5)
    assert path.go(3, lambda now_s: 0.05).bps == START_BPS


def test_a_queue_that_drains_is_left_alone() -> None:
    path = Path()
    path.go(5)
    path.go(1, growing(5, 0.4))
    cut_bps, path.bps = path.estimate.bps, 0.3e6
    path.go(4, lambda now_s: max(0.4 - (now_s - 6) * 0.15, 0.0))
    assert path.estimate.bps >= 0.84 * cut_bps, "once more at most, for what was on its way"
    assert path.estimate.queue_s < 0.01


def test_a_mere_queue_never_takes_the_small_picture() -> None:
    path = Path(100e3)
    path.go(3)
    path.go(10, lambda now_s: 0.5)
    assert path.estimate.bps >= FLOOR_BPS


def test_a_queue_that_overflows_takes_all_it_has_to() -> None:
    chance = random.Random(1)
    path = Path(100e3)
    path.go(3)
    path.go(12, lambda now_s: 0.5, lambda: chance.random() < 0.25)
    assert MIN_BPS <= path.estimate.bps < FLOOR_BPS


def test_a_receiver_that_stops_for_a_while_is_not_congested() -> None:
    path = Path()
    path.go(5)
    for stall in range(10):
        start_s = 5 + stall
        path.go(1, lambda now_s, start_s=start_s: max(start_s + 0.4 - now_s, 0.0))  # all arrives at its end
    assert path.estimate.bps == START_BPS


def test_what_was_lost_in_an_outage_is_forgotten() -> None:
    path = Path()
    path.go(5)
    lost = [Delivery(5 + n / 100, None, SIZE_BYTES) for n in range(200)]
    came = [Delivery(7.0, 7.02 + OFFSET_S, SIZE_BYTES)]
    path.estimate.on_deliveries(lost + came, 5 + SILENCE_S + 1)
    assert path.estimate.loss.share == 0.0
    assert path.estimate.bps == START_BPS


@pytest.mark.parametrize("jump_s", [-(2**24) * 0.064, 3600.0, -90.0])
def test_a_receivers_clock_may_wrap_or_be_set(jump_s: float) -> None:
    path = Path()
    path.go(5)
    path.offset_s += jump_s
    path.go(5)
    assert path.estimate.bps == START_BPS
    assert path.estimate.queue_s < 0.01
    assert path.estimate.delivered_bps == pytest.approx(1e6, rel=0.05)
    assert path.go(1, growing(10, 0.3)).bps < 1e6


def test_the_base_delay_follows_a_longer_way() -> None:
    path = Path(2e6)
    path.go(10)
    path.go(40, lambda now_s: 0.12)
    assert path.estimate.queue_s < 0.01
    cut_bps = path.estimate.bps
    path.go(10, lambda now_s: 0.12)
    assert path.estimate.bps >= cut_bps


@pytest.mark.parametrize(("loss", "lowered"), [(0.05, False), (0.5, True)])
def test_much_loss_lowers_the_estimate(loss: float, lowered: bool) -> None:
    chance = random.Random(2)
    estimate = Path(2e6).go(15, is_lost=lambda: chance.random() < loss)
    assert (estimate.bps < 0.9 * START_BPS) == lowered
    assert estimate.loss.share == pytest.approx(loss, abs=0.05)


# ---- upwards ----


def test_the_media_itself_raises_the_estimate() -> None:
    path = Path(2.4e6)
    path.go(10)
    assert 1.3 * 2.4e6 < path.estimate.bps <= 1.5 * 2.5e6


def cut_down(path: Path) -> None:
    path.go(5)
    path.go(1, growing(path.now_s, 1.0))
    assert path.estimate.bps < 1e6
    path.bps = 200e3
    path.go(2)


def test_a_probe_climbs_until_there_is_more_than_enough() -> None:
    path = Path()
    cut_down(path)
    path.wanted_bps = 1.5e6
    path.go(10)
    assert path.estimate.bps > 1.5e6
    assert not path.estimate.is_probing
    assert max(path.paddings) <= 1.5 * 1.5e6


def test_a_step_of_a_probe_is_bounded_by_what_is_known() -> None:
    path = Path()
    cut_down(path)
    known_bps, path.wanted_bps = path.estimate.bps, 10e6
    before = len(path.paddings)
    while not path.estimate.is_probing:
        path.go(0.1)
    assert len(path.paddings) > before
    assert path.bps + path.padding_bps <= 1.5 * known_bps * 1.2


def test_a_probe_that_builds_a_queue_stops_at_once_and_waits_longer_each_time() -> None:
    path = Path()
    cut_down(path)
    path.wanted_bps = 1.5e6
    starts_s = []
    for _ in range(600):
        was = path.estimate.is_probing
        path.go(0.1, lambda now_s: 0.05 if path.padding_bps else 0.0)
        if path.estimate.is_probing and not was:
            starts_s.append(path.now_s)
    assert path.estimate.bps < 1.2e6
    waits_s = [later - earlier for earlier, later in itertools.pairwise(starts_s)]
    assert waits_s[0] >= FIRST_BACK_OFF_S
    assert waits_s[1] > waits_s[0]
    assert all(MAX_BACK_OFF_S <= wait_s < MAX_BACK_OFF_S + 2 for wait_s in waits_s[3:])


def test_nothing_wanted_nothing_probed() -> None:
    path = Path()
    cut_down(path)
    path.paddings.clear()
    path.go(20)
    assert set(path.paddings) == {0.0}


def test_no_probe_while_the_queue_stands() -> None:
    path = Path()
    cut_down(path)
    path.wanted_bps = 1.5e6
    path.paddings.clear()
    path.go(6, lambda now_s: 0.06)
    assert set(path.paddings) == {0.0}


def test_without_reports_it_hopes_and_hopes_less_often() -> None:
    estimate = PathEstimate(0.0)
    rises_s, now_s = [0.0], 0.0
    while now_s < 60:
        now_s += 0.2
        estimate.on_loss(0.9 if now_s < rises_s[-1] + 3 else 0.0, 100, 500e3, now_s)
        before_bps = estimate.bps
        assert estimate.tick(500e3, 3e6, now_s) == 0.0, "no padding where nobody tells what became of it"
        if estimate.bps > before_bps:
            rises_s.append(now_s)
    waits_s = [later - earlier for earlier, later in itertools.pairwise(rises_s[1:])]
    assert len(waits_s) >= 3
    assert all(wait_s >= FIRST_BACK_OFF_S for wait_s in waits_s)
    assert waits_s[-1] >= MAX_BACK_OFF_S


# ---- receivers without such reports ----


def test_a_small_fall_of_remb_counts_when_another_follows() -> None:
    estimate = PathEstimate(0.0)
    estimate.on_remb(900e3, 2e6, 1e6, 3.0)
    estimate.on_remb(850e3, 900e3, 1e6, 3.2)  # the same moment
    assert estimate.bps == START_BPS
    estimate.on_remb(820e3, 950e3, 1e6, 20.0)  # long after
    assert estimate.bps == START_BPS
    estimate.on_remb(810e3, 900e3, 1e6, 22.0)
    assert estimate.bps == 810e3


def test_only_a_fall_of_remb_says_something() -> None:
    estimate = PathEstimate(0.0)
    estimate.on_remb(500e3, None, 1e6, 1.0)
    estimate.on_remb(490e3, 500e3, 1e6, 2.0)
    estimate.on_remb(1.2e6, 2e6, 1e6, 3.0)  # still more than what is sent
    assert estimate.bps == START_BPS
    estimate.on_remb(400e3, 490e3, 1e6, 4.0)
    assert estimate.bps == 400e3
    estimate.on_remb(200e3, 400e3, 1e6, 4.3)
    assert estimate.bps == 400e3, "what comes now still speaks of what was sent before"
    estimate.on_remb(10e3, 200e3, 1e6, 6.0)
    assert estimate.bps == FLOOR_BPS


def test_loss_in_receiver_reports_lowers_the_estimate() -> None:
    estimate = PathEstimate(0.0)
    estimate.on_loss(0.05, 200, 1e6, 1.0)
    assert estimate.bps == START_BPS
    estimate.on_loss(0.4, 200, 1e6, 3.0)
    assert estimate.bps == pytest.approx(1.2e6 * 0.8)


# ---- whatever comes ----

DELIVERIES = st.lists(
    st.builds(
        Delivery,
        st.floats(0, 60, allow_subnormal=False),
        st.one_of(st.none(), st.floats(0, 2**24 * 0.064, allow_subnormal=False)),
        st.integers(1, 1500),
    ),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(DELIVERIES, st.floats(0, 3e6, allow_subnormal=False), st.floats(0, 1e8, allow_subnormal=False)),
        max_size=30,
    )
)
def test_no_report_breaks_the_estimate(reports: list[tuple[list[Delivery], float, float]]) -> None:
    estimate, now_s = PathEstimate(0.0), 0.0
    for deliveries, sent_bps, wanted_bps in reports:
        now_s += 0.2
        estimate.on_deliveries(deliveries, now_s)
        assert 0 <= estimate.tick(sent_bps, wanted_bps, now_s) <= MAX_BPS
        assert MIN_BPS <= estimate.bps <= MAX_BPS
