"""One Matroska file of one track."""

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest

from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.recording.segment import SegmentWriter, picture_size


def written(path: Path, frames: list[EncodedFrame]) -> SegmentWriter:
    writer = SegmentWriter(path, frames[0])
    for frame in frames:
        writer.write(frame)
    writer.close()
    return writer


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_pictures_come_back_with_their_times(tmp_path: Path, video_frames: Any, codec: str) -> None:
    writer = written(tmp_path / "a.mkv", list(islice(video_frames(codec), 45)))
    assert (writer.frames, writer.size_px) == (45, (160, 120))
    assert writer.duration_s == pytest.approx(44 / 30)
    with av.open(str(tmp_path / "a.mkv")) as container:
        pictures = list(container.decode(video=0))
    assert len(pictures) == 45
    assert (pictures[0].width, pictures[0].height) == (160, 120)
    assert pictures[-1].time == pytest.approx(44 / 30, abs=0.002)


def test_sound_comes_back(tmp_path: Path, audio_frames: Any) -> None:
    written(tmp_path / "a.mkv", list(islice(audio_frames(), 100)))
    with av.open(str(tmp_path / "a.mkv")) as container:
        sound = list(container.decode(audio=0))
    assert sum(frame.samples for frame in sound) == pytest.approx(96_000, abs=1000)
    assert abs(sound[50].to_ndarray()).max() > 0.1


def test_a_gap_keeps_its_time(tmp_path: Path, audio_frames: Any) -> None:
    frames = list(islice(audio_frames(), 100))
    written(tmp_path / "a.mkv", frames[:20] + frames[70:])
    with av.open(str(tmp_path / "a.mkv")) as container:
        times = [packet.pts * packet.time_base for packet in container.demux() if packet.pts is not None]
    assert float(times[20] - times[19]) == pytest.approx(51 * 0.02, abs=0.002)


def test_a_new_file_is_wanted_for_another_size_source_or_codec(tmp_path: Path, video_frames: Any) -> None:
    frames = list(islice(video_frames(), 16))
    writer = SegmentWriter(tmp_path / "a.mkv", frames[0])
    assert all(writer.continues(frame) for frame in frames)
    assert not writer.continues(next(video_frames(size_px=(320, 240))))
    assert not writer.continues(next(video_frames(ssrc=9)))
    assert not writer.continues(next(video_frames("h264")))
    writer.write(frames[0])
    writer.close()


def test_a_new_file_is_wanted_for_other_parameter_sets(tmp_path: Path, video_frames: Any) -> None:
    frames = list(islice(video_frames("h264"), 16))
    writer = SegmentWriter(tmp_path / "a.mkv", frames[0])
    assert all(writer.continues(frame) for frame in frames)
    assert not writer.continues(next(video_frames("h264", preset="medium")))
    bare = frames[15].data[frames[15].data.index(b"\0\0\1\x65") - 1 :]
    assert writer.continues(replace(frames[15], data=bare)), "a keyframe may rely on the sets that came before"
    writer.write(frames[0])
    writer.close()


def test_a_segment_begins_with_a_keyframe(tmp_path: Path, video_frames: Any) -> None:
    with pytest.raises(ValueError, match="keyframe"):
        SegmentWriter(tmp_path / "a.mkv", list(islice(video_frames(), 2))[1])
    with pytest.raises(ValueError, match=r"H\.264"):
        picture_size(EncodedFrame("h264", 0, b"\x00\x00\x00\x01\x41\x00", True, 1, 0.0))
