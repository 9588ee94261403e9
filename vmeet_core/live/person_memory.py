"""Where the person was in the picture before: what a filter found out helps those that come before it."""

import math

from vmeet_core.color import Plane

LONGEST_S = 0.5  #: after that the person may be anywhere


class PersonMemory:
    """Of one track."""

    def __init__(self) -> None:
        self._person: Plane | None = None
        self._size: tuple[int, ...] = ()
        self._pts_s = -math.inf

    def keep(self, person: Plane | None, size: tuple[int, ...], pts_s: float) -> None:
        """``person`` (any h, any w) uint8, as in ``Frame``, of a picture of ``size``; it is copied."""
        self._person = None if person is None else person.copy()
        if self._person is not None:
            self._person.flags.writeable = False
        self._size, self._pts_s = size, pts_s

    def recall(self, size: tuple[int, ...], pts_s: float) -> Plane | None:
        """What was kept last, read-only; None when it is of another size, too old, or of a later time."""
        fits = size == self._size and 0 <= pts_s - self._pts_s <= LONGEST_S
        return self._person if fits else None
