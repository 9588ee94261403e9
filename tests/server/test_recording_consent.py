"""Who is left out of a recording: real peers, a real server, a witness of every frame that goes to the recorder.

Whoever is left out goes on being seen by the others meanwhile: that nothing is recorded is not for want of anything.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from left_out import assert_nothing_of_those_left_out
from server.conftest import Flat, MakeClient, Person

from vmeet_core.manifest import AnyEvent, LeftOut, SegmentStarted, SourceKind, read_manifest
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.recording.recorder import Recorder
from vmeet_core.server.app import HALL
from vmeet_core.server.live_meeting import LiveMeeting
from vmeet_core.server.meeting_recording import MeetingRecording
from vmeet_core.settings import Preset
from vmeet_core.timeline import build_timeline

RAW = 120
PRESETS = {
    "everyone": Preset(),
    "opt-out": Preset(recording_choice="opt-out"),
    "opt-in": Preset(recording_choice="opt-in"),
    "filtered": Preset(frame_filters=("mark",), recording_choice="opt-out"),
}


class Witness:
    """Of every frame on its way to the recorder: ``count`` says how many of a person's there were."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, SourceKind]] = []
        self.folders: list[Path] = []

    def count(self, person: Person | str, *sources: SourceKind) -> int:
        identity = person if isinstance(person, str) else person.id
        return sum(each == identity and (not sources or source in sources) for each, source in self.frames)

    async def grows(self, person: Person | str, *sources: SourceKind, by: int = 8) -> None:
        """So many more frames of somebody are recorded."""
        wanted = self.count(person, *sources) + by
        async with asyncio.timeout(20):
            while self.count(person, *sources) < wanted:
                await asyncio.sleep(0.01)

    def events(self) -> list[AnyEvent]:
        """The journal of the latest recording."""
        return read_manifest(self.folders[-1])


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    seen = Witness()
    frame, init = Recorder.frame, Recorder.__init__

    def watched(self: Recorder, participant_id: str, source: SourceKind, each: EncodedFrame) -> None:
        seen.frames.append((participant_id, source))
        frame(self, participant_id, source, each)

    def begin(self: Recorder, folder: Path, *more: Any) -> None:
        seen.folders.append(folder)
        init(self, folder, *more)

    monkeypatch.setattr(Recorder, "frame", watched)
    monkeypatch.setattr(Recorder, "__init__", begin)
    yield seen
    for folder in seen.folders:
        assert_nothing_of_those_left_out(folder)


@pytest.fixture
async def client(with_presets: MakeClient) -> Any:
    return await with_presets(PRESETS)


def word_on(viewer: Person, identity: str) -> str | None:
    """Who keeps somebody out, as a page was told; "absent" while it knows nobody of that id."""
    known = viewer.people.get(identity)
    return known["left_out"] if known is not None else "absent"


class Meeting:
    """A meeting that can be recorded; whoever enters publishes, and the first is a host."""

    def __init__(self, client: Any, about: dict[str, Any], witness: Witness) -> None:
        self.about, self.witness = about, witness
        self._client = client
        self._people: list[Person] = []

    @property
    def live(self) -> LiveMeeting:
        (live,) = self._client.app[HALL].all_live()
        return live  # type: ignore[no-any-return]

    async def page(self) -> Person:
        self._people.append(Person(await self._client.ws_connect(f"/api/meetings/{self.about['id']}/socket")))
        return self._people[-1]

    async def enter(self, name: str, **more: Any) -> Person:
        person = await self.page()
        host = {} if len(self._people) > 1 else {"host_key": self.about["host_key"]}
        await person.enter(name, **host, **more)
        await person.publish(Flat(RAW))
        return person

    async def record(self, host: Person) -> None:
        await host.send(type="recording-control", action="start")
        await host.until(lambda: host.recording is not None)

    async def stop(self, host: Person) -> None:
        await host.send(type="recording-control", action="stop")
        await host.until(lambda: host.recording is None)

    async def is_out(self, person: Person, by: str, viewer: Person) -> None:
        """Everyone is told, the others go on seeing and hearing the person, and nothing of it is recorded."""
        await viewer.until(lambda: word_on(viewer, person.id) == by)
        before = self.witness.count(person)
        await viewer.sees(person)
        await viewer.hears(person)
        assert self.witness.count(person) == before

    async def is_in(self, person: Person, viewer: Person) -> None:
        await viewer.until(lambda: word_on(viewer, person.id) is None)
        await self.witness.grows(person, "camera")
        await self.witness.grows(person, "microphone")

    async def close(self) -> None:
        await asyncio.gather(*(person.close() for person in self._people))


@pytest.fixture
async def meet(client: Any, witness: Witness) -> AsyncIterator[Callable[[str], Awaitable[Meeting]]]:
    """``await meet(preset)``: a new meeting."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(preset: str) -> Meeting:
            answer = await client.post("/api/meetings", json={"title": "t", "preset": preset})
            made = Meeting(client, await answer.json(), witness)
            stack.push_async_callback(made.close)
            return made

        yield make


Meet = Callable[[str], Awaitable[Meeting]]


async def test_everyone_is_told_who_started_it_before_and_while(meet: Meet, client: Any) -> None:
    meeting = await meet("opt-out")
    anna = await meeting.enter("Anna")
    about = f"/api/meetings/{meeting.about['id']}"
    known = await (await client.get(about)).json()
    assert (known["recording"], known["recording_started_by"], known["recording_choice"]) == (False, None, "opt-out")
    await meeting.record(anna)
    assert anna.recording is not None
    assert anna.recording["started_by"] == "Anna"
    known = await (await client.get(about)).json()
    assert (known["recording"], known["recording_started_by"]) == (True, "Anna")
    ben = await meeting.enter("Ben")
    assert (ben.welcome["recording"]["started_by"], ben.welcome["recording_choice"]) == ("Anna", "opt-out")


async def test_whoever_says_no_is_left_out_through_new_connections_and_pages(meet: Meet, witness: Witness) -> None:
    meeting = await meet("opt-out")
    anna, ben = await meeting.enter("Anna"), await meeting.enter("Ben")
    await meeting.record(anna)
    await meeting.is_in(ben, anna)
    await ben.send(type="recording-choice", recorded=False)
    await meeting.is_out(ben, "self", anna)
    await ben.publish(Flat(RAW))  # a connection in place of the one before
    await meeting.is_out(ben, "self", anna)
    for source in ("microphone", "camera", "screen"):
        for muted in (True, False):
            await ben.send(type="mute", source=source, muted=muted)
    await anna.sees(ben, "screen")
    await meeting.is_out(ben, "self", anna)
    again = await meeting.page()
    await again.enter("Ben", token=ben.welcome["token"])
    assert again.id == ben.id
    await meeting.is_out(again, "self", anna)  # what the older page sends
    await again.publish(Flat(RAW))
    await meeting.is_out(again, "self", anna)
    await again.send(type="recording-choice", recorded=True)
    await meeting.is_in(again, anna)
    await meeting.stop(anna)
    said = [(e.left_out, e.by) for e in witness.events() if isinstance(e, LeftOut) and e.participant_id == ben.id]
    assert said == [(True, "self"), (False, "self")]


async def test_it_holds_for_every_recording_and_when_the_person_comes_back(meet: Meet, witness: Witness) -> None:
    meeting = await meet("everyone")
    anna, ben = await meeting.enter("Anna"), await meeting.enter("Ben")
    await anna.send(type="leave-out", participant_id=ben.id, left_out=True)
    for _ in range(2):
        await meeting.record(anna)
        await witness.grows(anna)
        await meeting.is_out(ben, "host", anna)
        await meeting.stop(anna)
    assert witness.count(ben) == 0
    events = witness.events()
    assert [person.name for person in build_timeline(events, lambda file: 0).people] == ["Anna"]
    await ben.send(type="leave")
    await anna.until(lambda: ben.id not in anna.people)
    await meeting.record(anna)
    again = await meeting.enter("Ben", token=ben.welcome["token"])
    assert again.id != ben.id
    await meeting.is_out(again, "host", anna)
    assert witness.count(again) == 0
    await anna.send(type="leave-out", participant_id=again.id, left_out=False)
    await meeting.is_in(again, anna)


async def test_a_hosts_no_holds_after_a_restart_of_the_server(
    meet: Meet, client: Any, with_presets: MakeClient, witness: Witness
) -> None:
    """Also twice: whoever comes back has another token than before."""
    meeting = await meet("everyone")
    anna, ben, tom = [await meeting.enter(name) for name in ("Anna", "Ben", "Tom")]
    for person in (ben, tom):
        await anna.send(type="leave-out", participant_id=person.id, left_out=True)
    await anna.send(type="leave-out", participant_id=tom.id, left_out=False)
    await anna.until(lambda: (word_on(anna, ben.id), word_on(anna, tom.id)) == ("host", None))
    token = ben.welcome["token"]
    before = client
    for _ in range(2):
        await meeting.close()
        await before.close()
        before = await with_presets(PRESETS)
        meeting = Meeting(before, meeting.about, witness)
        anna = await meeting.enter("Anna", token=anna.welcome["token"])
        again = await meeting.enter("Ben", token=token)
        await meeting.record(anna)
        await meeting.is_out(again, "host", anna)
        assert witness.count(again) == 0
        token = again.welcome["token"]
    other = await meeting.enter("Tom", token=tom.welcome["token"])
    await meeting.is_in(other, anna)
    await anna.send(type="leave-out", participant_id=again.id, left_out=False)
    await meeting.is_in(again, anna)
    await meeting.close()


async def test_only_recorded_people_are_named_in_the_list(meet: Meet, client: Any) -> None:
    meeting = await meet("opt-out")
    anna = await meeting.enter("Anna")
    await meeting.enter("Ben", recorded=False)
    await meeting.record(anna)
    await meeting.witness.grows(anna)
    await meeting.stop(anna)
    (listed,) = (await (await client.get("/api/recordings")).json())["recordings"]
    assert listed["people"] == ["Anna"]


async def test_with_opt_in_nothing_is_recorded_before_a_yes(meet: Meet, witness: Witness) -> None:
    meeting = await meet("opt-in")
    anna, ben = await meeting.enter("Anna", recorded=True), await meeting.enter("Ben")
    await meeting.record(anna)
    await meeting.is_in(anna, ben)
    await meeting.is_out(ben, "unanswered", anna)
    carla = await meeting.enter("Carla")
    await meeting.is_out(carla, "unanswered", anna)
    await anna.send(type="leave-out", participant_id=ben.id, left_out=False)  # not for the host to say
    await meeting.is_out(ben, "unanswered", anna)
    assert witness.count(ben) == witness.count(carla) == 0
    await ben.send(type="recording-choice", recorded=True)
    await meeting.is_in(ben, anna)
    await ben.send(type="recording-choice", recorded=False)
    await meeting.is_out(ben, "self", anna)


async def test_a_latecomer_who_was_not_told_is_not_recorded(meet: Meet, witness: Witness) -> None:
    meeting = await meet("everyone")
    anna = await meeting.enter("Anna", told=False)  # no recording runs: there is nothing to tell
    await meeting.record(anna)
    await meeting.is_in(anna, anna)
    ben, carla = await meeting.enter("Ben", told=False), await meeting.enter("Carla", recorded=False)
    await meeting.is_out(ben, "unanswered", anna)
    await meeting.is_out(carla, "unanswered", anna)
    assert witness.count(ben) == witness.count(carla) == 0
    await ben.send(type="recording-seen")
    await meeting.is_in(ben, anna)


async def test_a_filter_turned_off_and_on_records_nothing(meet: Meet, witness: Witness) -> None:
    meeting = await meet("filtered")
    anna, ben = await meeting.enter("Anna"), await meeting.enter("Ben", recorded=False)
    await meeting.record(anna)
    await witness.grows(anna, "camera")
    await ben.until(lambda: ben.effects is not None and ben.effects["camera"]["state"] == "on")
    for on, state in ((False, "off"), (True, "on"), (False, "off")):
        await ben.send(type="effects", effects={"filters": [{"name": "mark", "on": on, "options": {}}]})
        await ben.until(lambda state=state: ben.effects["camera"]["state"] == state)  # type: ignore[misc]
        await meeting.is_out(ben, "self", anna)
    assert witness.count(ben) == 0


async def test_a_program_is_left_out_also_when_it_comes_again(meet: Meet, witness: Witness, published: Any) -> None:
    meeting = await meet("everyone")
    anna = await meeting.enter("Anna")
    await meeting.record(anna)
    for round_number in range(2):
        connection, peer = await published()
        program = await meeting.live.join_stream("Studio", connection)
        if round_number == 0:
            await witness.grows(program, "camera")
            await anna.send(type="leave-out", participant_id=program, left_out=True)
        await anna.until(lambda program=program: word_on(anna, program) == "host")
        before = witness.count(program)
        await witness.grows(anna, by=40)
        assert witness.count(program) == before
        assert round_number == 0 or before == 0
        await meeting.live.leave_stream(program)
        await peer.close()


async def test_with_opt_in_the_host_answers_for_a_program(meet: Meet, witness: Witness, published: Any) -> None:
    meeting = await meet("opt-in")
    anna = await meeting.enter("Anna", recorded=True)
    await meeting.record(anna)
    connection, peer = await published()
    program = await meeting.live.join_stream("Studio", connection)
    await anna.until(lambda: word_on(anna, program) == "unanswered")
    await witness.grows(anna, by=40)
    assert witness.count(program) == 0
    await anna.send(type="leave-out", participant_id=program, left_out=False)
    await witness.grows(program, "camera")
    await meeting.live.leave_stream(program)
    await peer.close()


async def test_only_the_host_leaves_others_out_and_only_who_may_choose_does(meet: Meet) -> None:
    meeting = await meet("everyone")
    anna, ben = await meeting.enter("Anna"), await meeting.enter("Ben")
    await ben.send(type="leave-out", participant_id=anna.id, left_out=True)
    await ben.send(type="recording-choice", recorded=False)
    codes = ("not-host", "no-choice")
    await ben.until(lambda: [each["code"] for each in ben.log if each["type"] == "error"] == list(codes))
    await anna.send(type="leave-out", participant_id="nobody", left_out=True)
    await meeting.record(anna)
    await meeting.is_in(anna, ben)
    await meeting.is_in(ben, anna)


async def test_frames_that_should_not_come_are_not_written(
    meet: Meet, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the server listen to somebody who is left out all the same, the recorder takes nothing of it."""
    meeting = await meet("opt-out")
    anna, ben = await meeting.enter("Anna"), await meeting.enter("Ben")
    await meeting.record(anna)
    await meeting.is_in(ben, anna)
    monkeypatch.setattr(MeetingRecording, "_drop", lambda *nothing: None)
    await ben.send(type="recording-choice", recorded=False)
    await anna.until(lambda: anna.people[ben.id]["left_out"] == "self")
    await witness.grows(ben, "camera", by=20)  # they are listened to
    monkeypatch.undo()
    events = await asyncio.to_thread(witness.events)
    since = next(number for number, event in enumerate(events) if isinstance(event, LeftOut))
    begun = [event.participant_id for event in events[since:] if isinstance(event, SegmentStarted)]
    assert ben.id not in begun
