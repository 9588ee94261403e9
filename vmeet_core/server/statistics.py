"""How well everyone is connected: gathered once for a meeting, told to every page, and counted for the server."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

from vmeet_core.protocol import PersonStatistics, ReceivedStatistics, SentStatistics, Statistics
from vmeet_core.sfu.egress import Egress
from vmeet_core.sfu.peer_link import PeerLink
from vmeet_core.sfu.publish_connection import PublishConnection
from vmeet_core.sfu.statistics import LinkReport, SourceReport

STATISTICS_S = 2.0
DWELL_SAMPLES = 32  #: of the latest packets of each connection, at each round


class Measured(NamedTuple):
    """Both directions of one person: what comes, by source, and what goes there (None: a program, or nothing yet)."""

    sources: tuple[SourceReport, ...] = ()
    link: LinkReport | None = None


def person_statistics(participant_id: str, measured: Measured) -> PersonStatistics:
    """What everyone may know of a person's connection: of both directions the worse."""
    sources, link = measured
    round_trips_s = [each.rtt_s for each in sources if each.rtt_s is not None]
    round_trips_s += [link.rtt_s] if link is not None and link.rtt_s is not None else []
    return PersonStatistics(
        participant_id=participant_id,
        loss=max([each.loss for each in sources] + ([link.loss] if link is not None else []), default=0.0),
        jitter_s=max((each.jitter_s for each in sources), default=0.0),
        rtt_s=max(round_trips_s, default=None),
        sent_bps=sum(each.bitrate_bps for each in sources),
        received_bps=link.sent_bps if link is not None else 0.0,
    )


def page_statistics(
    measured: Measured, received: list[ReceivedStatistics], people: list[PersonStatistics]
) -> Statistics:
    """The message for one page; ``people`` is the same list for all of them."""
    link = measured.link
    return Statistics(
        estimate_bps=link.estimate_bps if link is not None else None,
        received_bps=link.sent_bps if link is not None else 0.0,
        received_loss=link.loss if link is not None else 0.0,
        rtt_s=link.rtt_s if link is not None else None,
        sent=[
            SentStatistics(
                source=each.source,
                bitrate_bps=each.bitrate_bps,
                loss=each.loss,
                jitter_s=each.jitter_s,
                rtt_s=each.rtt_s if each.rtt_s is not None or link is None else link.rtt_s,
            )
            for each in measured.sources
        ],
        received=received,
        people=people,
    )


class Traffic(NamedTuple):
    """Counters, of packets where not said otherwise."""

    received: int = 0
    received_bytes: int = 0
    sent: int = 0
    sent_bytes: int = 0
    retransmitted: int = 0
    dropped: int = 0

    def plus(self, other: "Traffic") -> "Traffic":
        """Both together."""
        return Traffic(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: "Traffic") -> "Traffic":
        """What has come to ``other`` since."""
        return Traffic(*(a - b for a, b in zip(self, other, strict=True)))


class TrafficMeter:
    """``total`` counts all connections that ever were; those that are open are read now and then.

    ``on_dwell`` is called with a sample of how long packets took from their arrival to the last receiver, in seconds.
    """

    def __init__(self, on_dwell: Callable[[float], None]) -> None:
        self.total = Traffic()
        self._on_dwell = on_dwell
        self._read: WeakKeyDictionary[object, Traffic] = WeakKeyDictionary()

    def count_incoming(self, connection: PublishConnection) -> None:
        """Add what has come since the last reading of this connection."""
        sources = connection.sources.values()
        new = self._advance(
            connection,
            Traffic(
                received=sum(each.packets_received for each in sources),
                received_bytes=sum(each.bytes_received for each in sources),
            ),
        )
        for dwell_s in islice(reversed(connection.dwell_s), min(new.received, DWELL_SAMPLES)):
            self._on_dwell(dwell_s)

    def count_outgoing(self, connection: PeerLink, streams: Sequence[Egress]) -> None:
        """Add what has been sent since the last reading of this connection."""
        self._advance(
            connection,
            Traffic(
                sent=sum(each.packets_sent for each in streams),
                sent_bytes=sum(each.bytes_sent for each in streams),
                retransmitted=sum(each.retransmitted for each in streams),
                dropped=sum(each.packets_dropped for each in streams) + connection.media.refused_later,
            ),
        )

    def _advance(self, connection: object, now: Traffic) -> Traffic:
        new = now.minus(self._read.get(connection, Traffic()))
        self._read[connection] = now
        self.total = self.total.plus(new)
        return new
