"""Which layer of each picture a receiver gets for its share of the network: a pure function of demand and budget.

The worth of a layer to its viewer is ``S * log2(layer height / shown height, at most 1) + M * log2(share of frames)``.
For a camera S = 2 and M = 3, so of layers at like cost a quarter of the height at the full frame rate (-4) beats the
full picture at a quarter of the rate (-6), the full picture at half the rate (-3) beats both, and a tile of half the
full height is content with the small picture (-2). For a screen S = 3 and M = 1: text first, motion later.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

SCREEN_PRIORITY = 0
CAMERA_WEIGHTS = (2.0, 3.0)  # S, M
SCREEN_WEIGHTS = (3.0, 1.0)
ENOUGH_HEIGHT = 0.75  # of the shown height: below it an enlarged picture looks soft
MIN_LAYER_BPS = 10_000.0  # a layer just begun measures 0 b/s, which is not its price
UNKNOWN_SMALL_PX, UNKNOWN_FULL_PX = 180, 720  # before the first keyframe has told the height


class Layer(NamedTuple):
    """One thing a picture can be sent as. ``index`` 0 is the smallest picture, ``temporal`` 0 the lowest frame rate.

    ``bitrate_bps`` includes the temporal layers below; ``height_px`` is 0 while unknown.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks a layer for
    temporal: int
    bitrate_bps: float
    height_px: int


class Picture(NamedTuple):
    """What a receiver looks at. ``priority`` 0 comes first and is a screen's; ``height_px`` as shown, 0: unknown."""

    key: Hashable
    priority: int
    height_px: int
    layers: tuple[Layer, ...]


class Rung(NamedTuple):
    """A layer with its price and its worth to the viewer."""

    cost_bps: float
    worth: float
    layer: Layer


class Ladder(NamedTuple):
    """The layers of a picture that are worth having, cheapest first: each costs more and is worth more."""

    priority: int
    rungs: list[Rung]


Ladders = Mapping[Hashable, Ladder]
Standing = dict[Hashable, Rung | None]


def allocate(pictures: Sequence[Picture], budget_bps: float) -> dict[Hashable, Layer | None]:
    """Choose a layer for each picture (None: nothing) so that together they cost at most ``budget_bps``.

    First everyone gets the cheapest layer, in order of priority; then the pictures of the first priority climb
    together, one rung a round, then those of the next with what is left. Equal priorities keep the order given.
    What sound needs has been taken off the budget before.
    """
    return layers_of(climb(make_ladders(pictures), budget_bps))


def make_ladders(pictures: Sequence[Picture]) -> dict[Hashable, Ladder]:
    """The ladder of each picture, in order of priority."""
    return {p.key: make_ladder(p) for p in sorted(pictures, key=lambda p: p.priority)}


def make_ladder(picture: Picture) -> Ladder:
    """Leave out layers that are larger than needed, or dearer than better ones."""
    heights = _useful_heights(picture)
    shown_px = picture.height_px or max(heights.values(), default=1)
    tops: dict[int, int] = {}
    for layer in picture.layers:
        tops[layer.index] = max(layer.temporal, tops.get(layer.index, 0))
    sharp, motion = SCREEN_WEIGHTS if picture.priority == SCREEN_PRIORITY else CAMERA_WEIGHTS
    worths = {index: sharp * math.log2(min(height_px / shown_px, 1.0)) for index, height_px in heights.items()}
    rungs = [
        Rung(max(x.bitrate_bps, MIN_LAYER_BPS), worths[x.index] + motion * (x.temporal - tops[x.index]), x)
        for x in picture.layers
        if x.index in worths
    ]
    return Ladder(picture.priority, _rising(sorted(rungs, key=lambda r: (r.cost_bps, -r.worth))))


def _rising(rungs: list[Rung]) -> list[Rung]:
    best, kept = -math.inf, []
    for rung in rungs:
        if rung.worth > best:
            best = rung.worth
            kept.append(rung)
    return kept


def _useful_heights(picture: Picture) -> dict[int, int]:
    """Heights by layer index, without layers larger than the smallest one that suffices for the shown height."""
    full = max((x.index for x in picture.layers), default=0)
    heights = {x.index: x.height_px or _guess_px(x.index, full) for x in picture.layers}
    needed_px = picture.height_px * ENOUGH_HEIGHT if picture.height_px else math.inf
    limit_px = min((h for h in heights.values() if h >= needed_px), default=math.inf)
    return {index: height_px for index, height_px in heights.items() if height_px <= limit_px}


def _guess_px(index: int, full: int) -> int:
    return UNKNOWN_FULL_PX if index == full else UNKNOWN_SMALL_PX


def climb(ladders: Ladders, budget_bps: float) -> Standing:
    """Spend ``budget_bps`` as :func:`allocate` says."""
    standing: Standing = dict.fromkeys(ladders)
    classes: dict[int, list[tuple[Hashable, list[Rung]]]] = {}
    for key, (priority, rungs) in ladders.items():
        if rungs and rungs[0].cost_bps <= budget_bps:
            budget_bps -= rungs[0].cost_bps
            standing[key] = rungs[0]
            classes.setdefault(priority, []).append((key, rungs))
    for members in classes.values():
        budget_bps = _climb_together(members, standing, budget_bps)
    return standing


def _climb_together(members: list[tuple[Hashable, list[Rung]]], standing: Standing, left_bps: float) -> float:
    height = 1
    while members:
        climbers, members = members, []
        for key, rungs in climbers:
            if height == len(rungs):
                continue
            step_bps = rungs[height].cost_bps - rungs[height - 1].cost_bps
            if step_bps <= left_bps:  # else all rungs further up cost too much as well
                left_bps -= step_bps
                standing[key] = rungs[height]
                members.append((key, rungs))
        height += 1
    return left_bps


def next_step_bps(ladders: Ladders, standing: Standing) -> float:
    """The budget at which the next step up would be made; 0 when nobody can climb.

    It is a step of whoever has nothing, else of the first priority that is not at its top; for its sake those of
    later priorities fall back to their cheapest layer.
    """
    cheapest_bps = {key: rungs[0].cost_bps if rungs else 0.0 for key, (_, rungs) in ladders.items()}
    if any(standing[key] is None and rungs for key, (_, rungs) in ladders.items()):
        return sum(cheapest_bps.values())
    for key, (priority, rungs) in ladders.items():
        now = standing[key]
        above = next((r for r in rungs if now is not None and r.worth > now.worth), None)
        if now is not None and above is not None:
            others_bps = sum(
                min(x.cost_bps, cheapest_bps[other]) if ladders[other].priority > priority else x.cost_bps
                for other, x in standing.items()
                if x is not None and other != key
            )
            return others_bps + above.cost_bps
    return 0.0


def rank(ladders: Ladders, standing: Standing) -> tuple[tuple[float, ...], ...]:
    """What a choice is worth, to compare: of two, the one whose worst-off picture of the first priority is better."""
    worths: dict[int, list[float]] = {ladder.priority: [] for ladder in ladders.values()}
    for key, ladder in ladders.items():
        rung = standing[key]
        worths[ladder.priority].append(rung.worth if rung else -math.inf)
    seen = (sum(rung is not None for rung in standing.values()),)
    return (seen, *(tuple(sorted(of_class)) for of_class in worths.values()))


def cost_of(standing: Standing) -> float:
    """Bits per second of all chosen layers."""
    return sum(rung.cost_bps for rung in standing.values() if rung)


def layers_of(standing: Standing) -> dict[Hashable, Layer | None]:
    """The layers alone."""
    return {key: rung.layer if rung else None for key, rung in standing.items()}
