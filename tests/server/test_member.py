"""One page of a person in a meeting."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from vmeet_core.media.active_speaker import Voice
from vmeet_core.meetings import Participant
from vmeet_core.protocol import OUTAGE_S, SILENCE_S, Offer, Publish, ServerMessage, Slots, Statistics, View
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.member import Member
from vmeet_core.server.seats import Room
from vmeet_core.sfu.egress import Demand
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.network import Network
from vmeet_core.sfu.peer_link import BadDescription
from vmeet_core.sfu.publish_connection import PublishConnection
from vmeet_core.sfu.publisher_clock import PublisherClock


class Kept:
    """An outbox that keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[ServerMessage] = []

    def send(self, message: ServerMessage) -> None:
        self.messages.append(message)

    def finish(self) -> None:
        self.send = lambda message: None  # type: ignore[method-assign]

    def all(self, kind: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    def seats(self) -> list[str | None]:
        return [slot.participant_id for slot in self.all(Slots)[-1].slots if slot.source == "camera"]


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    made = Network(addresses=["127.0.0.1"])
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def member(network: Network) -> AsyncIterator[Any]:
    participant = Participant(id="me", name="Me", is_host=False)
    made = Member(participant, Voice(), Kept(), network, asyncio.Lock())  # type: ignore[arg-type]
    yield made
    await made.close()


@pytest.fixture
def meet(member: Any, network: Network) -> Any:
    """``await meet("a", "b", sharing=["b"])``: those are in the meeting now, and the member's slots are up to date."""
    people: dict[str, Attendee] = {}

    async def enter(*names: str, sharing: Any = (), speaker: str | None = None) -> None:
        for name in names:
            people.setdefault(name, _attendee(name, network))
        for name in set(people) - set(names):
            del people[name]
        room = Room(dict.fromkeys(names), dict.fromkeys(sharing), (speaker,) if speaker else (), speaker)
        member.refresh(room, people)
        await settled(member)

    return enter


async def settled(member: Any) -> None:
    while member._refreshing is not None:
        await member._refreshing


def _attendee(name: str, network: Network) -> Attendee:
    connection = PublishConnection(network)
    clock = PublisherClock()
    for source in ("microphone", "camera-small", "camera", "screen"):
        connection.sources[source] = Ingress(source, lambda data: True, clock)  # type: ignore[index, arg-type]
    return Attendee(Participant(id=name, name=name, is_host=False), Voice(), connection)


async def test_everyone_gets_a_slot_and_keeps_it(member: Any, meet: Any) -> None:
    await meet("a", "b")
    assert member.outbox.seats() == ["a", "b", None, None]
    await meet("b", "c")
    assert member.outbox.seats() == ["c", "b", None, None]
    assert member.receive.pairs[1].video.layers
    await meet()
    assert member.outbox.seats() == [None] * 4
    assert member.receive.pairs[1].video.layers == ()
    assert member.receive.pairs[1].audio.source is None


async def test_without_a_free_slot_one_waits_for_the_pool_to_grow(member: Any, meet: Any) -> None:
    await meet(*"abcd")
    await meet(*"abcde")
    assert member.outbox.seats() == list("abcd")  # the first offer has no answer yet: the pool cannot grow


async def test_many_changes_at_once_are_one(member: Any, meet: Any, network: Network) -> None:
    await meet("a")
    before = len(member.outbox.all(Slots))
    people = {"b": _attendee("b", network)}
    for _ in range(50):
        member.refresh(Room({"b": None}, {}), people)
    await settled(member)
    assert len(member.outbox.all(Slots)) == before + 1


async def test_nothing_is_told_when_nothing_changed(member: Any, meet: Any) -> None:
    await meet("a")
    before = len(member.outbox.messages)
    await meet("a")
    assert len(member.outbox.messages) == before


async def test_only_what_the_page_shows_is_demanded(member: Any, meet: Any) -> None:
    await meet("a", "b", speaker="b")
    videos = {slot.participant_id: member.receive.pairs[i].video for i, slot in enumerate(_slots(member)[:2])}
    assert videos["b"].demand == Demand(1, 720)
    assert videos["a"].demand is not None
    shown = {"participant_id": "a", "width_px": 320, "height_px": 180}
    member.show(View.model_validate({"pictures": [shown]}))
    await settled(member)
    assert videos["a"].demand == Demand(2, 180)
    assert videos["b"].demand is None
    assert [(s.participant_id, s.paused) for s in _slots(member)[:2]] == [("b", True), ("a", False)]
    assert all(pair.audio.source is not None for pair in member.receive.pairs[:2])


def _slots(member: Any) -> Any:
    return member.outbox.all(Slots)[-1].slots


async def test_a_shared_screen_has_a_slot_without_sound(member: Any, meet: Any) -> None:
    await meet("a", "b", sharing=["b"])
    screens = [slot for slot in _slots(member) if slot.source == "screen"]
    assert [(slot.participant_id, slot.audio_mid, slot.paused) for slot in screens] == [("b", None, False)]
    assert member.receive.screens[0].video.demand == Demand(0, 720)
    await meet("a", "b")
    assert [slot.participant_id for slot in _slots(member) if slot.source == "screen"] == [None]
    assert member.receive.screens[0].video.demand is None


async def test_a_new_receiving_connection_keeps_the_seats(member: Any, meet: Any) -> None:
    await meet("a", "b")
    await meet("b", "c")
    before, slots = member.receive, len(member.outbox.all(Slots))
    await member.renew_receive()
    assert member.receive is not before
    assert before.state == "closed"
    assert len(member.outbox.all(Slots)) == slots + 1
    assert member.outbox.seats() == ["c", "b", None, None]
    assert [offer.negotiation for offer in member.outbox.all(Offer)] == [1, 1]
    assert member.receive.pairs[0].video.layers
    assert before.pairs[0].video.layers == ()


async def test_closing_frees_the_sources_and_twice_is_harmless(member: Any, meet: Any) -> None:
    await meet("a")
    await member.close()
    await member.close()
    await member.renew_receive()
    await meet("a", "b")
    assert member.receive.pairs[0].video.layers == ()
    assert member.receive.state == "closed"


async def test_who_has_gone(member: Any) -> None:
    now_s = member.heard_s
    assert not member.is_gone(now_s + OUTAGE_S - 0.1)
    assert member.is_gone(now_s + OUTAGE_S + 0.1)
    member.closed_s = now_s
    assert not member.is_gone(now_s + SILENCE_S - 0.1)
    assert member.is_gone(now_s + SILENCE_S + 0.1)


async def test_statistics_tell_of_every_picture(member: Any, meet: Any) -> None:
    await meet("a", "b", sharing=["a"])
    assert member.layers() == {"full": 3, "small": 0, "paused": 0}
    member.measure()
    member.tell_statistics([])
    told = member.outbox.all(Statistics)[-1]
    assert [(each.participant_id, each.source, each.layer) for each in told.received] == [
        ("a", "camera", "full"),
        ("b", "camera", "full"),
        ("a", "screen", "full"),
    ]
    assert (told.estimate_bps, told.received_bps, told.sent) == (None, 0.0, [])


# ---- publishing ----


@pytest.fixture
async def offer() -> AsyncIterator[Publish]:
    page = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    page.addTransceiver("audio", direction="sendonly")
    for _ in range(3):
        page.addTransceiver("video", direction="sendonly")
    await page.setLocalDescription(await page.createOffer())
    sources = [
        {"mid": str(mid), "source": source}
        for mid, source in enumerate(("microphone", "camera", "camera-small", "screen"))
    ]
    yield Publish.model_validate({"sdp": page.localDescription.sdp, "sources": sources})
    await page.close()


async def test_an_offer_that_was_on_its_way_when_the_page_left_is_refused(member: Any, offer: Publish) -> None:
    member.retire()
    with pytest.raises(BadDescription, match="has left"):
        await member.negotiate(offer)
    assert member.publish is None


async def test_what_is_muted_stays_muted_through_another_connection(member: Any, offer: Publish) -> None:
    member.set_muted("microphone", True)
    member.set_muted("camera", True)
    first, answer = await member.negotiate(offer)
    assert "a=recvonly" in answer
    assert member.take(first) is None
    assert member.participant.sources == ["microphone", "camera", "camera-small", "screen"]
    assert all(ingress.muted for ingress in first.sources.values())
    assert member.voice.muted
    member.set_muted("camera", False)
    assert [source for source, ingress in first.sources.items() if not ingress.muted] == ["camera", "camera-small"]
    second, _ = await member.negotiate(offer)
    assert member.take(second) is first
    assert first.sources["microphone"].on_level is None
    assert second.sources["microphone"].on_level == member.voice.on_level
    assert second.sources["screen"].muted
    await first.close()


async def test_a_newer_page_goes_on_with_what_the_older_one_sends(
    member: Any, offer: Publish, network: Network
) -> None:
    connection, _ = await member.negotiate(offer)
    member.take(connection)
    newer = Member(member.participant, member.voice, Kept(), network, asyncio.Lock())  # type: ignore[arg-type]
    newer.inherit(member)
    await member.close()
    assert connection.state != "closed"
    assert newer.publish is connection
    assert newer.participant.sources == ["microphone", "camera", "camera-small", "screen"]
    assert connection.sources["microphone"].on_level == newer.voice.on_level
    await newer.close()
    assert connection.state == "closed"
