import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from stream_stage import Encoded, Stage

from vmeet_core.meetings import MAX_PEOPLE
from vmeet_core.server.app import HALL, NETWORK
from vmeet_core.server.stream_session import CONNECT_S
from vmeet_core.server.streams import REFUSAL_S, Refusal, Streams


@pytest.fixture
async def stage(client: Any, new_meeting: Callable[..., Awaitable[dict[str, Any]]]) -> AsyncIterator[Stage]:
    made = Stage(await client.app[HALL].live((await new_meeting())["id"]), Streams(client.app[NETWORK]))
    async with made.streams.running():
        yield made
        await made.close()


async def test_a_publisher_is_in_the_meeting_from_its_connection_to_its_end(stage: Stage) -> None:
    session = await stage.publish("audio", Encoded(0), name="Hall camera")
    await stage.until(lambda: stage.live.attendees)
    (attendee,) = stage.live.attendees.values()
    assert attendee.participant.name == "Hall camera"
    assert attendee.participant.is_stream
    assert sorted(attendee.participant.sources) == ["camera", "microphone"]
    assert stage.known(session) is session
    await stage.streams.end(session)
    await stage.streams.end(session)
    assert stage.live.attendees == {}
    assert stage.known(session) is None


async def test_a_publisher_that_goes_without_goodbye_leaves(stage: Stage) -> None:
    session = await stage.publish(Encoded(0))
    await stage.until(lambda: stage.live.attendees)
    await stage.close()
    await stage.until(lambda: not stage.live.attendees)
    await stage.until(lambda: stage.known(session) is None)


async def test_a_publisher_whom_the_meeting_lets_go_is_ended(stage: Stage) -> None:
    session = await stage.publish(Encoded(0))
    await stage.until(lambda: stage.live.attendees)
    await stage.live.leave_stream(next(iter(stage.live.attendees)))
    await stage.until(lambda: stage.known(session) is None)


async def test_b_frames_end_the_session_and_the_reason_is_kept_for_a_while(
    stage: Stage, open_page: Callable[[str], Awaitable[Any]], client: Any
) -> None:
    host, guest = [await open_page(stage.live.meeting.id) for _ in range(2)]
    await host.join("Anna", host_key=stage.live.meeting.host_key)
    await guest.join("Ben")
    session = await stage.publish(Encoded(2), name="Projector")

    await stage.until(lambda: isinstance(stage.known(session), Refusal))
    refusal = stage.known(session)
    assert isinstance(refusal, Refusal)
    assert "B-frames" in refusal.reason
    assert "bframes=0" in refusal.reason
    await stage.until(lambda: len(stage.live.attendees) == 2)
    told = await host.next("error")
    assert told["code"] == "stream-refused"
    assert told["message"].startswith("Projector: the picture has B-frames")
    assert not told["fatal"]
    await guest.send(type="ping", number=7)
    assert (await guest.next("pong"))["number"] == 7
    stage.streams.forget_refusals(refusal.at_s + REFUSAL_S - 1)
    assert stage.known(session) is refusal
    stage.streams.forget_refusals(refusal.at_s + REFUSAL_S + 1)
    assert stage.known(session) is None


async def test_a_session_that_never_connects_is_over_after_a_while(stage: Stage) -> None:
    program = stage.program("audio")
    session, _ = await stage.streams.publish(stage.live, await program.offer(), "Stream")
    now_s = time.monotonic()
    assert not session.is_over(now_s)
    assert session.is_over(now_s + CONNECT_S + 1)
    assert stage.live.attendees == {}


async def test_a_viewer_may_come_first_and_gets_who_comes(stage: Stage) -> None:
    viewer = stage.program("audio", "video", direction="recvonly")
    session, answer = await stage.streams.watch(stage.live, await viewer.offer())
    await viewer.take(answer)
    await stage.until(lambda: session.is_connected)
    assert stage.live.idle_s == pytest.approx(0, abs=1)
    await stage.publish("audio", Encoded(0))
    video = viewer.peer.getTransceivers()[1].receiver.track
    async with asyncio.timeout(15):
        picture = await video.recv()
    assert (picture.width, picture.height) == (320, 240)
    before = stage.live._around.traffic.total
    await stage.streams.end(session)
    assert stage.known(session) is None
    after = stage.live._around.traffic.total
    assert after.sent > before.sent, "what viewers get counts as well"
    assert after.sent_bytes > before.sent_bytes


async def test_a_full_meeting_takes_no_publisher_and_says_so(stage: Stage) -> None:
    for number in range(MAX_PEOPLE):
        stage.live.meeting.join_stream(f"Stream {number}")
    session = await stage.publish("audio")
    await stage.until(lambda: isinstance(stage.known(session), Refusal))
    refusal = stage.known(session)
    assert isinstance(refusal, Refusal)
    assert f"{MAX_PEOPLE} people are in this meeting" in refusal.reason
