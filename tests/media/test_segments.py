"""Tests of media files read by their timestamps."""

from pathlib import Path

import numpy as np
import pytest
from material import FPS, RATE_HZ, beep, cut, level, onset_s, tone, write_opus, write_pictures

from vmeet_core.hookspecs import Audio
from vmeet_core.media.segments import segment_duration_s, segment_pictures, segment_sound


def sound(path: Path, start_s: float, duration_s: float, rate_hz: int = RATE_HZ) -> Audio:
    return np.concatenate(list(segment_sound(path, start_s, duration_s, rate_hz)))


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_sound_has_the_length_asked_for_and_its_level(tmp_path: Path, layout: str) -> None:
    write_opus(tmp_path / "a.mkv", 2.0, tone(), layout=layout)
    audio = sound(tmp_path / "a.mkv", 0, 2.5)
    assert len(audio) == 2.5 * RATE_HZ
    assert level(audio[4800:90_000]) == pytest.approx(0.2 / np.sqrt(2), rel=0.05)
    assert level(audio[97_000:]) == 0


def test_lost_packets_become_silence_of_their_length(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.mkv", 4.0, beep(3.0), keep=lambda t: not 1.0 <= t < 2.4)
    audio = sound(tmp_path / "a.mkv", 0, 4.0)
    assert onset_s(audio) == pytest.approx(3.0, abs=0.01)
    write_opus(tmp_path / "b.mkv", 4.0, tone(), keep=lambda t: not 1.0 <= t < 2.4)
    assert level(sound(tmp_path / "b.mkv", 0, 4.0)[48_500:115_000]) == 0


@pytest.mark.parametrize("start_s", [0.5, 1.23, -0.7])
def test_the_beginning_is_trimmed_or_filled(tmp_path: Path, start_s: float) -> None:
    write_opus(tmp_path / "a.mkv", 3.0, beep(2.0))
    audio = sound(tmp_path / "a.mkv", start_s, 2.0 if start_s > 0 else 4.0)
    assert onset_s(audio) == pytest.approx(2.0 - start_s, abs=0.01)


def test_another_rate_keeps_the_time(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.mkv", 3.0, beep(2.0))
    audio = sound(tmp_path / "a.mkv", 0, 3.0, 16_000)
    assert len(audio) == 48_000
    assert onset_s(audio, rate_hz=16_000) == pytest.approx(2.0, abs=0.01)


def test_a_file_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.mkv", 4.0, tone())
    cut(tmp_path / "a.mkv", 0.5)
    length_s = segment_duration_s(tmp_path / "a.mkv")
    assert 1.5 < length_s < 2.5
    audio = sound(tmp_path / "a.mkv", 0, 4.0)
    assert level(audio[: round((length_s - 0.1) * RATE_HZ)]) > 0.1
    assert level(audio[round((length_s + 0.1) * RATE_HZ) :]) == 0


@pytest.mark.parametrize("content", [b"", b"\x1a\x45\xdf\xa3", b"no media at all" * 50])
def test_a_file_without_content_is_silence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(content)
    assert segment_duration_s(path) == 0
    assert not sound(path, 0, 1.0).any()
    assert list(segment_pictures(path)) == []


def test_damage_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    write_opus(path, 4.0, beep(3.5))
    data = bytearray(path.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    assert onset_s(sound(path, 0, 4.0)) == pytest.approx(3.5, abs=0.01)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sound(tmp_path / "a.mkv", 0, 1.0)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_pictures_come_with_their_times(tmp_path: Path, codec: str) -> None:
    write_pictures(tmp_path / "a.mkv", 2.0, codec=codec, keep=lambda t: not 0.5 <= t < 1.0)
    times = [time_s for time_s, _ in segment_pictures(tmp_path / "a.mkv")]
    assert len(times) == 45
    assert times[0] == 0
    assert np.diff(times).max() == pytest.approx(0.5 + 1 / FPS, abs=0.002)


def test_pictures_of_a_file_cut_short(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.mkv", 2.0)
    cut(tmp_path / "a.mkv", 0.6)
    assert 20 < len(list(segment_pictures(tmp_path / "a.mkv"))) < 60


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_reading_begins_at_a_keyframe_before_the_moment(tmp_path: Path, codec: str) -> None:
    write_pictures(tmp_path / "a.mkv", 4.0, codec=codec)  # a keyframe every second
    times_s = [time_s for time_s, _ in segment_pictures(tmp_path / "a.mkv", from_s=2.5)]
    assert times_s[0] == pytest.approx(2.0, abs=0.01)
    assert times_s[-1] == pytest.approx(4 - 1 / FPS, abs=0.01)
    assert len(times_s) == 2 * FPS


@pytest.mark.parametrize("from_s", [0.5, 1.0, 2.9, 99.0])
def test_a_file_without_an_index_is_read_from_early_enough(tmp_path: Path, from_s: float) -> None:
    write_pictures(tmp_path / "a.mkv", 4.0)
    cut(tmp_path / "a.mkv", 0.7)
    times_s = [time_s for time_s, _ in segment_pictures(tmp_path / "a.mkv", from_s=from_s)]
    assert times_s[0] <= from_s
    whole = [time_s for time_s, _ in segment_pictures(tmp_path / "a.mkv")]
    assert times_s == whole[-len(times_s) :]
