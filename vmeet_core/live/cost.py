"""What tracks cost, as shares of a processor core: measured by a worker that has loaded the engines."""

from collections.abc import Iterable
from typing import Any, NamedTuple

REDUCED_PX, REDUCED_FPS = 360, 15.0  #: what a picture is reduced to where there is no room for more
FULL_FPS = 30.0


class Cost(NamedTuple):
    """``full``: of 720p at 30 pictures a second; ``reduced``: when 360p at 15 is made of it. Of sound both are one."""

    full: float
    reduced: float

    def __add__(self, other: object) -> "Cost":
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.full + other.full, self.reduced + other.reduced)


UNKNOWN_FILTER = Cost(0.5, 0.2)  #: of what could not be measured: one is enough for a worker
UNKNOWN_DENOISER = Cost(0.25, 0.25)
UNKNOWN_CODEC = Cost(0.5, 0.25)


class Costs(NamedTuple):
    """``codec`` is for decoding and encoding in all sizes; a denoiser's cost contains Opus."""

    codec: Cost = UNKNOWN_CODEC
    frame_filters: dict[str, Cost] = {}  # noqa: RUF012 - nobody writes into it
    denoisers: dict[str, Cost] = {}  # noqa: RUF012

    def picture(self, filters: Iterable[str]) -> Cost:
        """Of a picture with these filters."""
        return sum((self.frame_filters.get(name, UNKNOWN_FILTER) for name in filters), self.codec)

    def sound(self, denoisers: Iterable[str]) -> Cost:
        """Of a voice."""
        return sum((self.denoisers.get(name, UNKNOWN_DENOISER) for name in denoisers), Cost(0, 0))

    def as_json(self) -> dict[str, Any]:
        """As a message carries it."""
        return self._asdict()

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Costs":
        """What ``as_json`` gave, after its journey. Raises KeyError and TypeError for something else."""
        filters, denoisers = (
            {str(name): Cost(*map(float, pair)) for name, pair in found[kind].items()}
            for kind in ("frame_filters", "denoisers")
        )
        return cls(Cost(*map(float, found["codec"])), filters, denoisers)
