"""Figures of the running server: for Prometheus, and the short form that benchmarks read.

Labels are numbers, never names or ids: the id of a meeting is the link that lets people in. A meeting is labelled
with the smallest number that no other live meeting has, a person with the smallest one in the meeting; both are used
again, so that there are never more time series than people at one time, however many meetings come and go.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vmeet_core.live.admission import Room
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.live_meeting import LiveMeeting
from vmeet_core.server.member import Member
from vmeet_core.server.statistics import TrafficMeter, person_statistics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LAG_PROBE_S = 0.05
BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1.0)
PERSON = ("meeting", "person")


class Metrics(Collector):
    """Has a registry of its own: servers in one process share nothing. ``traffic`` counts, meetings feed it."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._lag = self._histogram("vmeet_loop_lag_seconds", "How late the event loop runs what is due")
        dwell = self._histogram(
            "vmeet_forward_seconds",
            "From the arrival of a packet to its sending to the last receiver; a sample of all packets",
        )
        self._registry.register(self)
        self.traffic = TrafficMeter(dwell.observe)
        self.lags_s: deque[float] = deque(maxlen=3000)
        self._families: list[Metric] = []

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=BUCKETS_S, registry=self._registry)

    async def watch_loop(self) -> None:
        """For ever: how late the event loop runs what is due is part of what a packet waits."""
        while True:
            due_s = time.monotonic() + LAG_PROBE_S
            await asyncio.sleep(LAG_PROBE_S)
            lag_s = max(time.monotonic() - due_s, 0.0)
            self.lags_s.append(lag_s)
            self._lag.observe(lag_s)

    async def text(self, meetings: Sequence[LiveMeeting], rooms: Mapping[str, Room]) -> bytes:
        """What ``GET /metrics`` answers; ``rooms`` are those of the live workers for each kind of media.

        It is gathered here and written by a thread, so that no packet waits.
        """
        self._families = [*self._counted(meetings), *_of_people(meetings), *_of_workers(rooms)]
        return await asyncio.to_thread(generate_latest, self._registry)

    def collect(self) -> Iterable[Metric]:
        """What was gathered last; called by the registry."""
        return self._families

    def _counted(self, meetings: Sequence[LiveMeeting]) -> Iterator[Metric]:
        members = sum(len(live.members) for live in meetings)
        yield GaugeMetricFamily("vmeet_meetings", "Meetings that somebody is in", len(meetings))
        yield GaugeMetricFamily("vmeet_people", "People who are in a meeting", members)
        streams = sum(len(live.attendees) for live in meetings) - members
        yield GaugeMetricFamily("vmeet_streams", "Programs that publish to a meeting", streams)
        yield GaugeMetricFamily("vmeet_tasks", "Tasks of the event loop", len(asyncio.all_tasks()))
        total = self.traffic.total
        for name, text, value in (
            ("received_packets", "Media packets that came from people, each once", total.received),
            ("received_bytes", "Bytes in them", total.received_bytes),
            ("sent_packets", "Media packets sent to people, each once", total.sent),
            ("sent_bytes", "Bytes in them", total.sent_bytes),
            ("retransmitted_packets", "Packets that were sent once more, for they were lost", total.retransmitted),
            ("dropped_packets", "Packets that could not be sent: no path, or a full socket", total.dropped),
        ):
            yield CounterMetricFamily(f"vmeet_{name}", text, value)

    def short(self, meetings: Sequence[LiveMeeting]) -> dict[str, float]:
        """How long the latest packets took from decryption to the last receiver, and how late the event loop was."""
        dwell_s = [
            seconds
            for live in meetings
            for attendee in live.attendees.values()
            if attendee.publish is not None
            for seconds in attendee.publish.dwell_s
        ]
        return {
            "meetings": len(meetings),
            "people": sum(len(live.members) for live in meetings),
            "packets": len(dwell_s),
            "forward_p50_ms": percentile(dwell_s, 0.5) * 1000,
            "forward_p95_ms": percentile(dwell_s, 0.95) * 1000,
            "loop_lag_p95_ms": percentile(self.lags_s, 0.95) * 1000,
        }


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which ``share`` of them lie; 0 for none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


class _PersonGauges:
    """One gauge for each figure, with a value for each person."""

    def __init__(self) -> None:
        self.loss = _gauge("loss_ratio", "Share of packets lost on the way, before repair; the worse direction")
        self.jitter = _gauge("jitter_seconds", "Jitter of what comes from the person; the worst source")
        self.round_trip = _gauge("rtt_seconds", "Round-trip time; the worse direction")
        self.sent = _gauge("sent_bits_per_second", "Media that comes from the person")
        self.received = _gauge("received_bits_per_second", "Media that goes to the person")
        self.estimate = _gauge("estimate_bits_per_second", "What the server thinks the person can receive")
        self.pictures = _gauge("pictures", "Pictures that go to the person, by layer", "layer")

    def add(self, labels: list[str], attendee: Attendee) -> None:
        """The figures of the latest round of statistics."""
        person = person_statistics(attendee.participant.id, attendee.measured)
        self.loss.add_metric(labels, person.loss)
        self.jitter.add_metric(labels, person.jitter_s)
        self.sent.add_metric(labels, person.sent_bps)
        self.received.add_metric(labels, person.received_bps)
        if person.rtt_s is not None:
            self.round_trip.add_metric(labels, person.rtt_s)
        link = attendee.measured.link
        if link is not None and link.estimate_bps is not None:
            self.estimate.add_metric(labels, link.estimate_bps)
        if isinstance(attendee, Member):
            for layer, count in attendee.layers().items():
                self.pictures.add_metric([*labels, layer], count)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"vmeet_person_{name}", text, labels=[*PERSON, *labels])


def _of_workers(rooms: Mapping[str, Room]) -> list[Metric]:
    used = GaugeMetricFamily("vmeet_live_used_ratio", "Share of the live workers that is taken", labels=["media"])
    tracks = GaugeMetricFamily("vmeet_live_tracks", "Cameras and voices with live effects", labels=["media", "state"])
    dropped = CounterMetricFamily("vmeet_live_dropped_frames", "Frames too late for the live workers", labels=["media"])
    deaths = CounterMetricFamily("vmeet_live_worker_deaths", "Live workers that died or hung", labels=["media"])
    for media, room in rooms.items():
        used.add_metric([media], room.used)
        for state in ("full", "reduced", "waiting"):
            tracks.add_metric([media, state], getattr(room, state))
        dropped.add_metric([media], room.dropped)
        deaths.add_metric([media], room.deaths)
    return [used, tracks, dropped, deaths]


def _of_people(meetings: Sequence[LiveMeeting]) -> list[Metric]:
    gauges = _PersonGauges()
    for live in meetings:
        for attendee in live.attendees.values():
            gauges.add([str(live.number), str(attendee.participant.number)], attendee)
    return list(vars(gauges).values())
