"""A receiver behind a narrow link, in simulated time: what the adaptation is tried with.

``Link`` is a bottleneck with a bounded queue. ``Receiver`` tells when each packet arrived, by a clock of its own, as
Chromium does; or, without such reports, gives REMB alone. ``Simulation`` runs the real ``Adaptation``, ``SentPackets``
and feedback on both ends, with pictures and sound that look to them like outgoing streams.
"""

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from vmeet_core.sfu.adaptation import Adaptation
from vmeet_core.sfu.egress import ALL_TEMPORAL, MAX_PADDING_PACKETS, Demand
from vmeet_core.sfu.sent_packets import SentPackets
from vmeet_core.sfu.statistics import RateMeter, ReceptionStatistics
from vmeet_core.sfu.transport_feedback import TransportFeedback, read_feedback

TICK_S = 0.2
REPORT_EVERY_S = 0.1
ONE_WAY_S = 0.025
CLOCK_OFFSET_S = 12_345.678  # of the receiver
OVERHEAD_BYTES = 44  # SRTP tag, UDP, IP
PACKET_BYTES = 1120
SOUND_BYTES, SOUND_EVERY_S = 110, 0.02
FRAMES_PER_S = 30
PATTERN = (0, 2, 1, 2)  # temporal layers of L1T3
SHARES = {0: 0.5, 1: 0.2, 2: 0.15}  # of a group of four frames' bytes, for each frame of that layer
UP_TO = (0.5, 0.7, 1.0)
KEYFRAME = 6.0  # times the mean frame
KEYFRAME_WAIT_S = 0.15
SPACING_S = 0.0015  # of the packets of a frame, as the publisher's pacer sends them
REPAIR_SHARE = 0.3
NACK_S = 0.03
MAX_NACKS = 3

Shown = tuple[int, int] | None  # (size, highest temporal layer)


class _Skipping(selectors.SelectSelector):
    """Waits by setting the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now_s += max(timeout or 0.0, 0.0)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time goes from one timer to the next."""

    def __init__(self) -> None:
        self._clock = _Skipping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now_s


class Packet(NamedTuple):
    stream: int  # its SSRC
    number: int
    size_bytes: int
    transport: int | None = None  # transport-wide sequence number
    again: int = 0  # how often it was sent before
    position: int = 0  # bytes of the stream before it


class Link:
    """Serialises packets at ``rate_bps`` (0: outage); drops at random, and when more than ``queue_s`` wait."""

    def __init__(self, rate_bps: float, queue_s: float, loss: float, seed: int) -> None:
        self.rate_bps = rate_bps
        self.queue_s = queue_s
        self.loss = loss
        self._random = random.Random(seed)
        self._busy_until_s = 0.0

    def set_rate(self, rate_bps: float, now_s: float) -> None:
        """What waits in the queue now leaves at the new rate; before an outage it still gets through."""
        if rate_bps and self.rate_bps:
            self._busy_until_s = now_s + self.delay_s(now_s) * self.rate_bps / rate_bps
        self.rate_bps = rate_bps

    def delay_s(self, now_s: float) -> float:
        """How long a packet would wait."""
        return max(self._busy_until_s - now_s, 0.0)

    def arrival_s(self, size_bytes: int, now_s: float) -> float | None:
        """When a packet arrives that is sent now; None: it is lost."""
        if not self.rate_bps or self.delay_s(now_s) > self.queue_s:
            return None
        size_bits = (size_bytes + OVERHEAD_BYTES) * 8
        self._busy_until_s = max(self._busy_until_s, now_s) + size_bits / self.rate_bps
        return None if self._random.random() < self.loss else self._busy_until_s + ONE_WAY_S


@dataclass
class Size:
    """One size of a picture, as an ingress appears to the adaptation."""

    bps: float
    height_px: int
    temporal_layers: int = 3
    noise: random.Random = field(default_factory=lambda: random.Random(7))

    def layer_bps(self, temporal: int) -> float:
        """As measured, on the wire: a few per cent off."""
        frames_per_s = FRAMES_PER_S / (1 << max(2 - temporal, 0)) if self.temporal_layers == 3 else FRAMES_PER_S
        packets_per_s = max(self.bps * self.share(temporal) / 8 / PACKET_BYTES, frames_per_s)
        wire_bps = self.bps * self.share(temporal) + packets_per_s * OVERHEAD_BYTES * 8
        return wire_bps * self.noise.uniform(0.96, 1.04)

    def share(self, temporal: int) -> float:
        return UP_TO[min(temporal, 2)] if self.temporal_layers == 3 else 1.0

    def is_flowing(self, now_s: float) -> bool:
        return True


def camera(**options: Any) -> "Picture":
    """A person's picture in two sizes, three temporal layers each."""
    return Picture([Size(150_000, 180), Size(1_500_000, 720)], **options)


class Picture:
    """A picture as an outgoing stream appears to the adaptation. A change of size waits for a keyframe."""

    def __init__(self, sizes: list[Size], shown_px: int = 720, priority: int = 1) -> None:
        self.ssrc = 0
        self.demand: Demand | None = Demand(priority, shown_px)
        self.layers = tuple(sizes)
        self.rtt_s = None
        self.source: Size | None = None
        self.temporal = ALL_TEMPORAL
        self.padded_bytes = 0
        self.sent_bytes = 0
        self.sent_packets = 0
        self.held = False
        self._current: Size | None = None
        self._keyframe_s = 0.0
        self.keyframe_bytes = 0  # sent before the latest keyframe: not sent again any more
        self._frame = 0
        self._recent: deque[int] = deque(maxlen=MAX_PADDING_PACKETS)
        self._meter = RateMeter()
        self._loop: asyncio.AbstractEventLoop
        self._send: Callable[[int, bool], None]

    def begin(self, ssrc: int, loop: asyncio.AbstractEventLoop, send: Callable[[int, bool], None]) -> None:
        """``send`` takes the size of a packet, and whether it is mere padding."""
        self.ssrc, self._loop, self._send = ssrc, loop, send
        loop.call_later(0.0031 * ssrc, self._next_frame)

    @property
    def shown(self) -> Shown:
        """What the adaptation has chosen."""
        if self.source is None:
            return None
        return self.layers.index(self.source), min(self.temporal, self.source.temporal_layers - 1)

    def measure(self, now_s: float) -> float:
        return self._meter.bps(self.sent_bytes + OVERHEAD_BYTES * self.sent_packets, now_s)

    def hold(self, held: bool) -> None:
        self.held = held
        self._current = None
        if not held:
            self._keyframe_s = self._loop.time() + KEYFRAME_WAIT_S

    def select(self, layer: int | None, temporal: int = ALL_TEMPORAL) -> None:
        wanted = None if layer is None else self.layers[layer]
        if wanted is not self.source and wanted is not self._current:
            self._keyframe_s = self._loop.time() + KEYFRAME_WAIT_S
        if wanted is None:
            self._current = None
        self.source, self.temporal = wanted, temporal

    def pad(self, size_bytes: int) -> int:
        """Packets sent before, as an egress does."""
        sent = 0
        for size in reversed(self._recent):
            if sent >= size_bytes:
                break
            self._send(size, True)
            sent += size
        self.padded_bytes += sent
        return sent

    def _next_frame(self) -> None:
        self._loop.call_later(1 / FRAMES_PER_S, self._next_frame)
        self._frame += 1
        left_bytes, at_s = self._frame_bytes(PATTERN[self._frame % 4]), self._loop.time()
        while left_bytes > 0:
            size_bytes = min(left_bytes, PACKET_BYTES)
            self._loop.call_at(at_s, self._send_new, size_bytes)
            left_bytes, at_s = left_bytes - size_bytes, at_s + SPACING_S

    def _frame_bytes(self, temporal: int) -> int:
        if self.held:
            return 0
        if self.source is not self._current and self.source is not None and self._loop.time() >= self._keyframe_s:
            self._current, self.keyframe_bytes = self.source, self.sent_bytes
            return int(KEYFRAME * self.source.bps / FRAMES_PER_S / 8)
        size = self._current
        if size is None:
            return 0
        mean_bytes = size.bps / FRAMES_PER_S / 8
        if size.temporal_layers == 1:
            return int(mean_bytes * size.noise.uniform(0.8, 1.2))
        return int(mean_bytes * 4 * SHARES[temporal] * size.noise.uniform(0.8, 1.2)) if temporal <= self.temporal else 0

    def _send_new(self, size_bytes: int) -> None:
        self._recent.append(size_bytes)
        self._send(size_bytes, False)
        self.sent_bytes += size_bytes
        self.sent_packets += 1


class Sound:
    """Opus of one speaker; while ``redundant`` every packet goes twice."""

    ssrc = 1
    rtt_s = None

    def __init__(self) -> None:
        self.redundant = False
        self.sent_s: list[float] = []
        self.copies = 0
        self._meter = RateMeter()

    def measure(self, now_s: float) -> float:
        return self._meter.bps(self.copies * (SOUND_BYTES + OVERHEAD_BYTES), now_s)


class Receiver:
    """Tells what arrives. While it ``stalls`` it reads nothing and reports nothing."""

    def __init__(self) -> None:
        self.heard: set[int] = set()  # sound packets
        self.statistics: dict[int, ReceptionStatistics] = {}
        self.feedback = TransportFeedback()
        self.stalled_until_s = 0.0
        self._arrived: deque[tuple[float, int]] = deque()
        self._remb_bps = 0.0
        self._remb_s = 0.0

    def read(self, packet: Packet, now_s: float) -> None:
        if packet.stream == Sound.ssrc:
            self.heard.add(packet.number)
        else:
            self._arrived.append((now_s, packet.size_bytes))
        if packet.transport is not None:
            self.feedback.add(packet.transport, now_s + CLOCK_OFFSET_S)
        if packet.number >= 0:
            known = self.statistics.setdefault(packet.stream, ReceptionStatistics(packet.stream, 48_000))
            known.add(packet.number & 0xFFFF, int(now_s * 48_000), packet.size_bytes, now_s)

    def remb_bps(self, queue_s: float, now_s: float) -> float:
        """As libwebrtc's receive side: 0.85 of what comes in when the queue grows, else 8 % more a second."""
        while self._arrived and self._arrived[0][0] < now_s - 1.0:
            self._arrived.popleft()
        incoming_bps = sum(size for _, size in self._arrived) * 8.0
        if queue_s > 0.05:
            self._remb_bps = min(self._remb_bps or incoming_bps, 0.85 * incoming_bps)
        else:
            grown_bps = max(self._remb_bps * 1.08 ** (now_s - self._remb_s), incoming_bps)
            self._remb_bps = min(grown_bps, 1.5 * incoming_bps + 10_000)
        self._remb_s = now_s
        return self._remb_bps


class Sample(NamedTuple):
    """What was so at one tick; seconds since the start."""

    now_s: float
    layers: tuple[Shown, ...]
    queue_s: float
    estimate_bps: float
    sent: int
    arrived: int


class Simulation:
    """Runs the adaptation of one receiver. ``changes``: at which second the link gets which rate (0: an outage).

    ``stall_every_s``: the receiver's machine is busy for 0.4 s each time. Without ``reports`` it gives REMB and
    receiver reports only.
    """

    def __init__(
        self, pictures: list[Picture], rate_bps: float, changes: dict[float, float] | None = None,
        queue_s: float = 0.5, loss: float = 0.0, seed: int = 1, stall_every_s: float = 0.0, reports: bool = True,
    ) -> None:  # fmt: skip
        self.loop = SimulatedLoop()
        self.start_s = self.loop.time()
        self.pictures, self.sound = pictures, Sound()
        self.link = Link(rate_bps, queue_s, loss, seed)
        self.receiver = Receiver()
        self.sent_packets = SentPackets(self.loop.time)
        self.adaptation = Adaptation([self.sound], pictures, self.loop.time)  # type: ignore[list-item, arg-type]
        self.samples: list[Sample] = []
        self._changes = changes or {}
        self._stall_every_s = stall_every_s
        self._reports = reports
        self._numbers: dict[int, int] = {}
        self._sent = self._arrived = 0
        self._repaired_bytes = 0
        self._failure: BaseException | None = None

    def run(self, seconds: float) -> "Simulation":
        loop = self.loop
        for index, picture in enumerate(self.pictures):
            picture.begin(index + 2, loop, partial(self._send_picture, index + 2))
        for at_s, rate_bps in self._changes.items():
            loop.call_later(at_s, lambda rate_bps=rate_bps: self.link.set_rate(rate_bps, loop.time()))
        self._every(TICK_S, self._tick)
        self._every(SOUND_EVERY_S, self._send_sound)
        self._every(1.0, self._receiver_report)
        self._every(*(REPORT_EVERY_S, self._report) if self._reports else (TICK_S, self._remb))
        if self._stall_every_s:
            self._every(self._stall_every_s, self._stall)
        loop.set_exception_handler(self._fail)
        loop.call_later(seconds, loop.stop)
        try:
            loop.run_forever()
        finally:
            self.adaptation.close()
            loop.close()
        if self._failure is not None:
            raise self._failure
        return self

    def _fail(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._failure = context.get("exception")
        loop.stop()

    def _every(self, seconds: float, action: Callable[[], None]) -> None:
        def again() -> None:
            self.loop.call_later(seconds, again)
            action()

        self.loop.call_later(seconds, again)

    # ---- the server ----

    def _tick(self) -> None:
        now_s = self.loop.time()
        self._repaired_bytes = 0
        self.adaptation.tick(now_s)
        shown = tuple(picture.shown for picture in self.pictures)
        self.samples.append(
            Sample(
                now_s - self.start_s, shown, self.link.delay_s(now_s), self.adaptation.budget_bps, self._sent,
                self._arrived,
            )
        )  # fmt: skip

    def _send_sound(self) -> None:
        number = len(self.sound.sent_s)
        self.sound.sent_s.append(self.loop.time() - self.start_s)
        for each in (number, number - 1) if self.sound.redundant else (number,):
            self.sound.copies += 1
            self._send(Packet(Sound.ssrc, each, SOUND_BYTES))

    def _send_picture(self, ssrc: int, size_bytes: int, padding: bool) -> None:
        number = -1
        if not padding:
            number = self._numbers[ssrc] = self._numbers.get(ssrc, -1) + 1
        position = self.pictures[ssrc - 2].sent_bytes
        self._send(Packet(ssrc, number, size_bytes, self.sent_packets.next(size_bytes), position=position))

    def _send(self, packet: Packet) -> None:
        self._sent += 1
        arrival_s = self.link.arrival_s(packet.size_bytes, self.loop.time())
        if arrival_s is not None:
            self.loop.call_at(arrival_s, self._arrive, packet)
        elif packet.transport is not None and packet.number >= 0 and packet.again < MAX_NACKS and self.link.rate_bps:
            wait_s = NACK_S + 2 * ONE_WAY_S + self.link.delay_s(self.loop.time())
            self.loop.call_later(wait_s, self._send_again, packet)

    def _send_again(self, packet: Packet) -> None:
        if packet.position < self.pictures[packet.stream - 2].keyframe_bytes:
            return
        if self._repaired_bytes < max(12_000, self.adaptation.budget_bps * REPAIR_SHARE * TICK_S / 8):
            self._repaired_bytes += packet.size_bytes
            transport = self.sent_packets.next(packet.size_bytes)
            self._send(packet._replace(transport=transport, again=packet.again + 1))

    # ---- the receiver ----

    def _stall(self) -> None:
        self.receiver.stalled_until_s = self.loop.time() + 0.4

    def _arrive(self, packet: Packet) -> None:
        wait_s = self.receiver.stalled_until_s - self.loop.time()
        if wait_s > 0:
            self.loop.call_later(wait_s, self._arrive, packet)
            return
        self._arrived += 1
        self.receiver.read(packet, self.loop.time())

    def _tell(self, tell: Callable[[], None]) -> None:
        """By a way back that only an outage closes."""
        if self.link.rate_bps:
            self.loop.call_later(ONE_WAY_S, tell)

    def _report(self) -> None:
        if self.loop.time() < self.receiver.stalled_until_s:
            return
        data = self.receiver.feedback.take(2)
        if data is not None:
            self._tell(lambda: self._on_feedback(data))

    def _on_feedback(self, data: bytes) -> None:
        if self.adaptation.on_deliveries(self.sent_packets.match(read_feedback(data)), self.loop.time()):
            self.loop.call_soon(lambda: self.adaptation.tick(self.loop.time(), changed=True))

    def _remb(self) -> None:
        now_s = self.loop.time()
        bps = self.receiver.remb_bps(self.link.delay_s(now_s), now_s)
        self._tell(lambda: self.adaptation.on_remb(bps, self.loop.time()))

    def _receiver_report(self) -> None:
        blocks = [each.report(self.loop.time()) for each in self.receiver.statistics.values()]
        self._tell(lambda: self.adaptation.on_reports(blocks, self.loop.time()))

    # ---- what came of it ----

    def between(self, start_s: float, end_s: float) -> list[Sample]:
        return [s for s in self.samples if start_s <= s.now_s < end_s]

    def loss(self, start_s: float, end_s: float) -> float:
        """Share of all packets lost in that time."""
        first, *_, last = self.between(start_s, end_s)
        return max(1 - (last.arrived - first.arrived) / max(last.sent - first.sent, 1), 0.0)

    def sound_loss(self, start_s: float, end_s: float) -> float:
        """Share of the sound sent in that time of which no copy arrived."""
        sent = [number for number, at_s in enumerate(self.sound.sent_s) if start_s <= at_s < end_s]
        return sum(number not in self.receiver.heard for number in sent) / len(sent)

    def worst_queue_s(self, start_s: float, end_s: float) -> float:
        return max(s.queue_s for s in self.between(start_s, end_s))

    def share(self, start_s: float, end_s: float, shown: set[Shown], picture: int = 0) -> float:
        """Part of the time in which one of these was chosen for a picture."""
        samples = self.between(start_s, end_s)
        return sum(s.layers[picture] in shown for s in samples) / len(samples)

    def first(self, start_s: float, shown: set[Shown]) -> float:
        """How long after ``start_s`` the first picture is shown so, for good until the end."""
        since_s = None
        for s in self.between(start_s, float("inf")):
            if s.layers[0] not in shown:
                since_s = None
            elif since_s is None:
                since_s = s.now_s
        return float("inf") if since_s is None else since_s - start_s

    def switches(self, start_s: float, end_s: float) -> list[tuple[float, tuple[Shown, ...]]]:
        """When the layers changed, and to what."""
        found, before = [], None
        for s in self.between(start_s, end_s):
            if before is not None and s.layers != before:
                found.append((s.now_s, s.layers))
            before = s.layers
        return found
