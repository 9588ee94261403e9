"""What is told of everyone's connection, and what the server counts."""

import gc
from typing import Any

from vmeet_core.server.statistics import Measured, Traffic, TrafficMeter, page_statistics, person_statistics
from vmeet_core.sfu.statistics import LinkReport, SourceReport

SOURCES = (
    SourceReport("microphone", 32_000.0, 0.01, 0.002, 0.030),
    SourceReport("camera", 900_000.0, 0.04, 0.005, None),
)
LINK = LinkReport(estimate_bps=2_000_000.0, sent_bps=1_500_000.0, loss=0.02, rtt_s=0.050)


def test_of_both_directions_the_worse_is_told_to_everyone() -> None:
    person = person_statistics("a", Measured(SOURCES, LINK))
    assert (person.participant_id, person.loss, person.jitter_s, person.rtt_s) == ("a", 0.04, 0.005, 0.050)
    assert (person.sent_bps, person.received_bps) == (932_000.0, 1_500_000.0)
    assert person_statistics("a", Measured(SOURCES, LINK._replace(loss=0.3))).loss == 0.3


def test_somebody_of_whom_nothing_is_known_yet() -> None:
    person = person_statistics("a", Measured())
    assert (person.loss, person.jitter_s, person.rtt_s, person.sent_bps) == (0.0, 0.0, None, 0.0)
    told = page_statistics(Measured(), [], [person])
    assert (told.estimate_bps, told.received_bps, told.rtt_s, told.sent, told.people) == (None, 0.0, None, [], [person])


def test_a_page_is_told_of_its_own_sources_and_way() -> None:
    told = page_statistics(Measured(SOURCES, LINK), [], [])
    assert (told.estimate_bps, told.received_loss, told.rtt_s) == (2_000_000.0, 0.02, 0.050)
    assert [(each.source, each.bitrate_bps, each.rtt_s) for each in told.sent] == [
        ("microphone", 32_000.0, 0.030),
        ("camera", 900_000.0, 0.050),  # nothing was lost that would tell: the way is the same in both directions
    ]


class Media:
    refused_later = 3


class Connection:
    """As much of a connection as is counted."""

    media = Media

    def __init__(self, received: int = 0) -> None:
        self.dwell_s = [0.001 * number for number in range(100)]
        self.packets_received = received
        self.bytes_received = 100 * received
        self.sources = {"camera": self}


class Stream:
    def __init__(self, sent: int, dropped: int = 0) -> None:
        self.packets_sent, self.bytes_sent, self.retransmitted, self.packets_dropped = sent, 10 * sent, 1, dropped


def test_counters_only_grow_whatever_connections_come_and_go() -> None:
    dwell_s: list[float] = []
    meter = TrafficMeter(dwell_s.append)
    first: Any = Connection(5)
    meter.count_incoming(first)
    assert dwell_s == first.dwell_s[:-6:-1]
    first.packets_received = 7
    meter.count_incoming(first)
    assert len(dwell_s) == 7
    second: Any = Connection(1000)
    meter.count_incoming(second)
    assert len(dwell_s) == 7 + 32
    meter.count_outgoing(object.__new__(Connection), [Stream(3), Stream(4, dropped=2)])  # type: ignore[list-item]
    assert meter.total == Traffic(1007, 100_500, 7, 70, 2, 2 + Media.refused_later)
    meter.count_incoming(second)
    assert len(dwell_s) == 7 + 32


def test_closed_connections_are_not_kept() -> None:
    meter = TrafficMeter(lambda dwell_s: None)
    meter.count_incoming(Connection(5))  # type: ignore[arg-type]
    gc.collect()
    assert len(meter._read) == 0
    assert meter.total.received == 5
