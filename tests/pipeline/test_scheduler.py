"""Tests of whole jobs: real media, real processes, a real database."""

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import av
import numpy as np
import pytest
from material import RATE_HZ, RecordingMaker, beep, cut, flash, level, onset_s, tone
from processes import appeared, is_running

from vmeet_core.database import Address, DatabaseUnavailable
from vmeet_core.hookspecs import Permanent
from vmeet_core.media.audio import read_all, read_audio
from vmeet_core.media.frames import planes_of
from vmeet_core.pipeline.backoff import Backoff
from vmeet_core.pipeline.executors import local
from vmeet_core.pipeline.messages import NO_ROOM, Order
from vmeet_core.pipeline.notifier import INTERVAL_S
from vmeet_core.pipeline.scheduler import MAX_ATTEMPTS, UnknownJob
from vmeet_core.pipeline.store import JobStore
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.plugins import Registry, discover
from vmeet_core.settings import Settings

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
    ("denoiser", "message", "attempts"),
    [
        ("broken", "broken: RuntimeError: the model exploded", 1),
        ("hopeless", "hopeless: this sound cannot be cleaned", 1),
        ("dying", "dying: its process was ended by SIGKILL", MAX_ATTEMPTS),
        ("busy", "busy: the quota is spent", MAX_ATTEMPTS),
    ],
)
async def test_a_failing_plugin_is_named_and_costs_only_what_needs_it(
    recording: RecordingMaker,
    make_scheduler: MakeScheduler,
    processes: list[str],
    denoiser: str,
    message: str,
    attempts: int,
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder, denoiser=denoiser)
    failed = step(job, "denoise:ann")
    assert job.state == "failed"
    assert failed.error.startswith(message)
    assert failed.attempts == processes.count("denoise") == attempts
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
    waits = [one for view in watcher.views for one in view.steps if one.retry_in_s is not None]
    assert {(one.name, one.error) for one in waits} == {("denoise:ann", "flaky: the quota is spent")}
    assert {one.attempts for one in waits} == {1, 2}
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


def with_pipeline(settings: Settings, **changes: Any) -> Settings:
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update=changes)})


def slow(folder: Path) -> ProcessRequest:
    return ProcessRequest(denoiser="slow", options={"slow": {"folder": str(folder)}})


async def begun(scheduler: Any, recording: RecordingMaker, folder: Path) -> str:
    """The id of a job whose denoiser runs until there is ``folder/go``."""
    job_id = await scheduler.submit("r1", small(recording), slow(folder))
    await appeared(folder / "started")
    return job_id


@contextlib.asynccontextmanager
async def locked(file: Path) -> AsyncIterator[None]:
    """Somebody else writes to the database, and does not end. The scheduler may have to end its own writing first."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The functions of all processes that were started, in their order."""
    started: list[str] = []
    run_process = local.run_process

    async def counted(order: Order, *args: Any, **options: Any) -> None:
        started.append(order.function.rpartition(".")[2].partition(":")[0])
        await run_process(order, *args, **options)

    monkeypatch.setattr(local, "run_process", counted)
    return started


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_step_that_crashed_is_tried_again(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    scheduler, watcher = await make_scheduler()
    options = {"shaky": {"folder": str(tmp_path)}}
    job = await done(scheduler, watcher, small(recording), denoiser="shaky", options=options)
    assert job.state == "done"
    assert (tmp_path / "tries").read_text() == "xx"
    waited = await watcher.until(lambda view: any(one.retry_in_s is not None for one in view.steps))
    assert step(waited, "denoise:ann").error == "shaky: its process was ended by SIGSEGV"
    denoise = step(job, "denoise:ann")
    assert (denoise.error, denoise.attempts) == (None, 1)
    assert denoise.cost.cpu_s > 0
    assert 10_000_000 < denoise.cost.peak_memory_bytes < 2_000_000_000
    whole = (await scheduler.log_file(job.id, "denoise:ann")).read_text()
    assert "Segmentation fault" in whole
    assert (whole.count("try 1"), whole.count("try 2")) == (1, 1)
    with pytest.raises(UnknownJob):
        await scheduler.log_file(job.id, "absent")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
async def test_a_step_that_finds_no_room_waits_until_there_is_some(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is tried: the disk's fault does not use up the tries that a crash may cost."""
    monkeypatch.setattr("vmeet_core.pipeline.scheduler.FULL_DISK_WAIT_S", 0.01)
    monkeypatch.setattr("vmeet_core.pipeline.scheduler.MAX_WAIT_S", 0.1)
    scheduler, watcher = await make_scheduler()
    request = ProcessRequest(denoiser="roomless", options={"roomless": {"folder": str(tmp_path)}})
    job_id = await scheduler.submit("r1", small(recording), request)
    tries = tmp_path / "tries"
    waiting = await watcher.until(lambda view: tries.exists() and len(tries.read_text()) > MAX_ATTEMPTS)
    assert waiting.state == "running"
    told = await watcher.until(lambda view: any(one.retry_in_s is not None for one in view.steps))
    assert step(told, "denoise:ann").error == f"roomless: {NO_ROOM}"
    (tmp_path / "room").touch()
    job = await watcher.ended(job_id)
    assert (job.state, step(job, "denoise:ann").error, step(job, "denoise:ann").attempts) == ("done", None, 1)


async def test_a_folder_that_cannot_be_made_on_a_full_disk_costs_no_job(
    recording: RecordingMaker, make_scheduler: MakeScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server itself writes for a step."""
    monkeypatch.setattr("vmeet_core.pipeline.scheduler.FULL_DISK_WAIT_S", 0.01)
    make, refused = Path.mkdir, [OSError(errno.ENOSPC, "No space left on device")] * (MAX_ATTEMPTS + 1)

    def mkdir(path: Path, *args: Any, **options: Any) -> None:
        if path.parent.name == "results" and refused:
            raise refused.pop()
        make(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    scheduler, watcher = await make_scheduler()
    assert (await done(scheduler, watcher, small(recording), denoiser="half")).state == "done"
    assert not refused


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_back_off_outlives_the_server(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path, processes: list[str]
) -> None:
    scheduler, watcher = await make_scheduler(backoff=Backoff(first_s=4.0, jitter=0.0))
    request = ProcessRequest(denoiser="shaky", options={"shaky": {"folder": str(tmp_path)}})
    job_id = await scheduler.submit("r1", small(recording), request)
    await watcher.until(lambda view: any(one.retry_in_s is not None for one in view.steps))
    crashed_s = time.monotonic()
    await scheduler.close()
    assert processes.count("denoise") == 1
    scheduler, watcher = await make_scheduler()
    (job,) = await scheduler.jobs("r1")
    waiting = step(job, "denoise:ann")
    assert (waiting.state, waiting.attempts) == ("queued", 1)
    assert 0 < waiting.retry_in_s <= 4.0
    job = await watcher.ended(job_id)
    assert job.state == "done"
    assert time.monotonic() - crashed_s > 3.5
    assert step(job, "denoise:ann").attempts == 1


async def test_a_server_that_closes_is_no_failure_of_a_step(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    folder = small(recording)
    scheduler, _ = await make_scheduler()
    job_id = await scheduler.submit("r1", folder, slow(tmp_path))
    for _ in range(MAX_ATTEMPTS + 1):
        await appeared(tmp_path / "started")
        (tmp_path / "started").unlink()
        await scheduler.close()
        scheduler, watcher = await make_scheduler()
    (tmp_path / "go").touch()
    job = await watcher.ended(job_id)
    assert job.state == "done"
    assert step(job, "denoise:ann").attempts == 0


@pytest.mark.skipif(sys.platform != "linux", reason="proc(5)")
async def test_a_step_that_uses_more_memory_than_it_may_fails_alone(
    recording: RecordingMaker, make_scheduler: MakeScheduler, settings: Settings
) -> None:
    scheduler, watcher = await make_scheduler(settings=with_pipeline(settings, plugin_memory_bytes=400_000_000))
    job = await done(scheduler, watcher, small(recording), denoiser="greedy")
    failed = step(job, "denoise:ann")
    assert failed.error == "greedy: it used more than 400 MB of memory"
    assert failed.attempts == 1
    assert failed.cost.peak_memory_bytes > 400_000_000
    assert states(job)["join:video-original"] == "done"


async def test_a_step_that_needs_more_than_there_is_fails_at_once(
    recording: RecordingMaker, make_scheduler: MakeScheduler, settings: Settings, processes: list[str]
) -> None:
    scheduler, watcher = await make_scheduler(settings=with_pipeline(settings, device="cuda", gpu=0))
    job = await done(scheduler, watcher, small(recording), denoiser="half")
    assert step(job, "denoise:ann").error == "half: it needs 1 GPU, and pipeline.gpu allows 0"
    assert "denoise" not in processes
    assert states(job)["join:video-original"] == "done"


async def test_steps_that_share_a_gpu_run_one_after_the_other(
    recording: RecordingMaker, make_scheduler: MakeScheduler, settings: Settings
) -> None:
    for person in ("ann", "bob", "cat"):
        recording.join(person)
        recording.sound(person, 0.0, SECONDS, tone())
    scheduler, watcher = await make_scheduler(settings=with_pipeline(settings, workers=3, device="cuda", gpu=1))
    job = await done(scheduler, watcher, recording.write(SECONDS), denoiser="half")
    assert job.state == "done"
    running = [[one.name for one in view.steps if one.state == "running"] for view in watcher.views]
    assert max(sum(name.startswith("denoise:") for name in names) for names in running) == 1
    assert max(map(len, running)) > 1


async def test_what_comes_later_runs_beside_what_people_wait_for_but_takes_one_place(
    recording: RecordingMaker, make_scheduler: MakeScheduler, settings: Settings, tmp_path: Path
) -> None:
    scheduler, watcher = await make_scheduler(settings=with_pipeline(settings, workers=0))
    job_id = await scheduler.submit("r1", small(recording), slow(tmp_path))
    view = await watcher.until(lambda job: states(job).get("chapters") == "done")
    assert states(view)["denoise:ann"] in ("queued", "running")
    await appeared(tmp_path / "started")
    (tmp_path / "go").touch()
    assert (await watcher.ended(job_id)).state == "done"
    behind = {"layout", "thumbnail", "chapters", "voices", "captions", "mix", "join:video-original"}
    for view in watcher.views:
        if states(view).get("denoise:ann") in ("queued", "running"):
            running = {one.name for one in view.steps if one.state == "running"}
            assert len(running & behind) <= 1, running


async def test_a_fresh_meeting_goes_before_what_can_wait_and_anything_can_be_moved_to_the_front(
    recording: RecordingMaker, make_scheduler: MakeScheduler, settings: Settings, tmp_path: Path
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler(settings=with_pipeline(settings, workers=1))
    first = await scheduler.submit("r0", folder, slow(tmp_path))
    await appeared(tmp_path / "started")
    again = await scheduler.submit("r1", folder, ProcessRequest(), priority="later")
    fresh = await scheduler.submit("r1", folder, ProcessRequest())
    moved = await scheduler.submit("r1", folder, ProcessRequest(), priority="later")
    await scheduler.move_to_front(moved)
    assert [job.priority for job in await scheduler.jobs("r1")] == ["later", "fresh", "front"]
    (tmp_path / "go").touch()
    ended = [await watcher.ended(job_id) for job_id in (first, again, fresh, moved)]
    assert {job.state for job in ended} == {"done"}
    begun = [view.id for view in watcher.views if view.id != first and states(view)["prepare"] == "running"]
    assert list(dict.fromkeys(begun)) == [moved, fresh, again]
    await scheduler.move_to_front(moved)  # nothing happens to what has ended
    with pytest.raises(UnknownJob):
        await scheduler.move_to_front("absent")


async def test_a_change_of_plugin_starts_processes_for_what_follows_and_nothing_else(
    recording: RecordingMaker, make_scheduler: MakeScheduler, processes: list[str]
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    await done(scheduler, watcher, folder, denoiser="half")
    texts = ("captions", "chapters", "voices")
    made = ("audio", "denoise", "join", "join", "layout", "mix", "mix", "prepare", "thumbnail", *texts)
    assert sorted(processes) == sorted(made)
    del processes[:]
    await done(scheduler, watcher, folder, denoiser="half", options={"half": {"gain": 0.25}})
    assert sorted(processes) == ["denoise", "join", "mix", "prepare"]
    del processes[:]
    await done(scheduler, watcher, folder, denoiser="half")
    assert processes == ["prepare"]


async def test_equal_jobs_share_every_process_also_while_an_end_is_being_written(
    recording: RecordingMaker, make_scheduler: MakeScheduler, processes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    save = scheduler._store.save

    async def slowly(*args: Any) -> None:
        await asyncio.sleep(0.2)
        await save(*args)

    monkeypatch.setattr(scheduler._store, "save", slowly)
    ids = []
    for _ in range(3):
        ids.append(await scheduler.submit("r1", folder, ProcessRequest()))
        await asyncio.sleep(0.3)
    assert {(await watcher.ended(job_id)).state for job_id in ids} == {"done"}
    texts = ("captions", "chapters", "voices")
    made = ("audio", "join", "layout", "mix", "prepare", "prepare", "prepare", "thumbnail", *texts)
    assert sorted(processes) == sorted(made)


async def test_a_recording_whose_folder_is_gone_says_so(
    recording: RecordingMaker, make_scheduler: MakeScheduler
) -> None:
    folder = small(recording)
    shutil.rmtree(folder)
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder)
    assert job.state == "failed"
    assert f"the folder of the recording, {folder}, is gone" in (job.steps[0].error or "")
    assert not folder.exists()


async def test_a_plugin_that_has_gone_while_its_step_waited_costs_only_its_steps(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path, registry: Registry
) -> None:
    scheduler, _ = await make_scheduler()
    job_id = await scheduler.submit("r1", small(recording), slow(tmp_path))
    await appeared(tmp_path / "started")
    await scheduler.close()
    denoisers = {name: each for name, each in registry.providers["denoisers"].items() if name != "slow"}
    without = Registry({**registry.providers, "denoisers": denoisers}, registry.plugins, registry.problems)
    _, watcher = await make_scheduler(registry=without)
    job = await watcher.ended(job_id)
    assert job.state == "failed"
    assert 'no installed plugin offers "slow"' in step(job, "denoise:ann").error
    assert states(job)["join:video-original"] == "done"


async def test_a_plugin_that_was_renewed_does_its_steps_again(
    recording: RecordingMaker, make_scheduler: MakeScheduler, processes: list[str]
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder, denoiser="half")
    await scheduler.close()
    del processes[:]
    (folder / job.results["video"]).unlink()
    renewed = discover()
    renewed.get("denoisers", "half").version = "2"
    scheduler, watcher = await make_scheduler(registry=renewed)
    await scheduler.retry(job.id)
    assert (await watcher.ended(job.id)).state == "done"
    assert sorted(processes) == ["denoise", "join", "mix"]


async def test_what_somebody_deleted_is_made_again_when_it_is_needed(
    recording: RecordingMaker, make_scheduler: MakeScheduler, settings: Settings, tmp_path: Path, processes: list[str]
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler(settings=with_pipeline(settings, workers=1))
    job_id = await scheduler.submit("r1", folder, slow(tmp_path))
    await appeared(tmp_path / "started")
    (running,) = await scheduler.jobs("r1")
    assert states(running)["mix"] == "queued"
    sound = folder / running.results["audio:ann"]
    sound.unlink()
    (tmp_path / "go").touch()
    job = await watcher.ended(job_id)
    assert job.state == "done"
    assert processes.count("audio") == 2
    assert sound.is_file()
    del processes[:]
    (folder / job.results["thumbnail"]).unlink()
    (folder / job.results["audio-denoised:ann"]).unlink()
    watcher.views.clear()
    await scheduler.retry(job_id)
    assert (await watcher.ended(job_id)).state == "done"
    assert sorted(processes) == ["denoise", "thumbnail"]
    assert (folder / job.results["thumbnail"]).is_file()


async def test_what_the_first_step_found_is_found_again_where_it_cannot_be_read(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path, processes: list[str]
) -> None:
    folder = small(recording)
    scheduler, _ = await make_scheduler()
    job_id = await scheduler.submit("r1", folder, slow(tmp_path))
    await appeared(tmp_path / "started")
    await scheduler.close()
    (folder / "results" / job_id / "prepared.json").write_text('{"of": "another version"}')
    (tmp_path / "go").touch()
    _, watcher = await make_scheduler()
    assert (await watcher.ended(job_id)).state == "done"
    assert (processes.count("prepare"), processes.count("audio")) == (2, 1)


async def test_a_segment_that_is_gone_is_named(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    job = await done(scheduler, watcher, folder, denoiser="half")
    for name in ("audio:ann", "mix"):
        (folder / job.results[name]).unlink()
    (segment,) = (folder / "segments").glob("*")
    segment.unlink()
    watcher.views.clear()
    await scheduler.retry(job.id)
    again = await watcher.ended(job.id)
    assert again.state == "failed"
    assert f"segments/{segment.name} is gone from {folder}" in step(again, "audio:ann").error


async def test_a_job_survives_a_restart_whichever_the_database(
    recording: RecordingMaker, make_scheduler: MakeScheduler, address: Address, tmp_path: Path
) -> None:
    first, watcher = await make_scheduler(address=address)
    job_id = await begun(first, recording, tmp_path)
    await first.close()
    (tmp_path / "go").touch()
    _, watcher = await make_scheduler(address=address)
    job = await watcher.ended(job_id)
    assert job.state == "done", [one.error for one in job.steps]


async def test_an_end_is_told_when_it_is_written_and_not_before(
    recording: RecordingMaker, make_scheduler: MakeScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    written: list[str] = []
    save = scheduler._store.save

    async def slowly(job: Any, *args: Any) -> None:
        state = job.state
        await asyncio.sleep(3 * INTERVAL_S)
        await save(job, *args)
        written.append(state)

    monkeypatch.setattr(scheduler._store, "save", slowly)
    job_id = await scheduler.submit("r1", folder, ProcessRequest())
    await watcher.until(lambda view: view.state == "done")
    assert written[-1] == "done"
    assert [job.state for job in await scheduler.jobs("r1") if job.id == job_id] == ["done"]


async def test_an_end_is_told_once_though_another_step_is_written_while_files_are_tidied(
    recording: RecordingMaker, make_scheduler: MakeScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps run side by side: what one of them has to write may be on its way when the last one ends."""
    folder = small(recording)
    scheduler, watcher = await make_scheduler()
    tidy = scheduler._tidy

    async def beside(job: Any) -> None:
        await scheduler._commit(job)
        await tidy(job)

    monkeypatch.setattr(scheduler, "_tidy", beside)
    job = await done(scheduler, watcher, folder)
    await asyncio.sleep(3 * INTERVAL_S)
    assert [view.state for view in watcher.views].count("done") == 1
    assert [view.state for view in await scheduler.jobs("r1") if view.id == job.id] == ["done"]


async def test_a_database_that_is_locked_for_ten_seconds_costs_a_job_nothing(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    """Neither the steps that end meanwhile nor those that are to begin; each runs once."""
    scheduler, watcher = await make_scheduler()
    job_id = await begun(scheduler, recording, tmp_path)
    async with locked(tmp_path / "state.sqlite3"):
        (tmp_path / "go").touch()
        began_s = time.monotonic()
        await asyncio.sleep(10)
        assert (await scheduler.jobs("r1"))[0].state == "running"  # asking does not wait
    job = await watcher.ended(job_id)
    assert job.state == "done", [one.error for one in job.steps]
    assert time.monotonic() - began_s > 10
    assert [one.state for one in (await scheduler.jobs("r1"))[0].steps] == ["done"] * len(job.steps)
    assert {one.attempts for one in (await JobStore(scheduler._database).of_recording("r1"))[0].steps} == {0}


async def test_cancelling_does_not_wait_for_ever_for_a_locked_database(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmeet_core.pipeline.scheduler.PATIENCE_S", 1.0)
    scheduler, watcher = await make_scheduler()
    job_id = await begun(scheduler, recording, tmp_path)
    async with locked(tmp_path / "state.sqlite3"):
        with pytest.raises(DatabaseUnavailable):
            await asyncio.wait_for(scheduler.cancel(job_id), 5)
    assert (await watcher.ended(job_id)).state == "cancelled"


async def test_a_server_that_ends_while_its_database_is_locked_leaves_the_rest_to_the_next(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    """It ends soon, and no step has failed."""
    scheduler, watcher = await make_scheduler()
    job_id = await begun(scheduler, recording, tmp_path)
    async with locked(tmp_path / "state.sqlite3"):
        (tmp_path / "go").touch()
        await asyncio.wait_for(scheduler.close(), 30)
    _, watcher = await make_scheduler()
    job = await watcher.ended(job_id)
    assert job.state == "done", [one.error for one in job.steps]


async def test_a_name_is_kept(recording: RecordingMaker, make_scheduler: MakeScheduler) -> None:
    scheduler, watcher = await make_scheduler()
    job_id = await scheduler.submit("r1", small(recording), ProcessRequest(), name="first")
    assert (await watcher.ended(job_id)).name == "first"
    await scheduler.rename(job_id, "最好的")
    assert (await scheduler.jobs("r1"))[0].name == "最好的"
    assert watcher.views[-1].name == "最好的"
    await scheduler.close()
    scheduler, _ = await make_scheduler()
    assert (await scheduler.jobs("r1"))[0].name == "最好的"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_killed_step_is_run_again_by_itself(
    recording: RecordingMaker, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    scheduler, watcher = await make_scheduler()
    job_id = await scheduler.submit("r1", small(recording), slow(tmp_path))
    await appeared(tmp_path / "started")
    (tmp_path / "started").unlink()
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    await appeared(tmp_path / "started")
    (tmp_path / "go").touch()
    job = await watcher.ended(job_id)
    assert job.state == "done"
    assert step(job, "denoise:ann").attempts == 1


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
    assert made == {"person-video:ann", "person-audio:ann", "person-audio:bob", "phrases"}
    with ZipFile(folder / second.results["phrases"]) as files:
        assert [name.partition("/")[0] for name in files.namelist()] == ["01-王小明", "02-Bob", "transcripts.tsv"]
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
