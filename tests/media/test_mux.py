"""Tests of the MP4 files that people play."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from material import RATE_HZ, beep, flash, onset_s

from vmeet_core.media.audio import AudioWriter, MediaError, read_audio
from vmeet_core.media.frames import planes_of
from vmeet_core.media.mux import PictureWriter, join, picture_at

SECONDS = 4


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Bright from 2.0 to 2.2 s."""
    path = tmp_path / "picture.mp4"
    draw = flash(2.0)
    with PictureWriter(path, 160, 90 // 2 * 2, Fraction(30), 1) as writer:
        for number in range(SECONDS * 30):
            shape = (90, 160)
            half = np.full((45, 80), 128, np.uint8)
            writer.write((np.full(shape, draw(number / 30), np.uint8), half, half))
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """Loud from 2.0 to 2.2 s."""
    path = tmp_path / "sound.flac"
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write(beep(2.0)(np.arange(SECONDS * RATE_HZ) / RATE_HZ).astype(np.float32))
    return path


def flash_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return next(float(f.time) for f in container.decode(video=0) if planes_of(f)[0].mean() > 128)


def test_picture_and_sound_stay_together(tmp_path: Path, picture: Path, sound: Path) -> None:
    join(tmp_path / "out.mp4", picture, sound, "週會")
    heard_s = onset_s(np.concatenate(list(read_audio(tmp_path / "out.mp4", RATE_HZ, align=True))))
    assert abs(heard_s - flash_s(tmp_path / "out.mp4")) < 0.005
    assert heard_s == pytest.approx(2.0, abs=0.005)


def test_the_file_is_what_browsers_play(tmp_path: Path, picture: Path, sound: Path) -> None:
    join(tmp_path / "out.mp4", picture, sound, "週會")
    with av.open(str(tmp_path / "out.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        context = video.codec_context
        assert (video.codec.name, context.pix_fmt, audio.codec.name, audio.rate) == ("h264", "yuv420p", "aac", RATE_HZ)
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (6, 1, 1, 1)
        assert container.metadata["title"] == "週會"
        assert container.duration / av.time_base == pytest.approx(SECONDS, abs=0.03)
        keyframes = [float(packet.pts * packet.time_base) for packet in container.demux(video) if packet.is_keyframe]
        assert max(np.diff(keyframes)) <= 2.0
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_the_video_stream_is_copied(tmp_path: Path, picture: Path, sound: Path) -> None:
    join(tmp_path / "out.mp4", picture, sound)

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [bytes(packet) for packet in container.demux(video=0) if packet.size]

    assert packets(tmp_path / "out.mp4") == packets(picture)


def test_either_may_be_absent(tmp_path: Path, picture: Path, sound: Path) -> None:
    join(tmp_path / "sound.m4a", None, sound)
    join(tmp_path / "silent.mp4", picture, None)
    with av.open(str(tmp_path / "sound.m4a")) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
    with av.open(str(tmp_path / "silent.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.parametrize(("at_s", "bright"), [(0.0, False), (1.9, False), (2.1, True), (3.0, False), (99.0, False)])
def test_a_picture_is_found_by_its_time(picture: Path, at_s: float, bright: bool) -> None:
    assert (planes_of(picture_at(picture, at_s))[0].mean() > 128) == bright


def test_a_writer_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), PictureWriter(tmp_path / "a.mp4", 64, 64, Fraction(30), 1):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def grey(
    path: Path, luma: int, frames: int, size_px: tuple[int, int] = (160, 90), fps: Fraction = Fraction(30)
) -> Path:
    width, height = size_px
    half = np.full((height // 2, width // 2), 128, np.uint8)
    with PictureWriter(path, width, height, Fraction(fps), 1) as writer:
        for _ in range(frames):
            writer.write((np.full((height, width), luma, np.uint8), half, half))
    return path


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30_000, 1001), Fraction(15)])
def test_parts_follow_one_another_without_a_seam(tmp_path: Path, sound: Path, fps: Fraction) -> None:
    lengths = (31, 1, 45)
    parts = [grey(tmp_path / f"{n}.mp4", 60 + 60 * n, count, fps=fps) for n, count in enumerate(lengths)]
    join(tmp_path / "out.mp4", parts, sound)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].average_rate == fps
        found = [(frame.time, float(planes_of(frame)[0].mean())) for frame in container.decode(video=0)]
    assert [time_s for time_s, _ in found] == pytest.approx([n / fps for n in range(77)], abs=1e-4)
    lumas = [60] * 31 + [120] + [180] * 45
    assert [value for _, value in found] == pytest.approx(lumas, abs=3)


def test_parts_of_another_size_are_refused(tmp_path: Path) -> None:
    parts = [grey(tmp_path / "a.mp4", 60, 5), grey(tmp_path / "b.mp4", 60, 5, size_px=(320, 180))]
    with pytest.raises(MediaError, match=r"b\.mp4 cannot follow .*a\.mp4"):
        join(tmp_path / "out.mp4", parts, None)


def test_the_index_is_in_front(tmp_path: Path, picture: Path, sound: Path) -> None:
    join(tmp_path / "out.mp4", picture, sound)
    data = (tmp_path / "out.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")
