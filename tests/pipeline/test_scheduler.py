"""Tests of whole jobs: real media, real processes, a real database."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from material import RATE_HZ, RecordingMaker, beep, cut, flash, level, onset_s, tone
from processes import appeared, is_running

from vmeet_core.hookspecs import Permanent
from vmeet_core.media.audio import read_all, read_audio
from vmeet_core.media.frames import planes_of
from vmeet_core.pipeline.scheduler import UnknownJob
from vmeet_core.pipeline.views import JobView, ProcessRequest

MakeScheduler = Callable[..., Awaitable[tuple[Any, Any]]]
SECONDS = 2.5


def small(recording: RecordingMaker) -> Path:
    """One person who is only heard: the job is quick."""
    recording.join("ann")
    recording.sound("ann", 0.2, SECONDS - 0.5, tone())
    return recording.write(SECONDS)


def step(job: JobView, name: str) -> Any:
    return next(one for one in job.steps if one.name == name)


def states(job: JobView) -> dict[str, str]:
    return {one.name: one.state for one in job.steps}


def flash_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return next(float(f.time) for f in container.decode(video=0) if planes_of(f)[0].mean() > 150)


async def done(scheduler: Any, watcher: Any, folder: Path, recording_id: str = "r1", **request: Any) -> JobView:
    job_id = await scheduler.submit(recording_id, folder, ProcessRequest(**request))
    job: JobView = await watcher.ended(job_id)
    return job


async def test_a_meeting_from_segments_to_a_video(recording: RecordingMaker, make_scheduler: MakeScheduler) -> None:
    """Sound and picture of a person arrive unevenly late; the sender's clock puts them back together."""
    recording.join("ann", name="王小明")
    recording.sound("ann", 0.5, 3.0, beep(1.5), delay_s=0.02)
    recording.pictures("ann", 0.5, 3.0, flash(1.5), delay_s=0.35, size_px=(640, 360))
    recording.join("bob", 3.0)
    recording.sound("bob", 3.0, 0.8, tone(level=0.0))
    folder = recording.write(4.0)
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder, denoiser="half", title="週會")
    assert job.state == "done", [one.error for one in job.steps]
    for name in ("video", "video-original"):
        path = folder / job.results[name]
        heard_s = onset_s(np.concatenate(list(read_audio(path, RATE_HZ, align=True))))
        assert abs(heard_s - flash_s(path)) < 0.02
        assert heard_s == pytest.approx(2.02, abs=0.02)  # its least delay stays: that is not the sender's to know
    for name in ("audio:ann", "audio-denoised:ann", "audio:bob", "mix", "mix-denoised"):
        assert len(read_all(folder / job.results[name], RATE_HZ)) == 4 * RATE_HZ, name
    original, denoised = (read_all(folder / job.results[name], RATE_HZ) for name in ("audio:ann", "audio-denoised:ann"))
    assert np.abs(denoised - original / 2).max() < 0.02
    assert (folder / job.results["thumbnail"]).stat().st_size > 1000
    assert "picture" not in job.results


async def test_progress_only_rises_and_no_more_steps_run_than_workers(
    recording: RecordingMaker, make_scheduler: MakeScheduler
) -> None:
    for person in ("ann", "bob", "cat"):
        recording.join(person)
        recording.sound(person, 0.0, SECONDS, tone())
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, recording.write(SECONDS), denoiser="half")
    assert job.state == "done"
    running = [sum(one.state == "running" for one in view.steps) for view in watcher.views]
    assert max(running) == 2
    for name in states(job):
        shown = [one.progress for view in watcher.views for one in view.steps if one.name == name]
        assert shown == sorted(shown)
        assert shown[-1] == 1.0


async def test_a_second_job_repeats_only_what_is_new(recording: RecordingMaker, make_scheduler: MakeScheduler) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    first = await done(scheduler, watcher, folder, denoiser="half")
    second = await done(scheduler, watcher, folder, denoiser="half", options={"half": {"gain": 0.25}})
    repeated = {one.name for one in second.steps if one.seconds}
    assert repeated == {"prepare", "denoise:ann", "mix-denoised", "join:video"}
    assert second.results["audio:ann"] == first.results["audio:ann"]
    loud, quiet = (read_all(folder / job.results["audio-denoised:ann"], RATE_HZ) for job in (first, second))
    assert np.abs(quiet * 2 - loud).max() < 1e-4
    assert np.abs(loud).max() > 0.05
    third = await done(scheduler, watcher, folder)
    assert {one.name for one in third.steps if one.seconds} == {"prepare"}
    assert third.results["video"] == first.results["video-original"]
    assert [job.id for job in await scheduler.jobs("r1")] == [first.id, second.id, third.id]


async def test_two_equal_jobs_at_once_do_the_work_once(
    recording: RecordingMaker, make_scheduler: MakeScheduler
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    ids = [await scheduler.submit("r1", folder, ProcessRequest()) for _ in range(2)]
    jobs = [await watcher.ended(job_id) for job_id in ids]
    assert [job.state for job in jobs] == ["done", "done"]
    for name in states(jobs[0]).keys() - {"prepare"}:
        assert sum(bool(step(job, name).seconds) for job in jobs) == 1, name


@pytest.mark.parametrize(
    ("denoiser", "message"),
    [
        ("broken", "broken: RuntimeError: the model exploded"),
        ("hopeless", "hopeless: this sound cannot be cleaned"),
        ("dying", "dying: its process was ended by SIGKILL"),
        ("busy", "busy: the quota is spent"),
    ],
)
async def test_a_failing_plugin_is_named_and_costs_only_what_needs_it(
    recording: RecordingMaker, make_scheduler: MakeScheduler, denoiser: str, message: str
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder, denoiser=denoiser)
    failed = step(job, "denoise:ann")
    assert job.state == "failed"
    assert failed.error.startswith(message)
    assert denoiser == "dying" or "a plugin that prints" in failed.log_tail
    assert states(job)["join:video"] == "queued"
    assert (folder / job.results["video-original"]).is_file()
    assert not list((folder / "results" / job.id).glob(".*"))
    other = await done(scheduler, watcher, folder, recording_id="r2")
    assert other.state == "done"


async def test_a_fault_that_passes_is_tried_again(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    job = await done(
        scheduler, watcher, folder, denoiser="flaky", options={"flaky": {"folder": str(tmp_path), "gain": 1.0}}
    )
    assert job.state == "done"
    assert (tmp_path / "tries").read_text() == "xxx"
    assert any("another try" in (one.error or "") for view in watcher.views for one in view.steps)
    assert step(job, "denoise:ann").error is None


async def test_cancel_ends_the_process_and_retry_goes_on(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    request = ProcessRequest(denoiser="slow", options={"slow": {"folder": str(tmp_path)}})
    job_id = await scheduler.submit("r1", folder, request)
    await appeared(tmp_path / "started")
    pid = int((tmp_path / "pid").read_text())
    await scheduler.cancel(job_id)
    assert not is_running(pid)
    (cancelled,) = await scheduler.jobs("r1")
    assert (cancelled.state, states(cancelled)["audio:ann"], states(cancelled)["denoise:ann"]) == (
        "cancelled", "done", "cancelled",
    )  # fmt: skip
    assert not list((folder / "results" / job_id).glob(".*"))
    sound = folder / cancelled.results["audio:ann"]
    before = sound.stat().st_mtime_ns
    (tmp_path / "go").touch()
    await scheduler.retry(job_id)
    job = await watcher.until(lambda job: job.state == "done")
    assert sound.stat().st_mtime_ns == before
    assert (folder / job.results["video"]).is_file()
    await scheduler.cancel(job_id)
    assert (await scheduler.jobs("r1"))[0].state == "done"


async def test_deleting_a_recording_ends_its_jobs(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    request = ProcessRequest(denoiser="slow", options={"slow": {"folder": str(tmp_path)}})
    job_id = await scheduler.submit("r1", folder, request)
    await appeared(tmp_path / "started")
    await scheduler.delete("r1")
    assert not is_running(int((tmp_path / "pid").read_text()))
    assert await scheduler.jobs("r1") == []
    told = len(watcher.views)
    with pytest.raises(UnknownJob):
        await scheduler.retry(job_id)
    assert len(watcher.views) == told


async def test_what_was_running_when_the_server_closed_is_run_by_the_next(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    folder = small(recording)
    scheduler, _ = await make_scheduler()
    request = ProcessRequest(denoiser="slow", options={"slow": {"folder": str(tmp_path)}})
    job_id = await scheduler.submit("r1", folder, request)
    await appeared(tmp_path / "started")
    await scheduler.close()
    assert not is_running(int((tmp_path / "pid").read_text()))
    (tmp_path / "go").touch()
    _, watcher = await make_scheduler()
    job = await watcher.ended(job_id)
    assert job.state == "done"


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_pictures_without_sound(recording: RecordingMaker, make_scheduler: MakeScheduler, codec: str) -> None:
    recording.join("ann")
    recording.pictures("ann", 0.0, 1.0, flash(0.5), codec=codec)
    folder = recording.write(1.0)
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder, denoiser="half")
    assert job.state == "done"
    assert set(job.results) == {"video", "thumbnail", "chapters"}


async def test_a_recording_that_a_kill_cut_short(recording: RecordingMaker, make_scheduler: MakeScheduler) -> None:
    recording.join("ann")
    for path in (
        recording.sound("ann", 0.0, 2.0, tone(), finished=False),
        recording.pictures("ann", 0.0, 2.0, finished=False),
    ):
        cut(path, 0.6)
    folder = recording.write(None)
    with (folder / "manifest.json").open("ab") as journal:
        journal.write(b'{"type": "sender-rep')
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder)
    assert job.state == "done"
    assert np.abs(read_all(folder / job.results["audio:ann"], RATE_HZ)[:20_000]).max() > 0.1


async def test_a_manifest_that_cannot_be_read_fails_the_job_with_the_reason(
    tmp_path: Path, make_scheduler: MakeScheduler
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{}\n{}\n")
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, tmp_path / "bad")
    assert job.state == "failed"
    assert "line 1 of the manifest" in (job.steps[0].error or "")


async def test_what_cannot_be_done_is_refused_at_once(make_scheduler: MakeScheduler, tmp_path: Path) -> None:
    scheduler, _ = await make_scheduler()
    with pytest.raises(Permanent, match="nothing"):
        await scheduler.submit("r1", tmp_path, ProcessRequest(denoiser="nothing"))
    assert await scheduler.jobs("r1") == []
    for call in (scheduler.cancel, scheduler.retry):
        with pytest.raises(UnknownJob):
            await call("absent")


async def test_files_of_each_person_come_without_repeating_anything(
    recording: RecordingMaker, make_scheduler: MakeScheduler
) -> None:
    """Two who speak in turn, one of them without a camera: as the page asks for it, after the meeting's own job."""
    recording.join("ann", name="王小明")
    recording.sound("ann", 0.0, 6.0, syllables(0.5, 2.5))
    recording.pictures("ann", 0.5, 3.0, flash(1.5))
    recording.join("bob", 0.0)
    recording.sound("bob", 0.0, 6.0, syllables(3.0, 5.5))
    folder = recording.write(6.0)
    scheduler, watcher = await make_scheduler()
    first = await done(scheduler, watcher, folder, layout="speaker")
    assert first.state == "done", [one.error for one in first.steps]
    captions = (folder / first.results["captions"]).read_text(encoding="utf-8")
    assert captions.count("<v 王小明>王小明") == captions.count("<v Bob>Bob") == 1
    assert "joined\n00:00:00.000 --> 00:00:06.000\n+ 王小明, Bob\n" in (folder / first.results["chapters"]).read_text()
    second = await done(scheduler, watcher, folder, layout="speaker", files="per-person")
    assert second.state == "done", [one.error for one in second.steps]
    assert first.results.items() <= second.results.items()
    made = set(second.results) - set(first.results)
    assert made == {"person-video:ann", "person-audio:ann", "person-audio:bob"}
    assert [one.seconds for one in second.steps if one.name in states(first) and one.name != "prepare"] == [0.0] * (
        len(first.steps) - 1
    )
    video = folder / second.results["person-video:ann"]
    assert flash_s(video) == pytest.approx(2.0, abs=0.05)
    with av.open(str(video)) as container:
        assert [stream.codec.name for stream in container.streams] == ["h264", "aac"]
        assert float(container.duration or 0) / av.time_base == pytest.approx(6.0, abs=0.1)
    quiet, loud = (level(read_all(folder / second.results["person-audio:bob"], RATE_HZ)[part]) for part in HALVES)
    assert loud > 100 * quiet


HALVES = (slice(RATE_HZ // 2, 2 * RATE_HZ), slice(3 * RATE_HZ, 5 * RATE_HZ))


def syllables(from_s: float, until_s: float) -> Any:
    voice = tone(300, 0.3)
    return lambda t: np.where((t >= from_s) & (t < until_s) & ((t - from_s) % 0.3 < 0.2), voice(t), 1e-4 * voice(t))
