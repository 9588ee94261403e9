"""Tests of what steps may take together."""

import os

import pytest

from vmeet_core.pipeline.resources import Limits, machine_memory_bytes
from vmeet_core.pipeline.spec import Needs
from vmeet_core.settings import Pipeline

GB = 1_000_000_000
LIMITS = Limits.of(Pipeline(workers=4, cpu=4, gpu=1, memory_bytes=2 * GB))


def test_nothing_is_given_twice() -> None:
    free = LIMITS.free([Needs(cpu=2, memory_bytes=GB)])
    assert free.take(Needs(cpu=1, gpu=1, memory_bytes=GB // 2))
    assert not free.take(Needs(cpu=1, gpu=1))
    assert free.take(Needs(cpu=1, memory_bytes=GB // 2))
    assert not free.take(Needs(cpu=1))


def test_no_more_steps_than_workers() -> None:
    free = LIMITS.free([Needs(cpu=0)] * 3)
    assert [free.take(Needs(cpu=0)) for _ in range(2)] == [True, False]


def test_small_ones_do_not_take_what_a_large_one_waits_for() -> None:
    free = LIMITS.free([Needs(cpu=2)])
    assert not free.take(Needs(cpu=4))
    assert not free.take(Needs(cpu=1))
    assert free.take(Needs(cpu=0, gpu=1))  # of a GPU nothing lacks


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        (Needs(gpu=2), "needs 2 GPU, and pipeline.gpu allows 1"),
        (Needs(cpu=5), "uses 5 threads, and pipeline.cpu allows 4"),
        (Needs(memory_bytes=3 * GB), "needs up to 3000 MB of memory, and pipeline.memory_bytes allows 2000 MB"),
    ],
)
def test_what_can_never_run_is_refused(needs: Needs, reason: str) -> None:
    assert reason in (LIMITS.refusal(needs) or "")


def test_what_the_machine_sets_refuses_nothing() -> None:
    limits = Limits.of(Pipeline())
    needs = Needs(cpu=10_000, memory_bytes=1 << 61)
    assert limits.refusal(needs) is None
    granted = limits.granted(needs)
    assert granted.cpu == limits.cpu
    assert granted.memory_bytes == machine_memory_bytes()
    free = limits.free([])
    assert free.take(granted)
    assert not free.take(Needs(memory_bytes=1))


@pytest.mark.parametrize(("cores", "workers", "share"), [(1, 3, 1), (2, 3, 2), (4, 3, 3), (8, 4, 4), (64, 32, 4)])
def test_where_the_settings_say_nothing_steps_share_the_cores_by_priority(
    cores: int, workers: int, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    limits = Limits.of(Pipeline())
    assert (limits.workers, limits.cpu, limits.share) == (workers, workers * share, share)
    assert Limits.of(Pipeline(workers=1)).cpu == cores
    assert Limits.of(Pipeline(cpu=1)).cpu == 1


def test_workers_are_worth_at_least_a_thread_each() -> None:
    limits = Limits.of(Pipeline(workers=64))
    assert limits.share == max(1, limits.cpu // 64)
    assert limits.cpu >= 64
