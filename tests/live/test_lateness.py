"""Late is who never rests and leaves frames out; not whose frames come in bursts."""

import pytest

from vmeet_core.live.lateness import Lateness, Work


def run(lateness: Lateness, busy: float, late: int, seconds: float, began: Work) -> Work:
    """Four reports a second of a worker with 60 frames a second."""
    work = began
    for _ in range(round(4 * seconds)):
        work = Work(work.at_s + 0.25, work.busy_s + 0.25 * busy, work.frames + 15, work.late + late)
        lateness.tell(work)
    return work


def test_who_never_rests_and_leaves_frames_out_is_late() -> None:
    lateness = Lateness()
    now = run(lateness, 0.99, 3, 3, Work(50, 7, 100, 2))
    assert 2 <= lateness.late_s <= 3
    assert lateness.was_late_within(1, now.at_s)
    assert not lateness.was_late_within(1, now.at_s + 5)


def test_frames_that_come_in_bursts_make_nobody_late() -> None:
    lateness = Lateness()
    now = run(lateness, 0.5, 5, 3, Work(0, 0, 0, 0))
    assert lateness.late_s == 0
    assert not lateness.was_late_within(100, now.at_s)


def test_who_is_busy_and_leaves_nothing_out_is_not_late() -> None:
    lateness = Lateness()
    run(lateness, 1.0, 0, 3, Work(0, 0, 0, 0))
    assert lateness.late_s == 0


def test_a_rest_ends_it() -> None:
    lateness = Lateness()
    now = run(lateness, 1.0, 5, 2, Work(0, 0, 0, 0))
    run(lateness, 0.4, 0, 1, now)
    assert lateness.late_s == 0


def test_what_was_done_about_it_is_waited_for() -> None:
    lateness = Lateness()
    now = run(lateness, 1.0, 5, 2, Work(0, 0, 0, 0))
    lateness.begin_anew()
    assert lateness.late_s == 0
    run(lateness, 1.0, 5, 1, now)
    assert 0.4 <= lateness.late_s <= 1.1


def test_a_moment_is_not_long() -> None:
    lateness = Lateness()
    now = run(lateness, 1.0, 5, 1, Work(0, 0, 0, 0))
    assert lateness.late_s > 0
    assert not lateness.was_late_within(100, now.at_s)


def test_the_share_is_that_of_the_latest_frames() -> None:
    lateness = Lateness()
    now = run(lateness, 1.0, 3, 2, Work(0, 0, 0, 0))
    assert lateness.share == 3 / 15
    run(lateness, 0.5, 0, 1, now)
    assert lateness.share == 0


def test_the_processor_that_it_got_is_told_apart_from_the_time_that_it_took() -> None:
    lateness = Lateness()
    for look in range(20):
        lateness.tell(Work(look, look, 30 * look, 0, 0.4 * look))
    assert lateness.cpu_share == pytest.approx(0.4, abs=0.01)
    lateness.tell(Work(20, 20, 600, 0, 0.4 * 19 + 1))
    assert 0.4 < lateness.cpu_share < 0.7, "one look is not everything"
