"""A meeting with live effects: real peers, a real server, real workers with filters that paint what they have seen."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import pytest
from server.conftest import Flat, MakeClient, Person, upper_level

from vmeet_core.server.app import HALL
from vmeet_core.settings import Preset

RAW, MARKED, CARD = (
    120,
    200,
    58,
)  #: brightness of the upper quarter: of the camera, of what the filter paints, of the card
PRESETS = {
    "private": Preset(frame_filters=("mark",)),
    "open": Preset(frame_filters=("plain",), people_may_change="options"),
    "fixed": Preset(frame_filters=("mark",), people_may_change="nothing"),
    "raises": Preset(frame_filters=("raises",), options={"raises": {"after": 20}}),
    "heavy": Preset(frame_filters=("heavy",)),
    "enormous": Preset(frame_filters=("enormous",)),
    "quiet": Preset(live_denoiser="quiet"),
    "plain": Preset(),
}
Enter = Callable[..., Awaitable[Person]]


@pytest.fixture
async def client(with_presets: MakeClient) -> Any:
    return await with_presets(PRESETS)


@pytest.fixture
async def meeting(client: Any, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Of the preset that the test is parametrised with; else of "private"."""
    preset = getattr(request, "param", "private")
    answer = await client.post("/api/meetings", json={"title": "t", "preset": preset})
    made: dict[str, Any] = await answer.json()
    return made


@pytest.fixture
async def person(client: Any, meeting: dict[str, Any]) -> AsyncIterator[Callable[[], Awaitable[Person]]]:
    """``await person()``: a page of the meeting that has not said anything yet."""
    made: list[Person] = []

    async def make() -> Person:
        made.append(Person(await client.ws_connect(f"/api/meetings/{meeting['id']}/socket")))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
def enter(person: Callable[[], Awaitable[Person]], meeting: dict[str, Any]) -> Enter:
    """``await enter("Anna", camera=True)``: a person is in the meeting, with a camera that sees RAW."""

    async def make(name: str, camera: bool = False, **more: Any) -> Person:
        made = await person()
        await made.enter(name, host_key=meeting["host_key"], **more)
        if camera:
            await made.publish(Flat(RAW))
        return made

    return make


def wish(name: str = "mark", on: bool = True, **options: Any) -> dict[str, Any]:
    return {"filters": [{"name": name, "on": on, "options": options}]}


def looks(viewer: Person, since_s: float = 0) -> set[str]:
    """What somebody has seen of a camera, since then; other pictures are an error."""
    return {name_of(level) for at_s, _, level in viewer.looks if at_s > since_s}


def name_of(level: float) -> str:
    away, name = min((abs(level - value), name) for name, value in (("raw", RAW), ("marked", MARKED), ("card", CARD)))
    assert away < 12, f"a picture of level {level}"
    return name


def latest(viewer: Person) -> str:
    return name_of(viewer.looks[-1][2]) if viewer.looks else ""


def state(person: Person) -> str:
    return str(person.effects["camera"]["state"]) if person.effects else ""


async def test_what_there_is_is_told_before_anybody_joins(client: Any, meeting: dict[str, Any]) -> None:
    shown = await (await client.get(f"/api/meetings/{meeting['id']}")).json()
    effects = shown["effects"]
    assert (effects["people_may_change"], effects["denoiser"]) == ("everything", None)
    (described,) = effects["filters"]
    assert (described["name"], described["protects_privacy"], described["options"]["level"]) == ("mark", True, 200)
    assert "level" in described["options_schema"]["properties"]


async def test_nobody_sees_anything_but_the_card_and_what_was_filtered(enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    assert anna.effects is not None
    assert anna.effects["filters"] == [
        {"name": "mark", "on": True, "options": {"level": 200, "after": 10, "background": ""}}
    ]
    await ben.until(lambda: latest(ben) == "marked")
    await ben.until(lambda: state(anna) == "on" and ben.people[anna.id]["camera_effects"] == "on")
    assert anna.effects["camera"] == {"state": "on", "reason": None, "hides": True, "reduced": False, "no_room": False}
    assert looks(ben) <= {"card", "marked"}


async def test_off_and_on_again(enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    await ben.until(lambda: latest(ben) == "marked")
    await anna.send(type="effects", effects=wish(on=False))
    await ben.until(lambda: latest(ben) == "raw")
    assert (state(anna), ben.people[anna.id]["camera_effects"]) == ("off", "off")
    await anna.send(type="effects", effects=wish())
    asked_s = time.monotonic()
    await anna.until(lambda: state(anna) != "off")
    shielded_s = time.monotonic() + 0.3  # what had left before is played until then
    await ben.until(lambda: latest(ben) == "marked")
    assert time.monotonic() - asked_s < 1
    await asyncio.sleep(1)
    assert "raw" not in looks(ben, shielded_s)


async def test_other_options_hold_within_half_a_second(enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    await ben.until(lambda: latest(ben) == "marked")
    await anna.send(type="effects", effects=wish(level=160))
    asked_s = time.monotonic()
    await ben.until(lambda: abs(ben.looks[-1][2] - 160) < 8)
    assert time.monotonic() - asked_s < 0.5
    assert anna.effects is not None
    assert anna.effects["filters"][0]["options"]["level"] == 160


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        (wish("blur"), "blur is no live filter of this meeting"),
        (wish(level="loud"), "mark.level"),
        (wish(levl=3), "mark.levl"),
        ({"denoiser": {"name": "quiet"}}, "quiet is not the live denoiser"),
        (wish(background="u" + 32 * "0"), "upload it again"),
    ],
)
async def test_wishes_that_cannot_be_had_change_nothing(enter: Enter, effects: Any, said: str) -> None:
    anna = await enter("Anna", camera=True)
    await anna.until(lambda: state(anna) == "on")
    before = anna.effects
    await anna.send(type="effects", effects=effects)
    await anna.until(lambda: any(m["type"] == "error" for m in anna.log))
    (error,) = [m for m in anna.log if m["type"] == "error"]
    assert (error["code"], error["fatal"]) == ("bad-effects", False)
    assert said in error["message"]
    assert anna.effects == before


@pytest.mark.parametrize("meeting", ["fixed"], indirect=True)
async def test_nothing_can_be_changed_where_the_meeting_says_so(enter: Enter) -> None:
    anna = await enter("Anna", camera=True, effects=wish(on=False))
    assert anna.welcome["participant_id"], "remembered wishes keep nobody out"
    await anna.until(lambda: state(anna) == "on" and any(m["type"] == "error" for m in anna.log))
    for effects, said in ((wish(on=False), "cannot be turned off"), (wish(level=9), "options of mark cannot")):
        count = len(anna.log)
        await anna.send(type="effects", effects=effects)
        await anna.until(lambda n=count: any(m["type"] == "error" for m in anna.log[n:]))
        assert said in anna.log[-1]["message"]


@pytest.mark.parametrize("meeting", ["open"], indirect=True)
async def test_a_filter_that_protects_nothing_lets_the_picture_through_until_it_is_there(enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    await ben.until(lambda: latest(ben) == "marked")
    assert "card" not in looks(ben)
    await anna.send(type="effects", effects=wish("plain", on=False))
    await anna.until(lambda: any("cannot be turned off" in str(m.get("message")) for m in anna.log))


@pytest.mark.parametrize("meeting", ["raises"], indirect=True)
async def test_after_a_failure_nothing_raw_is_shown_and_it_can_be_tried_again(enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    await ben.until(lambda: latest(ben) == "marked")
    await anna.until(lambda: state(anna) == "failed")
    assert anna.effects is not None
    assert "the model exploded" in anna.effects["camera"]["reason"]
    await ben.until(lambda: ben.people[anna.id]["camera_effects"] == "failed")
    await ben.until(lambda: latest(ben) == "card")
    failed_s = time.monotonic()
    await anna.send(type="effects", effects=wish("raises", after=100_000))
    await ben.until(lambda: "marked" in looks(ben, failed_s) and state(anna) == "on")
    assert looks(ben) <= {"card", "marked"}


async def test_a_worker_that_is_killed_is_replaced(client: Any, enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    await ben.until(lambda: latest(ben) == "marked")
    (worker,) = {track.worker for track in client.app[HALL].engines.pictures._tracks.values()}
    os.kill(worker._process.pid, signal.SIGKILL)
    await anna.until(
        lambda: any(m["type"] == "effects-changed" and m["camera"]["state"] == "interrupted" for m in anna.log)
    )
    killed_s = time.monotonic()
    await anna.until(lambda: state(anna) == "on")
    await ben.until(lambda: bool(looks(ben, killed_s + 0.1)))
    assert looks(ben) <= {"card", "marked"}


async def test_one_sees_oneself_as_the_others_do(enter: Enter) -> None:
    anna = await enter("Anna", camera=True)
    me = {"participant_id": anna.id, "width_px": 320, "height_px": 180}
    await anna.send(type="view", pictures=[me])
    await anna.until(lambda: latest(anna) == "marked")
    assert anna.slot(anna) is not None
    assert anna.frames(anna, half="audio_mid") == 0
    await anna.send(type="effects", effects=wish(on=False))
    await anna.until(lambda: state(anna) == "off")
    await asyncio.sleep(0.5)
    assert "raw" not in looks(anna), "the page has that itself"


async def test_a_preview_shows_oneself_to_oneself_alone_and_goes_on_in_the_meeting(
    enter: Enter, person: Callable[[], Awaitable[Person]]
) -> None:
    ben = await enter("Ben")
    anna = await person()
    await anna.send(type="preview", effects=wish(level=160))
    previewing = await anna.next("previewing")
    anna.id = previewing["participant_id"]
    anna._spawn(anna._read())
    await anna.publish(Flat(RAW))
    await anna.send(type="view", pictures=[{"participant_id": anna.id, "width_px": 320, "height_px": 180}])
    await anna.until(lambda: anna.looks and abs(anna.looks[-1][2] - 160) < 8)
    await anna.send(type="chat", text="hello?")
    await anna.until(lambda: any(m.get("code") == "not-joined" for m in anna.log))
    assert [each["name"] for each in ben.people.values()] == ["Ben"]
    assert ben.looks == []
    await anna.renew_peer()
    await anna.send(type="join", name="Anna")
    await ben.until(lambda: ben.looks and abs(ben.looks[-1][2] - 160) < 8)
    (welcome,) = [m for m in anna.log if m["type"] == "welcome"]
    assert welcome["participant_id"] != anna.id
    assert ben.people[welcome["participant_id"]]["name"] == "Anna"
    await anna.send(type="chat", text="hello!")
    await ben.until(lambda: any(m["type"] == "chat-entry" for m in ben.log))
    await asyncio.sleep(1)
    assert not anna.socket.closed


async def test_a_preview_that_is_given_up_leaves_nothing(client: Any, person: Callable[[], Awaitable[Person]]) -> None:
    anna = await person()
    await anna.send(type="preview")
    await anna.next("previewing")
    (live,) = client.app[HALL].all_live()
    assert len(live.previews) == 1
    await anna.socket.close()
    await anna.until(lambda: not live.previews and not live._personal)


async def test_wishes_outlast_a_reload(enter: Enter) -> None:
    anna = await enter("Anna", camera=True, effects=wish(level=160))
    await anna.until(lambda: state(anna) == "on")
    ben = await enter("Ben")
    again = await enter("Anna", token=anna.welcome["token"])
    assert again.id == anna.id
    await again.until(lambda: state(again) == "on")
    assert again.effects is not None
    assert again.effects["filters"][0]["options"]["level"] == 160
    await ben.until(lambda: ben.looks and abs(ben.looks[-1][2] - 160) < 8)


async def test_what_is_recorded_is_what_was_shown(client: Any, enter: Enter, tmp_path: Path) -> None:
    anna = await enter("Anna", camera=True)
    await anna.until(lambda: state(anna) == "on")
    await anna.send(type="recording-control", action="start")
    await anna.until(lambda: anna.recording)
    await asyncio.sleep(1)
    await anna.send(type="effects", effects=wish(on=False))
    await anna.until(lambda: state(anna) == "off")
    await asyncio.sleep(1)
    await anna.send(type="effects", effects=wish())
    await anna.until(lambda: state(anna) == "on")
    await asyncio.sleep(1)
    await anna.send(type="recording-control", action="stop")
    await anna.until(lambda: not anna.recording)
    kinds = [recorded_kinds(path) for path in sorted((tmp_path / "data" / "recordings").rglob("*camera*.mkv"))]
    assert all(len(each) <= 2 for each in kinds)
    assert [kind for each in kinds for kind in each if kind != "card"] == ["marked", "raw", "marked"]


def recorded_kinds(path: Path) -> list[str]:
    """What is seen in a segment, one after another."""
    found: list[str] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            level = upper_level(frame)
            if not found or found[-1] != name_of(level):
                found.append(name_of(level))
    return found


@pytest.mark.parametrize("meeting", ["quiet"], indirect=True)
async def test_a_denoiser_is_heard_and_can_be_turned_off(client: Any, enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    anna.tone.loud = True
    await ben.hears(anna)
    await anna.until(lambda: anna.effects and anna.effects["microphone"]["state"] == "on")
    (live,) = client.app[HALL].all_live()
    attendee, listener = live.attendees[anna.id], live.members[ben.id]
    slot = next(sound for who, _, sound, _ in listener._slots() if who == anna.id)
    await ben.until(lambda: slot.source is attendee.denoised.source)
    await ben.hears(anna)
    await anna.send(type="effects", effects={"denoiser": {"name": "quiet", "on": False}})
    await anna.until(lambda: anna.effects and anna.effects["microphone"]["state"] == "off")
    await ben.until(lambda: slot.source is attendee.sources["microphone"])
    await ben.hears(anna)
    assert anna.effects is not None
    assert anna.effects["camera"]["state"] == "off"


@pytest.mark.parametrize("meeting", ["heavy"], indirect=True)
async def test_whoever_finds_little_room_is_told(enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    await anna.until(lambda: state(anna) == "on")
    assert anna.effects is not None
    assert anna.effects["camera"]["reduced"]
    await ben.until(lambda: latest(ben) == "marked")


@pytest.mark.parametrize("meeting", ["enormous"], indirect=True)
async def test_whoever_finds_no_room_is_told_and_not_shown(enter: Enter) -> None:
    ben = await enter("Ben")
    anna = await enter("Anna", camera=True)
    await anna.until(lambda: state(anna) == "failed")
    assert anna.effects is not None
    assert "room" in anna.effects["camera"]["reason"]
    assert anna.effects["camera"]["no_room"]
    await ben.until(lambda: len(ben.looks) > 2)
    assert looks(ben) == {"card"}


async def test_engines_that_only_a_meeting_names_are_loaded_for_it(client: Any) -> None:
    body = {"title": "t", "preset": "plain", "choices": {"frame_filters": ["slow"]}}
    made = await (await client.post("/api/meetings", json=body)).json()
    anna = Person(await client.ws_connect(f"/api/meetings/{made['id']}/socket"))
    await anna.enter("Anna")
    await anna.publish(Flat(RAW))
    await anna.until(lambda: state(anna) == "on", 20)
    await anna.close()
