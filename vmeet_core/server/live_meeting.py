"""A meeting while people are in it: who is here, who sees whom, and its recording."""

import asyncio
import contextlib
import logging
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

from vmeet_core import protocol
from vmeet_core.manifest import Joined, Left, Muted, SourceKind, Started
from vmeet_core.meetings import Meeting, Participant
from vmeet_core.recording.recorder import Recorder
from vmeet_core.server.member import Member
from vmeet_core.server.outbox import Outbox
from vmeet_core.server.taps import Tap
from vmeet_core.sfu.ingress import Ingress

logger = logging.getLogger(__name__)
SWEEP_S = 0.5

OnRecording = Callable[[Meeting, Recorder], Awaitable[None]]
OnRecorded = Callable[[Meeting, Recorder, list[str], str | None], Awaitable[None]]


class LiveMeeting:
    """``recordings_dir`` gets a folder per recording; the two callbacks tell the server when one begins and ends."""

    def __init__(
        self,
        meeting: Meeting,
        ice_servers: list[dict[str, str]],
        recordings_dir: Path,
        min_free_bytes: int,
        on_recording: OnRecording,
        on_recorded: OnRecorded,
    ) -> None:
        self.meeting = meeting
        self.members: dict[str, Member] = {}
        self._ice_servers = ice_servers
        self._recordings_dir = recordings_dir
        self._min_free_bytes = min_free_bytes
        self._on_recording = on_recording
        self._on_recorded = on_recorded
        self._recorder: Recorder | None = None
        self._recorded_names: list[str] = []
        self._taps: dict[tuple[str, SourceKind], Tap] = {}
        self._recording_lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._busy_s = time.monotonic()
        self._sweeper = asyncio.create_task(self._sweep())

    # ---- coming and going ----

    async def join(self, message: protocol.Join, outbox: Outbox) -> Member:
        """Welcome a page; an older page of the same person is told and closed. Raises MeetingFull."""
        participant = self.meeting.join(message.name, message.token, message.host_key)
        previous = self.members.get(participant.id)
        member = Member(participant, outbox, self._ice_servers)
        self.members[participant.id] = member
        if previous is not None:
            self._drop_taps(participant.id)
            previous.outbox.send(
                protocol.Replaced(reason="This meeting was opened in another page with the same identity.")
            )
            self._spawn(previous.close())
        outbox.send(self._welcome(participant))
        self._record_join(participant)
        self._tell_changed(participant)
        self._refresh_all()
        logger.info("meeting %s: %s joined (%d people)", self.meeting.id, participant.id, len(self.members))
        return member

    def _welcome(self, participant: Participant) -> protocol.Welcome:
        return protocol.Welcome(
            participant_id=participant.id,
            token=participant.token,
            is_host=participant.is_host,
            meeting_id=self.meeting.id,
            title=self.meeting.title,
            participants=[p.info() for p in self.meeting.participants.values()],
            recording=self.meeting.recording,
            ice_servers=self._ice_servers,
        )

    def leave(self, member: Member, reason: Literal["left", "lost"]) -> None:
        """A page is gone for good; harmless when it was replaced or is gone already."""
        participant = member.participant
        if self.members.get(participant.id) is not member:
            return
        del self.members[participant.id]
        self._drop_taps(participant.id)
        self.meeting.leave(participant.id)
        if self._recorder is not None:
            self._recorder.event(Left(at_s=time.time(), participant_id=participant.id))
        self._spawn(member.close())
        self.broadcast(protocol.ParticipantLeft(participant_id=participant.id, reason=reason))
        self._refresh_all()
        logger.info("meeting %s: %s %s (%d people)", self.meeting.id, participant.id, reason, len(self.members))
        if not self.members:
            self._spawn(self.stop_recording("everyone has left"))

    async def _sweep(self) -> None:
        """Whoever was silent for too long has gone: a killed tab says no goodbye."""
        while True:
            await asyncio.sleep(SWEEP_S)
            deadline_s = time.monotonic() - protocol.SILENCE_S
            for member in list(self.members.values()):
                if member.heard_s < deadline_s:
                    self.leave(member, "lost")

    def broadcast(self, message: protocol.ServerMessage) -> None:
        """To everyone in the meeting."""
        for member in self.members.values():
            member.outbox.send(message)

    def _tell_changed(self, participant: Participant) -> None:
        self.broadcast(protocol.ParticipantChanged(participant=participant.info()))

    # ---- media ----

    async def publish(self, member: Member, message: protocol.Publish) -> None:
        """A page begins to send. Raises BadDescription."""
        answer = await member.negotiate_publish(message)
        self._drop_taps(member.participant.id)
        member.participant.sources = list(member.sources)
        member.outbox.send(protocol.Published(sdp=answer))
        self._add_taps(member)
        self._tell_changed(member.participant)
        self._refresh_all()

    def mute(self, member: Member, source: SourceKind, muted: bool) -> None:
        """Turn a source off or on, here and in the recording."""
        participant = member.participant
        participant.set_muted(source, muted)
        ingress = member.sources.get(source)
        if ingress is not None:
            ingress.set_muted(muted)
        if self._recorder is not None:
            self._recorder.event(Muted(at_s=time.time(), participant_id=participant.id, source=source, muted=muted))
        self._tell_changed(participant)

    def refresh(self, member: Member) -> None:
        """Bring one person's slots up to date."""
        self._spawn(member.show(lambda: self._others(member)))

    def _refresh_all(self) -> None:
        for member in self.members.values():
            self.refresh(member)

    def _others(self, member: Member) -> dict[str, dict[SourceKind, Ingress]]:
        return {key: other.sources for key, other in self.members.items() if other is not member}

    # ---- recording ----

    async def start_recording(self) -> None:
        """Begin to record everyone; harmless when it runs. Raises OSError when the disk does not take it."""
        await self._protected(self._start_recording())

    async def stop_recording(self, reason: str, failed: bool = False) -> None:
        """End the recording, if any; everyone is told, with the reason when it stopped by itself."""
        await self._protected(self._stop_recording(reason, failed))

    async def _protected(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """To the end, even when the page that asked for it goes meanwhile."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _start_recording(self) -> None:
        async with self._recording_lock:
            if self._recorder is not None:
                return
            recorder = await self._new_recorder()
            await self._on_recording(self.meeting, recorder)
            self._recorder = recorder
            self._recorded_names = []
            for member in self.members.values():
                self._record_join(member.participant)
                self._add_taps(member)
            self._set_recording(
                protocol.RecordingInfo(
                    active=True, recording_id=recorder.recording_id, started_at_s=recorder.started_at_s
                )
            )

    async def _new_recorder(self) -> Recorder:
        started_at_s = time.time()
        recording_id = time.strftime("%Y%m%d-%H%M%S-", time.gmtime(started_at_s)) + secrets.token_hex(4)
        started = Started(
            at_s=started_at_s, recording_id=recording_id, meeting_id=self.meeting.id, title=self.meeting.title
        )
        loop = asyncio.get_running_loop()
        folder = self._recordings_dir / recording_id

        def on_failure(reason: str) -> None:
            loop.call_soon_threadsafe(lambda: self._spawn(self.stop_recording(reason, failed=True)))

        try:
            return await asyncio.to_thread(Recorder, folder, started, self._min_free_bytes, on_failure)
        except OSError:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise

    async def _stop_recording(self, reason: str, failed: bool) -> None:
        async with self._recording_lock:
            recorder, self._recorder = self._recorder, None
            if recorder is None:
                return
            for tap in self._taps.values():
                tap.close()
            self._taps.clear()
            await asyncio.to_thread(recorder.stop, reason)
            note = reason if failed else None
            self._set_recording(protocol.RecordingInfo(active=False), note)
            await self._on_recorded(self.meeting, recorder, list(dict.fromkeys(self._recorded_names)), note)

    def _set_recording(self, info: protocol.RecordingInfo, reason: str | None = None) -> None:
        self.meeting.recording = info
        self.broadcast(protocol.RecordingChanged(recording=info, reason=reason))

    def _record_join(self, participant: Participant) -> None:
        if self._recorder is None:
            return
        now_s = time.time()
        self._recorded_names.append(participant.name)
        self._recorder.event(Joined(at_s=now_s, participant_id=participant.id, name=participant.name))
        for source in participant.muted:
            self._recorder.event(Muted(at_s=now_s, participant_id=participant.id, source=source, muted=True))

    def _add_taps(self, member: Member) -> None:
        if self._recorder is None:
            return
        for source, ingress in member.sources.items():
            key = (member.participant.id, source)
            self._taps[key] = Tap(self._recorder, key[0], source, ingress)

    def _drop_taps(self, participant_id: str) -> None:
        for key in [key for key in self._taps if key[0] == participant_id]:
            self._taps.pop(key).close()

    # ---- end ----

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("meeting %s: %r", self.meeting.id, error, exc_info=error)

    @property
    def idle_s(self) -> float:
        """For how long nobody has been here and nothing was left to do."""
        if self.members or self._recorder is not None or self._tasks or self._recording_lock.locked():
            self._busy_s = time.monotonic()
        return time.monotonic() - self._busy_s

    async def close(self, reason: str = "the server stops") -> None:
        """End the meeting for everyone: the recording first, so that nothing is lost."""
        self._sweeper.cancel()
        await self.stop_recording(reason)
        for member in list(self.members.values()):
            self.leave(member, "left")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
