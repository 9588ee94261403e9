"""Which worker takes a step, without a cluster."""

from typing import Any

import pytest

from vmeet_core.pipeline.executors.dask_workers import DaskWorker, choose, together, why_none
from vmeet_core.pipeline.spec import Needs

GB = 1_000_000_000


def worker(name: str, nthreads: int = 1, gpu: int = 0, memory_limit: int = 8 * GB, **given: Any) -> DaskWorker:
    resources = {"GPU": float(gpu)} if gpu else {}
    made = DaskWorker.of(name, {"nthreads": nthreads, "resources": resources, "memory_limit": memory_limit})
    for key, value in given.items():
        setattr(made, key, value)
    return made


def chosen(workers: list[DaskWorker], **needs: int) -> str | None:
    found = choose(workers, Needs(**needs))
    return found.address if found else None


def test_the_one_with_most_room_takes_it() -> None:
    busy, free = worker("busy", 4, taken=[Needs(), Needs(), Needs()]), worker("free", 2)
    assert chosen([busy, free]) == "free"
    free.taken += [Needs(cpu=2)]
    assert chosen([busy, free]) == "busy"
    busy.taken += [Needs()]
    assert chosen([busy, free]) is None


def test_a_step_goes_to_a_gpu_only_when_it_needs_one() -> None:
    workers = [worker("gpu", 8, gpu=1), worker("plain")]
    assert chosen(workers) == "plain"
    assert chosen(workers, gpu=1) == "gpu"
    workers[0].taken.append(Needs(gpu=1))
    assert chosen(workers, gpu=1) is None
    assert chosen([workers[0]]) == "gpu"


def test_memory_counts_and_a_step_larger_than_a_worker_gets_all_of_it() -> None:
    small = worker("small", 2, memory_limit=2 * GB)
    assert chosen([small], memory_bytes=3 * GB) == "small"
    assert small.limits.granted(Needs(cpu=5, memory_bytes=3 * GB)) == Needs(cpu=2, memory_bytes=2 * GB)
    small.taken.append(Needs(memory_bytes=GB))
    assert chosen([small], memory_bytes=3 * GB) is None
    assert chosen([small], memory_bytes=GB) == "small"


def test_the_cluster_is_the_sum_of_what_can_be_used() -> None:
    limits = together([worker("a", 2, gpu=1), worker("b", 3), worker("c", 9, unfit="old")])
    assert (limits.workers, limits.cpu, limits.gpu, limits.memory_bytes) == (5, 5, 1, 16 * GB)
    assert limits.share == 1
    empty = together([])
    assert (empty.workers, empty.cpu, empty.gpu) == (1, 1, 1)
    assert empty.refusal(Needs(cpu=64, gpu=1, memory_bytes=1 << 50)) is None  # it may come


@pytest.mark.parametrize(
    ("workers", "needs", "why"),
    [
        ([], Needs(), "has no workers: start one"),
        ([worker("a", unfit="a is old"), worker("b", unfit="b is old")], Needs(), "a is old; b is old"),
        ([worker("a")], Needs(gpu=1), 'start one with dask worker --resources "GPU=1"'),
        ([worker("a", taken=[Needs()])], Needs(), None),
    ],
)
def test_why_no_worker_will_ever_take_it(workers: list[DaskWorker], needs: Needs, why: str | None) -> None:
    found = why_none(workers, needs)
    assert found is None if why is None else why in str(found)
