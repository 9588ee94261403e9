"""Tells a process that hangs from one that waits for a processor like everybody else: to kill that makes it worse."""

import os
import sys
import time
from pathlib import Path

LONGEST_S = 6.0  #: whatever it waits for, nobody sees a picture meanwhile


class HangWatch:
    """``heard`` at every sign of life; ``look`` a few times a second. ``silent_s`` is the silence that counts;
    ``longest_s`` (LONGEST_S by default) is too long whatever it waits for.

    What counts is time in which the process could have answered: none in which it was ready to run and hardly ran, and
    of a look that came late only what it should have been, since then this process had no processor either. The state
    and the times of the main thread are those of proc(5), ``/proc/PID/task/TID/stat``; elsewhere all time counts.
    """

    def __init__(self, pid: int, every_s: float, longest_s: float | None = None) -> None:
        self.silent_s = 0.0
        self._overdue = False
        self._every_s = every_s
        self._longest_s = longest_s
        self._stat = Path(f"/proc/{pid}/task/{pid}/stat") if sys.platform == "linux" else None
        self._heard_s = self._looked_s = time.monotonic()
        self._ran_s = self._state()[1]

    def heard(self) -> None:
        """It has answered."""
        self.silent_s, self._overdue = 0.0, False
        self._heard_s = time.monotonic()

    def look(self) -> float:
        """``silent_s`` up to now; infinite when it has been silent for longer than anybody should wait."""
        now_s = time.monotonic()
        passed_s, self._looked_s = now_s - self._looked_s, now_s
        state, ran_s = self._state()
        worked_s, self._ran_s = ran_s - self._ran_s, ran_s
        waits = state == "R" and worked_s < passed_s / 2
        self.silent_s += worked_s if waits else min(passed_s, 1.5 * self._every_s)
        overdue, self._overdue = self._overdue, now_s - self._heard_s > (self._longest_s or LONGEST_S)
        # At the first such look its answer may be there and not be read yet, where the look itself was late.
        return float("inf") if overdue and self._overdue else self.silent_s

    def _state(self) -> tuple[str, float]:
        """R where it runs or waits for a processor, S where it sleeps and so on; and for how long it has run."""
        if self._stat is None:
            return "", 0.0
        try:
            fields = self._stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has gone, which is noticed elsewhere
            return "", 0.0
        return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
