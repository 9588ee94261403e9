"""How long a step that ended suddenly waits for its next try."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Each wait is ``factor`` times the one before, give or take ``jitter`` of it: what broke together does not come
    back at one moment.
    """

    first_s: float = 2.0
    factor: float = 4.0
    max_s: float = 120.0
    jitter: float = 0.25

    def wait_s(self, failures: int, chance: Callable[[], float] = random.random) -> float:
        """After so many failures in a row (at least 1); ``chance`` gives numbers from 0 to 1."""
        wait_s = min(self.max_s, self.first_s * self.factor ** (failures - 1))
        return wait_s * (1 + self.jitter * (2 * chance() - 1))
