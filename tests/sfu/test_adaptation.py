"""What joins measuring, estimating and choosing; its behaviour on links is in test_link_model."""

import itertools
from collections.abc import Iterator

import pytest
from aiortc.rtp import RtcpReceiverInfo
from sfu.link_model import Picture, SimulatedLoop, Size, Sound, camera

from vmeet_core.sfu.adaptation import CALM_TICKS, CLEAR_S, Adaptation
from vmeet_core.sfu.egress import Demand
from vmeet_core.sfu.sent_packets import Delivery

TICK_S = 0.2


class Counting(Picture):
    """Remembers what was asked of it."""

    measured = 0
    padded_s: list[float]

    def measure(self, now_s: float) -> float:
        self.measured += 1
        return super().measure(now_s)

    def pad(self, size_bytes: int) -> int:
        self.padded_s.append(self._loop.time())
        return size_bytes


class Stage:
    """One sound and one picture of a receiver whose reports are written by hand."""

    def __init__(self, loop: SimulatedLoop, sizes: list[Size] | None = None) -> None:
        self.loop = loop
        self.sound = Sound()
        self.picture = Counting(sizes or list(camera().layers))
        self.picture.padded_s = []
        self.picture.begin(2, loop, lambda size_bytes, padding: None)
        self.adaptation = Adaptation([self.sound], [self.picture], loop.time)  # type: ignore[list-item]
        self.received = 0

    def run(
        self, seconds: float, loss: float = 0.0, queue_s: float = 0.0, reports: bool = True, packets: int = 40
    ) -> None:
        """Tick, and report that so much was lost and waited."""
        end_s = self.loop.time() + seconds

        def tick() -> None:
            now_s = self.loop.time()
            if reports:
                self.report(loss, queue_s, now_s, packets)
            self.adaptation.tick(now_s)
            if now_s < end_s:
                self.loop.call_later(TICK_S, tick)
            else:
                self.loop.stop()

        self.loop.call_later(TICK_S, tick)
        self.loop.run_forever()

    def report(self, loss: float, queue_s: float, now_s: float, packets: int = 40) -> None:
        """Of what was sent since the report before: 44 kb/s for every packet in it."""
        sent_s = [now_s - TICK_S * (1 - n / packets) for n in range(packets)]
        lost = round(packets * loss)
        self.adaptation.on_deliveries(
            [Delivery(at_s, None if n < lost else at_s + 5 + queue_s, 1100) for n, at_s in enumerate(sent_s)], now_s
        )


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    loop = SimulatedLoop()
    yield loop
    loop.close()


@pytest.fixture
def stage(loop: SimulatedLoop) -> Iterator[Stage]:
    stage = Stage(loop)
    yield stage
    stage.adaptation.close()


def receiver_report(ssrc: int, highest: int, fraction: int) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(ssrc, fraction, 0, highest, 0, 0, 0)


# ---- sound ----


def test_sound_goes_twice_where_packets_are_lost(stage: Stage) -> None:
    stage.run(6, loss=0.025)
    assert not stage.sound.redundant
    stage.run(10, loss=0.1)
    assert stage.sound.redundant
    stage.run(1, loss=0.025)
    assert stage.sound.redundant, "the smoothed share is still more than it ends at"
    stage.run(10)
    assert not stage.sound.redundant


def test_loss_of_sound_alone_counts_too(stage: Stage) -> None:
    for second in range(12):
        stage.adaptation.on_reports([receiver_report(1, 50 * second, 40)], stage.loop.time())
        stage.run(1)
    assert stage.sound.redundant


def test_sound_does_not_go_twice_into_a_full_queue(stage: Stage) -> None:
    stage.run(5)
    stage.run(3, loss=0.15, queue_s=0.3)
    assert not stage.sound.redundant
    stage.run(CLEAR_S - 1, loss=0.15)
    assert not stage.sound.redundant


def test_sound_does_not_go_twice_on_a_narrow_way(stage: Stage) -> None:
    stage.adaptation.on_remb(2e6, stage.loop.time())
    stage.run(2, reports=False)
    stage.adaptation.on_remb(150e3, stage.loop.time())
    assert stage.adaptation.budget_bps < 500e3
    for second in range(6):
        stage.adaptation.on_reports([receiver_report(1, 50 * second, 20)], stage.loop.time())
        stage.picture.demand = None
        stage.run(1, reports=False)
    assert stage.adaptation.report().loss > 0.06
    assert not stage.sound.redundant


# ---- choice ----


def test_a_good_way_shows_the_best_at_once(stage: Stage) -> None:
    stage.run(TICK_S)
    assert stage.picture.shown == (1, 2)


def test_while_all_is_well_it_looks_once_a_second(stage: Stage) -> None:
    stage.run(3)
    before = stage.picture.measured
    stage.run(10)
    assert 10 / (CALM_TICKS * TICK_S) - 1 <= stage.picture.measured - before <= 10 / (CALM_TICKS * TICK_S) + 1


def test_what_is_wanted_now_is_chosen_now(stage: Stage) -> None:
    stage.run(3)
    stage.picture.demand = Demand(1, 90)
    stage.adaptation.tick(stage.loop.time(), changed=True)
    assert stage.picture.shown == (0, 2)
    stage.picture.demand = None
    stage.adaptation.tick(stage.loop.time(), changed=True)
    assert stage.picture.shown is None


def test_a_picture_of_which_nothing_comes_is_awaited(stage: Stage) -> None:
    for size in stage.picture.layers:
        size.is_flowing = lambda now_s: False  # type: ignore[method-assign]
    stage.run(1)
    assert stage.picture.source is stage.picture.layers[-1]


def test_congestion_is_answered_at_the_next_tick(stage: Stage) -> None:
    stage.run(5)
    stage.run(2, queue_s=0.3)
    assert stage.adaptation.budget_bps < 0.9 * 2.5e6


def test_loss_makes_room_for_repairs(loop: SimulatedLoop) -> None:
    stage = Stage(loop, [Size(150e3, 180), Size(2.35e6, 720)])
    stage.run(2, packets=30)
    assert stage.picture.shown == (1, 2)
    stage.run(10, loss=0.1, packets=30)
    assert stage.adaptation.budget_bps == 2.5e6
    assert stage.picture.shown == (1, 1), "2.35 Mb/s, the headers and a tenth more do not fit"
    stage.adaptation.close()


# ---- probing ----


def narrowed(stage: Stage) -> None:
    """Cut down, then calm until padding flows."""
    stage.run(5)
    stage.run(3, queue_s=0.5, packets=10)
    assert stage.picture.shown == (0, 2)
    for _ in range(100):
        stage.run(TICK_S, packets=10)
        if stage.picture.padded_s:
            return
    raise AssertionError("no probe")


def test_padding_flows_evenly_and_stops_at_the_first_sign(stage: Stage) -> None:
    narrowed(stage)
    stage.run(TICK_S)
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(stage.picture.padded_s)]
    assert gaps_s == pytest.approx([0.02] * len(gaps_s), abs=0.001)
    stage.report(0.0, 0.2, stage.loop.time())
    stage.picture.padded_s.clear()
    stage.loop.call_later(0.1, stage.loop.stop)
    stage.loop.run_forever()
    assert stage.picture.padded_s == []


def test_no_padding_after_close(stage: Stage) -> None:
    narrowed(stage)
    stage.adaptation.close()
    stage.picture.padded_s.clear()
    stage.loop.call_later(0.1, stage.loop.stop)
    stage.loop.run_forever()
    assert stage.picture.padded_s == []


# ---- reports ----


def test_nothing_is_told_of_the_way_before_it_is_known(stage: Stage) -> None:
    stage.run(1, reports=False)
    assert stage.adaptation.report().estimate_bps is None
    stage.run(1, loss=0.5)
    told = stage.adaptation.report()
    assert told.estimate_bps is not None
    assert told.loss > 0.1
    assert told.sent_bps > 0


def test_remb_means_nothing_beside_reports_of_packets(stage: Stage) -> None:
    stage.run(2)
    for bps in (2e6, 1e6, 100e3):
        stage.adaptation.on_remb(bps, stage.loop.time())
        stage.run(1)
    assert stage.adaptation.budget_bps == 2.5e6


def test_reports_about_unknown_streams_are_bounded(stage: Stage) -> None:
    for ssrc in range(1000):
        stage.adaptation.on_reports([receiver_report(ssrc, 100, 0)], 0.0)
    for ssrc in range(1000):
        stage.adaptation.on_reports([receiver_report(ssrc, 200, 255)], 1.0 + ssrc)
    assert len(stage.adaptation._highest) <= 128


def test_it_needs_no_loop_but_to_pad() -> None:
    adaptation = Adaptation([], [])
    adaptation.tick(0.0)
    assert adaptation.report().sent_bps == 0.0
