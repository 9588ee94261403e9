"""One page of a person in a meeting."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from vmeet_core.meetings import Participant
from vmeet_core.protocol import Publish, ServerMessage, Slots
from vmeet_core.server.member import Member
from vmeet_core.sfu.connections import BadDescription
from vmeet_core.sfu.ingress import Ingress


class Kept:
    """An outbox that keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[ServerMessage] = []

    def send(self, message: ServerMessage) -> None:
        self.messages.append(message)

    def finish(self) -> None:
        self.send = lambda message: None  # type: ignore[method-assign]

    def seats(self) -> list[str | None]:
        slots = [message for message in self.messages if isinstance(message, Slots)][-1]
        return [slot.participant_id for slot in slots.slots]


@pytest.fixture
async def member() -> AsyncIterator[Any]:
    made = Member(Participant(id="me", name="Me", is_host=False), Kept(), [])  # type: ignore[arg-type]
    yield made
    await made.close()


def people(*names: str) -> Any:
    return lambda: {name: {"camera": Ingress("camera", lambda data: True)} for name in names}


async def test_everyone_gets_a_slot_and_keeps_it(member: Any) -> None:
    await member.show(people("a", "b"))
    assert member.outbox.seats() == ["a", "b", None, None]
    await member.show(people("b", "c"))
    assert member.outbox.seats() == ["c", "b", None, None]
    assert member.receive.slots[1].video.source is not None
    await member.show(people())
    assert member.outbox.seats() == [None] * 4
    assert member.receive.slots[1].video.source is None


async def test_without_a_free_slot_one_waits_for_the_pool_to_grow(member: Any) -> None:
    await member.show(people(*"abcd"))
    await member.show(people(*"abcde"))
    assert member.outbox.seats() == list("abcd")  # the first offer has no answer yet: the pool cannot grow


async def test_closing_frees_the_sources_and_twice_is_harmless(member: Any) -> None:
    await member.show(people("a"))
    await member.close()
    await member.close()
    assert member.receive.slots[0].video.source is None
    assert member.receive.state == "closed"


async def test_an_offer_that_was_on_its_way_when_the_page_left_is_refused(member: Any) -> None:
    page = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    page.addTransceiver("audio", direction="sendonly")
    await page.setLocalDescription(await page.createOffer())
    await member.close()
    offer = Publish.model_validate(
        {"sdp": page.localDescription.sdp, "sources": [{"mid": "0", "source": "microphone"}]}
    )
    with pytest.raises(BadDescription, match="has left"):
        await member.negotiate_publish(offer)
    assert member.publish is None
    await page.close()


async def test_a_second_offer_replaces_the_connection(member: Any) -> None:
    page = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    page.addTransceiver("audio", direction="sendonly")
    await page.setLocalDescription(await page.createOffer())
    offer = Publish.model_validate(
        {"sdp": page.localDescription.sdp, "sources": [{"mid": "0", "source": "microphone"}]}
    )
    member.participant.set_muted("microphone", True)
    assert "a=recvonly" in await member.negotiate_publish(offer)
    first = member.publish
    assert first.sources["microphone"].muted
    await member.negotiate_publish(offer)
    assert member.publish is not first
    assert first.state == "closed"
    await page.close()
