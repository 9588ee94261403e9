"""Somebody who publishes: mutes, levels, and a change of the connection."""

from typing import Any

from vmeet_core.meetings import Participant
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.statistics import Measured
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
