"""Loss that sending less would cure, and loss that stays."""

import random

import pytest

from vmeet_core.sfu.link_loss import MAX_INHERENT, REACTION_S, LinkLoss


def test_reports_are_weighted_by_their_packets() -> None:
    loss = LinkLoss()
    assert loss.add(0.5, 10, 0.0) is None  # too few to say anything
    assert loss.add(0.0, 90, 0.1) == pytest.approx(0.05)
    assert loss.share == pytest.approx(0.05 * 0.3)


def test_a_tenth_is_no_reason_to_send_less() -> None:
    assert LinkLoss().excess(0.10, 1e6) == 0.0
    assert LinkLoss().excess(0.11, 1e6) == pytest.approx(0.11)


def test_loss_that_falls_with_the_rate_goes_on_to_count() -> None:
    loss = LinkLoss()
    assert loss.excess(0.5, 2e6) == 0.5
    assert loss.excess(0.3, 1.4e6) == 0.3
    assert loss.excess(0.12, 1.1e6) == 0.12
    assert loss.inherent == 0.0


def test_loss_that_stays_at_a_lower_rate_is_inherent() -> None:
    loss = LinkLoss()
    assert loss.excess(0.2, 1.5e6) == 0.2
    assert loss.excess(0.2, 1.4e6) == 0.2  # hardly less was sent: that shows nothing
    assert loss.excess(0.19, 1.0e6) == 0.0
    assert loss.inherent == pytest.approx(0.19)
    assert loss.excess(0.28, 1.0e6) == 0.0
    assert loss.excess(0.45, 1.0e6) == pytest.approx(0.26)


def test_what_is_inherent_is_bounded_and_falls_when_the_link_gets_better() -> None:
    loss = LinkLoss()
    loss.excess(0.6, 2e6)
    loss.excess(0.6, 1e6)
    assert loss.inherent == MAX_INHERENT
    for _ in range(20):
        loss.excess(0.0, 1e6)
    assert loss.inherent < 0.01


def test_reports_about_the_time_before_a_cut_are_left_out() -> None:
    loss = LinkLoss()
    loss.restart(10.0)
    assert loss.add(0.9, 100, 10.0 + REACTION_S - 0.1) is None
    loss.restart(10.5)  # another cut does not prolong the wait
    assert loss.add(0.0, 100, 10.0 + REACTION_S) is None  # the first of a new sample
    assert loss.add(0.0, 100, 10.0 + REACTION_S + 0.8) == 0.0


def test_chance_does_not_look_like_a_rise() -> None:
    draw, loss, alarms = random.Random(3), LinkLoss(), 0
    for second in range(300):
        lost = sum(draw.random() < 0.05 for _ in range(60))
        loss.add(lost / 60, 60, second * 1.0)
        loss.add(sum(draw.random() < 0.05 for _ in range(30)) / 30, 30, second + 0.4)
        alarms += loss.rises
    assert alarms < 10
    loss.add(0.4, 60, 300.5)
    assert loss.rises
