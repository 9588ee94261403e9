"""The choice of layers over time: down at once, up with patience."""

from collections.abc import Hashable, Sequence

from vmeet_core.sfu.allocation import (
    MIN_LAYER_BPS,
    Ladder,
    Ladders,
    Layer,
    Picture,
    Rung,
    Standing,
    climb,
    cost_of,
    layers_of,
    make_ladders,
    next_step_bps,
    rank,
)

UPGRADE_MARGIN = 1.15  # a measured layer varies by about a tenth from second to second
DOWNGRADE_SLACK = 1.1  #: a keyframe alone is no reason; a queue would show in the budget
AIM_FACTOR = 1.25  # of what all cost now: as far as one look ahead goes
HOLD_S = 1.0  # the room must be there for so long before it is used
SETTLE_S = 2.0  # an upgrade begins with a keyframe: no probe until its burst is over
FAILED_S = 8.0  # a downgrade so soon after an upgrade means that the upgrade was wrong
CALM_S = 30.0  # an upgrade that lasted so long was right
FIRST_BACK_OFF_S, MAX_BACK_OFF_S = 4.0, 60.0

Demand = tuple[tuple[Hashable, int, int, frozenset[tuple[int, int, int]]], ...]


class Allocator:
    """Keeps one receiver's choice of layers; call :meth:`update` every 200 ms or so.

    ``wanted_bps`` is the budget at which the next step up would be taken: what a probe should aim at; 0 when there
    is nothing to gain or when a step was taken or has failed so lately that none is tried.
    """

    def __init__(self) -> None:
        self.wanted_bps = 0.0
        self._chosen: Standing = {}
        self._demand: Demand | None = None
        self._room_since_s: float | None = None
        self._upgraded_s: float | None = None
        self._back_off_s = FIRST_BACK_OFF_S
        self._wait_until_s = 0.0

    def update(self, pictures: Sequence[Picture], budget_bps: float, now_s: float) -> dict[Hashable, Layer | None]:
        """The layer of each picture, None for those that find no room. Keys have to be unique."""
        ladders = make_ladders(pictures)
        demand = _demand_of(pictures)
        if demand != self._demand:
            self._demand = demand
            self._chosen = climb(ladders, budget_bps)
            self._room_since_s = None
        else:
            self._adapt(ladders, self._remeasured(pictures, ladders), budget_bps, now_s)
        self._aim(ladders, now_s)
        return layers_of(self._chosen)

    def _remeasured(self, pictures: Sequence[Picture], ladders: Ladders) -> Standing:
        """What was chosen, at the bit rates of now; in the order of the ladders."""
        layers = {(p.key, x.index, x.temporal): x for p in pictures for x in p.layers}
        return {key: self._again(key, ladder.rungs, layers) for key, ladder in ladders.items()}

    def _again(self, key: Hashable, rungs: list[Rung], layers: dict[tuple[Hashable, int, int], Layer]) -> Rung | None:
        before = self._chosen[key]
        if before is None:
            return None
        layer = layers[key, before.layer.index, before.layer.temporal]
        worth = next((r.worth for r in rungs if r.layer == layer), before.worth)
        return Rung(max(layer.bitrate_bps, MIN_LAYER_BPS), worth, layer)

    def _adapt(self, ladders: Ladders, chosen: Standing, budget_bps: float, now_s: float) -> None:
        if cost_of(chosen) > budget_bps * DOWNGRADE_SLACK:
            self._chosen = _lowered(ladders, chosen, budget_bps)
            self._note_downgrade(now_s)
            return
        better = climb(ladders, budget_bps / UPGRADE_MARGIN)
        self._chosen = chosen
        if rank(ladders, better) <= rank(ladders, chosen):
            self._room_since_s = None
            return
        if self._room_since_s is None:
            self._room_since_s = now_s
        if now_s >= max(self._room_since_s + HOLD_S, self._wait_until_s):
            self._chosen = better
            self._note_upgrade(now_s)

    def _note_downgrade(self, now_s: float) -> None:
        self._room_since_s = None
        self._forgive(now_s)
        if self._upgraded_s is not None and now_s - self._upgraded_s < FAILED_S:
            self._wait_until_s = now_s + self._back_off_s
            self._back_off_s = min(self._back_off_s * 2, MAX_BACK_OFF_S)
            self._upgraded_s = None

    def _note_upgrade(self, now_s: float) -> None:
        self._room_since_s = None
        self._forgive(now_s)
        self._upgraded_s = now_s

    def _forgive(self, now_s: float) -> None:
        if self._upgraded_s is not None and now_s - self._upgraded_s > CALM_S:
            self._back_off_s = FIRST_BACK_OFF_S

    def _aim(self, ladders: Ladders, now_s: float) -> None:
        settling = self._upgraded_s is not None and now_s - self._upgraded_s < SETTLE_S
        if settling or now_s < self._wait_until_s:
            self.wanted_bps = 0.0
            return
        aim_bps = next_step_bps(ladders, self._chosen)
        if aim_bps:  # several steps where they are small
            aim_bps = max(aim_bps, cost_of(climb(ladders, AIM_FACTOR * cost_of(self._chosen))))
        self.wanted_bps = aim_bps * UPGRADE_MARGIN


def _lowered(ladders: Ladders, chosen: Standing, budget_bps: float) -> Standing:
    """Choose anew, but nobody's layer gets better or dearer."""
    lower = {
        key: Ladder(priority, [r for r in rungs if _is_within(r, chosen[key])])
        for key, (priority, rungs) in ladders.items()
    }
    return climb(lower, budget_bps)


def _is_within(rung: Rung, limit: Rung | None) -> bool:
    return limit is not None and rung.worth <= limit.worth and rung.cost_bps <= limit.cost_bps


def _demand_of(pictures: Sequence[Picture]) -> Demand:
    """What calls for a new choice when it changes: who is seen, how large, in which layers."""
    return tuple(
        (p.key, p.priority, p.height_px, frozenset((x.index, x.temporal, x.height_px) for x in p.layers))
        for p in pictures
    )
