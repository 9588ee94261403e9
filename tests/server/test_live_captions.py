"""A meeting with live captions: real peers, a real server, a real process with a transcriber that needs no model."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from caption_material import numbers
from server.conftest import MakeClient, Person
from transcriber_kinds import TRANSCRIBERS

from vmeet_core.live import captioner
from vmeet_core.server.app import HALL
from vmeet_core.settings import Preset

Enter = Callable[..., Awaitable[Person]]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Gets a line for each phrase that the transcriber is given: its length, the language, what it was told."""
    return tmp_path / "trace.txt"


@pytest.fixture
async def client(with_presets: MakeClient, use_plugin: Callable[[str, str], None], trace: Path) -> Any:
    use_plugin("tone-transcribers", TRANSCRIBERS)
    captions = Preset(live_transcriber="tones", language="en", options={"tones": {"trace": str(trace)}})
    return await with_presets({"captions": captions, "plain": Preset()})


@pytest.fixture
async def meeting(client: Any, request: pytest.FixtureRequest) -> dict[str, Any]:
    preset = getattr(request, "param", "captions")
    answer = await client.post("/api/meetings", json={"title": "t", "preset": preset})
    assert answer.status == 201, (await answer.text(), client.app[HALL]._registry.problems)
    made: dict[str, Any] = await answer.json()
    return made


@pytest.fixture
async def enter(client: Any, meeting: dict[str, Any]) -> AsyncIterator[Enter]:
    """``await enter("Anna", speaks=True)``: a person is in the meeting, and speaks, in syllables of 440 Hz."""
    made: list[Person] = []

    async def come(name: str, speaks: bool = False, **more: Any) -> Person:
        person = Person(await client.ws_connect(f"/api/meetings/{meeting['id']}/socket"))
        made.append(person)
        await person.enter(name, **more)
        if speaks:
            await person.publish()
            await asyncio.sleep(0.5)  # the room, before anybody says anything
            await say(person)
        return person

    yield come
    await asyncio.gather(*(each.close() for each in made))


async def say(person: Person, seconds: float = 1.2) -> float:
    """A phrase; returns when it was over."""
    person.tone.loud = True
    await asyncio.sleep(seconds)
    person.tone.loud = False
    return time.time()


def phrases(trace: Path) -> list[list[str]]:
    """What the transcriber was given: seconds, language, what it was told."""
    return [line.split(" ", 2) for line in trace.read_text().splitlines()] if trace.exists() else []


def captions(person: Person) -> list[dict[str, Any]]:
    return [message["entry"] for message in person.log if message["type"] == "caption"]


def states(person: Person) -> list[str]:
    return [message["captions"]["state"] for message in person.log if message["type"] == "captions"]


async def test_everyone_reads_what_somebody_says_and_who_comes_later_too(
    client: Any, meeting: dict[str, Any], enter: Enter
) -> None:
    shown = await (await client.get(f"/api/meetings/{meeting['id']}")).json()
    assert shown["captions"] == {"title": "Tones", "leaves_host": False, "language": "en", "languages": ["en"]}
    ben = await enter("Ben")
    assert ben.welcome["captions"] == shown["captions"] | {"state": "on", "reason": None}
    anna = await enter("Anna", speaks=True)
    over_s = time.time()
    await ben.until(lambda: captions(ben) and captions(anna))
    assert time.time() - over_s < 3
    (entry,) = captions(ben)
    assert captions(anna) == [entry]
    assert set(numbers([entry["text"]])) == {440}
    assert (entry["number"], entry["participant_id"], entry["name"]) == (1, anna.id, "Anna")
    assert entry["end_s"] == pytest.approx(over_s, abs=0.8)
    assert entry["end_s"] - entry["start_s"] == pytest.approx(1.9, abs=0.6)
    carl = await enter("Carl")
    assert carl.welcome["said"] == [entry]


async def test_nothing_of_a_microphone_that_is_off_is_listened_to(enter: Enter, trace: Path) -> None:
    anna = await enter("Anna", speaks=True)
    await anna.until(lambda: captions(anna))
    await anna.send(type="mute", source="microphone", muted=True)
    await anna.until(lambda: "microphone" in anna.people[anna.id]["muted"])
    heard = phrases(trace)
    await say(anna)
    await asyncio.sleep(1.5)
    assert phrases(trace) == heard
    await anna.send(type="mute", source="microphone", muted=False)
    await anna.until(lambda: "microphone" not in anna.people[anna.id]["muted"])
    await asyncio.sleep(0.3)
    await say(anna)
    await anna.until(lambda: len(captions(anna)) == 2)


async def test_a_phrase_that_was_said_before_the_microphone_went_off_is_read(enter: Enter) -> None:
    anna = await enter("Anna", speaks=True)
    await anna.until(lambda: captions(anna))
    anna.tone.loud = True
    await asyncio.sleep(1)
    await anna.send(type="mute", source="microphone", muted=True)
    await anna.until(lambda: len(captions(anna)) == 2)


async def test_people_say_what_language_they_speak(enter: Enter, trace: Path) -> None:
    ben, anna = await enter("Ben"), await enter("Anna", speaks=True)
    await anna.until(lambda: captions(anna))
    await anna.send(type="spoken-language", language="auto")
    await say(anna)
    await anna.until(lambda: len(captions(anna)) == 2)
    await anna.send(type="spoken-language", language=None)
    await say(anna)
    await ben.until(lambda: len(captions(ben)) == 3)
    assert [language for _, language, _ in phrases(trace)] == ["en", "auto", "en"]
    assert all(told.startswith("Ben,Anna") for _, _, told in phrases(trace)), "names are to be expected"


async def test_a_language_that_the_transcriber_does_not_know_is_refused(enter: Enter) -> None:
    anna = await enter("Anna")
    await anna.send(type="spoken-language", language="tlh")
    await anna.until(lambda: any(each["type"] == "error" for each in anna.log))
    (error,) = [each for each in anna.log if each["type"] == "error"]
    assert (error["code"], error["fatal"]) == ("bad-language", False)
    assert "it knows: en" in error["message"]


async def test_when_the_process_dies_pages_are_told_and_the_meeting_goes_on(
    client: Any, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captioner, "FIRST_PAUSE_S", 0.1)
    ben, anna = await enter("Ben"), await enter("Anna", speaks=True)
    await ben.until(lambda: captions(ben))
    os.kill(client.app[HALL].engines.captioner("tones").process_id, signal.SIGKILL)
    await ben.until(lambda: states(ben) == ["failed"])
    await ben.hears(anna)
    await ben.until(lambda: states(ben) == ["failed", "on"])
    await say(anna)
    await ben.until(lambda: len(captions(ben)) == 2)


async def test_somebody_who_only_looks_at_the_own_picture_is_not_listened_to(
    client: Any, meeting: dict[str, Any], trace: Path
) -> None:
    ben = Person(await client.ws_connect(f"/api/meetings/{meeting['id']}/socket"))
    await ben.send(type="preview")
    await ben.next("previewing")
    ben._spawn(ben._read())
    await ben.publish()
    await asyncio.sleep(0.5)
    await say(ben)
    await asyncio.sleep(1.5)
    assert phrases(trace) == []
    await ben.renew_peer()
    await ben.send(type="join", name="Ben")
    await ben.until(lambda: any(each["type"] == "welcome" for each in ben.log))
    await say(ben)
    await ben.until(lambda: captions(ben))
    await ben.close()


@pytest.mark.parametrize("meeting", ["plain"], indirect=True)
async def test_a_meeting_without_captions_writes_nothing_down(
    client: Any, meeting: dict[str, Any], enter: Enter
) -> None:
    shown = await (await client.get(f"/api/meetings/{meeting['id']}")).json()
    assert shown["captions"] is None
    anna = await enter("Anna", speaks=True)
    assert (anna.welcome["captions"], anna.welcome["said"]) == (None, [])
    await anna.send(type="spoken-language", language="en")
    await asyncio.sleep(1.5)
    assert captions(anna) == []
    assert not [each for each in anna.log if each["type"] == "error"]


async def test_a_transcriber_that_cannot_be_had_is_refused_when_the_meeting_is_created(client: Any) -> None:
    wish = {"title": "t", "preset": "plain", "choices": {"live_transcriber": "tonse"}}
    answer = await client.post("/api/meetings", json=wish)
    assert answer.status == 422
    assert (await answer.json())["error"]["field"] == "choices.live_transcriber"
