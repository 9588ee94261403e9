"""A meeting while people are in it: who is here, who sees whom, who speaks, and what is told to whom."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal, NamedTuple, Protocol

from vmeet_core import protocol
from vmeet_core.manifest import SourceKind
from vmeet_core.media.active_speaker import TICK_S, ActiveSpeaker, Voice
from vmeet_core.meetings import Meeting, MeetingFull, Participant, previewer, stream_token
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.chat import ChatLog
from vmeet_core.server.live_engines import LiveEngines
from vmeet_core.server.meeting_captions import CaptionPlan, MeetingCaptions
from vmeet_core.server.meeting_effects import BadEffects, MeetingEffects
from vmeet_core.server.meeting_recording import RECORDED, MeetingRecording, RecordingPlace
from vmeet_core.server.member import Member
from vmeet_core.server.outbox import Outbox
from vmeet_core.server.personal_effects import PersonalEffects
from vmeet_core.server.seats import RECENT_SPEAKERS, Room
from vmeet_core.server.statistics import STATISTICS_S, TrafficMeter, person_statistics
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.publish_connection import PublishConnection

logger = logging.getLogger(__name__)
SWEEP_S = 0.5
DISCONNECTED_S = 5.0  #: after so long without a word from a page, others see that its connection is troubled
MAX_PREVIEWS = 32  #: pages that look at their own picture before they come in
COALESCE_S = 0.05  #: changes that follow each other so fast are acted on together,
COALESCE_PER_PAGE_S = 0.003  #: and more of them the more pages there are: each costs 0.3 ms


class NoRecordingChoice(Exception):
    """The meeting records everyone."""


class Watcher(Protocol):
    """Somebody who is shown the meeting without being in it, such as a WHEP player."""

    def refresh(self, people: Mapping[str, Attendee], speaker_id: str | None) -> None:
        """Something has changed: everyone who publishes, in the order they came, and who speaks."""

    def count(self, traffic: TrafficMeter) -> None:
        """Add what was sent since the last time."""


class Surroundings(NamedTuple):
    """What a meeting needs of the server: ``ice_servers`` are those for the page of a participant id;
    ``keep_left_out`` is told when somebody else is left out by the host than before.
    """

    network: Network
    ice_servers: Callable[[str], list[dict[str, str]]]
    place: RecordingPlace
    traffic: TrafficMeter
    engines: LiveEngines
    keep_left_out: Callable[[Meeting], None]


class LiveMeeting:
    """``attendees`` is everyone in the order they came; ``members`` are those of them who have a page.

    ``previews`` are pages that are not in the meeting yet. ``effects`` are those that the meeting has; ``number`` is a
    small number of this meeting among those that live now, for metrics.
    """

    def __init__(
        self,
        meeting: Meeting,
        surroundings: Surroundings,
        effects: MeetingEffects,
        number: int = 0,
        captions: CaptionPlan | None = None,
    ) -> None:
        self.meeting = meeting
        self.effects = effects
        self.number = number
        self.previews: dict[str, Member] = {}
        self.attendees: dict[str, Attendee] = {}
        self.members: dict[str, Member] = {}
        self.chat = ChatLog()
        self.speaker = ActiveSpeaker()
        captioner = surroundings.engines.captioner(captions.provider) if captions is not None else None
        self.captions = MeetingCaptions(captions, captioner, lambda: self.attendees.values(), self.broadcast)
        self._around = surroundings
        self._watchers: dict[Watcher, None] = {}
        self._personal: dict[Attendee, PersonalEffects] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._recording = MeetingRecording(
            meeting, surroundings.place, lambda: self.attendees.values(), self.broadcast, self._spawn
        )
        self.start_recording = self._recording.start
        self.stop_recording = self._recording.stop
        self._turn = asyncio.Lock()
        self._busy_s = time.monotonic()
        self._refresh: asyncio.TimerHandle | None = None
        self._refreshed_s = 0.0
        loops = (self._sweep(), self._follow_speaker(), self._tell_statistics())
        self._loops = [asyncio.create_task(loop) for loop in loops]
        for task in self._loops:
            task.add_done_callback(self._done)

    # ---- coming and going ----

    def join(self, message: protocol.Join, outbox: Outbox, preview: Member | None = None) -> Member:
        """Welcome a page; an older page of the same person is told and closed. What a ``preview`` publishes goes on.

        Raises MeetingFull.
        """
        participant = self.meeting.join(message.name, message.token, message.host_key, message.recorded, message.told)
        if participant.consent.kept_out:  # whoever comes back may have another token from now on
            self._around.keep_left_out(self.meeting)
        previous = self.members.get(participant.id)
        voice = self.speaker.voice(participant.id)
        member = Member(participant, voice, outbox, self._around.network, self._turn)
        self.attendees[participant.id] = self.members[participant.id] = member
        wishes = message.effects or (preview.participant.effects if preview is not None else participant.effects)
        problem = self._first_effects(member, wishes)
        outbox.send(self._welcome(participant))
        self._tell_effects(member)
        if problem:
            outbox.send(protocol.Error(code="bad-effects", message=problem))
        if previous is not None:
            self._replace(previous, member)
        self._recording.note_join(participant)
        if preview is not None:
            self._move_in(preview, member)
        self._recording.note_choice(member)
        self.captions.follow(member)
        self._tell_changed(participant)
        self._changed()
        logger.info("meeting %s: %s joined (%d people)", self.meeting.id, participant.id, len(self.attendees))
        return member

    def _replace(self, previous: Member, member: Member) -> None:
        """What the older page sends goes on until the newer one sends something: nobody sees the person leave."""
        previous.count(self._around.traffic)
        member.inherit(previous)
        previous.outbox.send(
            protocol.Replaced(reason="This meeting was opened in another page with the same identity.")
        )
        self._end_page(previous)

    def _end_page(self, member: Member) -> None:
        """It does nothing any more from now on; its connections end soon."""
        self._personal.pop(member, None)
        member.retire()
        self._spawn(member.close())

    def preview(self, message: protocol.Preview, outbox: Outbox) -> Member:
        """A page that looks at its own picture before it comes in; nobody else sees it. Raises MeetingFull."""
        if len(self.previews) >= MAX_PREVIEWS:
            raise MeetingFull(f"{MAX_PREVIEWS} people are looking at their picture before they come in already")
        participant = previewer()
        member = Member(participant, Voice(), outbox, self._around.network, self._turn)
        self.previews[participant.id] = member
        problem = self._first_effects(member, message.effects)
        ice_servers = self._around.ice_servers(participant.id)
        outbox.send(protocol.Previewing(participant_id=participant.id, ice_servers=ice_servers))
        self._tell_effects(member)
        if problem:
            outbox.send(protocol.Error(code="bad-effects", message=problem))
        self._show_preview(member)
        return member

    def _show_preview(self, member: Member) -> None:
        person = member.participant.id
        member.refresh(Room(dict.fromkeys([person]), {}), {person: member})

    def _move_in(self, preview: Member, member: Member) -> None:
        """From the preview into the meeting: what is published goes on."""
        self.previews.pop(preview.participant.id, None)
        preview.count(self._around.traffic)
        member.participant.muted = list(preview.participant.muted)
        member.inherit(preview)
        preview.move_out()
        self._end_page(preview)
        self._recording.listen_to(member)

    def end_preview(self, member: Member) -> None:
        """The page has gone, without coming in. Harmless when it has come in."""
        if self.previews.pop(member.participant.id, None) is not None:
            member.count(self._around.traffic)
            self._end_page(member)

    def is_here(self, member: Member) -> bool:
        """Whether this page is in the meeting, or looks at its own picture, and was not replaced."""
        person = member.participant.id
        return member in (self.members.get(person), self.previews.get(person))

    def _welcome(self, participant: Participant) -> protocol.Welcome:
        return protocol.Welcome(
            participant_id=participant.id,
            token=participant.token,
            is_host=participant.is_host,
            meeting_id=self.meeting.id,
            title=self.meeting.title,
            participants=[p.info() for p in self.meeting.participants.values()],
            recording=self.meeting.recording,
            ice_servers=self._around.ice_servers(participant.id),
            chat=list(self.chat.entries),
            speaker_id=self.speaker.speaker_id,
            streams=self._stream_access() if participant.is_host else None,
            recording_choice=self.meeting.recording_choice,
            captions=self.captions.info(),
            said=list(self.captions.entries),
        )

    def _stream_access(self) -> protocol.StreamAccess:
        path = f"/api/meetings/{self.meeting.id}"
        return protocol.StreamAccess(
            whip_path=f"{path}/whip",
            whep_path=f"{path}/whep",
            whip_token=stream_token(self.meeting, "whip"),
            whep_token=stream_token(self.meeting, "whep"),
        )

    def leave(self, member: Member, reason: Literal["left", "lost"]) -> None:
        """A page is gone for good; harmless when it was replaced or is gone already."""
        participant = member.participant
        if self.members.get(participant.id) is not member:
            return
        del self.members[participant.id]
        self._remove(member, reason)
        self._end_page(member)
        if not self.members:
            self._spawn(self._recording.stop("everyone has left"))

    def _remove(self, attendee: Attendee, reason: Literal["left", "lost"]) -> None:
        person = attendee.participant.id
        del self.attendees[person]
        attendee.count(self._around.traffic)
        self._personal.pop(attendee, None)
        self.meeting.leave(person)
        self.chat.forget(person)
        self.captions.drop(person)
        self._recording.note_leave(person)
        self.broadcast(protocol.ParticipantLeft(participant_id=person, reason=reason))
        if self.speaker.speaker_id == person:
            self.broadcast(protocol.SpeakerChanged(participant_id=None))
        self.speaker.remove(person)
        self._changed()
        logger.info("meeting %s: %s %s (%d people)", self.meeting.id, person, reason, len(self.attendees))

    async def _sweep(self) -> None:
        """Whoever was silent for too long has gone: a killed tab says no goodbye."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for attendee in list(self.attendees.values()):
                if isinstance(attendee, Member):
                    self._look_after(attendee, time.monotonic())
                elif attendee.publish is None or attendee.publish.state in ("failed", "closed"):
                    await self.leave_stream(attendee.participant.id)
            for member in [each for each in self.previews.values() if each.is_gone(time.monotonic())]:
                self.end_preview(member)

    def _look_after(self, member: Member, now_s: float) -> None:
        if member.is_gone(now_s):
            self.leave(member, "lost")
            return
        connected = now_s - member.heard_s < DISCONNECTED_S
        if connected != member.participant.connected:
            member.participant.connected = connected
            self._tell_changed(member.participant)

    def broadcast(self, message: protocol.ServerMessage) -> None:
        """To everyone in the meeting who has a page."""
        text = message.model_dump_json()
        for member in self.members.values():
            member.outbox.send_text(text)

    def _tell_changed(self, participant: Participant) -> None:
        self.broadcast(protocol.ParticipantChanged(participant=participant.info()))

    # ---- programs that publish or watch ----

    async def join_stream(self, name: str, connection: PublishConnection) -> str:
        """A program publishes: it is seen, heard and recorded like anyone. Returns its id. Raises MeetingFull."""
        participant = self.meeting.join_stream(name)
        stream = Attendee(participant, self.speaker.voice(participant.id), connection)
        self.attendees[participant.id] = stream
        if self.effects.people_may_change != "everything":
            self._first_effects(stream, None)
        self._recording.note_join(participant)
        self._recording.listen_to(stream)
        self.captions.follow(stream)
        self._tell_changed(participant)
        self._changed()
        logger.info("meeting %s: %s streams (%d people)", self.meeting.id, participant.id, len(self.attendees))
        return participant.id

    async def leave_stream(self, participant_id: str) -> None:
        """The program has gone; its connection is closed. Harmless when it was gone already."""
        stream = self.attendees.get(participant_id)
        if stream is None or not stream.participant.is_stream:
            return
        self._remove(stream, "left")
        connection = stream.release()
        if connection is not None:
            await connection.close()

    def add_watcher(self, watcher: Watcher) -> None:
        """From now on it is told of every change, and soon of how things are."""
        self._watchers[watcher] = None
        self._changed()

    def remove_watcher(self, watcher: Watcher) -> None:
        """Harmless when unknown."""
        if watcher in self._watchers:
            del self._watchers[watcher]
            watcher.count(self._around.traffic)

    # ---- media ----

    async def publish(self, member: Member, message: protocol.Publish) -> None:
        """A page begins to send, or sends through another connection. Raises BadDescription."""
        connection, answer = await member.negotiate(message)
        member.count(self._around.traffic)
        previous = member.take(connection)
        member.outbox.send(protocol.Published(sdp=answer))
        if self.previews.get(member.participant.id) is member:
            self._show_preview(member)
        else:
            self._recording.listen_to(member)
            self.captions.follow(member)
            self._tell_changed(member.participant)
            self._changed()
        if previous is not None:
            await previous.close()

    def mute(self, member: Member, source: SourceKind, muted: bool) -> None:
        """Turn a source off or on, here and in the recording."""
        member.set_muted(source, muted)
        if self.previews.get(member.participant.id) is member:
            self._show_preview(member)
            return
        if source in RECORDED:
            self._recording.note_mute(member.participant.id, source, muted)
        self._tell_changed(member.participant)
        self._changed()

    # ---- who is recorded ----

    def choose_recording(self, member: Member, recorded: bool) -> None:
        """What a person says about being recorded, from this moment on. Raises NoRecordingChoice."""
        consent = member.participant.consent
        if not consent.may_choose:
            raise NoRecordingChoice("this meeting records everyone; ask the host to leave you out")
        consent.choose(recorded)
        self._choice_made(member)

    def note_recording_seen(self, member: Member) -> None:
        """Somebody has been told of the recording that runs."""
        member.participant.consent.told = True
        self._choice_made(member)

    def leave_out(self, participant_id: str, left_out: bool) -> None:
        """The host's word on whether somebody may be recorded; harmless when they have gone."""
        self.meeting.leave_out(participant_id, left_out)
        self._around.keep_left_out(self.meeting)
        attendee = self.attendees.get(participant_id)
        if attendee is not None:
            self._choice_made(attendee)

    def _choice_made(self, attendee: Attendee) -> None:
        self._recording.note_choice(attendee)
        self._tell_changed(attendee.participant)

    # ---- effects ----

    def _first_effects(self, attendee: Attendee, wishes: protocol.EffectWishes | None) -> str:
        """What somebody begins with; where their wishes cannot be had, what the meeting has. Returns why not, or ""."""
        personal = PersonalEffects(attendee, self.effects, self._around.engines, self._on_effects)
        self._personal[attendee] = personal
        if self.effects.may_protect:
            self._spawn(self._draw_card(attendee))
        try:
            personal.wish(wishes)
        except BadEffects as error:
            personal.wish(None)
            return str(error)
        return ""

    async def _draw_card(self, attendee: Attendee) -> None:
        attendee.set_card(await self._around.engines.card(attendee.participant.name))

    def wish(self, member: Member, wishes: protocol.EffectWishes) -> None:
        """Other effects for a person, from this moment on. Raises BadEffects."""
        self._personal[member].wish(wishes)
        self._tell_effects(member)

    def _tell_effects(self, member: Member) -> None:
        personal = self._personal.get(member)
        if personal is not None and not personal.is_empty:
            member.outbox.send(personal.message())

    def _on_effects(self, personal: PersonalEffects, source: SourceKind) -> None:
        """What others may see or hear of somebody may be something else from now on."""
        attendee = personal.attendee
        if self._personal.get(attendee) is not personal:
            return  # of a page that has gone
        if isinstance(attendee, Member):
            self._tell_effects(attendee)
        if self.attendees.get(attendee.participant.id) is attendee:
            self._recording.follow(attendee, source)
            self._tell_changed(attendee.participant)
            self._changed()
        elif isinstance(attendee, Member):
            self._show_preview(attendee)

    def write(self, member: Member, text: str) -> None:
        """A chat text for everyone. Raises ChatTooFast."""
        participant = member.participant
        entry = self.chat.add(participant.id, participant.name, text, time.monotonic(), time.time())
        self.broadcast(protocol.ChatReceived(entry=entry))

    def _changed(self) -> None:
        """Everyone's slots are brought up to date: at once, or soon if that has just been done."""
        if self._refresh is None:
            loop = asyncio.get_running_loop()
            pause_s = max(COALESCE_S, COALESCE_PER_PAGE_S * len(self.members))
            due_s = max(self._refreshed_s + pause_s, loop.time())
            self._refresh = loop.call_at(due_s, self._refresh_everyone)

    def _refresh_everyone(self) -> None:
        self._refresh = None
        self._refreshed_s = asyncio.get_running_loop().time()
        room = self._room()
        for member in self.members.values():
            member.refresh(room, self.attendees)
        publishers = {key: each for key, each in self.attendees.items() if each.publish is not None}
        for watcher in list(self._watchers):
            watcher.refresh(publishers, self.speaker.speaker_id)

    def _room(self) -> Room:
        people = [each.participant for each in self.attendees.values()]
        return Room(
            present=dict.fromkeys(each.id for each in people if each.has_on("microphone", "camera")),
            sharing=dict.fromkeys(each.id for each in people if each.has_on("screen")),
            recent=tuple(self.speaker.recent),
            speaker_id=self.speaker.speaker_id,
        )

    async def _follow_speaker(self) -> None:
        before_s = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            before = self.speaker.speaker_id, set(self.speaker.recent[:RECENT_SPEAKERS])
            self.speaker.tick(now_s - before_s)
            before_s = now_s
            if self.speaker.speaker_id != before[0]:
                self.broadcast(protocol.SpeakerChanged(participant_id=self.speaker.speaker_id))
            if (self.speaker.speaker_id, set(self.speaker.recent[:RECENT_SPEAKERS])) != before:
                self._changed()

    async def _tell_statistics(self) -> None:
        """A message to each page every STATISTICS_S, one after another so that nothing has to wait for all of them."""
        while True:
            people = []
            for attendee in list(self.attendees.values()):
                people.append(person_statistics(attendee.participant.id, attendee.measure()))
                attendee.count(self._around.traffic)
                await asyncio.sleep(0)
            for watcher in list(self._watchers):
                watcher.count(self._around.traffic)
            members = list(self.members.values())
            for member in members:
                member.tell_statistics(people)
                await asyncio.sleep(STATISTICS_S / len(members))
            if not members:
                await asyncio.sleep(STATISTICS_S)

    # ---- end ----

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("meeting %s: %r", self.meeting.id, error, exc_info=error)

    @property
    def idle_s(self) -> float:
        """For how long nobody has been here and nothing was left to do."""
        if self.attendees or self.previews or self._watchers or self._recording.is_busy or self._tasks:
            self._busy_s = time.monotonic()
        return time.monotonic() - self._busy_s

    async def close(self, reason: str = "the server stops") -> None:
        """End the meeting for everyone: the recording first, so that nothing is lost."""
        for loop in self._loops:
            loop.cancel()
        await self._recording.stop(reason)
        for preview in list(self.previews.values()):
            self.end_preview(preview)
        for attendee in list(self.attendees.values()):
            if isinstance(attendee, Member):
                self.leave(attendee, "left")
            else:
                await self.leave_stream(attendee.participant.id)
        self.captions.close()
        if self._refresh is not None:
            self._refresh.cancel()
            self._refresh = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))
