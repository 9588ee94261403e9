"""Somebody who publishes: mutes, levels, and a change of the connection."""

import asyncio
import itertools
from typing import Any

import pytest
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters

from vmeet_core.live.card import make_card
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pool import LivePool, NoRoom
from vmeet_core.live.worker import Track
from vmeet_core.media.active_speaker import Voice
from vmeet_core.meetings import Participant
from vmeet_core.server import worker_place
from vmeet_core.server.attendee import Attendee, Denoising, Filtering
from vmeet_core.server.statistics import Measured
from vmeet_core.settings import load_settings
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.made_source import DESCRIPTOR_BYTES
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock
from vmeet_core.sfu.source import Source
from vmeet_core.sfu.statistics import SourceReport

REPORT = SourceReport("camera", 1e6, 0.1, 0.01, None)
VP8, OPUS = 97, 96  #: payload types
CODECS = [
    RTCRtpCodecParameters("video/VP8", 90_000, payloadType=VP8),
    RTCRtpCodecParameters("audio/opus", 48_000, 2, payloadType=OPUS),
]
KEYFRAME = bytes.fromhex("10 500300 9d012a a000 5a00")  #: descriptor and header of one: 160 x 90


class Connection:
    """As much of a publishing connection as an attendee needs."""

    def __init__(self, *sources: Any) -> None:
        self.sources = {source: Ingress(source, lambda data: True, PublisherClock()) for source in sources}
        for ingress in self.sources.values():
            ingress.configure(RTCRtpReceiveParameters(codecs=CODECS))
        self._sequence = itertools.count()

    def send(self) -> None:
        """One packet of each source: a whole keyframe, or a sound."""
        sequence = next(self._sequence)
        for ssrc, ingress in enumerate(self.sources.values()):
            kind, payload = (VP8, KEYFRAME) if ingress.is_video else (OPUS, b"\xf8")
            ingress.receive(RtpPacket(kind, True, sequence, 960 * sequence, ssrc, payload), 0.02 * sequence)

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
    assert [state for state, _ in told] == ["starting"], "no picture has come that a worker would be needed for"
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


async def test_their_own_card_is_shown_once_it_is_drawn_whichever_connection_comes(filtering: Filtering) -> None:
    anna = somebody("camera", "camera-small")
    anna.filter(filtering)
    own = await asyncio.to_thread(make_card, "Zoe", [90, 180])
    anna.set_card(own)
    assert sent_by(anna.pictures("camera")[0]) == filtering.card.pictures[0][0] + own.pictures[0][0]
    second: Any = Connection("camera", "camera-small")
    anna.take(second)
    assert sent_by(anna.pictures("camera")[0]) == own.pictures[0][0]
    anna.filter(None)


def sent_by(source: Source) -> bytes:
    """All VP8 data so far."""
    numbers = itertools.count()
    packets = iter(lambda: source.packet(next(numbers)), None)
    return b"".join(packet.payload[DESCRIPTOR_BYTES:] for packet in packets)


# ---- options, and a denoiser ----


class Workers:
    """As much of a pool, and of a track in it, as is needed to see what it is told."""

    def __init__(self) -> None:
        self.opened: list[Any] = []
        self.updates: list[Any] = []

    def open(self, track: Track, events: Any) -> "Workers":
        self.opened.append(track.filters)
        return self

    def frame(self, frame: LiveFrame) -> None:
        """It gives nothing back."""

    def update(self, name: str, options: Any) -> None:
        self.updates.append((name, options))

    def close_track(self, track: Any) -> None:
        """It was none."""


@pytest.fixture
def workers() -> Any:
    return Workers()


async def test_other_options_take_effect_at_once_and_outlive_a_connection(filtering: Filtering, workers: Any) -> None:
    anna = somebody("microphone", "camera", "camera-small")
    anna.filter(filtering._replace(pool=workers))
    anna.denoise(Denoising(workers, Track((("quiet", {}),), is_sound=True), lambda state, reason: None))
    assert workers.opened == [], "nothing has come that a worker would be needed for"
    anna.publish.send()
    assert sorted(workers.opened) == [(("mark", {}),), (("quiet", {}),)]
    anna.update_filter("mark", {"level": 90})
    anna.update_denoiser("quiet", {"gain": 0.5})
    assert workers.updates == [("mark", {"level": 90}), ("quiet", {"gain": 0.5})]
    second: Any = Connection("microphone", "camera", "camera-small")
    anna.take(second)
    second.send()
    assert sorted(workers.opened[2:]) == [(("mark", {"level": 90}),), (("quiet", {"gain": 0.5}),)]
    anna.release()


async def test_other_options_before_anything_comes_are_those_it_begins_with(filtering: Filtering, workers: Any) -> None:
    anna = somebody("microphone", "camera", "camera-small")
    anna.filter(filtering._replace(pool=workers))
    anna.denoise(Denoising(workers, Track((("quiet", {}),), is_sound=True), lambda state, reason: None))
    anna.update_filter("mark", {"level": 90})
    anna.update_denoiser("quiet", {"gain": 0.5})
    anna.publish.send()
    assert sorted(workers.opened) == [(("mark", {"level": 90}),), (("quiet", {"gain": 0.5}),)]
    assert workers.updates == []
    anna.release()


async def test_what_is_made_of_a_voice_is_muted_with_it(workers: Any) -> None:
    anna = somebody("microphone")
    anna.set_muted("microphone", True)
    anna.denoise(Denoising(workers, Track((("quiet", {}),), is_sound=True), lambda state, reason: None))
    assert anna.denoised.source.muted
    anna.set_muted("microphone", False)
    assert not anna.denoised.source.muted
    anna.denoise(None)
    assert (anna.denoised, anna.sound) == (None, anna.sources["microphone"])


class Refusing:
    """A pool that takes nobody."""

    def __init__(self, error: RuntimeError) -> None:
        self.error = error

    def open(self, *given: Any) -> Any:
        raise self.error


async def test_want_of_room_is_told_from_other_failures(
    filtering: Filtering, told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_place, "RETRY_S", 0.0)
    of_voice: list[tuple[str, str]] = []
    pool: Any = Refusing(NoRoom("4 are all"))
    anna = somebody("microphone", "camera", "camera-small")
    anna.filter(filtering._replace(pool=pool))
    anna.denoise(Denoising(pool, Track((("quiet", {}),), is_sound=True), lambda *change: of_voice.append(change)))
    assert (anna.camera_found_no_room, anna.microphone_found_no_room) == (False, False), "nothing has come"
    for error, no_room in ((NoRoom("4 are all"), True), (RuntimeError("no worker"), False), (NoRoom("5 are"), True)):
        pool.error = error
        for _ in range(2):
            anna.publish.send()
        assert (anna.camera_state, anna.microphone_state) == ("failed", "failed")
        assert (anna.camera_found_no_room, anna.microphone_found_no_room) == (no_room, no_room)
    each_once = [("starting", ""), ("failed", "4 are all"), ("failed", "no worker"), ("failed", "5 are")]
    assert told == of_voice == each_once
    anna.filter(filtering._replace(pool=pool))
    anna.denoise(None)
    assert (anna.camera_found_no_room, anna.microphone_found_no_room) == (False, False)
    anna.release()
