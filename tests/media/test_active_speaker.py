"""Who speaks, from levels as Chromium sends them: 50 packets a second, speech around -25 dBov, rooms around -75."""

import random
import time
from collections.abc import Callable

import pytest

from vmeet_core.media.active_speaker import TICK_S, ActiveSpeaker

Level = Callable[[float], int]
QUIET, LOUD = 75, 25
PACKETS = 5  # in a tick


def speech(level: int = LOUD, seed: int = 1) -> Level:
    """Syllables of 0.2 s with gaps of 0.1 s, a little uneven."""
    noise = random.Random(seed)
    return lambda at_s: (level if at_s % 0.3 < 0.2 else 60) + noise.randint(-4, 4)


def silence(at_s: float) -> int:
    return QUIET


def between(start_s: float, end_s: float, level: Level) -> Level:
    return lambda at_s: level(at_s) if start_s <= at_s < end_s else QUIET


class Room:
    """Plays levels; ``floor`` is who had the floor at each tick."""

    def __init__(self) -> None:
        self.speaker = ActiveSpeaker()
        self.floor: list[str | None] = []
        self._now_s = 0.0

    def play(self, seconds: float, **people: Level) -> str | None:
        for _ in range(round(seconds / TICK_S)):
            for name, level in people.items():
                voice = self.speaker.voice(name)
                for packet in range(PACKETS):
                    voice.on_level(level(self._now_s + packet * 0.02), self._now_s)
            self._now_s += TICK_S
            self.speaker.tick()
            self.floor.append(self.speaker.speaker_id)
        return self.speaker.speaker_id

    def changes(self) -> int:
        return sum(one != other for one, other in zip(self.floor, self.floor[1:], strict=False))


def test_nobody_has_the_floor_until_somebody_speaks() -> None:
    room = Room()
    assert room.play(2, anna=silence, ben=silence) is None
    assert room.play(1.5, anna=silence, ben=speech()) == "ben"


def test_the_floor_goes_over_within_a_second_and_a_half_and_no_sooner_than_half_a_second() -> None:
    room = Room()
    room.play(4, anna=speech(), ben=silence)
    before = len(room.floor)
    room.play(3, anna=silence, ben=speech())
    ticks = next(i for i, who in enumerate(room.floor[before:]) if who == "ben")
    assert 5 <= ticks <= 15


def test_silence_keeps_the_last_speaker() -> None:
    room = Room()
    room.play(2, anna=speech(), ben=silence)
    assert room.play(20, anna=silence, ben=silence) == "anna"


@pytest.mark.parametrize("speaks", [True, False])
def test_a_cough_does_not_take_the_floor(speaks: bool) -> None:
    room = Room()
    room.play(3, anna=speech(), ben=silence)
    room.play(1, anna=silence, ben=silence)
    cough = between(5.0, 5.3, lambda at_s: 10)
    room.play(4, anna=speech() if speaks else silence, ben=cough)
    assert set(room.floor[10:]) == {"anna"}


def test_a_word_thrown_in_does_not_take_the_floor() -> None:
    room = Room()
    room.play(3, anna=speech(), ben=silence)
    room.play(3, anna=speech(), ben=between(4.0, 4.5, speech(18, seed=2)))
    assert set(room.floor[10:]) == {"anna"}


def test_two_who_talk_at_once_do_not_make_it_flip() -> None:
    room = Room()
    room.play(60, anna=speech(25, seed=1), ben=speech(25, seed=2))
    assert room.changes() <= 2


def test_the_much_louder_of_two_gets_it() -> None:
    room = Room()
    room.play(3, anna=speech(40), ben=silence)
    assert room.play(3, anna=speech(40), ben=speech(20)) == "ben"


def test_steady_noise_is_no_speech() -> None:
    room = Room()
    room.play(1, anna=silence, fan=lambda at_s: 40)
    room.play(60, anna=silence, fan=lambda at_s: 40)
    assert room.speaker.speaker_id is None
    assert room.play(2, anna=speech(35), fan=lambda at_s: 40) == "anna"


def test_the_muted_never_speak() -> None:
    room = Room()
    room.speaker.voice("ben").muted = True
    assert room.play(3, ben=speech()) is None
    assert room.speaker.recent == []
    room.speaker.voice("ben").muted = False
    assert room.play(3, ben=speech()) == "ben"


def test_whoever_mutes_loses_the_floor_to_the_next_who_speaks() -> None:
    room = Room()
    room.play(2, anna=speech(10), ben=silence)
    room.speaker.voice("anna").muted = True
    assert room.play(2, anna=speech(10), ben=speech(45)) == "ben"


def test_those_who_spoke_are_remembered_the_latest_first() -> None:
    room = Room()
    room.play(2, anna=speech(), ben=silence, carl=silence)
    room.play(2, anna=silence, ben=speech(), carl=silence)
    assert room.speaker.recent == ["ben", "anna"]
    room.play(2, anna=speech(), ben=silence, carl=silence)
    assert room.speaker.recent == ["anna", "ben"]


def test_somebody_who_begins_is_noted_within_half_a_second() -> None:
    room = Room()
    room.play(3, anna=speech(), ben=silence)
    room.play(0.5, anna=speech(), ben=speech())
    assert set(room.speaker.recent) == {"anna", "ben"}


def test_who_has_gone_is_forgotten() -> None:
    room = Room()
    room.play(2, anna=speech())
    room.speaker.remove("anna")
    room.speaker.remove("nobody")
    assert (room.speaker.speaker_id, room.speaker.recent) == (None, [])
    assert room.play(2, ben=speech()) == "ben"


def test_a_packet_costs_less_than_two_microseconds() -> None:
    voice = ActiveSpeaker().voice("anna")
    best_s = min(_timed(voice.on_level) for _ in range(5))
    assert best_s < 2e-6


def _timed(on_level: Callable[[int, float], None]) -> float:
    began_s = time.perf_counter()
    for _ in range(10_000):
        on_level(30, 1.0)
    return (time.perf_counter() - began_s) / 10_000
