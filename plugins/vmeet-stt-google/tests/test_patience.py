"""Tries, waits and their end."""

import logging
import threading
import time

import pytest
from vmeet_stt_google.patience import Patience, within

from vmeet_core.hookspecs import Permanent, Retryable

LOGGER = logging.getLogger("test")


class Waits(threading.Event):
    """Notes how long it was waited for, and lets nobody wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0)
        return False


def fails(times: int, after_s: float = 0.0) -> "Failing":
    return Failing(times, after_s)


class Failing:
    def __init__(self, times: int, after_s: float) -> None:
        self.left, self.after_s, self.tries = times, after_s, 0

    def __call__(self) -> str:
        self.tries += 1
        if self.left:
            self.left -= 1
            raise Retryable("busy", self.after_s)
        return "done"


def test_waits_double_up_to_20_s() -> None:
    waits = Waits()
    assert Patience(60, 3600, 1).ask(fails(8), waits, LOGGER) == "done"
    for waited_s, meant_s in zip(waits.seconds, [1, 2, 4, 8, 16, 20, 20, 20], strict=True):
        assert 0.75 * meant_s <= waited_s <= 1.25 * meant_s
    assert len(set(waits.seconds)) == 8  # not all clients at the same moment


def test_a_wait_that_is_asked_for_is_the_least() -> None:
    waits = Waits()
    Patience(60, 3600, 1).ask(fails(3, after_s=7), waits, LOGGER)
    assert waits.seconds == [7, 7, 7]


def test_after_the_end_no_other_try_begins() -> None:
    failing = fails(100)
    with pytest.raises(Retryable, match=r"busy \(tried once in 0 s\)") as raised:
        Patience(60, 0.5, 1).ask(failing, threading.Event(), LOGGER)
    assert failing.tries == 1
    assert raised.value.after_s == 30


def test_what_will_not_pass_is_not_tried_again() -> None:
    def attempt() -> None:
        raise Permanent("never")

    with pytest.raises(Permanent, match="never"):
        Patience(60, 60, 1).ask(attempt, threading.Event(), LOGGER)


def test_closed_ends_it() -> None:
    closed = threading.Event()
    closed.set()
    with pytest.raises(Retryable, match="was closed"):
        Patience(60, 60, 1).ask(fails(1), closed, LOGGER)


def test_within_gives_what_the_call_gives_or_raises() -> None:
    assert within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_within_leaves_what_takes_too_long() -> None:
    over = threading.Event()
    begun_s = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer in 0\.1 s"):
        within(0.1, lambda: over.wait(20))
    over.set()
    assert time.monotonic() - begun_s < 10
