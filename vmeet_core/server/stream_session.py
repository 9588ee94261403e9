"""One program that publishes to a meeting by WHIP (RFC 9725), or watches it by WHEP (draft-ietf-wish-whep)."""

import logging
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from vmeet_core import protocol
from vmeet_core.meetings import MeetingFull, StreamKind
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.live_meeting import LiveMeeting
from vmeet_core.server.programme import choose
from vmeet_core.server.statistics import TrafficMeter
from vmeet_core.sfu.b_frame_watch import REASON, BFrameWatch
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.peer_link import PeerLink
from vmeet_core.sfu.publish_connection import PublishConnection
from vmeet_core.sfu.stream_offer import StreamOffer
from vmeet_core.sfu.watch_connection import WatchConnection

logger = logging.getLogger(__name__)
CONNECT_S = 30.0  #: a program that has not connected within this time has gone


class StreamSession(ABC):
    """``id`` is unguessable; ``etag`` names the ICE session; ``ice_username`` is the program's.

    ``reason`` says why the server ends the session, None while there is none. ``changed`` is called when the
    connection's state or the reason has changed.
    """

    kind: StreamKind

    def __init__(self, live: LiveMeeting, link: PeerLink, offer: StreamOffer, changed: Callable[[], None]) -> None:
        self.id = secrets.token_urlsafe(16)
        self.etag = f'"{secrets.token_urlsafe(6)}"'
        self.live = live
        self.ice_username = offer.ice_username
        self.reason: str | None = None
        self._link = link
        self._offer = offer
        self._changed = changed
        self._began_s = time.monotonic()
        link.pc.on("connectionstatechange", changed)

    @abstractmethod
    async def negotiate(self) -> str:
        """The answer. Raises UnsupportedOffer or BadDescription."""

    @abstractmethod
    async def advance(self, now_s: float) -> None:
        """Do what is due: called at every change, and every second."""

    @property
    def is_connected(self) -> bool:
        return self._link.state == "connected"

    def is_over(self, now_s: float) -> bool:
        """Whether nothing can come of it any more."""
        state = self._link.state
        late = state in ("new", "connecting") and now_s - self._began_s > CONNECT_S
        return late or state in ("failed", "closed") or self.reason is not None

    def refuse(self, reason: str) -> None:
        """The server ends the session, and can say why."""
        self.reason = reason
        self._changed()

    async def close(self) -> None:
        """End the connection; twice is harmless."""
        await self._link.close()


class PublishSession(StreamSession):
    """Becomes a participant of the meeting when it has connected, and is one until it ends."""

    kind: StreamKind = "whip"

    def __init__(
        self, live: LiveMeeting, network: Network, offer: StreamOffer, name: str, changed: Callable[[], None]
    ) -> None:
        self._connection = PublishConnection(network)
        super().__init__(live, self._connection, offer, changed)
        self.name = name
        self.participant_id: str | None = None

    async def negotiate(self) -> str:
        """The answer. Raises UnsupportedOffer or BadDescription."""
        answer = await self._connection.negotiate(self._offer.sdp, self._offer.published())
        camera = self._connection.sources.get("camera")
        if camera is not None:
            camera.add_listener(BFrameWatch(self._refuse_b_frames))
        return self._offer.answer(answer)

    def _refuse_b_frames(self) -> None:
        for ingress in self._connection.sources.values():
            ingress.set_muted(True)
        self.refuse(REASON)

    async def advance(self, now_s: float) -> None:
        """Join the meeting as soon as there is a connection."""
        if self.participant_id is not None or not self.is_connected or self.reason is not None:
            return
        try:
            self.participant_id = await self.live.join_stream(self.name, self._connection)
        except MeetingFull as error:
            self.refuse(str(error))

    def is_over(self, now_s: float) -> bool:
        """Also when the meeting has let the participant go."""
        gone = self.participant_id is not None and self.participant_id not in self.live.attendees
        return gone or super().is_over(now_s)

    async def close(self) -> None:
        """Leave the meeting; hosts are told when it was the server that ended it."""
        if self.reason is not None:
            self._tell_hosts(f"{self.name}: {self.reason}")
        if self.participant_id is not None:
            await self.live.leave_stream(self.participant_id)
        await super().close()

    def _tell_hosts(self, text: str) -> None:
        for member in self.live.members.values():
            if member.participant.is_host:
                member.outbox.send(protocol.Error(code="stream-refused", message=text))


class WatchSession(StreamSession):
    """Is shown the meeting without being in it."""

    kind: StreamKind = "whep"

    def __init__(self, live: LiveMeeting, network: Network, offer: StreamOffer, changed: Callable[[], None]) -> None:
        self._connection = WatchConnection(network)
        super().__init__(live, self._connection, offer, changed)
        self._people: Mapping[str, Attendee] = {}
        self._speaker_id: str | None = None

    async def negotiate(self) -> str:
        """The answer. Raises UnsupportedOffer or BadDescription."""
        answer = await self._connection.negotiate(self._offer)
        self.live.add_watcher(self)
        return answer

    def refresh(self, people: Mapping[str, Attendee], speaker_id: str | None) -> None:
        """Something has changed in the meeting."""
        self._people, self._speaker_id = people, speaker_id
        self._show(time.monotonic())

    async def advance(self, now_s: float) -> None:
        """Somebody may have begun to send, or have stopped: nobody tells of that."""
        self._show(now_s)

    def count(self, traffic: TrafficMeter) -> None:
        """Add what was sent since the last time."""
        picture = self._connection.picture
        traffic.count_outgoing(self._connection, [*self._connection.sounds, *([picture] if picture else [])])

    def _show(self, now_s: float) -> None:
        programme = choose(self._people, self._order(), now_s)
        self._connection.show(programme.picture)
        self._connection.play(programme.sounds)

    def _order(self) -> list[str]:
        """Who speaks, who spoke, programs (most of them send no audio level), everybody else."""
        programs = [key for key, each in self.live.attendees.items() if each.participant.is_stream]
        first = [self._speaker_id] if self._speaker_id is not None else []
        return [*first, *self.live.speaker.recent, *programs]

    async def close(self) -> None:
        """Watch no more."""
        self.live.remove_watcher(self)
        await super().close()
