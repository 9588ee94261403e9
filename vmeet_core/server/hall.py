"""All meetings that somebody is in, and what happens to a recording when it ends."""

import asyncio
import contextlib
import itertools
import logging
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from vmeet_core.database import Database
from vmeet_core.hookspecs import Permanent
from vmeet_core.manifest import SEGMENTS, read_manifest
from vmeet_core.media.segments import segment_duration_s
from vmeet_core.meetings import Choices, Meeting, new_meeting
from vmeet_core.pipeline.scheduler import Scheduler
from vmeet_core.pipeline.views import JobView, ProcessRequest
from vmeet_core.plugins import Registry
from vmeet_core.protocol import RecordingInfo
from vmeet_core.recording.recorder import Recorder
from vmeet_core.server.events import EventHub
from vmeet_core.server.ice_servers import page_ice_servers
from vmeet_core.server.live_engines import LiveEngines
from vmeet_core.server.live_meeting import LiveMeeting, Surroundings
from vmeet_core.server.meeting_effects import MeetingEffects
from vmeet_core.server.meeting_recording import RecordingPlace
from vmeet_core.server.statistics import TrafficMeter
from vmeet_core.server.store import RecordingRow, Store
from vmeet_core.settings import Preset, RecordingChoice, Settings
from vmeet_core.sfu.network import Network
from vmeet_core.timeline import build_timeline

logger = logging.getLogger(__name__)
SWEEP_S = 5.0


class Hall:
    """Joins the live meetings to the network, the database, the pipeline and the open pages."""

    def __init__(self, settings: Settings, registry: Registry, network: Network, traffic: TrafficMeter) -> None:
        self.settings = settings
        self._registry = registry
        self.events = EventHub()
        self.recordings_dir = Path(settings.server.data_dir) / "recordings"
        self._running: tuple[Store, Scheduler] | None = None
        self._live: dict[str, LiveMeeting] = {}
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        place = RecordingPlace(
            self.recordings_dir, settings.recording.min_free_bytes, self._on_recording, self._on_recorded
        )
        self.engines = LiveEngines(settings)
        self._surroundings = Surroundings(network, self._ice_servers, place, traffic, self.engines)

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
            self._live[meeting_id] = LiveMeeting(meeting, self._surroundings, effects, self._free_number())
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
                    if live.idle_s > SWEEP_S:
                        del self._live[meeting_id]
                        await live.close()

    # ---- recordings ----

    async def _on_recording(self, meeting: Meeting, recorder: Recorder) -> None:
        await self.store.add_recording(recorder.recording_id, meeting, recorder.started_at_s)
        await self.tell(recorder.recording_id)

    async def _on_recorded(self, meeting: Meeting, recorder: Recorder, people: list[str], note: str | None) -> None:
        duration_s = max(recorder.ended_at_s - recorder.started_at_s, 0.0)
        await self.store.finish_recording(recorder.recording_id, duration_s, people, note)
        await self._process_or_say_why(recorder.recording_id, self.preset_of(meeting))
        await self.tell(recorder.recording_id)

    def preset_of(self, meeting: Meeting) -> Preset:
        """What the meeting chose, over its preset; a preset that has gone from the settings counts as empty."""
        return meeting.choices.over(self.settings.meetings.get(meeting.preset, Preset()))

    async def _process_or_say_why(self, recording_id: str, preset: Preset) -> None:
        """A plugin that has gone since then must not cost the recording, nor be left out in silence."""
        try:
            await self.process(recording_id, preset)
        except Permanent as error:
            logger.warning("recording %s is kept, but not processed: %s", recording_id, error)
            await self.store.add_note(recording_id, f"not processed: {error}")

    async def process(self, recording_id: str, preset: Preset) -> str:
        """Queue the recording for the pipeline; returns the job's id. Raises Permanent for what cannot be had."""
        request = ProcessRequest(denoiser=preset.denoiser, options=preset.options)
        return await self.pipeline.submit(recording_id, self.recordings_dir / recording_id, request)

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

    @contextlib.asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator[None]:
        """Open: jobs that were interrupted continue, recordings that were cut short are recovered."""
        await self.engines.start()
        scheduler = Scheduler(database, self.settings, self.on_job_change, registry=self._registry)
        self._running = (Store(database), scheduler)
        await scheduler.start()
        await self.recover()
        sweeper = asyncio.create_task(self.forget_empty_meetings())
        try:
            yield
        finally:
            sweeper.cancel()
            await self.close_meetings()
            await self.engines.close()
            await scheduler.close()
            await asyncio.gather(*self._tasks, return_exceptions=True)  # cancelled, they would leave connections open

    async def recover(self) -> None:
        """Recordings that a crash cut short are closed and processed like the others."""
        for row in await self.store.recordings(state="recording"):
            folder = self.recordings_dir / row.id
            try:
                duration_s, people = await asyncio.to_thread(_measure, folder)
            except (OSError, ValueError) as error:
                logger.error("recording %s cannot be recovered: %s", row.id, error)
                await self.store.finish_recording(row.id, 0.0, [], f"its journal cannot be read: {error}")
                continue
            await self.store.finish_recording(row.id, duration_s, people, "the server was stopped while it recorded")
            meeting = await self.store.meeting(row.meeting_id)
            await self._process_or_say_why(row.id, self.preset_of(meeting) if meeting is not None else Preset())
            logger.info("recording %s was cut short and is recovered: %.1f s", row.id, duration_s)

    async def delete(self, row: RecordingRow) -> None:
        """Cancel its jobs, forget it, and delete its files."""
        await self.pipeline.delete(row.id)
        await self.store.delete_recording(row.id)
        await asyncio.to_thread(shutil.rmtree, self.recordings_dir / row.id, ignore_errors=True)
        self.events.publish("recording-deleted", {"id": row.id})

    def on_job_change(self, job: JobView) -> None:
        """The pipeline reports progress: tell the open pages."""
        task = asyncio.create_task(self.tell(job.recording_id))
        self._tasks.add(task)
        task.add_done_callback(self._told)

    def _told(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("progress could not be told: %r", error, exc_info=error)

    async def tell(self, recording_id: str) -> None:
        """Send the state of a recording to every open page."""
        row = await self.store.recording(recording_id)
        if row is not None:
            self.events.publish("recording", await self.describe(row))

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
            "state": _state(row, job, done),
            "thumbnail": f"/api/recordings/{row.id}/files/{thumbnail}" if thumbnail else None,
            "size_bytes": await asyncio.to_thread(folder_bytes, self.recordings_dir / row.id),
            "job": job.model_dump(mode="json") if job else None,
        }

    async def close_meetings(self) -> None:
        """End every meeting; recordings are finished and queued."""
        for live in list(self._live.values()):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(30):
                    await live.close()
        self._live.clear()


def _state(row: RecordingRow, job: JobView | None, done: JobView | None) -> str:
    if row.state == "recording" or job is None:
        return row.state
    if job.state in ("queued", "running"):
        return "processing"
    return "ready" if done is not None else "failed" if job.state == "failed" else "recorded"


def _measure(folder: Path) -> tuple[float, list[str]]:
    """Length and people of a recording without an end, from its journal and its files."""
    timeline = build_timeline(read_manifest(folder), lambda file: segment_duration_s(folder / SEGMENTS / file))
    return timeline.duration_s, list(dict.fromkeys(person.name for person in timeline.people))


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder; files that vanish meanwhile do not count."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total
