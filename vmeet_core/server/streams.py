"""All programs that publish to meetings or watch them: how many there may be, and when one has gone."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

from vmeet_core.meetings import StreamKind
from vmeet_core.server.live_meeting import LiveMeeting
from vmeet_core.server.stream_session import PublishSession, StreamSession, WatchSession
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.stream_offer import StreamOffer

logger = logging.getLogger(__name__)
MAX_PUBLISHERS = 10  #: of one meeting
MAX_WATCHERS = 100  #: of one meeting
MAX_REFUSALS = 256
REFUSAL_S = 600.0  #: for so long the server can say why it ended a session
SWEEP_S = 1.0


class StreamsFull(Exception):
    """No more programs fit into the meeting."""


class Refusal(NamedTuple):
    """Why the server ended a session, and when."""

    meeting_id: str
    kind: StreamKind
    reason: str
    at_s: float


class Streams:
    """The sessions by id; each leaves by itself when its connection is lost."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._sessions: dict[str, StreamSession] = {}
        self._refusals: dict[str, Refusal] = {}
        self._wake = asyncio.Event()  # something has changed in a session

    async def publish(self, live: LiveMeeting, offer: StreamOffer, name: str) -> tuple[StreamSession, str]:
        """A session and its answer. Raises StreamsFull, UnsupportedOffer or BadDescription."""
        self._check_room(live, "whip", MAX_PUBLISHERS)
        return await self._open(PublishSession(live, self._network, offer, name, self._wake.set))

    async def watch(self, live: LiveMeeting, offer: StreamOffer) -> tuple[StreamSession, str]:
        """A session and its answer. Raises StreamsFull, UnsupportedOffer or BadDescription."""
        self._check_room(live, "whep", MAX_WATCHERS)
        return await self._open(WatchSession(live, self._network, offer, self._wake.set))

    def _check_room(self, live: LiveMeeting, kind: StreamKind, limit: int) -> None:
        if sum(session.kind == kind for session in self.of(live)) >= limit:
            raise StreamsFull(f"{limit} programs {'publish to' if kind == 'whip' else 'watch'} this meeting already")

    async def _open(self, session: StreamSession) -> tuple[StreamSession, str]:
        self._sessions[session.id] = session
        try:
            answer = await session.negotiate()
        except BaseException:
            await self.end(session)
            raise
        logger.info("meeting %s: a %s session begins", session.live.meeting.id, session.kind)
        return session, answer

    def of(self, live: LiveMeeting) -> list[StreamSession]:
        """Those of one meeting."""
        return [session for session in self._sessions.values() if session.live.meeting.id == live.meeting.id]

    def find(self, meeting_id: str, kind: StreamKind, session_id: str) -> StreamSession | Refusal | None:
        """The session, why the server has ended it, or None when neither is known."""
        session = self._sessions.get(session_id)
        if session is not None and session.live.meeting.id == meeting_id and session.kind == kind:
            return session
        refusal = self._refusals.get(session_id)
        return refusal if refusal is not None and (refusal.meeting_id, refusal.kind) == (meeting_id, kind) else None

    async def end(self, session: StreamSession) -> None:
        """The program has gone, or has to go; harmless when it was ended already."""
        if self._sessions.pop(session.id, None) is None:
            return
        if session.reason is not None:
            self._note_refusal(session, session.reason)
        logger.info("meeting %s: a %s session ends", session.live.meeting.id, session.kind)
        await session.close()

    def _note_refusal(self, session: StreamSession, reason: str) -> None:
        meeting_id = session.live.meeting.id
        logger.warning("meeting %s: a %s session was ended: %s", meeting_id, session.kind, reason)
        while len(self._refusals) >= MAX_REFUSALS:
            del self._refusals[next(iter(self._refusals))]
        self._refusals[session.id] = Refusal(meeting_id, session.kind, reason, time.monotonic())

    # ---- life ----

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks after the sessions meanwhile, and ends them afterwards."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await self.close()

    async def _run(self) -> None:
        """Every second, and at once when something has changed."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._wake.wait()
            self._wake.clear()
            now_s = time.monotonic()
            for session in list(self._sessions.values()):
                await self._look_after(session, now_s)
            self.forget_refusals(now_s)

    async def _look_after(self, session: StreamSession, now_s: float) -> None:
        """What goes wrong with one session is no matter of the others."""
        try:
            if session.is_over(now_s):
                await self.end(session)
            else:
                await session.advance(now_s)
        except Exception:
            logger.exception("meeting %s: a %s session is in trouble", session.live.meeting.id, session.kind)

    def forget_refusals(self, now_s: float) -> None:
        """Those that are older than REFUSAL_S."""
        for key in [key for key, each in self._refusals.items() if now_s - each.at_s > REFUSAL_S]:
            del self._refusals[key]

    async def close(self) -> None:
        """End all sessions."""
        for session in list(self._sessions.values()):
            await self.end(session)
