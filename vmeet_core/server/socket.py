"""The signalling socket of one page."""

import asyncio
import logging
import time
from collections.abc import Awaitable

from aiohttp import WSMsgType, web
from pydantic import ValidationError

from vmeet_core import protocol
from vmeet_core.full_disk import reason
from vmeet_core.meetings import MeetingFull
from vmeet_core.server.chat import ChatTooFast
from vmeet_core.server.live_meeting import LiveMeeting, NoRecordingChoice
from vmeet_core.server.meeting_captions import BadLanguage
from vmeet_core.server.meeting_effects import BadEffects
from vmeet_core.server.member import Member
from vmeet_core.server.outbox import Outbox
from vmeet_core.sfu.peer_link import BadDescription

logger = logging.getLogger(__name__)
#: Larger ones end the socket at once; between the two limits the page is told first.
HARD_LIMIT_BYTES = 8 * protocol.MAX_MESSAGE_BYTES
MAX_ERRORS = 20
MAX_ACTIONS = 64
#: Acted on one after another, since each may take a while.
NEGOTIATED = (protocol.Publish, protocol.Answer, protocol.Receive, protocol.Candidate, protocol.RecordingControl)
#: What a page may say that is not in the meeting yet.
OF_PREVIEW = (
    protocol.Publish, protocol.Answer, protocol.Receive, protocol.Candidate, protocol.View, protocol.Mute,
    protocol.Effects,
)  # fmt: skip


class Session:
    """Reads a page's messages and acts on them until the socket ends."""

    def __init__(self, live: LiveMeeting, socket: web.WebSocketResponse) -> None:
        self._live = live
        self._socket = socket
        self._outbox = Outbox(socket)
        self._member: Member | None = None
        self._errors = 0
        self._actions: asyncio.Queue[protocol.ClientMessage] = asyncio.Queue(MAX_ACTIONS)

    async def run(self) -> None:
        """Until the socket closes. Without a goodbye the person stays until the silence is noticed."""
        worker = asyncio.create_task(self._run_actions())
        try:
            async for frame in self._socket:
                if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                if not self._receive(frame.data):
                    break
        finally:
            worker.cancel()
            if self._member is not None:
                self._member.closed_s = time.monotonic()
                self._live.end_preview(self._member)
            await self._outbox.close()

    async def _run_actions(self) -> None:
        """Negotiation takes its time; heartbeats and mutes do not wait for it."""
        while True:
            message = await self._actions.get()
            if isinstance(message, protocol.Join):
                if not self._join(message):
                    self._outbox.finish()
                continue
            if self._member is not None and not await self._guard(self._act_as_member(self._member, message)):
                self._outbox.finish()

    def _receive(self, data: str | bytes) -> bool:
        if self._member is not None:
            self._member.heard_s = time.monotonic()
        if len(data) > protocol.MAX_MESSAGE_BYTES:
            return self._refuse("too-large", f"a message may have {protocol.MAX_MESSAGE_BYTES} bytes, not {len(data)}")
        try:
            message = protocol.parse_client_message(data)
        except ValidationError as error:
            return self._refuse("bad-message", explain(error))
        return self._act(message)

    def _refuse(self, code: str, text: str) -> bool:
        self._errors += 1
        fatal = self._errors >= MAX_ERRORS
        logger.info("meeting %s: refused (%s): %s", self._live.meeting.id, code, text)
        self._outbox.send(protocol.Error.model_validate({"code": code, "message": text, "fatal": fatal}))
        return not fatal

    def _act(self, message: protocol.ClientMessage) -> bool:
        if isinstance(message, protocol.Ping):
            self._outbox.send(protocol.Pong(number=message.number))
            return True
        if isinstance(message, protocol.Join):
            # After a preview in its turn: what is being published then is there first.
            return self._queue(message) if self._previews() else self._join(message)
        if isinstance(message, protocol.Preview):
            return self._preview(message)
        if self._member is None or not self._live.is_here(self._member):
            return self._refuse("not-joined", f"{message.type} was sent before join, or after leaving")
        if isinstance(message, protocol.Leave):
            self._live.leave(self._member, "left")
            return False
        if self._previews() and not isinstance(message, OF_PREVIEW):
            return self._refuse("not-joined", f"{message.type} was sent before join")
        if isinstance(message, NEGOTIATED):
            return self._queue(message)
        return self._act_at_once(self._member, message)

    def _queue(self, message: protocol.ClientMessage) -> bool:
        try:
            self._actions.put_nowait(message)
        except asyncio.QueueFull:
            return self._refuse("too-large", f"more than {MAX_ACTIONS} messages wait to be acted on")
        return True

    def _act_at_once(self, member: Member, message: protocol.ClientMessage) -> bool:
        """What does not wait for a negotiation."""
        if isinstance(message, protocol.Mute):
            return self._mute(member, message)
        if isinstance(message, protocol.View):
            member.show(message)
        elif isinstance(message, protocol.Effects):
            self._wish(member, message.effects)
        elif isinstance(message, protocol.Chat):
            self._write(member, message.text)
        elif isinstance(message, protocol.RecordingSeen):
            self._live.note_recording_seen(member)
        elif isinstance(message, protocol.RecordingChosen):
            self._choose_recording(member, message.recorded)
        elif isinstance(message, protocol.LeaveOut):
            return self._leave_out(member, message)
        elif isinstance(message, protocol.SpokenLanguage):
            self._speak(member, message.language)
        return True

    def _speak(self, member: Member, language: str | None) -> None:
        try:
            self._live.captions.set_language(member.participant, language)
        except BadLanguage as error:  # the settings of a server may have changed since the page was loaded
            self._outbox.send(protocol.Error(code="bad-language", message=str(error)))

    def _choose_recording(self, member: Member, recorded: bool) -> None:
        try:
            self._live.choose_recording(member, recorded)
        except NoRecordingChoice as error:  # the settings of a server may have changed since the page was loaded
            self._outbox.send(protocol.Error(code="no-choice", message=str(error)))

    def _leave_out(self, member: Member, message: protocol.LeaveOut) -> bool:
        if not member.participant.is_host:
            return self._refuse("not-host", "only the host leaves people out of recordings")
        self._live.leave_out(message.participant_id, message.left_out)
        return True

    def _wish(self, member: Member, wishes: protocol.EffectWishes) -> None:
        try:
            self._live.wish(member, wishes)
        except BadEffects as error:  # the settings of a server may have changed since the page was loaded
            self._outbox.send(protocol.Error(code="bad-effects", message=str(error)))

    def _mute(self, member: Member, message: protocol.Mute) -> bool:
        if message.source == "camera-small":
            return self._refuse("bad-message", "source: camera-small is off and on with camera; mute that")
        self._live.mute(member, message.source, message.muted)
        return True

    def _write(self, member: Member, text: str) -> None:
        try:
            self._live.write(member, text)
        except ChatTooFast as error:  # an eager writer is no broken page: it does not count as an error
            self._outbox.send(protocol.Error(code="too-fast", message=str(error)))

    def _previews(self) -> bool:
        return self._member is not None and self._live.previews.get(self._member.participant.id) is self._member

    def _preview(self, message: protocol.Preview) -> bool:
        if self._member is not None:
            return self._refuse("bad-message", "preview was sent after preview or join")
        try:
            self._member = self._live.preview(message, self._outbox)
        except MeetingFull as error:
            return self._refuse("full", str(error))
        return True

    def _join(self, message: protocol.Join) -> bool:
        preview = self._member if self._previews() else None
        if self._member is not None and preview is None:
            return self._refuse("bad-message", "join was sent twice")
        try:
            self._member = self._live.join(message, self._outbox, preview)
        except MeetingFull as error:
            return self._refuse("full", str(error))
        return True

    async def _guard(self, action: Awaitable[None]) -> bool:
        """A failure is told to the page that caused it and goes no further."""
        try:
            async with asyncio.timeout(30):
                await action
        except BadDescription as error:
            return self._refuse("bad-sdp", str(error))
        except OSError as error:
            return self._refuse("recording-failed", f"the recording cannot be started: {reason(error)}")
        except Exception:
            logger.exception("meeting %s: a message could not be handled", self._live.meeting.id)
            return self._refuse("internal", "the server could not do this; its log says why")
        return True

    async def _act_as_member(self, member: Member, message: protocol.ClientMessage) -> None:
        if isinstance(message, protocol.Publish):
            await self._live.publish(member, message)
        elif isinstance(message, protocol.Answer):
            await member.accept(message)
        elif isinstance(message, protocol.Receive):
            await member.renew_receive()
        elif isinstance(message, protocol.Candidate):
            await member.add_candidate(message)
        elif isinstance(message, protocol.RecordingControl):
            await self._control_recording(member, message)

    async def _control_recording(self, member: Member, message: protocol.RecordingControl) -> None:
        if not member.participant.is_host:
            self._refuse("not-host", "only the host starts and stops the recording")
        elif message.action == "start":
            await self._live.start_recording(member.participant.name)
        else:
            await self._live.stop_recording("the host stopped it")


def explain(error: ValidationError) -> str:
    """The first faults of a message in one line, each with its field."""
    faults = [f"{'.'.join(map(str, fault['loc'])) or 'message'}: {fault['msg']}" for fault in error.errors()[:3]]
    return "; ".join(faults)
