"""A worker that is late, hangs or has nothing to do: which is which."""

import pytest

from vmeet_core.server.sound_lag import BACKLOG_S, CLOCK_HZ, LATE_S, PAUSE_S, STALL_S, SoundLag

PACKET_S = 0.02
START = 2**32 - 5 * 960  # wraps soon


def stamp(at_s: float) -> int:
    return (START + round(at_s * CLOCK_HZ)) % 2**32


class Run:
    """A voice of which a worker gives each packet back after ``late_s``."""

    def __init__(self) -> None:
        self.lag, self.now_s, self.late_s = SoundLag(), 0.0, 0.07
        self.came: list[bool] = []
        self.made: list[bool] = []
        self._under_way: list[float] = []

    def go(self, seconds: float, answers: bool = True, every_s: float = PACKET_S) -> None:
        for _ in range(round(seconds / every_s)):
            self.came.append(self.lag.came(stamp(self.now_s), self.now_s))
            if self.came[-1]:
                self._under_way.append(self.now_s)
            while answers and self._under_way and self.now_s - self._under_way[0] >= self.late_s - 1e-9:
                self.made.append(self.lag.made(stamp(self._under_way.pop(0)), self.now_s))
            self.now_s += every_s

    @property
    def stalled(self) -> bool:
        return self.lag.is_stalled


@pytest.fixture
def run() -> Run:
    made = Run()
    made.go(1)
    assert not made.stalled
    assert all(made.came)
    assert all(made.made)
    return made


def test_it_stalls_when_nothing_comes_back(run: Run) -> None:
    run.go(STALL_S - 0.04, answers=False)
    assert not run.stalled
    run.go(0.1, answers=False)
    assert run.stalled
    run.go(0.2)
    assert not run.stalled


def test_what_comes_back_too_late_is_of_no_use(run: Run) -> None:
    assert run.lag.made(stamp(run.now_s - LATE_S), run.now_s)
    assert not run.lag.made(stamp(run.now_s - LATE_S - 0.1), run.now_s)
    assert not run.lag.made(stamp(run.now_s + 1), run.now_s), "nor what was never heard"


def test_a_worker_that_is_always_too_late_is_as_one_that_hangs(run: Run) -> None:
    run.late_s = LATE_S + 0.2
    run.go(2)
    assert run.stalled
    assert not run.made[-1]


def test_one_that_catches_up_is_prompt_only_once_it_has(run: Run) -> None:
    assert run.lag.is_prompt
    run.go(0.4, answers=False)
    assert run.lag.made(stamp(run.now_s - 0.4), run.now_s)
    assert not run.lag.is_prompt
    run.go(0.1)
    assert run.lag.is_prompt


def test_a_denoiser_that_is_always_late_is_as_prompt_as_it_can_be() -> None:
    run = Run()
    run.late_s = LATE_S - 0.1
    run.go(2)
    assert run.lag.is_prompt
    assert not run.stalled


def test_silence_that_is_not_sent_is_no_stall(run: Run) -> None:
    run.go(4, answers=False, every_s=0.4)
    assert not run.stalled
    assert all(run.came)


def test_a_network_that_stands_still_is_no_stall(run: Run) -> None:
    run.now_s += 2
    run.go(STALL_S / 2, answers=False)
    assert not run.stalled
    came_s = run.now_s
    for number in range(30):  # what had to wait comes at once
        run.lag.came(stamp(came_s + number * PACKET_S), came_s + PAUSE_S + 0.1)
    assert not run.lag.is_stalled


def test_a_worker_has_only_so_much_before_it(run: Run) -> None:
    run.go(1.8, answers=False)
    lies_s = sum(run.came[50:]) * PACKET_S
    assert lies_s == pytest.approx(BACKLOG_S, abs=0.1)
    assert not run.came[-1]
    run.late_s = 0.07
    run.go(0.3)
    assert run.came[-1], "it has worked it off"
    run.go(0.3)
    assert run.made[-1]
    assert not run.stalled


def test_one_that_gave_nothing_back_is_tried_again(run: Run) -> None:
    run.go(1.8, answers=False)
    before = sum(run.came)
    run.go(1, answers=False)
    assert sum(run.came) > before


def test_after_a_new_beginning_nothing_old_is_of_use(run: Run) -> None:
    run.lag.reset()
    assert not run.lag.made(stamp(run.now_s - 0.07), run.now_s)
    assert not run.stalled
    run.go(0.2)
    assert run.made[-1]


def test_a_packet_that_was_overtaken_is_taken_as_well(run: Run) -> None:
    run.lag.came(stamp(run.now_s + PACKET_S), run.now_s)
    assert run.lag.came(stamp(run.now_s), run.now_s)
    assert run.lag.made(stamp(run.now_s + PACKET_S - LATE_S), run.now_s)
    assert not run.lag.made(stamp(run.now_s - LATE_S), run.now_s), "the newest counts"
