"""Somebody who publishes: mutes, levels, and a change of the connection."""

import asyncio
from typing import Any

import pytest

from vmeet_core.live.card import make_card
from vmeet_core.live.pool import LivePool, NoRoom
from vmeet_core.live.worker import Track
from vmeet_core.meetings import Participant
from vmeet_core.server.attendee import Attendee, Denoising, Filtering
from vmeet_core.server.statistics import Measured
from vmeet_core.settings import load_settings
from vmeet_core.sfu.active_speaker import Voice
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.statistics import SourceReport

REPORT = SourceReport("camera", 1e6, 0.1, 0.01, None)


class Connection:
    """As much of a publishing connection as an attendee needs."""

    def __init__(self, *sources: Any) -> None:
        self.sources = {source: Ingress(source, lambda data: True, PublisherClock()) for source in sources}

    def reports(self) -> list[SourceReport]:
        return [REPORT]

    def pictures(self, kind: str) -> tuple[Ingress, ...]:
        wanted = ("camera-small", "camera") if kind == "camera" else ("screen",)
        return tuple(self.sources[source] for source in wanted if source in self.sources)


def somebody(*sources: Any) -> Any:
    connection: Any = Connection(*sources) if sources else None
    return Attendee(Participant(id="a", name="Anna", is_host=False), Voice(), connection)


def test_what_is_published_is_told_and_a_screen_begins_muted() -> None:
    anna = somebody("microphone", "camera", "camera-small", "screen")
    assert anna.participant.sources == ["microphone", "camera", "camera-small", "screen"]
    assert [source for source, ingress in anna.sources.items() if ingress.muted] == ["screen"]
    anna.set_muted("screen", False)
    assert not anna.sources["screen"].muted


def test_the_small_picture_is_muted_with_the_camera() -> None:
    anna = somebody("camera", "camera-small")
    anna.set_muted("camera", True)
    assert all(ingress.muted for ingress in anna.sources.values())


def test_levels_go_from_the_microphone_in_use_to_the_voice() -> None:
    anna = somebody("microphone", "camera")
    first = anna.publish
    assert first.sources["microphone"].on_level == anna.voice.on_level
    assert first.sources["camera"].on_level is None
    second: Any = Connection("microphone")
    assert anna.take(second) is first
    assert first.sources["microphone"].on_level is None
    assert second.sources["microphone"].on_level == anna.voice.on_level
    anna.set_muted("microphone", True)
    assert anna.voice.muted


def test_a_connection_is_released_without_a_trace_in_what_others_know() -> None:
    anna = somebody("microphone")
    connection = anna.publish
    assert anna.release() is connection
    assert anna.release() is None
    assert anna.participant.sources == ["microphone"]
    assert (anna.sources, anna.pictures("camera")) == ({}, ())


def test_measuring() -> None:
    assert somebody().measure() == Measured()
    anna = somebody("camera")
    assert anna.measure() == Measured((REPORT,)) == anna.measured


# ---- a filter ----


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def filtering(told: list[tuple[str, str]]) -> Filtering:
    """One that protects privacy, and no worker that could do it: only the card is to be seen."""
    card = await asyncio.to_thread(make_card, "Anna", [90, 180])
    pool = LivePool(load_settings(None, {}), ["mark"])
    track = Track((("mark", {}),), ((90, 100_000), (0, 600_000)))
    return Filtering(pool, card, track, True, lambda state, reason: told.append((state, reason)))


async def test_from_the_moment_it_is_asked_for_others_get_nothing_raw(
    filtering: Filtering, told: list[tuple[str, str]]
) -> None:
    anna = somebody("microphone", "camera", "camera-small", "screen")
    raw = anna.pictures("camera")
    screen = anna.pictures("screen")
    anna.filter(filtering)
    assert all(source.is_shielded for source in raw)
    made = anna.pictures("camera")
    assert len(made) == 2
    assert set(made).isdisjoint(raw)
    assert anna.recorded("camera") is made[-1]
    assert anna.recorded("microphone") is anna.sources["microphone"]
    assert anna.pictures("screen") == screen, "a screen has no person in it"
    assert [state for state, _ in told] == ["starting", "failed"]
    anna.filter(None)
    assert anna.pictures("camera") == raw
    assert anna.recorded("camera") is raw[-1]
    assert not any(source.is_shielded for source in raw)


async def test_a_camera_that_comes_by_another_connection_is_filtered_too(filtering: Filtering) -> None:
    anna = somebody()
    anna.filter(filtering)
    assert anna.pictures("camera") == ()
    first: Any = Connection("camera", "camera-small")
    anna.take(first)
    assert all(ingress.is_shielded for ingress in first.sources.values())
    second: Any = Connection("camera", "camera-small")
    assert anna.take(second) is first
    assert all(ingress.is_shielded for ingress in (*first.sources.values(), *second.sources.values()))
    assert anna.filtered is not None
    assert anna.pictures("camera") == anna.filtered.sources
    anna.release()
    assert all(ingress.is_shielded for ingress in second.sources.values()), "whoever takes it over decides"
    assert anna.pictures("camera") == ()


async def test_whoever_takes_over_a_camera_without_a_filter_shows_it(filtering: Filtering) -> None:
    preview = somebody("camera", "camera-small")
    preview.filter(filtering)
    connection = preview.release()
    anna = somebody()
    anna.take(connection)
    assert anna.pictures("camera") == connection.pictures("camera")
    assert not any(ingress.is_shielded for ingress in connection.sources.values())


async def test_what_is_made_of_a_camera_is_muted_with_it(filtering: Filtering) -> None:
    anna = somebody("camera", "camera-small")
    anna.set_muted("camera", True)
    anna.filter(filtering)
    assert all(source.muted for source in anna.pictures("camera"))
    anna.set_muted("camera", False)
    assert not any(source.muted for source in anna.pictures("camera"))
    anna.filter(None)


class Refusing:
    """A pool that takes nobody."""

    def __init__(self, error: RuntimeError) -> None:
        self._error = error

    def open(self, *given: Any) -> Any:
        raise self._error


async def test_want_of_room_is_told_from_other_failures(filtering: Filtering) -> None:
    for error, no_room in ((NoRoom("4 are all"), True), (RuntimeError("no worker"), False)):
        anna = somebody("microphone", "camera", "camera-small")
        pool: Any = Refusing(error)
        anna.filter(Filtering(pool, *filtering[1:]))
        anna.denoise(Denoising(pool, Track((("quiet", {}),), is_sound=True), lambda state, reason: None))
        assert (anna.camera_state, anna.microphone_state) == ("failed", "failed")
        assert (anna.camera_found_no_room, anna.microphone_found_no_room) == (no_room, no_room)
        anna.filter(None)
        anna.denoise(None)
        assert (anna.camera_found_no_room, anna.microphone_found_no_room) == (False, False)
