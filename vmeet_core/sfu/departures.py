"""When packets leave: those that a burst of datagrams caused leave together, which costs the system far less.

A picture comes as several packets at once, and each of them goes to every receiver. While a burst is read, connections
keep what they have encrypted; at its end each hands over a train of packets with a single call (``MediaTransport``).
"""

import time
from collections import deque
from typing import Protocol


class Waiting(Protocol):
    """Somebody who has packets that wait."""

    def leave(self) -> bool:
        """Send them now."""


class Departures:
    """What waits for the end of the burst that is being read. ``gathering`` says whether there is one."""

    def __init__(self) -> None:
        self.gathering = False
        self._waiting: list[Waiting] = []
        self._arrivals: list[tuple[deque[float], float]] = []

    def wait(self, who: Waiting) -> None:
        """``who`` has packets; to be called once until it is told to ``leave``."""
        self._waiting.append(who)

    def time(self, into: deque[float], arrived_s: float) -> None:
        """Append to ``into`` how long it took from ``arrived_s`` until everything has left."""
        if self.gathering:
            self._arrivals.append((into, arrived_s))
        else:
            into.append(time.monotonic() - arrived_s)

    def begin(self) -> None:
        """A burst begins."""
        self.gathering = True

    def leave(self) -> None:
        """Send everything; the burst may go on."""
        waiting, self._waiting = self._waiting, []
        for who in waiting:
            who.leave()
        arrivals, self._arrivals = self._arrivals, []
        now_s = time.monotonic()
        for into, arrived_s in arrivals:
            into.append(now_s - arrived_s)

    def end(self) -> None:
        """The burst is over."""
        try:
            self.leave()
        finally:
            self.gathering = False
