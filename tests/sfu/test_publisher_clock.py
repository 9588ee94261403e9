"""One clock for receivers, whoever speaks."""

import time

import pytest
from aiortc.clock import current_ntp_time

from vmeet_core.sfu.publisher_clock import PublisherClock

SECOND = 2**32


def test_a_publisher_whose_clock_is_wrong_is_put_right() -> None:
    clock, ahead = PublisherClock(), 1234 * SECOND
    assert clock.server_ntp_s(current_ntp_time()) is None
    now = current_ntp_time()
    clock.add_sender_report(now + ahead, time.monotonic())
    assert clock.server_ntp_s(now + ahead) == pytest.approx(now / SECOND, abs=0.05)


def test_the_quickest_report_counts() -> None:
    clock = PublisherClock()
    now = current_ntp_time()
    clock.add_sender_report(now, time.monotonic() - 0.0)
    first = clock.offset_s
    clock.add_sender_report(now - SECOND // 10, time.monotonic())  # was 0.1 s on the way
    assert first is not None
    assert clock.offset_s == pytest.approx(first, abs=0.01)


def test_a_clock_that_is_set_is_followed() -> None:
    clock = PublisherClock()
    clock.add_sender_report(current_ntp_time(), time.monotonic())
    clock.add_sender_report(current_ntp_time() - 3600 * SECOND, time.monotonic())
    assert clock.offset_s == pytest.approx(3600, abs=0.1)
