"""The recording of one meeting while it runs: which sources are listened to, and who is told."""

import asyncio
import secrets
import shutil
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, NamedTuple, get_args

from vmeet_core import protocol
from vmeet_core.manifest import Joined, Left, LeftOut, LeftOutBy, Muted, SourceKind, Started
from vmeet_core.meetings import Meeting, Participant
from vmeet_core.recording.recorder import Recorder
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.taps import Tap

OnRecording = Callable[[Meeting, Recorder], Coroutine[Any, Any, None]]
OnRecorded = Callable[[Meeting, Recorder, list[str], str | None], Coroutine[Any, Any, None]]
ENTERED_S = 2.0  #: what entering a recording in the database may delay its beginning, and the news of its end
#: The small picture of a camera is the same picture once more.
RECORDED: tuple[SourceKind, ...] = tuple(source for source in get_args(SourceKind) if source != "camera-small")


class RecordingPlace(NamedTuple):
    """``folder`` gets a folder per recording; the two callbacks tell the server when one begins and ends.

    ``part_s`` is as in ``Started``.
    """

    folder: Path
    min_free_bytes: int
    on_recording: OnRecording
    on_recorded: OnRecorded
    part_s: float | None = None


class MeetingRecording:
    """``attendees`` gives those who are in the meeting, ``broadcast`` tells the pages, ``spawn`` runs on its own."""

    def __init__(
        self,
        meeting: Meeting,
        place: RecordingPlace,
        attendees: Callable[[], Iterable[Attendee]],
        broadcast: Callable[[protocol.ServerMessage], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self.recorder: Recorder | None = None
        self._meeting = meeting
        self._place = place
        self._attendees = attendees
        self._broadcast = broadcast
        self._spawn = spawn
        self._names: dict[str, None] = {}
        self._left_out: dict[str, LeftOutBy | None] = {}  # as the journal has it
        self._tasks: set[asyncio.Task[None]] = set()
        self._taps: dict[tuple[str, SourceKind], Tap] = {}
        self._lock = asyncio.Lock()

    @property
    def is_busy(self) -> bool:
        """Whether one runs, begins or ends."""
        return self.recorder is not None or self._lock.locked() or bool(self._tasks)

    # ---- beginning and end ----

    async def start(self, started_by: str | None = None) -> None:
        """Begin to record everyone who may be; harmless when it runs. ``started_by`` is a name for everyone to read.

        Raises OSError when the disk does not take it.
        """
        await self._protected(self._start(started_by))

    async def stop(self, reason: str, failed: bool = False) -> None:
        """End the recording, if any; everyone is told, with the reason when it stopped by itself."""
        await self._protected(self._stop(reason, failed))

    async def _protected(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """To the end, even when the page that asked for it goes meanwhile."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _start(self, started_by: str | None) -> None:
        async with self._lock:
            if self.recorder is not None:
                return
            recorder = await self._new_recorder()
            # What is said while the database does not answer must not be lost: it is waited for, but not long.
            entering = asyncio.create_task(self._place.on_recording(self._meeting, recorder))
            await asyncio.wait({entering}, timeout=ENTERED_S)
            self._names, self._left_out = {}, {}
            # Told first: nobody's sound or picture is taken before.
            self._tell(
                protocol.RecordingInfo(
                    active=True,
                    recording_id=recorder.recording_id,
                    started_at_s=recorder.started_at_s,
                    started_by=started_by,
                )
            )
            self.recorder = recorder
            for attendee in self._attendees():
                self.note_join(attendee.participant)
                self.listen_to(attendee)
            await entering

    async def _new_recorder(self) -> Recorder:
        started_at_s = time.time()
        recording_id = time.strftime("%Y%m%d-%H%M%S-", time.gmtime(started_at_s)) + secrets.token_hex(4)
        meeting, folder = self._meeting, self._place.folder / recording_id
        started = Started(
            at_s=started_at_s,
            recording_id=recording_id,
            meeting_id=meeting.id,
            title=meeting.title,
            part_s=self._place.part_s,
        )
        loop = asyncio.get_running_loop()

        def on_failure(reason: str) -> None:
            loop.call_soon_threadsafe(lambda: self._spawn(self._stop(reason, failed=True)))

        try:
            return await asyncio.to_thread(Recorder, folder, started, self._place.min_free_bytes, on_failure)
        except OSError:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise

    async def _stop(self, reason: str, failed: bool) -> None:
        async with self._lock:
            recorder, self.recorder = self.recorder, None
            if recorder is None:
                return
            for tap in self._taps.values():
                tap.close()
            self._taps.clear()
            await asyncio.to_thread(recorder.stop, reason)
            note = reason if failed else None
            ended = self._place.on_recorded(self._meeting, recorder, list(self._names), note)
            entering = asyncio.create_task(ended)
            await asyncio.wait({entering}, timeout=ENTERED_S)  # first: whoever is told may ask for it at once
            self._tell(protocol.RecordingInfo(active=False), note)
            await entering

    def _tell(self, info: protocol.RecordingInfo, reason: str | None = None) -> None:
        self._meeting.recording = info
        self._broadcast(protocol.RecordingChanged(recording=info, reason=reason))

    # ---- while it runs; all of these do nothing when none does ----

    def note_join(self, participant: Participant) -> None:
        """Somebody is here, perhaps under another name than before."""
        if self.recorder is None:
            return
        now_s = time.time()
        self.recorder.event(Joined(at_s=now_s, participant_id=participant.id, name=participant.name))
        for source in participant.muted:
            self.recorder.event(Muted(at_s=now_s, participant_id=participant.id, source=source, muted=True))
        self._note_consent(participant, now_s)

    def note_choice(self, attendee: Attendee) -> None:
        """Somebody may be left out from now on, or no longer."""
        if self.recorder is None:
            return
        self._note_consent(attendee.participant, time.time())
        self.follow(attendee)

    def _note_consent(self, participant: Participant, at_s: float) -> None:
        """To the journal, and what listens to somebody who is left out ends before anything more comes."""
        if self.recorder is None:
            return
        person, by = participant.id, participant.consent.left_out
        before = self._left_out.get(person)
        if by is not None:
            self._drop(person)
        else:
            self._names[participant.name] = None
        if by != before:
            word = by or before
            assert word is not None
            self.recorder.event(LeftOut(at_s=at_s, participant_id=person, left_out=by is not None, by=word))
        self._left_out[person] = by

    def note_mute(self, participant_id: str, source: SourceKind, muted: bool) -> None:
        """A source was turned off or on."""
        if self.recorder is not None:
            self.recorder.event(Muted(at_s=time.time(), participant_id=participant_id, source=source, muted=muted))

    def note_leave(self, participant_id: str) -> None:
        """Somebody has gone."""
        self._drop(participant_id)
        if self.recorder is not None:
            self.recorder.event(Left(at_s=time.time(), participant_id=participant_id))

    def follow(self, attendee: Attendee, only: SourceKind | None = None) -> None:
        """What others may have of a source, or of all, may be something else now: if so, record that."""
        for source in [each for each in attendee.sources if only in (None, each)]:
            tap = self._taps.get((attendee.participant.id, source))
            if tap is None or tap.tapped is not attendee.recorded(source):
                self.listen_to(attendee, source)

    def listen_to(self, attendee: Attendee, only: SourceKind | None = None) -> None:
        """Record what others may see and hear of this person now, in place of what it was before.

        The one place where anything begins to be recorded: nothing does of somebody who is left out.
        """
        person = attendee.participant.id
        self._drop(person, only)
        if self.recorder is None or attendee.participant.consent.left_out is not None:
            return
        for source in [each for each in attendee.sources if only in (None, each)]:
            recorded = attendee.recorded(source) if source in RECORDED else None
            if recorded is not None:
                self._taps[person, source] = Tap(self.recorder, person, source, recorded)

    def _drop(self, participant_id: str, only: SourceKind | None = None) -> None:
        for key in [key for key in self._taps if key[0] == participant_id and only in (None, key[1])]:
            self._taps.pop(key).close()
