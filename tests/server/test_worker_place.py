"""Tests of when a worker is asked for, and what becomes of a refusal."""

from typing import Any

import pytest

from vmeet_core.live.pool import NoRoom, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.server import worker_place
from vmeet_core.server.worker_place import WorkerPlace

TRACK = Track((("mark", {}),), ((0, 1000),))


class Taken:
    """A track in a worker."""

    def __init__(self, track: Track) -> None:
        self.given = track
        self.updates: list[tuple[str, Any]] = []

    def update(self, name: str, options: Any) -> None:
        self.updates.append((name, options))


class Pool:
    """Gives places as long as it has no ``error``."""

    def __init__(self) -> None:
        self.error: RuntimeError | None = None
        self.asked = 0
        self.closed: list[Any] = []

    def open(self, track: Track, events: TrackEvents) -> Any:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return Taken(track)

    def close_track(self, track: Any) -> None:
        self.closed.append(track)


class Told:
    """What the owner of a place hears."""

    def __init__(self, pool: Any) -> None:
        self.refusals: list[tuple[str, bool]] = []
        self.entries = 0
        self.place = WorkerPlace(pool, TrackEvents(), lambda *why: self.refusals.append(why), self._enter)

    def _enter(self) -> None:
        self.entries += 1


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def told(pool: Pool) -> Told:
    return Told(pool)


def test_nobody_is_asked_before_something_comes(pool: Pool, told: Told) -> None:
    assert told.place.take() is None
    told.place.want(TRACK)
    assert pool.asked == 0
    taken = told.place.take()
    assert taken is told.place.take() is told.place.track
    assert (pool.asked, told.entries, told.place.epoch) == (1, 1, 1)
    assert taken is not None
    assert taken.given.epoch == 1  # type: ignore[attr-defined]


def test_after_a_refusal_it_is_asked_for_again_a_while_later(
    pool: Pool, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.error = NoRoom("two are all")
    told.place.want(TRACK)
    assert [told.place.take() for _ in range(3)] == [None] * 3
    assert (pool.asked, told.refusals) == (1, [("two are all", True)])
    monkeypatch.setattr(worker_place, "RETRY_S", 0.0)
    pool.error = RuntimeError("there is no worker")
    told.place.want(TRACK)
    assert [told.place.take() for _ in range(2)] == [None] * 2
    assert told.refusals[1:] == [("there is no worker", False)] * 2
    pool.error = None
    assert told.place.take() is not None
    assert (told.entries, told.place.epoch) == (1, 4)


def test_who_leaves_comes_back_when_something_comes_and_who_gives_up_does_not(pool: Pool, told: Told) -> None:
    told.place.want(TRACK)
    first = told.place.take()
    told.place.leave()
    told.place.leave()
    second = told.place.take()
    assert second is not first
    told.place.give_up()
    assert pool.closed == [first, second]
    assert told.place.take() is None


def test_a_place_that_the_worker_has_ended_is_not_closed(pool: Pool, told: Told) -> None:
    told.place.want(TRACK)
    told.place.take()
    told.place.lose()
    told.place.give_up()
    assert (pool.closed, told.place.take()) == ([], None)


def test_other_options_hold_for_this_place_and_the_next(told: Told) -> None:
    told.place.want(TRACK)
    first: Any = told.place.take()
    told.place.update("mark", {"level": 3})
    assert first.updates == [("mark", {"level": 3})]
    told.place.leave()
    second: Any = told.place.take()
    assert second.given.filters == (("mark", {"level": 3}),)
