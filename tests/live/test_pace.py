"""Even, and never more than allowed, whatever the camera does."""

import itertools

import pytest

from vmeet_core.live.pace import Pace


def taken(pace: Pace, times_s: list[float]) -> list[float]:
    return [at_s for at_s in times_s if pace.takes(at_s)]


def test_without_a_limit_everything_passes() -> None:
    assert len(taken(Pace(), [n / 60 for n in range(60)])) == 60


def test_half_of_thirty_is_every_second_one() -> None:
    kept = taken(Pace(15), [7 + n / 30 for n in range(90)])
    assert len(kept) == 45
    assert {round(30 * (b - a)) for a, b in itertools.pairwise(kept)} == {2}


@pytest.mark.parametrize("camera_fps", [15, 20, 24, 25, 30, 50, 60])
def test_the_rate_holds_for_every_camera(camera_fps: int) -> None:
    kept = taken(Pace(15), [n / camera_fps for n in range(10 * camera_fps)])
    assert 145 <= len(kept) <= 151
    longest_s = max(b - a for a, b in itertools.pairwise(kept))
    assert longest_s <= 1 / 15 + 1 / camera_fps + 0.001, "evenly"


def test_a_camera_that_is_not_exact_loses_nothing_more() -> None:
    jitter_s = [0, 0.004, -0.004, 0.003, -0.003, 0.001]
    kept = taken(Pace(15), [n / 30 + jitter_s[n % 6] for n in range(300)])
    assert 148 <= len(kept) <= 152


def test_after_a_gap_nothing_is_made_up_for() -> None:
    pace = Pace(15)
    taken(pace, [n / 30 for n in range(30)])
    kept = taken(pace, [5 + n / 30 for n in range(30)])
    assert len(kept) == 15


def test_time_that_jumps_back_is_followed() -> None:
    pace = Pace(15)
    taken(pace, [100 + n / 30 for n in range(30)])
    assert len(taken(pace, [n / 30 for n in range(30)])) == 15
