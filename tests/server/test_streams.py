from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from stream_stage import Program, Stage

from vmeet_core.server.app import HALL, NETWORK
from vmeet_core.server.streams import MAX_PUBLISHERS, MAX_REFUSALS, MAX_WATCHERS, Refusal, Streams, StreamsFull
from vmeet_core.sfu.stream_offer import UnsupportedOffer


@pytest.fixture
async def stage(client: Any, new_meeting: Callable[..., Awaitable[dict[str, Any]]]) -> AsyncIterator[Stage]:
    made = Stage(await client.app[HALL].live((await new_meeting())["id"]), Streams(client.app[NETWORK]))
    async with made.streams.running():
        yield made
        await made.close()


async def test_only_so_many_reasons_are_kept(stage: Stage) -> None:
    sessions = []
    for _ in range(MAX_REFUSALS + 2):
        program = Program("audio")
        session, _ = await stage.streams.publish(stage.live, await program.offer(), "Stream")
        session.refuse("a test")
        await stage.streams.end(session)
        await program.peer.close()
        sessions.append(session)
    kept = [isinstance(stage.known(session), Refusal) for session in sessions]
    assert kept == [False] * 2 + [True] * MAX_REFUSALS


async def test_there_are_only_so_many_programs_in_a_meeting(stage: Stage) -> None:
    offer, asked = await stage.program("audio").offer(), await stage.program("audio", direction="recvonly").offer()
    for _ in range(MAX_PUBLISHERS):
        await stage.streams.publish(stage.live, offer, "Stream")
    with pytest.raises(StreamsFull, match="10 programs publish"):
        await stage.streams.publish(stage.live, offer, "Stream")
    for _ in range(MAX_WATCHERS):
        await stage.streams.watch(stage.live, asked)
    with pytest.raises(StreamsFull, match="100 programs watch"):
        await stage.streams.watch(stage.live, asked)
    await stage.streams.close()
    session, _ = await stage.streams.publish(stage.live, offer, "Stream")
    assert stage.known(session) is session


async def test_a_refused_offer_takes_no_room(stage: Stage) -> None:
    asked = await stage.program("audio", direction="recvonly").offer()
    for _ in range(MAX_PUBLISHERS + 1):
        with pytest.raises(UnsupportedOffer, match="nothing would be published"):
            await stage.streams.publish(stage.live, asked, "Stream")


async def test_a_session_is_found_only_where_it_belongs(stage: Stage) -> None:
    session, _ = await stage.streams.publish(stage.live, await stage.program("audio").offer(), "Stream")
    assert stage.streams.find("another", "whip", session.id) is None
    assert stage.streams.find(stage.live.meeting.id, "whep", session.id) is None
    assert stage.streams.find(stage.live.meeting.id, "whip", "another") is None
