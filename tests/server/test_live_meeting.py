"""A meeting with real peers: who sees and hears whom, through everything that may happen to their connections."""

import asyncio
import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest

from vmeet_core import protocol
from vmeet_core.manifest import Left, SegmentStarted, read_manifest
from vmeet_core.server.app import HALL


@pytest.fixture
async def meet(new_meeting: Any, open_person: Any) -> Any:
    """``await meet("Anna", "Ben")``: they have joined, publish, and have a receiving connection."""
    meeting = await new_meeting()

    async def enter(*names: str) -> list[Any]:
        people = [await open_person(meeting["id"]) for _ in names]
        for person, name in zip(people, names, strict=True):
            await person.enter(name, host_key=meeting["host_key"])
            await person.publish()
        return people

    return enter


def live(client: Any) -> Any:
    return client.app[HALL].all_live()[0]


async def test_people_see_and_hear_each_other(meet: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    for one, other in ((anna, ben), (ben, anna)):
        await one.sees(other)
        await one.hears(other)


async def test_whoever_speaks_is_told_and_the_muted_never_are(meet: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    anna.tone.loud = True
    await ben.until(lambda: ben.speaker_id == anna.id)
    assert anna.welcome["speaker_id"] is None
    anna.tone.loud = False
    await ben.send(type="mute", source="microphone", muted=True)
    ben.tone.loud = True
    await anna.until(lambda: "microphone" in anna.people[ben.id]["muted"])
    await asyncio.sleep(1.5)
    assert anna.speaker_id == anna.id
    await ben.send(type="mute", source="microphone", muted=False)
    await anna.until(lambda: anna.speaker_id == ben.id)
    await anna.send(type="leave")
    await ben.until(lambda: anna.id not in ben.people)


async def test_a_picture_that_is_not_shown_is_not_sent(meet: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    await ben.sees(anna)
    await ben.send(type="view", pictures=[])
    await ben.until(lambda: ben.slot(anna)["paused"])
    await ben.hears(anna)
    await asyncio.sleep(0.3)
    before = ben.frames(anna)
    await asyncio.sleep(0.5)
    assert ben.frames(anna) <= before + 1
    await ben.send(type="view", pictures=[{"participant_id": anna.id, "width_px": 160, "height_px": 120}])
    await ben.until(lambda: not ben.slot(anna)["paused"])
    await ben.sees(anna)


async def test_a_screen_is_seen_while_it_is_shared(meet: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    await ben.sees(anna)
    assert ben.slot(anna, "screen") is None
    await anna.send(type="mute", source="screen", muted=False)
    await ben.until(lambda: ben.slot(anna, "screen") is not None)
    await ben.sees(anna, "screen")
    await anna.send(type="mute", source="screen", muted=True)
    await ben.until(lambda: ben.slot(anna, "screen") is None)


async def test_a_new_receiving_connection_carries_on(meet: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    await ben.sees(anna)
    before = ben.slot(anna)
    await ben.renew_receive()
    await ben.until(lambda: ben.slots)
    assert ben.slot(anna)["video_mid"] == before["video_mid"]
    await ben.sees(anna)
    assert not [m for m in anna.log if m["type"] == "participant-left"]


async def test_another_publishing_connection_takes_over_for_everyone_and_the_recording(meet: Any, client: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    await ben.sees(anna)
    await anna.send(type="recording-control", action="start")
    await ben.until(lambda: ben.recording is not None)
    recorder = live(client)._recording.recorder
    await asyncio.sleep(1.5)
    told = len(ben.log)
    await anna.publish()
    await ben.sees(anna)
    await ben.hears(anna)
    await asyncio.sleep(1)
    assert not [message for message in ben.log[told:] if message["type"] == "participant-left"]
    await anna.send(type="recording-control", action="stop")
    await ben.until(lambda: ben.recording is None)
    events = await asyncio.to_thread(read_manifest, recorder.folder)
    segments = [e.source for e in events if isinstance(e, SegmentStarted) and e.participant_id == anna.id]
    assert segments.count("microphone") == segments.count("camera") == 2
    assert not any(isinstance(event, Left) for event in events)
    assert not any(event.source == "camera-small" for event in events if isinstance(event, SegmentStarted))


async def test_a_rejoin_with_the_token_goes_unnoticed(meet: Any, open_person: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    await anna.sees(ben)
    await ben.send(type="chat", text="hello")
    await anna.until(lambda: any(message["type"] == "chat-entry" for message in anna.log))
    told = len(anna.log)
    again = await open_person(anna.welcome["meeting_id"])
    await again.enter("Ben", token=ben.welcome["token"])
    assert again.id == ben.id
    assert again.welcome["chat"][0]["text"] == "hello"
    await anna.sees(ben)  # what the older page sends goes on
    await again.publish()
    await anna.sees(again)
    await again.sees(anna)
    kinds = [message["type"] for message in anna.log[told:]]
    assert "participant-left" not in kinds
    changes = [m["participant"] for m in anna.log[told:] if m["type"] == "participant"]
    assert all(change["sources"] and change["connected"] for change in changes)


async def test_everyone_is_told_how_well_it_goes(meet: Any, client: Any) -> None:
    anna, ben = await meet("Anna", "Ben")
    await ben.sees(anna)
    await ben.until(lambda: (ben.statistics or {}).get("received_bps", 0) > 10_000)
    told = ben.statistics
    assert {person["participant_id"] for person in told["people"]} == {anna.id, ben.id}
    assert {each["source"] for each in told["sent"]} >= {"microphone", "camera"}
    (picture,) = [each for each in told["received"] if each["source"] == "camera"]
    assert (picture["participant_id"], picture["layer"]) == (anna.id, "full")
    assert all(0 <= person["loss"] <= 1 for person in told["people"])
    text = await (await client.get("/metrics")).text()
    assert 'vmeet_person_received_bits_per_second{meeting="1",person="2"}' in text
    assert anna.id not in text
    assert anna.welcome["meeting_id"] not in text
    stats = await (await client.get("/api/stats")).json()
    assert stats["people"] == 2
    assert 0 < stats["forward_p95_ms"] < 100


async def test_a_lecture_needs_few_slots_and_whoever_speaks_gets_one(
    new_meeting: Any, open_page: Any, client: Any
) -> None:
    meeting = await new_meeting()
    pages = [await open_page(meeting["id"]) for _ in range(8)]
    for number, page in enumerate(pages):
        await page.join(str(number))
    ids = [page.welcome["participant_id"] for page in pages]
    watching = pages[-1]
    await watching.send(type="view", pictures=[{"participant_id": ids[0], "width_px": 9, "height_px": 9}])
    await asyncio.gather(*(page.publish() for page in pages[:-1]))
    await watching.until_slots(lambda seated: len(seated) == 4)
    late = ids[6]
    voice = live(client).speaker.voice(late)
    for tick in range(30):
        voice.on_level(80 if tick % 5 == 0 else 20, 0.0)
        await asyncio.sleep(0.1)
    await watching.until_slots(lambda seated: late in seated and ids[0] in seated)
    assert len(live(client).members[ids[-1]].receive.pairs) == 4


async def test_a_stream_is_an_attendee_and_a_watcher_sees_every_change(meet: Any, client: Any, published: Any) -> None:
    (anna,) = await meet("Anna")
    meeting, watcher = live(client), Watcher()
    meeting.add_watcher(watcher)
    await anna.until(lambda: set(watcher.people) == {anna.id})
    connection, peer = await published()
    stream = await meeting.join_stream("OBS", connection)
    await anna.until(lambda: stream in anna.people)
    assert anna.people[stream]["is_stream"]
    await anna.until(lambda: list(watcher.people) == [anna.id, stream])
    await anna.until(lambda: any(slot["participant_id"] == stream for slot in anna.slots))
    meeting.remove_watcher(watcher)
    await meeting.leave_stream(stream)
    await meeting.leave_stream(stream)
    await meeting.leave_stream(anna.id)
    await anna.until(lambda: stream not in anna.people)
    assert connection.state == "closed"
    assert stream in watcher.people
    await peer.close()


async def test_a_stream_whose_connection_ends_is_gone(meet: Any, client: Any, published: Any) -> None:
    (anna,) = await meet("Anna")
    connection, peer = await published()
    stream = await live(client).join_stream("OBS", connection)
    await anna.until(lambda: stream in anna.people)
    await connection.close()
    await anna.until(lambda: stream not in anna.people)
    await peer.close()


async def test_many_changes_are_acted_on_together(meet: Any, client: Any) -> None:
    (anna,) = await meet("Anna")
    meeting, watcher = live(client), Watcher()
    meeting.add_watcher(watcher)
    await anna.until(lambda: watcher.told)
    for number in range(200):
        meeting.mute(meeting.members[anna.id], "camera", number % 2 == 0)
    meeting.mute(meeting.members[anna.id], "screen", False)
    await anna.until(lambda: "screen" not in anna.people[anna.id]["muted"])
    await asyncio.sleep(0.2)
    assert watcher.told <= 4


class Watcher:
    """Keeps what it was told last, and how often."""

    def __init__(self) -> None:
        self.told = 0
        self.people: dict[str, Any] = {}
        self.speaker_id: str | None = None

    def refresh(self, people: dict[str, Any], speaker_id: str | None) -> None:
        self.people, self.speaker_id = dict(people), speaker_id
        self.told += 1

    def count(self, traffic: Any) -> None:
        """Nothing is sent to it."""


async def test_a_hundred_people_come_at_once(
    new_meeting: Any, open_page: Any, client: Any, frozen_garbage: None
) -> None:
    meeting = await new_meeting()
    first = await open_page(meeting["id"])
    await first.join("first")
    room = live(client)
    costs_s = [await one_pass() for _ in range(99) if room.join(protocol.Join(name="x"), Ignored())]
    async with asyncio.timeout(60):
        while not all(len(member.receive.pairs) == 4 for member in room.members.values()):
            costs_s.append(await one_pass())
    assert len(room.members) == 100
    assert max(costs_s) < 0.15


@pytest.fixture
def frozen_garbage() -> Iterator[None]:
    """As the server does at its start."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


async def one_pass() -> float:
    """Processor time of one pass of the event loop: how long a packet would wait, however busy the machine is."""
    began_s = time.thread_time()
    await asyncio.sleep(0)
    return time.thread_time() - began_s


class Ignored:
    """An outbox of a page that nobody looks at."""

    def send(self, message: Any) -> None:
        pass

    def send_text(self, text: str) -> None:
        pass

    def finish(self) -> None:
        pass
