"""Whether a worker keeps up with what it was given, whatever was expected of it."""

from typing import NamedTuple

STEP_S = 0.4  #: the least time between two looks
BUSY_SHARE = 0.9  #: a worker that rests more than this leaves has time: its frames came late from the network
LATE_SHARE = 0.05  #: of its frames
CPU_WEIGHT = 0.3  #: of the latest look
LONG_S = 1.0  #: a moment is no sign of too much work: another process may just have begun


class Work(NamedTuple):
    """What a worker has done since it began. ``busy_s`` is the time in which it did not wait for a message, ``cpu_s``
    what of the processor it got.
    """

    at_s: float
    busy_s: float
    frames: int
    late: int
    cpu_s: float = 0.0


class Lateness:
    """Fed with ``tell``; late is who never rests and leaves out more than a few frames for want of time."""

    def __init__(self) -> None:
        self._before: Work | None = None
        self._since_s: float | None = None
        self._last_late_s = 0.0
        self._long_late_s: float | None = None
        self.share = 0.0  #: of its frames that it left out lately
        self.cpu_share = 0.0  #: of a core that it took in the last seconds

    def tell(self, work: Work) -> None:
        """The latest figures."""
        before = self._before
        if before is not None and work.at_s - before.at_s < STEP_S:
            return
        self._before = work
        if before is None:
            return
        cpu_share = (work.cpu_s - before.cpu_s) / (work.at_s - before.at_s)
        self.cpu_share += (cpu_share - self.cpu_share) * CPU_WEIGHT
        busy = (work.busy_s - before.busy_s) / (work.at_s - before.at_s)
        self.share = (work.late - before.late) / max(work.frames - before.frames, 1)
        if busy < BUSY_SHARE or self.share < LATE_SHARE:
            self._since_s = None
            return
        self._since_s = before.at_s if self._since_s is None else self._since_s
        self._last_late_s = work.at_s
        if self.late_s >= LONG_S:
            self._long_late_s = work.at_s

    @property
    def late_s(self) -> float:
        """How long it has been late without a pause."""
        return 0.0 if self._since_s is None else self._last_late_s - self._since_s

    def was_late_within(self, seconds: float, now_s: float) -> bool:
        """Whether it has been late lately, and not for a moment: then it has no room, whatever was expected."""
        return self._long_late_s is not None and now_s - self._long_late_s <= seconds

    def begin_anew(self) -> None:
        """Something was done about it: what was before says nothing about what comes."""
        self._since_s = None
