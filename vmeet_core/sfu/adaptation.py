"""Which layer each picture of one receiver gets now: joins what is measured, the estimate and the choice."""

import asyncio
import time
from collections.abc import Callable, Sequence

from aiortc.rtp import RtcpReceiverInfo

from vmeet_core.sfu.allocation import Layer, Picture
from vmeet_core.sfu.allocator import Allocator
from vmeet_core.sfu.egress import ALL_TEMPORAL, Egress
from vmeet_core.sfu.link_loss import LinkLoss
from vmeet_core.sfu.path_estimate import PathEstimate
from vmeet_core.sfu.sent_packets import Delivery
from vmeet_core.sfu.statistics import LinkReport

REDUNDANT_LOSS = 0.06  #: from this share of lost packets on, sound is sent twice
NOT_REDUNDANT_LOSS = 0.03
PAD_EVERY_S = 0.02
MAX_TRACKED = 128
CALM_TICKS = 5
HOPE = 1.4  #: times the cheapest layer, when none is sent at all
ROOMY_BPS = 500_000.0  #: where sound sent twice does not crowd out itself
CLEAR_S = 3.0  #: without a sign of congestion
ROOM = 1.3


class Adaptation:
    """``tick`` is to be called several times a second; the lists of outgoing streams may grow meanwhile."""

    def __init__(
        self, sounds: Sequence[Egress], pictures: Sequence[Egress], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sounds = sounds
        self._pictures = pictures
        self._clock = clock
        self._estimate = PathEstimate(clock())
        self._allocator = Allocator()
        self._pictures_bps = 0.0
        self._remb_bps: float | None = None
        self._reported = False  # by packet, which tells more than REMB and receiver reports
        self._sound_loss = LinkLoss()
        self._highest: dict[int, int] = {}
        self._known = False
        self._calm = False  # nobody could get more
        self._ticks = 0
        self._sent_bps = 0.0
        self._padding_bps = 0.0
        self._padding: asyncio.TimerHandle | None = None
        self._held: asyncio.TimerHandle | None = None  # pictures, until the queue is gone
        self._pad_owed_bytes = 0.0

    @property
    def budget_bps(self) -> float:
        """What the way to the receiver is thought to carry."""
        return self._estimate.bps

    # ---- feedback ----

    def on_deliveries(self, deliveries: Sequence[Delivery], now_s: float) -> bool:
        """What became of packets of pictures; whether less has to be sent at once."""
        self._known = self._reported = True
        before_bps, drained_s = self._estimate.bps, self._estimate.drained_s
        self._estimate.on_deliveries(deliveries, now_s)
        if not self._estimate.is_probing:
            self._padding_bps = 0.0
        if self._estimate.drained_s > drained_s:
            self._hold(self._estimate.drained_s - now_s)
        return self._estimate.bps < before_bps

    def on_reports(self, reports: Sequence[RtcpReceiverInfo], now_s: float) -> None:
        """Blocks of a receiver report about streams of this receiver."""
        self._known = self._known or bool(reports)
        for report in reports:
            before = self._highest.get(report.ssrc)
            if before is None and len(self._highest) >= MAX_TRACKED:
                continue
            self._highest[report.ssrc] = report.highest_sequence
            packets = report.highest_sequence - before if before is not None else 0
            if 0 < packets < 0x8000:
                self._sound_loss.add(report.fraction_lost / 256, packets, now_s)
                if not self._reported:
                    self._estimate.on_loss(report.fraction_lost / 256, packets, self._pictures_bps, now_s)

    def on_remb(self, bps: float, now_s: float) -> None:
        """The receiver's own estimate, for all its streams together."""
        self._known = True
        before_bps, self._remb_bps = self._remb_bps, bps
        if not self._reported:
            self._estimate.on_remb(bps, before_bps, self._pictures_bps, now_s)

    # ---- choice ----

    def tick(self, now_s: float, changed: bool = False) -> None:
        """Measure, choose a layer for every picture, and probe for more. ``changed``: what is wanted has changed.

        While everyone gets the best and there is room, once a second is enough.
        """
        self._ticks += 1
        if self._calm and not changed and self._ticks % CALM_TICKS and self._estimate.bps > ROOM * self._sent_bps:
            return
        sound_bps = sum(egress.measure(now_s) for egress in self._sounds)
        self._pictures_bps = sum(egress.measure(now_s) for egress in self._pictures)
        self._sent_bps = sound_bps + self._pictures_bps
        self._estimate.sound_bps = sound_bps
        self._choose(now_s)
        wanted_bps = self._allocator.wanted_bps / (1 - min(self._estimate.loss.share, 0.5))
        self._calm = not wanted_bps
        self._pad(self._estimate.tick(self._pictures_bps, wanted_bps, now_s))
        self._protect_sound(now_s)

    def _choose(self, now_s: float) -> None:
        choices = [picture for egress in self._pictures if (picture := _picture(egress, now_s)) is not None]
        cheapest_bps = min((layer.bitrate_bps for picture in choices for layer in picture.layers), default=0.0)
        if cheapest_bps and not any(egress.source for egress in self._pictures):
            self._estimate.hope(HOPE * cheapest_bps, now_s)
        chosen = self._allocator.update(choices, self._estimate.bps * (1 - self._estimate.loss.share), now_s)
        for egress in self._pictures:
            if egress.demand is None or not egress.layers:
                egress.select(None)
            elif egress.ssrc not in chosen:  # nothing comes of it: be ready for when it begins
                egress.select(len(egress.layers) - 1)
            else:
                layer = chosen[egress.ssrc]
                _apply(egress, layer)

    def _protect_sound(self, now_s: float) -> None:
        """Loss by congestion only grows when more is sent; loss of another kind is made up for by sending twice."""
        loss = max(self._sound_loss.share, self._estimate.loss.share)
        for egress in self._sounds:
            much = loss > (NOT_REDUNDANT_LOSS if egress.redundant else REDUNDANT_LOSS)
            clear = self._estimate.bps > ROOMY_BPS and now_s - self._estimate.congested_s > CLEAR_S
            egress.redundant = much and clear

    # ---- a long queue ----

    def _hold(self, seconds: float) -> None:
        for egress in self._pictures:
            egress.hold(True)
        if self._held is not None:
            self._held.cancel()
        self._held = asyncio.get_running_loop().call_later(seconds, self._release)

    def _release(self) -> None:
        self._held = None
        for egress in self._pictures:
            egress.hold(False)

    # ---- probing ----

    def _pad(self, bps: float) -> None:
        """Padding goes out evenly until the next tick."""
        self._padding_bps = bps
        if bps and self._padding is None:
            self._padding = asyncio.get_running_loop().call_later(PAD_EVERY_S, self._send_padding)

    def _send_padding(self) -> None:
        self._padding = None
        if not self._padding_bps:
            self._pad_owed_bytes = 0.0
            return
        if not self._estimate.is_blind(self._clock()):
            self._pad_owed_bytes += self._padding_bps * PAD_EVERY_S / 8
        for egress in self._pictures:
            if self._pad_owed_bytes > 0 and egress.source is not None:
                self._pad_owed_bytes -= egress.pad(int(self._pad_owed_bytes))
        self._pad_owed_bytes = min(self._pad_owed_bytes, 5000.0)
        self._padding = asyncio.get_running_loop().call_later(PAD_EVERY_S, self._send_padding)

    def report(self) -> LinkReport:
        """How the way to this receiver does."""
        rtts_s = [egress.rtt_s for egress in (*self._sounds, *self._pictures) if egress.rtt_s is not None]
        estimate_bps = self._estimate.bps if self._known else None
        return LinkReport(
            estimate_bps,
            self._sent_bps,
            max(self._sound_loss.share, self._estimate.loss.share),
            min(rtts_s, default=None),
        )

    def close(self) -> None:
        """No more padding, and no timer is left."""
        if self._held is not None:
            self._held.cancel()
            self._held = None
        self._padding_bps = 0.0
        if self._padding is not None:
            self._padding.cancel()
            self._padding = None


def _picture(egress: Egress, now_s: float) -> Picture | None:
    """What a picture could be sent as; None when nobody wants it or nothing comes of it."""
    if egress.demand is None:
        return None
    layers = tuple(
        Layer(index, temporal, ingress.layer_bps(temporal), ingress.height_px)
        for index, ingress in enumerate(egress.layers)
        if ingress.is_flowing(now_s)
        for temporal in range(ingress.temporal_layers)
    )
    return Picture(egress.ssrc, egress.demand.priority, egress.demand.height_px, layers) if layers else None


def _apply(egress: Egress, layer: Layer | None) -> None:
    if layer is None:
        egress.select(None)
        return
    highest = egress.layers[layer.index].temporal_layers - 1
    egress.select(layer.index, ALL_TEMPORAL if layer.temporal >= highest else layer.temporal)
