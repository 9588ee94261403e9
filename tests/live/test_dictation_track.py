"""Opus packets of a voice become phrases, with the times at which they were said."""

import numpy as np
import pytest
from caption_material import PACKET_S, packets, tones

from vmeet_core.live.dictation_track import DictationTrack, Spoken
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.sound_track import RATE_HZ

QUIET = (0.0, 1.5)


def run(track: DictationTrack, frames: list[LiveFrame]) -> list[Spoken]:
    return [spoken for frame in frames for spoken in track.packet(frame, frame.sent_s)]


def pitch(spoken: Spoken) -> float:
    """Of most of what was said."""
    return float(np.abs(np.fft.rfft(spoken.audio)).argmax() * RATE_HZ / len(spoken.audio))


def test_phrases_come_with_their_sound_and_times() -> None:
    frames = list(packets(tones(QUIET, (440, 2), QUIET, (880, 1), QUIET)))
    first, second = run(DictationTrack(12.0), frames)
    assert (pitch(first), pitch(second)) == (pytest.approx(440, abs=3), pytest.approx(880, abs=3))
    assert first.end_s == pytest.approx(3.75, abs=0.1)
    assert first.start_s == pytest.approx(1.25, abs=0.1)
    assert first.end_s - first.start_s == pytest.approx(len(first.audio) / RATE_HZ)
    assert second.end_s == pytest.approx(6.25, abs=0.1)


def test_packets_that_are_missing_leave_the_times_right() -> None:
    frames = list(packets(tones(QUIET, (440, 2), QUIET)))
    (spoken,) = run(DictationTrack(12.0), [frame for number, frame in enumerate(frames) if number % 10])
    assert spoken.end_s == pytest.approx(3.75, abs=0.15)
    assert len(spoken.audio) / RATE_HZ == pytest.approx(2.5, abs=0.15)


def test_a_voice_that_stops_sending_has_said_its_phrase() -> None:
    track = DictationTrack(12.0)
    frames = list(packets(tones(QUIET, (440, 2))))
    assert run(track, frames) == []
    assert track.pause(3.7) == [], "packets may be late"
    (spoken,) = track.pause(4.3)
    assert spoken.end_s == pytest.approx(3.5, abs=0.1)
    assert track.pause(4.5) == []


def test_a_long_gap_ends_a_phrase_and_what_comes_then_is_another() -> None:
    track = DictationTrack(12.0)
    frames = list(packets(tones(QUIET, (440, 1), (880, 2), QUIET)))
    first, second = run(track, frames[:125] + frames[145:])
    assert (pitch(first), pitch(second)) == (pytest.approx(440, abs=3), pytest.approx(880, abs=3))
    assert first.end_s <= second.start_s


@pytest.mark.parametrize("data", [b"", b"\xff" * 40], ids=["empty", "damaged"])
def test_what_is_no_sound_is_a_gap(data: bytes) -> None:
    frames = list(packets(tones(QUIET, (440, 2), QUIET)))
    frames[80] = frames[80]._replace(data=data)
    (spoken,) = run(DictationTrack(12.0), frames)
    assert pitch(spoken) == pytest.approx(440, abs=3)


def test_what_comes_twice_or_too_late_is_heard_once() -> None:
    frames = list(packets(tones(QUIET, (440, 2), QUIET)))
    twice = [each for frame in frames for each in (frame, frame)]
    (spoken,) = run(DictationTrack(12.0), twice)
    assert len(spoken.audio) * PACKET_S / 960 == pytest.approx(2.5, abs=0.15)
