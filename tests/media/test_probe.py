"""Tests of what a media file holds."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from material import RATE_HZ, cut, tone, write_opus, write_pictures
from PIL import Image

from vmeet_core.media.audio import AudioWriter, MediaError
from vmeet_core.media.mux import join
from vmeet_core.media.probe import probe


def flac(path: Path, seconds: float, rate_hz: int = 16_000) -> Path:
    with AudioWriter(path, rate_hz) as writer:
        writer.write(np.zeros(round(seconds * rate_hz), np.float32) + 0.1)
    return path


def test_a_sound_file(tmp_path: Path) -> None:
    info = probe(flac(tmp_path / "a.flac", 1.2345625))
    assert (info.sound_codec, info.picture_codec, info.picture, info.start_s) == ("flac", None, None, 0)
    assert info.duration_s == pytest.approx(1.2345625, abs=1e-6)


def test_a_video(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.mkv", 2.0, size_px=(320, 180), codec="h264")
    join(tmp_path / "a.mp4", tmp_path / "a.mkv", flac(tmp_path / "a.flac", 2.0, RATE_HZ))
    info = probe(tmp_path / "a.mp4")
    assert (info.sound_codec, info.picture_codec) == ("aac", "h264")
    assert info.picture == (320, 180, Fraction(30))
    assert info.duration_s == pytest.approx(2.0, abs=0.05)


def test_a_file_cut_short(tmp_path: Path) -> None:
    write_opus(tmp_path / "a.mkv", 4.0, tone())
    cut(tmp_path / "a.mkv", 0.5)
    assert 1.5 < probe(tmp_path / "a.mkv").duration_s < 2.5


@pytest.mark.parametrize("name", ["a.txt", "a.mp4", "a.bin"])
@pytest.mark.parametrize("content", [b"", b"hello world\n" * 100, bytes(range(256)) * 40])
def test_what_is_no_media_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=name):
        probe(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_still_picture_is_refused(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / name)
    with pytest.raises(MediaError, match=name):
        probe(tmp_path / name)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.mp4", tmp_path):
        with pytest.raises(MediaError, match=path.name):
            probe(path)
