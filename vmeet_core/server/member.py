"""A person who is in a meeting right now: a page's socket and the two connections."""

import asyncio
import logging
import time
from collections.abc import Callable

from vmeet_core import protocol
from vmeet_core.manifest import SourceKind
from vmeet_core.meetings import Participant
from vmeet_core.server.outbox import Outbox
from vmeet_core.sfu.connections import BadDescription, PublishConnection, ReceiveConnection
from vmeet_core.sfu.ingress import Ingress

logger = logging.getLogger(__name__)


class Member:
    """``participant`` is who it is; this object is one page of theirs and ends with it."""

    def __init__(self, participant: Participant, outbox: Outbox, ice_servers: list[dict[str, str]]) -> None:
        self.participant = participant
        self.outbox = outbox
        self.heard_s = time.monotonic()
        self.publish: PublishConnection | None = None
        self.receive = ReceiveConnection(ice_servers, self._send_offer)
        self._ice_servers = ice_servers
        self._seats: dict[str, int] = {}  # participant id -> slot
        self._lock = asyncio.Lock()
        self._closed = False

    def _send_offer(self, sdp: str, negotiation: int) -> None:
        self.outbox.send(protocol.Offer(sdp=sdp, negotiation=negotiation))

    @property
    def sources(self) -> dict[SourceKind, Ingress]:
        """What this person publishes."""
        return self.publish.sources if self.publish is not None else {}

    async def negotiate_publish(self, message: protocol.Publish) -> str:
        """Answer an offer; a second one replaces the connection. Raises BadDescription."""
        connection = PublishConnection(self._ice_servers)
        try:
            answer = await connection.negotiate(message.sdp, {s.mid: s.source for s in message.sources})
        except BaseException:
            await connection.close()
            raise
        if self._closed:
            await connection.close()
            raise BadDescription("this page has left the meeting, or was replaced")
        previous, self.publish = self.publish, connection
        for source, ingress in connection.sources.items():
            ingress.set_muted(source in self.participant.muted)
        if previous is not None:
            await previous.close()
        return answer

    async def show(self, others: Callable[[], dict[str, dict[SourceKind, Ingress]]]) -> None:
        """Give each of the others a slot, free the slots of those who left, and tell the page."""
        async with self._lock:
            if self._closed:
                return
            await self.receive.ensure(len(others()))
            people = others()
            self._seat(list(people))
            for person, index in self._seats.items():
                slot, sources = self.receive.slots[index], people[person]
                slot.audio.attach(sources.get("microphone"))
                slot.video.attach(sources.get("camera"))
            self.outbox.send(protocol.Slots(slots=self._mapping()))

    def _seat(self, people: list[str]) -> None:
        for person in [person for person in self._seats if person not in people]:
            slot = self.receive.slots[self._seats.pop(person)]
            slot.audio.attach(None)
            slot.video.attach(None)
        free = [i for i in range(len(self.receive.slots)) if i not in self._seats.values()]
        for person, index in zip((p for p in people if p not in self._seats), free, strict=False):
            self._seats[person] = index

    def _mapping(self) -> list[protocol.Slot]:
        seated = {index: person for person, index in self._seats.items()}
        return [
            protocol.Slot(audio_mid=slot.mids[0], video_mid=slot.mids[1], participant_id=seated.get(index))
            for index, slot in enumerate(self.receive.slots)
        ]

    async def add_candidate(self, message: protocol.Candidate) -> None:
        """A trickled candidate for either connection. Raises BadDescription."""
        link = self.receive if message.connection == "receive" else self.publish
        if link is not None:
            await link.add_candidate(message.candidate, message.mid)

    async def close(self) -> None:
        """End both connections and the socket; twice is harmless."""
        self._closed = True
        self.outbox.finish()
        links = [link for link in (self.publish, self.receive) if link is not None]
        results = await asyncio.gather(*(link.close() for link in links), return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                logger.warning("closing a connection: %s", result)
