"""Adaptation end to end in simulated time: what a receiver behind a narrow, lossy or changing link gets."""

import itertools

import pytest
from sfu.link_model import OVERHEAD_BYTES, Link, Picture, Simulation, Size, camera

GOOD_BPS = 5e6
FULL, HALF_RATE, SMALL = (1, 2), (1, 1), (0, 2)
ANY_SMALL = {(0, 0), (0, 1), SMALL}


def one(rate_bps: float = GOOD_BPS, **options: object) -> Simulation:
    return Simulation([camera()], rate_bps, **options)  # type: ignore[arg-type]


# ---- the model itself ----


def test_the_link_queues_drops_and_changes_its_rate() -> None:
    link = Link(80e3, queue_s=0.5, loss=0.0, seed=1)
    arrivals = [link.arrival_s(1058 - OVERHEAD_BYTES, 0.0) for _ in range(8)]  # 0.1058 s each
    assert [a is not None for a in arrivals] == [True] * 5 + [False] * 3
    assert link.delay_s(0.0) == pytest.approx(5 * 0.1058)
    link.set_rate(160e3, 0.0)
    assert link.delay_s(0.0) == pytest.approx(5 * 0.0529)
    link.set_rate(0.0, 1.0)
    assert link.arrival_s(100, 1.0) is None


def test_the_same_run_gives_the_same_twice() -> None:
    changes = {3.0: 400e3}
    assert one(changes=changes, loss=0.02).run(10).samples == one(changes=changes, loss=0.02).run(10).samples


# ---- goals ----


@pytest.mark.parametrize("rate_bps", [2e6, GOOD_BPS])
def test_a_good_link_shows_the_full_picture_all_the_time(rate_bps: float) -> None:
    sim = one(rate_bps).run(40)
    assert sim.share(0.2, 40, {FULL}) == 1.0
    assert sim.worst_queue_s(2, 40) < 0.1
    assert sim.pictures[0].padded_bytes == 0


@pytest.mark.parametrize("queue_s", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("start_s", [0.0, 20.0, 20.137, 20.411])
def test_at_300_kbps_the_small_picture_is_stable_within_3_seconds(start_s: float, queue_s: float) -> None:
    sim = one(GOOD_BPS if start_s else 300e3, changes={start_s: 300e3} if start_s else {}, queue_s=queue_s)
    sim.run(start_s + 34)
    calm = (start_s + 3, start_s + 33)
    assert sim.first(start_s, ANY_SMALL) < 2
    assert len(sim.switches(*calm)) <= 2
    assert sim.worst_queue_s(*calm) < 0.25  # at a probe; else nothing waits
    assert sum(s.queue_s > 0.1 for s in sim.between(*calm)) < 0.15 * len(sim.between(*calm))
    assert sim.sound_loss(*calm) < 0.03
    assert sim.share(*calm, {SMALL}) > 0.9


@pytest.mark.parametrize("queue_s", [0.03, 1.0])
def test_very_short_and_very_long_queues_are_understood_too(queue_s: float) -> None:
    sim = one(changes={20.0: 300e3}, queue_s=queue_s).run(55)
    assert sim.first(20, ANY_SMALL) < 3
    assert sim.worst_queue_s(25, 55) < 0.25
    assert sim.loss(25, 55) < 0.1  # a queue of one packet loses some of every frame


@pytest.mark.parametrize("rate_bps", [500e3, 900e3, 1.3e6, 1.6e6])
def test_at_other_rates_it_is_as_stable(rate_bps: float) -> None:
    sim = one(changes={20.0: rate_bps}).run(55)
    assert sim.worst_queue_s(24, 55) < 0.25
    assert sim.loss(24, 55) < 0.01
    assert len(sim.switches(24, 55)) <= 2
    assert sim.share(24, 55, {SMALL, HALF_RATE, FULL}) == 1.0


def test_at_200_kbps_sound_is_whole_and_a_small_picture_is_shown() -> None:
    sim = one(changes={20.0: 200e3}).run(60)
    assert sim.sound_loss(23, 60) < 0.01
    assert sim.share(23, 60, ANY_SMALL) == 1.0
    assert len(sim.switches(23, 53)) <= 2


@pytest.mark.parametrize("rate_bps", [70e3, 130e3])
def test_where_only_sound_fits_pictures_are_paused_and_tried_seldom(rate_bps: float) -> None:
    sim = one(changes={20.0: rate_bps}).run(80)
    assert sim.sound_loss(24, 80) < 0.02
    tries_s = [at_s for at_s, (shown,) in sim.switches(24, 80) if shown is not None]
    assert all(later - earlier > 4 for earlier, later in itertools.pairwise(tries_s))
    assert sim.share(24, 80, {None}) > 0.8


@pytest.mark.parametrize("limited_s", [10.0, 21.0, 34.0, 60.0])
def test_a_link_that_recovers_is_filled_within_15_seconds(limited_s: float) -> None:
    end_s = 20 + limited_s
    sim = one(changes={20.0: 300e3, end_s: GOOD_BPS}).run(end_s + 30)
    assert sim.first(end_s, {FULL}) < 15
    assert sim.pictures[0].padded_bytes < 1e6


def test_most_recoveries_take_less_than_12_seconds() -> None:
    took_s = []
    for limited_s in range(8, 40, 3):
        end_s = 10.0 + limited_s
        sim = one(changes={10.0: 300e3, end_s: GOOD_BPS}, seed=limited_s).run(end_s + 25)
        took_s.append(sim.first(end_s, {FULL}))
    assert sorted(took_s)[len(took_s) // 2] < 12
    assert max(took_s) < 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_5_percent_random_loss_changes_nothing(seed: int) -> None:
    sim = one(loss=0.05, seed=seed).run(40)
    assert sim.share(0.2, 40, {FULL}) == 1.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_20_percent_random_loss_keeps_the_picture_and_sound_is_protected(seed: int) -> None:
    sim = one(loss=0.2, seed=seed).run(60)
    assert sim.share(1, 60, {FULL, HALF_RATE, SMALL}) == 1.0
    assert sim.share(1, 60, {FULL}) > 0.8
    assert sim.sound_loss(10, 60) < 0.08  # of 20: all of it goes twice


def test_20_percent_random_loss_on_a_narrow_link_keeps_a_picture() -> None:
    sim = one(1e6, loss=0.2).run(60)
    assert sim.share(1, 60, ANY_SMALL | {HALF_RATE, FULL}) == 1.0
    assert sim.sound_loss(10, 60) < 0.23  # what the link loses anyway
    assert sim.worst_queue_s(5, 60) < 0.25


def test_a_flapping_link_does_not_make_the_picture_flap() -> None:
    changes = {float(t): 300e3 if t % 20 else GOOD_BPS for t in range(10, 130, 10)}
    sim = one(changes=changes).run(130)
    better_s = [at_s for at_s, (shown,) in sim.switches(1, 130) if shown in (FULL, HALF_RATE)]
    assert better_s, "there was room"
    assert all(later - earlier > 4 for earlier, later in itertools.pairwise(better_s))
    assert len(sim.switches(1, 130)) <= 13
    assert sim.sound_loss(1, 130) < 0.05


def test_ten_pictures_share_1500_kbps() -> None:
    sim = Simulation([camera(shown_px=180) for _ in range(10)], 1.5e6).run(40)
    for picture in range(10):
        assert sim.share(1.2, 40, ANY_SMALL, picture) == 1.0
    assert sim.loss(5, 40) < 0.01
    assert sim.worst_queue_s(5, 40) < 0.25


def test_the_speaker_is_sharp_while_the_others_are_small() -> None:
    sim = Simulation([camera(), *(camera(shown_px=180, priority=2) for _ in range(6))], 3e6).run(30)
    assert sim.share(2, 30, {HALF_RATE, FULL}) > 0.95
    for picture in range(1, 7):
        assert sim.share(2, 30, ANY_SMALL, picture) == 1.0


@pytest.mark.parametrize("rate_bps", [2e6, GOOD_BPS])
def test_a_busy_receiver_is_no_narrow_link(rate_bps: float) -> None:
    sim = one(rate_bps, stall_every_s=3).run(40)
    assert min(s.estimate_bps for s in sim.samples) > 1e6
    assert sim.share(0.2, 40, {FULL}) == 1.0


def test_a_busy_receiver_behind_a_narrow_link_is_served_as_well_as_others() -> None:
    sim = one(300e3, stall_every_s=3).run(60)
    assert sim.share(3, 60, {SMALL}) > 0.9
    assert sim.worst_queue_s(4, 60) < 0.25


def test_after_an_outage_it_goes_on_as_before() -> None:
    sim = one(changes={20.0: 0.0, 25.0: GOOD_BPS}).run(40)
    assert sim.first(25, {FULL}) < 5
    assert sim.sound_loss(26, 40) < 0.01


def test_after_an_outage_a_narrow_link_is_noticed() -> None:
    sim = one(changes={20.0: 0.0, 25.0: 300e3}).run(45)
    assert sim.first(25, ANY_SMALL) < 3
    assert sim.sound_loss(28, 45) < 0.03


def test_a_picture_that_does_not_fit_is_paused_and_tried_again() -> None:
    sim = Simulation([Picture([Size(1.2e6, 720, 1)])], GOOD_BPS, {20.0: 500e3, 45.0: GOOD_BPS}).run(70)
    assert sim.share(22, 45, {None}) > 0.75
    tries_s = [at_s for at_s, (shown,) in sim.switches(21, 45) if shown is not None]
    assert 1 <= len(tries_s) <= 4
    assert all(later - earlier > 4 for earlier, later in itertools.pairwise(tries_s))
    assert sim.first(45, {(0, 0)}) < 15


def test_a_receiver_that_never_reports_packets_is_guided_by_remb() -> None:
    sim = one(changes={20.0: 300e3, 60.0: GOOD_BPS}, reports=False).run(115)
    assert sim.share(23, 60, ANY_SMALL) > 0.85
    assert sim.sound_loss(23, 60) < 0.05
    tries_s = [at_s for at_s, (shown,) in sim.switches(23, 60) if shown in (FULL, HALF_RATE)]
    assert all(later - earlier > 4 for earlier, later in itertools.pairwise(tries_s))
    assert sim.first(60, {FULL, HALF_RATE}) < 50, "it is stuck"


@pytest.mark.parametrize("late_s", [0.0, 0.037, 0.074, 0.111])
def test_a_short_queue_that_overflows_is_noticed_within_half_a_second(late_s: float) -> None:
    sim = one(changes={10.0 + late_s: 250e3}, queue_s=0.15).run(14)
    assert sim.first(10, ANY_SMALL) <= 0.6  # looked at every 0.2 s
    assert sim.sound_loss(11, 14) < 0.05
