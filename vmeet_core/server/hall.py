"""All meetings that somebody is in, and what happens to a recording when it ends."""

import asyncio
import contextlib
import itertools
import logging
import shutil
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from vmeet_core.database import PATIENCE_S, Database, DatabaseUnavailable
from vmeet_core.hookspecs import Permanent
from vmeet_core.manifest import MANIFEST_NAME, SEGMENTS, Mark, Started, read_manifest
from vmeet_core.media.segments import segment_duration_s
from vmeet_core.meetings import Choices, Meeting, new_meeting
from vmeet_core.pipeline import graph
from vmeet_core.pipeline.prepared import Prepared
from vmeet_core.pipeline.scheduler import RESULTS, Scheduler, UnknownJob
from vmeet_core.pipeline.views import FilesWanted, JobView, Priority, ProcessRequest
from vmeet_core.plugins import Registry
from vmeet_core.protocol import RecordingInfo
from vmeet_core.recording.recorder import Recorder
from vmeet_core.server.ahead import WorkAhead
from vmeet_core.server.events import EventHub
from vmeet_core.server.folder_sizes import FolderSizes, folder_bytes
from vmeet_core.server.ice_servers import page_ice_servers
from vmeet_core.server.live_engines import LiveEngines
from vmeet_core.server.live_meeting import LiveMeeting, Surroundings
from vmeet_core.server.meeting_captions import CaptionPlan, caption_plan
from vmeet_core.server.meeting_effects import MeetingEffects
from vmeet_core.server.meeting_recording import RecordingPlace
from vmeet_core.server.retention import expires_at_s
from vmeet_core.server.statistics import TrafficMeter
from vmeet_core.server.store import DELETING, RecordingRow, Store
from vmeet_core.server.transcript_index import TranscriptIndex
from vmeet_core.settings import Preset, RecordingChoice, Settings
from vmeet_core.sfu.network import Network
from vmeet_core.timeline import build_timeline

logger = logging.getLogger(__name__)
SWEEP_S = 5.0
EVER = float("inf")  #: a recording that began or ended is written as soon as the database takes it
LAST_WRITE_S = 5.0  #: but when the server ends, the next one finds out by itself
NOT_PROCESSED, UNREADABLE = "not processed", "its journal cannot be read"  #: notes of recordings without a job


class UnknownRecording(LookupError):
    """There is no such recording, or no longer."""


class Hall:
    """Joins the live meetings to the network, the database, the pipeline and the open pages."""

    def __init__(self, settings: Settings, registry: Registry, network: Network, traffic: TrafficMeter) -> None:
        self.settings = settings
        self._registry = registry
        self.events = EventHub()
        self.recordings_dir = Path(settings.server.data_dir) / "recordings"
        self._running: tuple[Store, Scheduler] | None = None
        self._trouble: str | None = None
        self._live: dict[str, LiveMeeting] = {}
        self._lock = asyncio.Lock()
        self._jobs_lock = asyncio.Lock()  # no job may begin on a recording while that is being deleted
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ahead: dict[str, WorkAhead] = {}  #: by recording
        self._sizes = FolderSizes()
        place = RecordingPlace(
            self.recordings_dir,
            settings.recording.min_free_bytes,
            self._on_recording,
            self._on_recorded,
            settings.recording.part_s,
        )
        self.engines = LiveEngines(settings)
        self._keeping: dict[str, set[asyncio.Task[None]]] = {}  # by meeting: who is left out is being written
        self._surroundings = Surroundings(network, self._ice_servers, place, traffic, self.engines, self._keep_left_out)

    def _ice_servers(self, participant_id: str) -> list[dict[str, str]]:
        return page_ice_servers(self.settings, participant_id, time.time())

    # ---- meetings ----

    async def create(self, title: str, preset: str, choices: Choices) -> Meeting:
        """A new meeting, kept in the database."""
        meeting = new_meeting(title, preset, choices)
        await self.store.add_meeting(meeting)
        return meeting

    async def live(self, meeting_id: str) -> LiveMeeting | None:
        """The meeting for somebody who comes in; None when there is none of that id."""
        if meeting_id not in self._live:
            meeting = await self.store.meeting(meeting_id)
            if meeting is None:
                return None
            await self._load_engines(self.effects_of(meeting))
        async with self._lock:
            found = self._live.get(meeting_id)
            if found is not None:
                return found
            meeting = await self.store.meeting(meeting_id)
            if meeting is None:
                return None
            effects = self.effects_of(meeting)
            meeting.recording_choice = self.recording_choice_of(meeting)
            plan, number = self.captions_of(meeting), self._free_number()
            self._live[meeting_id] = LiveMeeting(meeting, self._surroundings, effects, number, plan)
            return self._live[meeting_id]

    async def _load_engines(self, effects: MeetingEffects) -> None:
        """What no preset names is loaded when a meeting does. Where it cannot be, cards are shown and pages told."""
        try:
            await self.engines.need(effects.frame_filters, (effects.denoiser,) if effects.denoiser else ())
        except RuntimeError as error:
            logger.error("a live effect cannot be started: %s", error)

    def effects_of(self, meeting: Meeting) -> MeetingEffects:
        """The live effects that a meeting has."""
        return MeetingEffects(self.preset_of(meeting), self._registry)

    def captions_of(self, meeting: Meeting) -> CaptionPlan | None:
        """The live captions that a meeting has."""
        return caption_plan(self.preset_of(meeting), self._registry)

    def _free_number(self) -> int:
        """The smallest one that no live meeting has: such numbers stay few, and tell nothing of the link."""
        taken = {live.number for live in self._live.values()}
        return next(number for number in itertools.count(1) if number not in taken)

    def people(self, meeting_id: str) -> int:
        """How many are in the meeting now."""
        live = self._live.get(meeting_id)
        return len(live.members) if live is not None else 0

    def recording(self, meeting_id: str) -> RecordingInfo:
        """Whether the meeting is being recorded now, and who started it."""
        live = self._live.get(meeting_id)
        return live.meeting.recording if live is not None else RecordingInfo(active=False)

    def recording_choice_of(self, meeting: Meeting) -> RecordingChoice:
        """Who is recorded; only those who say yes where the preset has gone from the settings: it may have said so."""
        preset = self.settings.meetings.get(meeting.preset)
        return preset.recording_choice if preset is not None else "opt-in"

    def all_live(self) -> list[LiveMeeting]:
        """Every meeting that somebody is in."""
        return list(self._live.values())

    async def forget_empty_meetings(self) -> None:
        """Runs for ever: a meeting that everybody left needs no memory."""
        while True:
            await asyncio.sleep(SWEEP_S)
            async with self._lock:
                for meeting_id, live in list(self._live.items()):
                    if live.idle_s > SWEEP_S and meeting_id not in self._keeping:
                        del self._live[meeting_id]
                        await live.close()

    def _keep_left_out(self, meeting: Meeting) -> None:
        """Whom the host has left out is left out by the next server, too: written as soon as the database takes it."""
        task = asyncio.create_task(self.store.keep_left_out(meeting, EVER))
        self._keeping.setdefault(meeting.id, set()).add(task)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._kept(meeting.id, done))

    def _kept(self, meeting_id: str, task: asyncio.Task[None]) -> None:
        self._keeping[meeting_id].discard(task)
        if not self._keeping[meeting_id]:
            del self._keeping[meeting_id]
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("who is left out of meeting %s could not be kept: %r", meeting_id, error)

    # ---- recordings ----

    async def _on_recording(self, meeting: Meeting, recorder: Recorder) -> None:
        try:
            await self.store.add_recording(recorder.recording_id, meeting, recorder.started_at_s, EVER)
        except DatabaseUnavailable as error:  # the server ends
            logger.error("recording %s will be entered at the next start: %s", recorder.recording_id, error)
            return
        self._work_ahead(meeting, recorder)
        await self.tell(recorder.recording_id)

    def _work_ahead(self, meeting: Meeting, recorder: Recorder) -> None:
        """Begin to process what is over of a recording, as far as it comes in parts, and the settings want that."""
        recording_id, part_s = recorder.recording_id, recorder.part_s
        if part_s is None or not self.settings.pipeline.ahead:
            return

        async def begin() -> str:
            request, folder = _request(self.preset_of(meeting)), self.recordings_dir / recording_id
            async with self._jobs_lock:
                return await self.pipeline.begin_ahead(recording_id, folder, request)

        def mark() -> None:
            recorder.note(Mark(at_s=time.time()))

        self._ahead[recording_id] = WorkAhead(recorder.started_at_s, part_s, mark, begin, self.pipeline.renew)

    async def _end_ahead(self, recording_id: str) -> None:
        work = self._ahead.pop(recording_id, None)
        if work is not None:
            await work.end()

    async def _on_recorded(self, meeting: Meeting, recorder: Recorder, people: list[str], note: str | None) -> None:
        duration_s = max(recorder.ended_at_s - recorder.started_at_s, 0.0)
        try:
            await self.store.finish_recording(recorder.recording_id, duration_s, people, note, EVER)
            await self._end_ahead(recorder.recording_id)
            await self._process_or_say_why(recorder.recording_id, self.preset_of(meeting))
        except DatabaseUnavailable as error:  # the server ends
            logger.error("recording %s will be looked at at the next start: %s", recorder.recording_id, error)
            return
        await self.tell(recorder.recording_id)

    def preset_of(self, meeting: Meeting) -> Preset:
        """What the meeting chose, over its preset; a preset that has gone from the settings counts as empty."""
        return meeting.choices.over(self.settings.meetings.get(meeting.preset, Preset()))

    async def _process_or_say_why(self, recording_id: str, preset: Preset, priority: Priority = "fresh") -> None:
        """A plugin that has gone since then must not cost the recording, nor be left out in silence."""
        try:
            await self.process(recording_id, preset, EVER, priority=priority)
        except Permanent as error:
            logger.warning("recording %s is kept, but not processed: %s", recording_id, error)
            await self.store.add_note(recording_id, f"{NOT_PROCESSED}: {error}", EVER)

    async def process(
        self,
        recording_id: str,
        preset: Preset,
        patience_s: float = PATIENCE_S,
        *,
        files: FilesWanted = "meeting",
        priority: Priority = "fresh",
        name: str = "",
    ) -> str:
        """Queue the recording for the pipeline; returns the job's id. One that ran ahead of its end goes on.

        Raises Permanent for what cannot be had, and UnknownRecording for what has been deleted.
        """
        request = _request(preset, files)
        folder = self.recordings_dir / recording_id
        async with self._jobs_lock:
            row = await self.store.recording(recording_id)
            if row is None:
                raise UnknownRecording(recording_id)
            job_id = self.pipeline.ahead().get(recording_id)
            if job_id is not None and await self._finish_ahead(job_id, request, patience_s, priority, name):
                return job_id
            first = graph.prepare_file(row.media, row.title) if row.media else None
            return await self.pipeline.submit(
                recording_id, folder, request, patience_s, first_step=first, priority=priority, name=name
            )

    async def _finish_ahead(
        self, job_id: str, request: ProcessRequest | None, patience_s: float, priority: Priority, name: str
    ) -> bool:
        """Whether the job is now that of a recording that has ended; otherwise it is cancelled. None: as it was."""
        try:
            await self.pipeline.finish_ahead(job_id, request, patience_s, priority=priority, name=name)
            return True
        except DatabaseUnavailable:
            raise
        except UnknownJob:  # cancelled at this moment
            return False
        except Permanent:  # what comes in its place will say so
            logger.info("job %s cannot be what is asked for now, and is cancelled", job_id)
        except Exception:
            logger.exception("job %s cannot go on, and is cancelled", job_id)
        await self.pipeline.cancel(job_id)
        return False

    async def cancel_job(self, job_id: str) -> None:
        """Raises UnknownJob."""
        async with self._jobs_lock:
            await self.pipeline.cancel(job_id)

    async def retry_job(self, job_id: str) -> None:
        """Raises UnknownJob."""
        async with self._jobs_lock:
            await self.pipeline.retry(job_id)
            for recording_id, ahead in self.pipeline.ahead().items():
                if ahead == job_id and recording_id not in self._ahead:  # the recording has ended since
                    await self._finish_ahead(job_id, None, PATIENCE_S, "later", "")

    async def move_job_to_front(self, job_id: str) -> None:
        """Raises UnknownJob."""
        async with self._jobs_lock:
            await self.pipeline.move_to_front(job_id)

    async def rename_job(self, job_id: str, name: str) -> None:
        """Raises UnknownJob."""
        async with self._jobs_lock:
            await self.pipeline.rename(job_id, name)

    async def process_upload(self, recording_id: str) -> None:
        """The first job of a file that was uploaded, unless it has been queued before."""
        row = await self.store.recording(recording_id)
        if row is None or row.state != "uploaded":
            return
        if not await self.pipeline.jobs(recording_id):
            preset = Choices.model_validate(row.choices or {}).over(Preset())
            try:
                await self._process_or_say_why(recording_id, preset, priority="later")
            except UnknownRecording:
                return
        await self.store.change_recording(recording_id, state="recorded")
        await self.tell(recording_id)

    @property
    def store(self) -> Store:
        """Meetings and recordings; there once the hall has started."""
        return self._started()[0]

    @property
    def pipeline(self) -> Scheduler:
        """The scheduler; there once the hall has started."""
        return self._started()[1]

    def _started(self) -> tuple[Store, Scheduler]:
        if self._running is None:
            raise RuntimeError("the hall has not been started")
        return self._running

    @property
    def database_trouble(self) -> str | None:
        """Why writes have to wait for the database; None when none does."""
        return self._trouble

    def _on_database_trouble(self, trouble: str | None) -> None:
        self._trouble = trouble
        self.events.publish("database", {"waiting": trouble is not None})

    @contextlib.asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator[None]:
        """Open: jobs that were interrupted continue, recordings that were cut short are recovered."""
        await self.engines.start()
        scheduler = Scheduler(database, self.settings, self.on_job_change, registry=self._registry)
        self._running = (Store(database), scheduler)
        database.patience.on_trouble = self._on_database_trouble
        enter_missing = TranscriptIndex(self.store, self.recordings_dir).enter_missing
        for begin in (self.store.index_names, self.finish_deletions, scheduler.start, self.recover, enter_missing):
            await _insist(begin)
        sweeper = asyncio.create_task(self.forget_empty_meetings())
        try:
            yield
        finally:
            sweeper.cancel()
            database.patience.hurry(LAST_WRITE_S)
            await self.close_meetings()
            for recording_id in list(self._ahead):
                await self._end_ahead(recording_id)
            await self.engines.close()
            await scheduler.close()
            await asyncio.gather(*self._tasks, return_exceptions=True)  # cancelled, they would leave connections open

    async def recover(self) -> None:
        """Recordings that a crash cut short are closed and processed like the others."""
        await self._enter_unknown()
        for row in await self.store.recordings(state="recording"):
            folder = self.recordings_dir / row.id
            try:
                duration_s, people = await asyncio.to_thread(_measure, folder)
            except (OSError, ValueError) as error:
                logger.error("recording %s cannot be recovered: %s", row.id, error)
                await self.store.finish_recording(row.id, 0.0, [], f"{UNREADABLE}: {error}")
                continue
            await self.store.finish_recording(row.id, duration_s, people, "the server was stopped while it recorded")
            await self._process_recovered(row)
            logger.info("recording %s was cut short and is recovered: %.1f s", row.id, duration_s)
        await self._recover_jobs()
        for row in await self.store.recordings(state="uploaded"):
            await self.process_upload(row.id)

    async def _recover_jobs(self) -> None:
        """Of recordings that had ended: a kill may have come before their job was queued, or before it was told."""
        rows = await self.store.without_jobs()
        for recording_id, job_id in self.pipeline.ahead().items():
            row = await self.store.recording(recording_id)
            if row is None or UNREADABLE in (row.note or ""):
                await self.pipeline.cancel(job_id)
            else:
                rows.append(row)
        for row in rows:
            noted = any(each in (row.note or "") for each in (NOT_PROCESSED, UNREADABLE))
            if not noted and await asyncio.to_thread((self.recordings_dir / row.id / MANIFEST_NAME).is_file):
                await self._process_recovered(row)
                logger.info("recording %s was not processed, and is now", row.id)

    async def _process_recovered(self, row: RecordingRow) -> None:
        meeting = await self.store.meeting(row.meeting_id) if row.meeting_id else None
        await self._process_or_say_why(row.id, self.preset_of(meeting) if meeting is not None else Preset())

    async def _enter_unknown(self) -> None:
        """Recordings of a server that was killed before its database answered: their journals say what they are."""
        rows = await self.store.recordings() + await self.store.recordings(state=DELETING)
        known = {row.id for row in rows}
        for started in await asyncio.to_thread(_unknown, self.recordings_dir, known):
            meeting = await self.store.meeting(started.meeting_id)
            if meeting is None:
                logger.error("recording %s is of a meeting that is not known: it is left alone", started.recording_id)
                continue
            await self.store.add_recording(started.recording_id, meeting, started.at_s)

    async def delete(self, recording_id: str, only_if_spare: bool = False) -> bool:
        """Cancel its jobs, delete its files, and forget it: in an order in which a start-up can finish what is begun.

        False, and nothing happens, as ``Store.begin_deletion`` says. Raises OSError when a file cannot be deleted.
        """
        async with self._jobs_lock:
            if not await self.store.begin_deletion(recording_id, only_if_spare):
                return False
            await self.pipeline.delete(recording_id)
        self.events.publish("recording-deleted", {"id": recording_id})
        await self._delete_rest(recording_id)
        return True

    async def finish_deletions(self) -> None:
        """Of what was being deleted when a server ended, or when a file could not be."""
        for row in await self.store.recordings(state=DELETING):
            try:
                await self.pipeline.delete(row.id)
                await self._delete_rest(row.id)
                logger.info("recording %s (%s) was being deleted, and now is", row.id, row.title)
            except OSError as error:
                logger.error("recording %s cannot be deleted; it is tried again later: %s", row.id, error)

    async def _delete_rest(self, recording_id: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(shutil.rmtree, self.recordings_dir / recording_id)
        await self.store.delete_recording(recording_id)

    def on_job_change(self, job: JobView) -> None:
        """The pipeline reports progress: tell the open pages of the job, which may not be the recording's latest, and
        of the recording.
        """
        self.events.publish("job", job.model_dump(mode="json"))
        task = asyncio.create_task(self._job_changed(job))
        self._tasks.add(task)
        task.add_done_callback(self._told)

    def _told(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("progress could not be told: %r", error, exc_info=error)

    async def _job_changed(self, job: JobView) -> None:
        row = await self.store.recording(job.recording_id)
        if row is not None and row.media and row.duration_s is None and job.steps[0].state == "done":
            await self._learn_length(row, job)
        await self.tell(job.recording_id)
        await TranscriptIndex(self.store, self.recordings_dir).enter(job)

    async def _learn_length(self, row: RecordingRow, job: JobView) -> None:
        """Of an uploaded file whose header does not tell it, from what the first step found."""
        path = self.recordings_dir / row.id / RESULTS / job.id / graph.PREPARED_FILE
        with contextlib.suppress(OSError, ValueError):
            prepared = Prepared.model_validate_json(await asyncio.to_thread(path.read_bytes))
            await self.store.change_recording(row.id, duration_s=prepared.timeline.duration_s)

    async def tell(self, recording_id: str) -> None:
        """Send the state of a recording to every open page."""
        row = await self.store.recording(recording_id)
        if row is not None:
            self.events.publish("recording", await self.describe(row))

    async def describe_all(self, rows: Sequence[RecordingRow]) -> list[dict[str, Any]]:
        """Recordings as the list shows them, with one question to the database; without the logs of steps."""
        jobs = await self.pipeline.jobs_of([row.id for row in rows])
        described = [await self.describe(row, jobs.get(row.id, [])) for row in rows]
        for each in described:
            for step in each["job"]["steps"] if each["job"] else []:
                step["log_tail"] = []  # of long recordings a megabyte, and a list shows none of it
        return described

    async def describe(self, row: RecordingRow, jobs: list[JobView] | None = None) -> dict[str, Any]:
        """A recording as the list shows it."""
        if jobs is None:
            jobs = await self.pipeline.jobs(row.id)
        job = jobs[-1] if jobs else None
        done = next((each for each in reversed(jobs) if each.state == "done"), None)
        thumbnail = next((each.results["thumbnail"] for each in reversed(jobs) if "thumbnail" in each.results), None)
        return {
            "id": row.id,
            "meeting_id": row.meeting_id,
            "title": row.title,
            "started_at_s": row.started_at_s,
            "duration_s": row.duration_s,
            "people": row.people,
            "note": row.note,
            "kept": row.kept,
            "expires_at_s": expires_at_s(row, self.settings.recording),
            "upload": await asyncio.to_thread(self._upload_of, row) if row.media else None,
            "state": _state(row, job, done),
            "thumbnail": f"/api/recordings/{row.id}/files/{thumbnail}" if thumbnail else None,
            "size_bytes": await asyncio.to_thread(self._bytes_of, row),
            "job": job.model_dump(mode="json") if job else None,
        }

    def _bytes_of(self, row: RecordingRow) -> int:
        count = folder_bytes if row.state == "recording" else self._sizes.bytes_of
        return count(self.recordings_dir / row.id)

    def _upload_of(self, row: RecordingRow) -> dict[str, Any]:
        """The file as it was uploaded."""
        size_bytes = 0
        with contextlib.suppress(OSError):
            size_bytes = (self.recordings_dir / row.id / str(row.media)).stat().st_size
        url = f"/api/recordings/{row.id}/files/{row.media}"
        return {"filename": row.filename, "url": url, "size_bytes": size_bytes}

    async def close_meetings(self) -> None:
        """End every meeting; recordings are finished and queued."""
        for live in list(self._live.values()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(30):
                    await live.close()
        self._live.clear()


def _request(preset: Preset, files: FilesWanted = "meeting") -> ProcessRequest:
    chosen = ("denoiser", "transcriber", "language", "script", "numbers", "transcribe_from", "options", "layout")
    return ProcessRequest(**{name: getattr(preset, name) for name in chosen}, files=files)


def _state(row: RecordingRow, job: JobView | None, done: JobView | None) -> str:
    if row.state == "uploaded":
        return "processing"
    if row.state == "recording" or job is None:
        return row.state
    if job.state in ("queued", "running"):
        return "processing"
    return "ready" if done is not None else "failed" if job.state == "failed" else "recorded"


async def _insist(begin: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A server that ended because its disk is full would not be there when there is room again."""
    while True:
        try:
            return await begin()
        except DatabaseUnavailable as error:
            logger.error("the server cannot begin yet: %s", error)


def _unknown(folder: Path, known: set[str]) -> list[Started]:
    """The beginnings of recordings in ``folder`` that are not among the known."""
    found = []
    for journal in sorted(folder.glob(f"*/{MANIFEST_NAME}")):
        if journal.parent.name not in known:
            with contextlib.suppress(OSError, ValueError, IndexError):
                first = read_manifest(journal.parent)[0]
                if isinstance(first, Started) and first.recording_id == journal.parent.name:
                    found.append(first)
    return found


def _measure(folder: Path) -> tuple[float, list[str]]:
    """Length and people of a recording without an end, from its journal and its files."""
    timeline = build_timeline(read_manifest(folder), lambda file: segment_duration_s(folder / SEGMENTS / file))
    return timeline.duration_s, list(dict.fromkeys(person.name for person in timeline.people))
