"""A person who is in a meeting right now: a page's socket and the two connections."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping

from vmeet_core import protocol
from vmeet_core.media.active_speaker import Voice
from vmeet_core.meetings import Participant
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.outbox import Outbox
from vmeet_core.server.seats import PAIR_POOLS, Room, Seats, View
from vmeet_core.server.statistics import Measured, TrafficMeter, page_statistics
from vmeet_core.sfu.egress import Demand, Egress
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.peer_link import BadDescription
from vmeet_core.sfu.publish_connection import PublishConnection
from vmeet_core.sfu.receive_connection import ReceiveConnection

logger = logging.getLogger(__name__)
REFRESH_S = 0.02  #: changes that follow each other so fast are acted on together
CLOSE_S = 5.0
MAX_PAIRS = PAIR_POOLS[-1]


class Member(Attendee):
    """``participant`` is who it is; this object is one page of theirs and ends with it.

    ``turn`` is shared by the pages of a meeting: an offer takes some 10 ms to write, and when all of them need one at
    once, packets are forwarded between one and the next.
    """

    def __init__(
        self, participant: Participant, voice: Voice, outbox: Outbox, network: Network, turn: asyncio.Lock
    ) -> None:
        super().__init__(participant, voice)
        self.outbox = outbox
        self.heard_s = time.monotonic()
        self.closed_s: float | None = None  #: since when the socket has been closed, without a goodbye
        self.seats = Seats(participant.id)
        self._network = network
        self._turn = turn
        self.receive = self._new_receive()
        self._room = Room({}, {})
        self._people: Mapping[str, Attendee] = {}
        self._told: list[protocol.Slot] | None = None
        self._lock = asyncio.Lock()
        self._stale = False
        self._refreshing: asyncio.Task[None] | None = None
        self._closed = False
        self._moved = False

    def _new_receive(self) -> ReceiveConnection:
        return ReceiveConnection(self._network, self._send_offer, self._tell_slots)

    def _send_offer(self, sdp: str, negotiation: int) -> None:
        self.outbox.send(protocol.Offer(sdp=sdp, negotiation=negotiation))

    def is_gone(self, now_s: float) -> bool:
        """Whether it has been silent for too long, or its socket closed and nobody came back."""
        if self.closed_s is not None and now_s - self.closed_s > protocol.SILENCE_S:
            return True
        return now_s - self.heard_s > protocol.OUTAGE_S

    # ---- what this person sends ----

    async def negotiate(self, message: protocol.Publish) -> tuple[PublishConnection, str]:
        """Answer an offer with a connection that is not in use yet. Raises BadDescription."""
        connection = PublishConnection(self._network)
        try:
            answer = await connection.negotiate(message.sdp, {s.mid: s.source for s in message.sources})
            if self._closed:
                raise BadDescription("this page has left the meeting, or was replaced")
        except BaseException:
            await connection.close()
            raise
        return connection, answer

    def inherit(self, previous: "Member") -> None:
        """Go on with what an earlier page of this person sends, until this one sends something itself."""
        connection = previous.release()
        if connection is not None:
            self.take(connection)

    # ---- what this person sees and hears ----

    def show(self, view: protocol.View) -> None:
        """The page shows other pictures, or in other sizes."""
        self.seats.view = View(view.pictures)
        self._refresh_soon()

    def refresh(self, room: Room, people: Mapping[str, Attendee]) -> None:
        """Something has changed in the meeting. Cheap: many changes are acted on at once."""
        self._room, self._people = room, people
        self._refresh_soon()

    def _refresh_soon(self) -> None:
        self._stale = True
        if self._refreshing is None and not self._closed:
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            while self._stale and not self._closed:
                self._stale = False
                async with self._lock, self._turn:
                    await self._seat_everyone()
                await asyncio.sleep(REFRESH_S)
        except Exception:  # the next change tries again
            logger.exception("the slots of %s could not be filled", self.participant.id)
        finally:
            self._refreshing = None

    async def _seat_everyone(self) -> None:
        await self.receive.ensure(*self.seats.pools(self._room))
        if self._closed:
            return
        pairs, screens = min(len(self.receive.pairs), MAX_PAIRS), len(self.receive.screens)
        self.seats.assign(self._room, pairs, screens, self._people)
        for person, source, sound, picture in self._slots():
            self._fill(self._people.get(person or ""), source, sound, picture)
        await asyncio.sleep(0)  # layers are chosen meanwhile: what is told is what will be sent
        self._tell_slots()

    def _slots(self) -> Iterator[tuple[str | None, protocol.PictureKind, Egress | None, Egress]]:
        """Person, kind of picture, sound and picture of every slot, in order."""
        seated = {index: person for person, index in self.seats.pairs.items()}
        for index, pair in enumerate(self.receive.pairs):
            yield seated.get(index), "camera", pair.audio, pair.video
        shared = {index: person for person, index in self.seats.screens.items()}
        for index, screen in enumerate(self.receive.screens):
            yield shared.get(index), "screen", None, screen.video

    def _fill(self, who: Attendee | None, source: protocol.PictureKind, sound: Egress | None, picture: Egress) -> None:
        mine = who is not None and who.participant.id == self.participant.id
        if sound is not None:
            sound.attach(who.sound if who is not None and not mine else None)
        wish = self.seats.wish(who.participant.id, source, self._room) if who is not None else None
        picture.demand = Demand(*wish) if wish is not None else None
        shown = who is not None and (not mine or who.hides_camera)  # the page has its own camera as it is
        picture.show(who.pictures(source) if who is not None and shown else ())

    def _tell_slots(self) -> None:
        """Tell the page where everyone is, if that has changed."""
        told = self._mapping()
        if told != self._told and not self._closed:
            self._told = told
            self.outbox.send(protocol.Slots(slots=told))

    def _mapping(self) -> list[protocol.Slot]:
        mids: list[tuple[str | None, str]] = [pair.mids for pair in self.receive.pairs]
        mids += [(None, screen.mid) for screen in self.receive.screens]
        return [
            protocol.Slot(
                audio_mid=audio_mid,
                video_mid=video_mid,
                participant_id=person,
                source=source,
                paused=person is not None and picture.paused,
            )
            for (audio_mid, video_mid), (person, source, _, picture) in zip(mids, self._slots(), strict=True)
        ]

    async def accept(self, message: protocol.Answer) -> None:
        """The answer to an offer. Raises BadDescription."""
        await self.receive.accept(message.sdp, message.negotiation)
        self._refresh_soon()

    async def renew_receive(self) -> None:
        """A new receiving connection in place of one that no longer carries anything; seats are kept."""
        async with self._lock, self._turn:
            if self._closed:
                return
            previous, self.receive = self.receive, self._new_receive()
            self._told = None
            await self._seat_everyone()
        await previous.close()

    async def add_candidate(self, message: protocol.Candidate) -> None:
        """A trickled candidate for either connection. Raises BadDescription."""
        link = self.receive if message.connection == "receive" else self.publish
        if link is not None:
            await link.add_candidate(message.candidate, message.mid)

    # ---- statistics and the end ----

    def outgoing(self) -> list[Egress]:
        """Everything that is sent to this page."""
        return [each for _, _, sound, picture in self._slots() for each in (sound, picture) if each is not None]

    def tell_statistics(self, people: list[protocol.PersonStatistics]) -> None:
        """Tell the page how well everything arrives."""
        received = [
            protocol.ReceivedStatistics(participant_id=person, source=source, **picture.report()._asdict())
            for person, source, _, picture in self._slots()
            if person is not None
        ]
        self.outbox.send(page_statistics(self.measured, received, people))

    def layers(self) -> dict[str, int]:
        """How many pictures go to this page in each layer; those that wait count as ``paused``."""
        count = {"full": 0, "small": 0, "paused": 0}
        for person, _, _, picture in self._slots():
            if person is not None:
                count["paused" if picture.paused else picture.layer or "paused"] += 1
        return count

    def measure(self) -> Measured:
        """Ask both connections how well they do."""
        self.measured = super().measure()._replace(link=self.receive.report())
        return self.measured

    def count(self, traffic: TrafficMeter) -> None:
        """Add what has come and gone since the last time."""
        super().count(traffic)
        traffic.count_outgoing(self.receive, self.outgoing())

    def move_out(self) -> None:
        """Its socket goes on as another member's, who has come in after looking at the own picture."""
        self._moved = True

    def retire(self) -> None:
        """This page does nothing any more from now on; ``close`` does the rest."""
        self._closed = True
        if not self._moved:
            self.outbox.finish()

    async def close(self) -> None:
        """End both connections and the socket; twice is harmless."""
        self.retire()
        if self._refreshing is not None:
            await asyncio.wait([self._refreshing], timeout=CLOSE_S)
        links = [link for link in (self.release(), self.receive) if link is not None]
        results = await asyncio.gather(*(link.close() for link in links), return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                logger.warning("closing a connection: %s", result)
