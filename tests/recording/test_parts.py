"""A recording in parts: tracks that go on in new files, without anything to hear or see of it."""

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import count, islice, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from whole_sound import RATE_HZ, in_one_file, packets_of, si_sdr_db

from vmeet_core.hookspecs import Audio
from vmeet_core.manifest import (
    ROLL_AFTER_S,
    SEGMENTS,
    AnyEvent,
    SegmentEnded,
    SegmentStarted,
    SenderReport,
    Started,
    Stopped,
    read_manifest,
)
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.segments import segment_duration_s, segment_pictures
from vmeet_core.pipeline.steps.audio import laid_out
from vmeet_core.pipeline.steps.pictures import HOLD_S, Pictures
from vmeet_core.placement import OPUS_PRE_SKIP_S
from vmeet_core.recording.recorder import IDLE_S, Recorder
from vmeet_core.recording.segment import parameter_sets
from vmeet_core.recording.sound_tail import PREROLL_S
from vmeet_core.testing import speech_like
from vmeet_core.timeline import LINGERS_S, SegmentSpan, build_timeline

ZERO_S = 1_700_000_000.0
PART_S = 4.0
NTP_S = 2_208_988_800.0  # from 1900 to 1970


def recorder(folder: Path, zero_s: float = ZERO_S) -> Recorder:
    started = Started(at_s=zero_s, recording_id="r", meeting_id="m", title="t", part_s=PART_S)
    return Recorder(folder, started, 0, pytest.fail)


def record(folder: Path, source: Any, frames: Sequence[EncodedFrame]) -> tuple[list[AnyEvent], tuple[SegmentSpan, ...]]:
    """Its sender's clock is exact; the journal ends when the simulation does."""
    running = recorder(folder)
    exact_s, shared = frames[0].wall_s + NTP_S, {"participant_id": "a", "source": source, "ssrc": frames[0].ssrc}
    rtp = frames[0].rtp_timestamp
    running.note(SenderReport.model_validate(shared | {"at_s": frames[0].wall_s, "ntp_s": exact_s, "rtp": rtp}))
    for frame in frames:
        running.frame("a", source, frame)
        while running._queue.qsize() > 1000:
            time.sleep(0.001)
    running.stop("done")
    events = read_manifest(folder)
    events[-1] = Stopped(at_s=frames[-1].wall_s + 1, reason="done")
    (person,) = build_timeline(events, lambda file: pytest.fail(file)).people
    return events, person.segments(source)


def begun(events: Sequence[AnyEvent]) -> list[SegmentStarted]:
    return [event for event in events if isinstance(event, SegmentStarted)]


def opus(sound: Audio, bit_rate: int, application: str, seed: int = 1) -> Iterator[EncodedFrame]:
    """Packets of 20 ms that come after 30 ms and something."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE_HZ, "mono", "s16", bit_rate
    encoder.options = {"application": application}
    rng, wall_s = np.random.default_rng(seed), 0.0
    for start in range(0, len(sound) - 959, 960):
        samples = (sound[start : start + 960] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
        for packet in encoder.encode(frame):
            wall_s = max(wall_s, ZERO_S + 0.5 + start / RATE_HZ + 0.03 + rng.exponential(0.01))
            yield EncodedFrame("opus", (2**32 - 99_999 + start) % 2**32, bytes(packet), True, 7, wall_s)


def sine(seconds: float) -> Audio:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize(("bit_rate", "application"), [(12_000, "voip"), (32_000, "voip"), (64_000, "audio")])
@pytest.mark.parametrize("kind", ["sine", "speech"])
def test_sound_is_as_in_one_file(tmp_path: Path, kind: str, bit_rate: int, application: str) -> None:
    sound = sine(14) if kind == "sine" else speech_like(RATE_HZ, 14.0)
    packets = list(opus(sound, bit_rate, application))
    events, spans = record(tmp_path / "r", "microphone", packets)
    assert len(spans) == 4
    assert [segment.preroll_s for segment in begun(events)] == [0.0, *[pytest.approx(PREROLL_S)] * 3]
    assert (
        packets_of(tmp_path / "r", begun(events))[1:]
        == [
            replace(packet, wall_s=found.wall_s)
            for packet, found in zip(packets, packets_of(tmp_path / "r", begun(events)), strict=True)
        ][1:]
    )
    whole = in_one_file(tmp_path / "whole.mkv", packets)
    start = round(spans[0].start_s * RATE_HZ)
    heard = np.concatenate(list(laid_out(tmp_path / "r", spans, start + len(whole))))[start:]
    assert np.abs(whole - heard).max() < 0.001
    assert si_sdr_db(whole, heard) > 60
    for span in spans[1:]:
        at = round(span.start_s * RATE_HZ) - start
        assert si_sdr_db(whole[at : at + 4800], heard[at : at + 4800]) > 60, span


@pytest.mark.parametrize("early_s", [0.003, 0.0123, 0.0147, 0.04, 0.2])
def test_sound_sent_before_the_beginning_leaves_no_click_at_the_first_border(tmp_path: Path, early_s: float) -> None:
    packets = list(opus(speech_like(RATE_HZ, 7.0), 32_000, "voip"))
    shift_s = packets[0].wall_s - ZERO_S + early_s
    packets = [replace(packet, wall_s=packet.wall_s - shift_s) for packet in packets]
    _, spans = record(tmp_path / "r", "microphone", packets)
    assert len(spans) == 2
    assert spans[0].start_s == 0.0
    whole = in_one_file(tmp_path / "whole.mkv", packets)[round((spans[0].trim_s - OPUS_PRE_SKIP_S) * RATE_HZ) :]
    heard = np.concatenate(list(laid_out(tmp_path / "r", spans, len(whole))))
    assert np.abs(whole - heard)[: -RATE_HZ // 2].max() < 0.001


def test_borders_do_not_wander_with_the_network(tmp_path: Path) -> None:
    """Packets that come late in a heap are of the part in which they were sent."""
    packets = list(opus(sine(10), 32_000, "voip"))
    from_s, until_s = ZERO_S + PART_S - 1, ZERO_S + PART_S + 1.8
    late = [replace(p, wall_s=until_s if from_s < p.wall_s < until_s else p.wall_s) for p in packets]
    events, spans = record(tmp_path / "r", "microphone", late)
    assert spans[1].start_s == pytest.approx(PART_S + ROLL_AFTER_S, abs=0.05)
    assert spans[1].start_s == pytest.approx(spans[0].end_s, abs=0.01)
    assert sum(event.frames for event in events if isinstance(event, SegmentEnded)) == len(packets) + 2 * round(
        PREROLL_S / 0.02
    )


def test_timestamps_that_stand_still_hold_up_no_border(tmp_path: Path) -> None:
    """As after a pause that a sender did not count."""
    packets = list(opus(sine(10), 32_000, "voip"))
    paused = [replace(packet, wall_s=packet.wall_s + (60 if n > 100 else 0)) for n, packet in enumerate(packets)]
    events, _ = record(tmp_path / "r", "microphone", paused)
    begun_s = [round(segment.wall_s - ZERO_S) for segment in begun(events)]
    assert begun_s[1] == 63
    assert len(begun_s) == 4


def test_nothing_is_repeated_from_before_a_gap_or_of_somebody_else(tmp_path: Path) -> None:
    packets = list(opus(sine(10), 32_000, "voip"))
    border = next(n for n, packet in enumerate(packets) if packet.wall_s > ZERO_S + PART_S + ROLL_AFTER_S + 0.1)
    gap = packets[: border - 8] + packets[border:]
    events, _ = record(tmp_path / "gap", "microphone", gap)
    assert begun(events)[1].preroll_s == 0
    other = [replace(packet, ssrc=8) if n >= border - 8 else packet for n, packet in enumerate(packets)]
    events, _ = record(tmp_path / "other", "microphone", other)
    assert [segment.preroll_s for segment in begun(events)][:2] == [0, 0]


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_pictures_go_on_at_a_keyframe(tmp_path: Path, video_frames: Any, codec: str) -> None:
    frames = list(islice(video_frames(codec, keyframe_every=25), 300))
    if codec == "h264":  # parameter sets come once, as of some senders
        first, *rest = frames
        frames = [first, *(replace(each, data=without_parameter_sets(each.data)) for each in rest)]
        assert not any(parameter_sets(frame.data) for frame in frames[1:])
    events, spans = record(tmp_path / "r", "camera", frames)
    assert len(spans) == 3
    keys = {frame.rtp_timestamp for frame in frames if frame.keyframe}
    assert all(segment.rtp in keys and segment.preroll_s == 0 for segment in begun(events))
    assert all(0 <= (s.wall_s - ZERO_S - ROLL_AFTER_S) % PART_S < 1 for s in begun(events)[1:])
    shown_s = [span.start_s + at_s for span in spans for at_s, _ in segment_pictures(tmp_path / "r" / span.file)]
    assert len(shown_s) == 300
    assert all(after_s - before_s == pytest.approx(1 / 30, abs=0.002) for before_s, after_s in pairwise(shown_s))


def without_parameter_sets(data: bytes) -> bytes:
    units = [unit for unit in data.split(b"\0\0\1")[1:] if unit[0] & 0x1F not in (7, 8)]
    return b"".join(b"\0\0\0\1" + unit.rstrip(b"\0") for unit in units)


def test_a_track_without_keyframes_stays_in_its_file(tmp_path: Path, video_frames: Any) -> None:
    _, spans = record(tmp_path / "r", "camera", list(islice(video_frames(keyframe_every=1000), 200)))
    assert len(spans) == 1
    assert spans[0].duration_s == pytest.approx(199 / 30)


def test_a_still_screen_is_seen_across_borders(tmp_path: Path, video_frames: Any) -> None:
    """It sends a picture a second: the file before holds its last one until the next begins."""
    frames = [frame for n, frame in enumerate(islice(video_frames(keyframe_every=30), 330)) if n % 30 == 0]
    _, spans = record(tmp_path / "r", "screen", frames)
    assert len(spans) == 3
    assert all(before.end_s == pytest.approx(after.start_s, abs=0.001) for before, after in pairwise(spans))
    pictures = Pictures(tmp_path / "r", spans, ())
    times = np.arange(spans[0].start_s, spans[-1].end_s, 0.1)
    assert all(pictures.at(time_s) is not None for time_s in times)


def test_a_segment_lingers_as_long_as_its_last_picture() -> None:
    assert LINGERS_S >= HOLD_S


def test_what_comes_no_more_is_not_kept_open(tmp_path: Path, audio_frames: Any, video_frames: Any) -> None:
    """In real time: sound goes on, but the camera of a page in the background sends nothing."""
    began_s = time.time()
    running = recorder(tmp_path / "r", began_s)
    running.frame("a", "camera", replace(next(video_frames()), wall_s=began_s))
    packets = audio_frames()
    assert running.wants_keyframe("a", "screen")
    for number in count():
        wall_s = time.time()
        rtp = round((wall_s - began_s) * RATE_HZ)
        running.frame("a", "microphone", replace(next(packets), rtp_timestamp=rtp, wall_s=wall_s))
        events = read_manifest(tmp_path / "r")
        if any(isinstance(event, SegmentEnded) and "camera" in event.file for event in events):
            break
        assert number < 600, "it was not closed"
        time.sleep(0.02)
    elapsed_s = time.time() - began_s
    assert max(IDLE_S, PART_S + ROLL_AFTER_S) <= elapsed_s < IDLE_S + 3
    assert running.wants_keyframe("a", "camera")
    running.stop("done")
    assert sum("microphone" in event.file for event in begun(read_manifest(tmp_path / "r"))) == 2


def test_a_kill_in_a_later_part_loses_at_most_a_fraction_of_a_second(tmp_path: Path) -> None:
    """Files that repeat something are measured as they are by the server's recovery."""
    program = f"""
        import itertools, runpy, threading, time, pathlib
        from dataclasses import replace
        from vmeet_core.manifest import Started
        from vmeet_core.recording.recorder import Recorder
        sounds = runpy.run_path({str(Path(__file__).with_name("conftest.py"))!r})["audio"]
        started = Started(at_s={ZERO_S!r}, recording_id="r", meeting_id="m", title="t", part_s={PART_S!r})
        running = Recorder(pathlib.Path({str(tmp_path / "r")!r}), started, 0, print)
        for packet in itertools.islice(sounds(), 500):
            running.frame("a", "microphone", packet)
        while not running._queue.empty():
            time.sleep(0.01)
        time.sleep(0.05)
        print("ready", flush=True)
        threading.Event().wait()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGKILL)
    events = read_manifest(tmp_path / "r")
    timeline = build_timeline(events, lambda file: segment_duration_s(tmp_path / "r" / SEGMENTS / file))
    spans = timeline.people[0].segments("microphone")
    assert (len(spans), timeline.complete) == (3, False)
    assert 10 - 0.3 <= spans[-1].end_s <= 10.01
