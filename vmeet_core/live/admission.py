"""Who gets in: a track in full, reduced, or not at all, never a slower meeting for everyone."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from vmeet_core.live.cost import Cost

SHARE = 0.85  #: of a worker's core that is given away: costs vary with what is in the picture
ALONE_SHARE = 0.95  #: for a track that has a worker to itself: nobody else can be made slower by it
WorkerT = TypeVar("WorkerT")


class NoRoom(RuntimeError):
    """What the workers can do is spent, and a reduced picture is too much as well."""


class Room(NamedTuple):
    """How a pool stands. ``used``: the share of what its workers can do that is spoken for, 0 to 1 and a little more.
    ``dropped``: frames that found no room or came too late; ``deaths``: of workers that carried or could carry tracks.
    """

    used: float
    full: int
    reduced: int
    waiting: int
    dropped: int
    deaths: int


def choose(used: Mapping[WorkerT, float], cost: Cost, may_reduce: bool = True) -> tuple[WorkerT, bool] | None:
    """The worker that has most to spare, and whether the track is reduced there; None where it has no place.

    ``used`` are the shares of their cores that the workers have given away.
    """
    if not used:
        return None
    worker = min(used, key=lambda each: used[each])
    if fits(used[worker], cost.full):
        return worker, False
    if may_reduce and fits(used[worker], cost.reduced):
        return worker, True
    return None


def fits(used: float, more: float) -> bool:
    """Whether a worker that has given away ``used`` takes so much more."""
    return used + more <= (SHARE if used else ALONE_SHARE)
