"""Receiver report blocks."""

import pytest

from vmeet_core.sfu.statistics import ReceptionStatistics


def test_loss_is_counted_since_the_last_report() -> None:
    statistics = ReceptionStatistics(7, 90_000)
    for sequence in (65534, 65535, 0, 2, 3):  # 1 is lost, across the wrap
        statistics.add(sequence, 0, 100, 0.0)
    report = statistics.report(1.0)
    assert (report.ssrc, report.packets_lost, report.highest_sequence) == (7, 1, 65536 + 3)
    assert report.fraction_lost == 256 // 6
    statistics.add(4, 0, 100, 1.0)
    assert statistics.report(2.0).fraction_lost == 0


def test_jitter_of_an_even_stream_is_nothing_and_grows_with_unevenness() -> None:
    even, uneven = ReceptionStatistics(1, 48_000), ReceptionStatistics(1, 48_000)
    for i in range(200):
        even.add(i, i * 960, 1, i * 0.02)
        uneven.add(i, i * 960, 1, i * 0.02 + (i % 2) * 0.01)
    assert even.jitter_s == pytest.approx(0, abs=1e-6)
    assert uneven.jitter_s == pytest.approx(0.01, rel=0.05)


def test_the_delay_since_the_sender_report() -> None:
    statistics = ReceptionStatistics(1, 48_000)
    statistics.add(1, 0, 1, 0.0)
    assert (statistics.report(1.0).lsr, statistics.report(1.0).dlsr) == (0, 0)
    statistics.add_sender_report(0x11112222_33334444, 10.0)
    report = statistics.report(10.5)
    assert (report.lsr, report.dlsr) == (0x22223333, 32768)
