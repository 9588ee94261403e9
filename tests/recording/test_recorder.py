"""A running recording, its journal, and what survives when it ends badly."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest

from vmeet_core.manifest import (
    Gap,
    Joined,
    Left,
    LeftOut,
    Muted,
    SegmentEnded,
    SegmentStarted,
    SenderReport,
    Started,
    Stopped,
    read_manifest,
)
from vmeet_core.recording.recorder import Recorder

STARTED = Started(at_s=1_700_000_000.0, recording_id="r1", meeting_id="m1", title="早安")


def recorder(folder: Path, failures: list[str] | None = None, min_free_bytes: int = 0) -> Recorder:
    return Recorder(folder, STARTED, min_free_bytes, (failures if failures is not None else []).append)


def of(folder: Path, kind: Any) -> list[Any]:
    return [event for event in read_manifest(folder) if isinstance(event, kind)]


def pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_tracks_and_journal(tmp_path: Path, video_frames: Any, audio_frames: Any) -> None:
    running = recorder(tmp_path / "r")
    running.event(Joined(at_s=1.0, participant_id="a", name="王小明"))
    for picture, sound in zip(islice(video_frames(), 40), islice(audio_frames(), 40), strict=True):
        running.frame("a", "camera", picture)
        running.frame("a", "microphone", sound)
    running.note(Gap(at_s=2.0, participant_id="a", source="camera", from_rtp=1, to_rtp=2))
    running.stop("the host stopped it")
    events = read_manifest(tmp_path / "r")
    assert events[0] == STARTED
    assert isinstance(events[-1], Stopped)
    assert events[-1].reason == "the host stopped it"
    segments = {event.source: event for event in of(tmp_path / "r", SegmentStarted)}
    assert segments["camera"].rtp == 0xFFFFF000
    assert segments["camera"].wall_s == 1_700_000_000
    assert (segments["camera"].codec, segments["microphone"].codec) == ("vp8", "opus")
    ended = {event.file: event for event in of(tmp_path / "r", SegmentEnded)}
    assert ended[segments["camera"].file].frames == 40
    assert ended[segments["camera"].file].duration_s == pytest.approx(39 / 30)
    assert pictures(tmp_path / "r" / "segments" / segments["camera"].file) == 40
    assert len(of(tmp_path / "r", Gap)) == 1


def test_nothing_of_somebody_left_out_is_written(tmp_path: Path, video_frames: Any, audio_frames: Any) -> None:
    running = recorder(tmp_path / "r")
    camera, sound, other = video_frames(), audio_frames(), video_frames(ssrc=5)

    def send() -> None:
        for picture, packet, anothers in zip(*(islice(each, 15) for each in (camera, sound, other)), strict=True):
            running.frame("a", "camera", picture)
            running.frame("a", "microphone", packet)
            running.frame("b", "camera", anothers)

    send()
    running.event(LeftOut(at_s=1.0, participant_id="a", left_out=True, by="self"))
    send()
    running.event(Left(at_s=1.5, participant_id="a"))  # a person who goes is not forgotten
    running.event(Joined(at_s=1.6, participant_id="a", name="Anna"))
    send()
    running.event(LeftOut(at_s=2.0, participant_id="a", left_out=False, by="self"))
    send()
    running.stop("enough")
    events = read_manifest(tmp_path / "r")
    began = [(each.participant_id, each.source) for each in events if isinstance(each, SegmentStarted)]
    assert sorted(began) == [("a", "camera")] * 2 + [("a", "microphone")] * 2 + [("b", "camera")]
    out = next(number for number, each in enumerate(events) if isinstance(each, LeftOut))
    assert [each.frames for each in events[:out] if isinstance(each, SegmentEnded)] == [15, 15]
    frames = {each.file: each.frames for each in events if isinstance(each, SegmentEnded)}
    assert sorted(frames.values()) == [15, 15, 15, 15, 60]


def test_a_new_segment_after_mute_leave_and_change_of_size(tmp_path: Path, video_frames: Any) -> None:
    running = recorder(tmp_path / "r")
    small, large = video_frames(), video_frames(size_px=(320, 240))
    for frame in islice(small, 15):
        running.frame("a", "camera", frame)
    running.event(Muted(at_s=1.0, participant_id="a", source="camera", muted=True))
    for frame in islice(small, 15):
        running.frame("a", "camera", frame)
    for frame in islice(large, 15):
        running.frame("a", "camera", frame)
    running.event(Left(at_s=2.0, participant_id="a"))
    running.stop("done")
    assert [event.frames for event in of(tmp_path / "r", SegmentEnded)] == [15, 15, 15]
    files = [event.file for event in of(tmp_path / "r", SegmentStarted)]
    assert [pictures(tmp_path / "r" / "segments" / file) for file in files] == [15, 15, 15]


def test_pictures_before_the_first_keyframe_are_left_out(tmp_path: Path, video_frames: Any) -> None:
    running = recorder(tmp_path / "r")
    for frame in list(islice(video_frames(), 20))[5:]:
        running.frame("a", "camera", frame)
    running.stop("done")
    assert [event.frames for event in of(tmp_path / "r", SegmentEnded)] == [5]


def test_sender_reports_are_thinned_out(tmp_path: Path) -> None:
    running = recorder(tmp_path / "r")
    for second in range(60):
        running.note(SenderReport(at_s=second, participant_id="a", source="camera", ssrc=1, ntp_s=second, rtp=0))
    running.stop("done")
    assert [event.at_s for event in of(tmp_path / "r", SenderReport)] == [0, 1, 2, 12, 22, 32, 42, 52]


def test_stop_twice_is_harmless(tmp_path: Path) -> None:
    running = recorder(tmp_path / "r")
    running.stop("first")
    running.stop("second")
    assert [event.reason for event in of(tmp_path / "r", Stopped)] == ["first"]


def test_it_does_not_start_on_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nearly full"):
        recorder(tmp_path / "r", min_free_bytes=1 << 60)


def test_it_stops_by_itself_when_the_disk_fills(tmp_path: Path, video_frames: Any, monkeypatch: Any) -> None:
    failures: list[str] = []
    running = recorder(tmp_path / "r", failures)
    frames = video_frames()
    for frame in islice(frames, 30):
        running.frame("a", "camera", frame)
    running.note(Gap(at_s=2.0, participant_id="a", source="camera", from_rtp=1, to_rtp=2))
    while not of(tmp_path / "r", Gap):
        time.sleep(0.01)
    running._min_free_bytes = 1 << 60  # the disk "fills" between two checks
    running._thread.join(10)
    assert len(failures) == 1
    assert "nearly full" in failures[0]
    running.frame("a", "camera", next(frames))  # harmless
    running.stop("too late")
    assert pictures(next((tmp_path / "r" / "segments").iterdir())) == 30
    assert isinstance(read_manifest(tmp_path / "r")[-1], Stopped)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a POSIX system")
def test_a_write_that_fails_keeps_what_was_written(tmp_path: Path) -> None:
    """A real refusal of the kernel: the file size limit of a process of its own."""
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))"
    with _child(tmp_path, limit, "running.stop('end')") as child:
        assert child.wait(60) == 0
    assert (tmp_path / "failures").read_text().startswith("writing failed")
    files = list((tmp_path / "r" / "segments").iterdir())
    assert pictures(files[0]) > 20


def test_a_kill_loses_at_most_a_fraction_of_a_second(tmp_path: Path) -> None:
    with _child(tmp_path, "pass", "print('ready', flush=True); threading.Event().wait()") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGKILL)
    events = read_manifest(tmp_path / "r")
    assert not [event for event in events if isinstance(event, SegmentEnded | Stopped)]
    segment = next(event for event in events if isinstance(event, SegmentStarted))
    assert pictures(tmp_path / "r" / "segments" / segment.file) >= 300 - 0.3 * 30


def _child(tmp_path: Path, before: str, after: str) -> "subprocess.Popen[bytes]":
    """A process that records 10 s of pictures, then does ``after``."""
    program = f"""
        import itertools, queue, resource, runpy, signal, threading, time, pathlib
        from vmeet_core.manifest import Started
        from vmeet_core.recording.recorder import Recorder
        video = runpy.run_path({str(Path(__file__).with_name("conftest.py"))!r})["video"]
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        folder = pathlib.Path({str(tmp_path)!r})
        started = Started(at_s=1.7e9, recording_id="r", meeting_id="m", title="t")
        running = Recorder(folder / "r", started, 0, (folder / "failures").write_text)
        frames = list(itertools.islice(video(size_px=(640, 360)), 300))
        {before}
        for frame in frames:
            running.frame("a", "camera", frame)
        while not running._queue.empty() and running._thread.is_alive():
            time.sleep(0.01)
        time.sleep(0.05)
        {after}
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)


def test_a_slow_disk_ends_the_recording_not_the_meeting(tmp_path: Path, video_frames: Any) -> None:
    failures: list[str] = []
    running = recorder(tmp_path / "r", failures)
    release = threading.Event()
    running._append = lambda event: release.wait(20)  # type: ignore[method-assign]
    frame = next(video_frames())
    running.event(Joined(at_s=1.0, participant_id="a", name="a"))
    for _ in range(10_000):
        running.frame("a", "camera", frame)
    release.set()
    running._thread.join(20)
    assert failures == ["the disk is too slow for this meeting"]
