"""Tests of the first step."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from material import RecordingMaker, cut, tone, write_opus, write_pictures

from vmeet_core.hookspecs import Permanent
from vmeet_core.media.audio import MediaError
from vmeet_core.media.mux import join
from vmeet_core.pipeline.prepared import CanvasFormat, Prepared
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.prepare import ROLE, FileParams, run_file, run_recording

MakeWork = Callable[..., Work]


def of_recording(folder: Path, make_work: MakeWork) -> Prepared:
    run_recording(make_work(folder, None, {}, {ROLE: folder / "out.json"}))
    return Prepared.model_validate_json((folder / "out.json").read_text())


def of_file(path: Path, make_work: MakeWork) -> Prepared:
    out = path.with_suffix(".json")
    run_file(make_work(path.parent, FileParams(media=str(path)), {}, {ROLE: out}))
    return Prepared.model_validate_json(out.read_text())


def test_a_recording(recording: RecordingMaker, make_work: MakeWork) -> None:
    recording.join("ann")
    recording.sound("ann", 0.5, 2.0, tone())
    recording.pictures("ann", 0.5, 2.0)
    prepared = of_recording(recording.write(3.0), make_work)
    assert prepared.timeline.duration_s == 3.0
    assert prepared.canvas == CanvasFormat()
    assert len(prepared.digests) == 2
    assert all(file.startswith("segments/") for file in prepared.digests)


def test_the_digest_follows_the_content(recording: RecordingMaker, make_work: MakeWork) -> None:
    recording.join("ann")
    path = recording.sound("ann", 0, 1.0, tone())
    before = of_recording(recording.write(1.0), make_work).digests
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert of_recording(recording.folder, make_work).digests != before


def test_after_a_kill_the_files_tell_the_length(recording: RecordingMaker, make_work: MakeWork) -> None:
    recording.join("ann")
    cut(recording.sound("ann", 1.0, 4.0, tone(), finished=False), 0.5)
    recording.events.pop()  # a report that was never written
    prepared = of_recording(recording.write(None), make_work)
    assert 2.5 < prepared.timeline.duration_s < 3.5
    assert not prepared.timeline.complete


def test_a_segment_that_was_never_written_is_left_out(
    recording: RecordingMaker, make_work: MakeWork, caplog: pytest.LogCaptureFixture
) -> None:
    recording.join("ann")
    recording.sound("ann", 0, 1.0, tone())
    recording.sound("ann", 1, 1.0, tone()).unlink()
    prepared = of_recording(recording.write(2.0), make_work)
    assert len(prepared.timeline.people[0].segments("microphone")) == 1
    assert "is missing" in caplog.text


def test_a_recording_of_nothing_is_refused(recording: RecordingMaker, make_work: MakeWork) -> None:
    recording.join("ann")
    with pytest.raises(Permanent, match="nothing was recorded"):
        of_recording(recording.write(3.0), make_work)


def test_a_journal_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, make_work: MakeWork) -> None:
    (tmp_path / "manifest.json").write_text('{"type": "nonsense"}\n{}\n')
    with pytest.raises(ValueError, match="line 1 of the manifest"):
        of_recording(tmp_path, make_work)


def test_a_sound_file(tmp_path: Path, make_work: MakeWork) -> None:
    write_opus(tmp_path / "talk.mkv", 2.0, tone())
    prepared = of_file(tmp_path / "talk.mkv", make_work)
    assert prepared.canvas is None
    assert prepared.timeline.title == "talk"
    assert prepared.timeline.people[0].segments("camera") == ()
    assert prepared.timeline.duration_s == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize(
    ("size_px", "expected"), [((320, 180), (320, 180)), ((1920, 1080), (1280, 720)), ((720, 1280), (404, 720))]
)
def test_a_picture_keeps_its_size_up_to_that_of_the_layout(
    tmp_path: Path, make_work: MakeWork, size_px: tuple[int, int], expected: tuple[int, int]
) -> None:
    write_pictures(tmp_path / "a.mkv", 0.2, size_px=size_px, codec="h264")
    join(tmp_path / "a.mp4", tmp_path / "a.mkv", None)
    canvas = of_file(tmp_path / "a.mp4", make_work).canvas
    assert canvas is not None
    assert (canvas.width, canvas.height, canvas.fps, canvas.labels) == (*expected, "30", False)


def test_what_is_no_media_file_is_refused(tmp_path: Path, make_work: MakeWork) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(MediaError, match=r"notes\.txt is no media file"):
        of_file(tmp_path / "notes.txt", make_work)


def test_a_file_in_the_folder_of_its_recording_under_a_name_of_its_own(
    tmp_path: Path, make_work: Callable[..., Work]
) -> None:
    (tmp_path / "upload").mkdir()
    write_opus(tmp_path / "upload" / "original.mkv", 1.0, tone())
    out = tmp_path / "prepared.json"
    params = FileParams(media="upload/original.mkv", name="週會")
    run_file(make_work(tmp_path, params, {}, {ROLE: out}))
    prepared = Prepared.model_validate_json(out.read_bytes())
    assert prepared.timeline.title == prepared.timeline.people[0].name == "週會"
    assert list(prepared.digests) == ["upload/original.mkv"]


def test_the_settings_say_how_large_the_picture_is(recording: RecordingMaker, make_work: MakeWork) -> None:
    recording.join("ann")
    recording.pictures("ann", 0.0, 0.5)
    folder = recording.write(0.5)
    work = make_work(folder, None, {}, {ROLE: folder / "out.json"})
    video = work.settings.video.model_copy(update={"width_px": 1920, "height_px": 1080, "fps": 60})
    run_recording(replace(work, settings=work.settings.model_copy(update={"video": video})))
    prepared = Prepared.model_validate_json((folder / "out.json").read_text())
    assert prepared.canvas == CanvasFormat(width=1920, height=1080, fps="60")
    assert prepared.is_meeting


def test_a_file_is_no_meeting(tmp_path: Path, make_work: MakeWork) -> None:
    write_opus(tmp_path / "talk.mkv", 0.5, tone())
    assert not of_file(tmp_path / "talk.mkv", make_work).is_meeting


def test_a_recording_in_parts_says_where_they_begin(recording: RecordingMaker, make_work: MakeWork) -> None:
    recording.join("ann")
    recording.sound("ann", 0, 1.0, tone())
    started = recording.events[0]
    recording.events[0] = started.model_copy(update={"part_s": 60.0})
    prepared = of_recording(recording.write(150.0), make_work)
    assert (prepared.borders, prepared.is_cut, prepared.ready_s) == ((60.0, 120.0), True, None)


def test_a_long_file_is_cut_where_pictures_have_keyframes(tmp_path: Path, make_work: MakeWork) -> None:
    write_pictures(tmp_path / "often.mkv", 130.0, size_px=(64, 48))
    write_opus(tmp_path / "sound.mkv", 1300.0, lambda t: 0 * t)
    assert of_file(tmp_path / "often.mkv", make_work).borders == (60.0, 120.0)
    found = of_file(tmp_path / "sound.mkv", make_work)
    assert found.borders == tuple(82.0 * number for number in range(1, 16))
    assert not found.is_cut


def test_a_file_without_keyframes_is_not_cut(tmp_path: Path, make_work: MakeWork) -> None:
    write_pictures(tmp_path / "once.mkv", 130.0, size_px=(64, 48), keyframe_every=10_000)
    assert of_file(tmp_path / "once.mkv", make_work).borders == ()
