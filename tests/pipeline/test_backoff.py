"""Tests of how long a step waits for its next try."""

import pytest

from vmeet_core.pipeline.backoff import Backoff

BACKOFF = Backoff(first_s=2.0, factor=4.0, max_s=60.0, jitter=0.25)


@pytest.mark.parametrize(("failures", "wait_s"), [(1, 2.0), (2, 8.0), (3, 32.0), (4, 60.0), (9, 60.0)])
def test_each_wait_is_longer_up_to_a_limit(failures: int, wait_s: float) -> None:
    assert BACKOFF.wait_s(failures, lambda: 0.5) == wait_s


def test_chance_moves_a_wait_by_a_quarter_at_most() -> None:
    assert (BACKOFF.wait_s(1, lambda: 0.0), BACKOFF.wait_s(1, lambda: 1.0)) == (1.5, 2.5)
    waits = [BACKOFF.wait_s(2) for _ in range(200)]
    assert all(6.0 <= wait_s <= 10.0 for wait_s in waits)
    assert max(waits) - min(waits) > 1.0
