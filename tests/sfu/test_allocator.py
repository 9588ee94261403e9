"""The choice over time: down at once, up with patience, and what it says to the prober."""

import itertools

import pytest

from vmeet_core.sfu.allocation import Layer, Picture
from vmeet_core.sfu.allocator import FIRST_BACK_OFF_S, HOLD_S, SETTLE_S, UPGRADE_MARGIN, Allocator


def camera(key: str = "a", shown_px: int = 720, priority: int = 1, factor: float = 1.0) -> Picture:
    layers = tuple(
        Layer(index, temporal, factor * bps * part, height_px)
        for index, bps, height_px in ((0, 150e3, 180), (1, 1.5e6, 720))
        for temporal, part in enumerate((0.5, 0.7, 1.0))
    )
    return Picture(key, priority, shown_px, layers)


class Clock:
    """Feeds an allocator every 200 ms."""

    def __init__(self, *pictures: Picture) -> None:
        self.allocator = Allocator()
        self.pictures = list(pictures)
        self.now_s = 0.0

    def tick(self, budget_bps: float) -> dict[object, tuple[int, int] | None]:
        result = self.allocator.update(self.pictures, budget_bps, self.now_s)
        self.now_s += 0.2
        return {key: x and (x.index, x.temporal) for key, x in result.items()}

    def wait(self, budget_bps: float, seconds: float) -> dict[object, tuple[int, int] | None]:
        end_s = self.now_s + seconds - 1e-6
        result = self.tick(budget_bps)
        while self.now_s < end_s:
            result = self.tick(budget_bps)
        return result

    def until(self, budget_bps: float, layer: tuple[int, int], limit_s: float = 100.0) -> float:
        """How long it takes until ``a`` gets that layer."""
        start_s = self.now_s
        while self.tick(budget_bps)["a"] != layer:
            assert self.now_s - start_s < limit_s, "never"
        return self.now_s - start_s


def test_the_first_choice_and_a_new_demand_are_served_at_once() -> None:
    clock = Clock(camera(shown_px=180))
    assert clock.tick(2e6) == {"a": (0, 2)}
    clock.pictures = [camera(shown_px=720)]
    assert clock.tick(2e6) == {"a": (1, 2)}
    clock.pictures.append(camera("b", 180, 2))
    assert clock.tick(2e6) == {"a": (1, 2), "b": (0, 2)}
    clock.pictures = [camera("b", 720, 1)]
    assert clock.tick(2e6) == {"b": (1, 2)}


def test_too_little_room_is_answered_at_once_but_noise_is_not() -> None:
    clock = Clock(camera())
    clock.tick(1.5e6)
    clock.pictures = [camera(factor=1.04)]
    assert clock.tick(1.5e6) == {"a": (1, 2)}
    assert clock.tick(1.2e6) == {"a": (1, 1)}
    assert clock.tick(300e3) == {"a": (0, 2)}
    assert clock.tick(10e3) == {"a": None}


def test_an_upgrade_needs_a_margin_that_lasts() -> None:
    clock = Clock(camera())
    clock.tick(200e3)
    assert clock.wait(1.05e6 * UPGRADE_MARGIN - 1e3, 60) == {"a": (0, 2)}
    assert clock.wait(1.05e6 * UPGRADE_MARGIN + 1e3, HOLD_S) == {"a": (0, 2)}
    assert clock.wait(200e3, 0.2) == {"a": (0, 2)}  # room that vanishes starts the wait anew
    assert clock.until(1.3e6, (1, 1)) == pytest.approx(HOLD_S + 0.2, abs=0.25)


def test_upgrades_that_fail_are_tried_less_and_less_often() -> None:
    clock = Clock(camera())
    clock.tick(200e3)
    waits_s = []
    for _ in range(6):
        waits_s.append(clock.until(1.3e6, (1, 1)))
        clock.wait(1.3e6, 1)
        clock.tick(200e3)
    assert waits_s[1] >= FIRST_BACK_OFF_S
    assert all(later >= 1.8 * earlier for earlier, later in itertools.pairwise(waits_s[1:]) if later < 60)
    assert max(waits_s) < 62


def test_an_upgrade_that_lasted_clears_the_back_off() -> None:
    clock = Clock(camera())
    clock.tick(200e3)
    for _ in range(4):
        clock.until(1.3e6, (1, 1))
        clock.tick(200e3)
    clock.until(1.3e6, (1, 1))
    clock.wait(1.3e6, 40)
    clock.tick(200e3)
    assert clock.until(1.3e6, (1, 1)) < FIRST_BACK_OFF_S
    clock.tick(200e3)
    assert clock.until(1.3e6, (1, 1)) == pytest.approx(FIRST_BACK_OFF_S, abs=0.5)


def test_it_wants_the_next_step_unless_it_must_not() -> None:
    clock = Clock(camera())
    clock.tick(200e3)
    assert clock.allocator.wanted_bps == pytest.approx(1.05e6 * UPGRADE_MARGIN)
    clock.until(1.3e6, (1, 1))
    assert clock.allocator.wanted_bps == 0.0  # the keyframe of the upgrade passes
    clock.wait(1.3e6, SETTLE_S)
    assert clock.allocator.wanted_bps == pytest.approx(1.5e6 * UPGRADE_MARGIN)
    clock.tick(200e3)
    assert clock.allocator.wanted_bps == 0.0  # the upgrade failed
    clock.wait(200e3, FIRST_BACK_OFF_S)
    assert clock.allocator.wanted_bps == pytest.approx(1.05e6 * UPGRADE_MARGIN)


def test_nothing_is_wanted_at_the_top() -> None:
    clock = Clock(camera(), camera("b", 180, 2))
    clock.wait(5e6, 10)
    assert clock.allocator.wanted_bps == 0.0


def test_at_a_downgrade_nobody_gains() -> None:
    clock = Clock(camera("a"), camera("b", 180, 2))
    before = clock.tick(1.05e6 + 75e3)
    assert before == {"a": (1, 1), "b": (0, 0)}
    assert clock.tick(900e3) == {"a": (0, 2), "b": (0, 0)}


def test_the_speaker_gets_sharp_at_the_cost_of_the_others_when_that_is_the_better_choice() -> None:
    clock = Clock(camera("a"), camera("b", 180, 2))
    assert clock.tick(400e3) == {"a": (0, 2), "b": (0, 2)}
    assert clock.wait((1.05e6 + 75e3) * UPGRADE_MARGIN + 1e3, 2) == {"a": (1, 1), "b": (0, 0)}


def test_a_layer_that_ends_calls_for_a_new_choice() -> None:
    clock = Clock(camera())
    assert clock.tick(2e6) == {"a": (1, 2)}
    clock.pictures = [camera()._replace(layers=camera().layers[:3])]
    assert clock.tick(2e6) == {"a": (0, 2)}
