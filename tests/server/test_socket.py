"""Signalling: coming, going, and everything that a page may get wrong."""

import asyncio
from typing import Any

import pytest
from aiohttp import WSMsgType

from vmeet_core import protocol
from vmeet_core.server.app import HALL


async def test_people_see_each_other_come_change_and_go(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    anna, ben = await open_page(meeting["id"]), await open_page(meeting["id"])
    assert (await anna.join("Anna", host_key=meeting["host_key"]))["is_host"]
    assert not (await ben.join("Ben"))["is_host"]
    assert {p["name"] for p in ben.welcome["participants"]} == {"Anna", "Ben"}
    while (await anna.next("participant"))["participant"]["name"] != "Ben":
        pass
    await ben.send(type="mute", source="camera", muted=True)
    assert (await anna.next("participant"))["participant"]["muted"] == ["screen", "camera"]
    await ben.send(type="leave")
    left = await anna.next("participant-left")
    assert left == {"type": "participant-left", "participant_id": ben.welcome["participant_id"], "reason": "left"}


async def test_slots_are_offered_and_given(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    anna, ben = await open_page(meeting["id"]), await open_page(meeting["id"])
    await anna.join("Anna")
    await ben.join("Ben")
    offer = await ben.next("offer")
    assert (offer["sdp"].count("m=audio"), offer["sdp"].count("m=video")) == (4, 5)
    empty = (await ben.next("slots"))["slots"]
    assert [slot["source"] for slot in empty] == ["camera"] * 4 + ["screen"]
    assert [slot["participant_id"] for slot in empty] == [None] * 5
    await anna.publish()
    slots = (await ben.next("slots"))["slots"]
    assert [slot["participant_id"] for slot in slots] == [anna.welcome["participant_id"], None, None, None, None]
    await anna.send(type="mute", source="screen", muted=False)
    assert (await ben.next("slots"))["slots"][4]["participant_id"] == anna.welcome["participant_id"]


async def test_the_newest_page_wins_and_the_older_is_told(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    old, new = await open_page(meeting["id"]), await open_page(meeting["id"])
    welcome = await old.join("Anna")
    again = await new.join("Anna", token=welcome["token"])
    assert again["participant_id"] == welcome["participant_id"]
    assert len(again["participants"]) == 1
    assert "another page" in (await old.next("replaced"))["reason"]
    assert (await old.socket.receive(timeout=10)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)
    await new.send(type="ping", number=7)
    assert (await new.next("pong"))["number"] == 7


async def test_a_page_that_vanishes_is_gone_within_ten_seconds(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    anna, ben = await open_page(meeting["id"]), await open_page(meeting["id"])
    await anna.join("Anna")
    await ben.join("Ben")
    await ben.socket.close()
    gone = None
    async with asyncio.timeout(10):
        while gone is None:
            await anna.send(type="ping")
            message = await anna.socket.receive_json()
            if message["type"] == "participant-left":
                gone = message
            elif message["type"] == "pong":
                await asyncio.sleep(0.2)
    assert gone["reason"] == "lost"


async def test_a_reload_within_the_silence_keeps_the_person(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    anna, ben = await open_page(meeting["id"]), await open_page(meeting["id"])
    await anna.join("Anna")
    token = (await ben.join("Ben"))["token"]
    await ben.socket.close()
    reloaded = await open_page(meeting["id"])
    assert (await reloaded.join("Ben", token=token))["participant_id"] == ben.welcome["participant_id"]
    await anna.send(type="leave")
    left = await reloaded.next("participant-left")
    assert left["participant_id"] == anna.welcome["participant_id"]


async def test_an_unknown_meeting_is_told_and_closed(open_page: Any) -> None:
    page = await open_page("nowhere")
    error = await page.next("error")
    assert (error["code"], error["fatal"]) == ("unknown-meeting", True)
    assert (await page.socket.receive(timeout=5)).type == WSMsgType.CLOSE


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        ("nonsense", "bad-message", "JSON"),
        ('{"type": "dance"}', "bad-message", "dance"),
        ('{"type": "join", "name": "' + "x" * 10_000 + '"}', "bad-message", "name"),
        ('{"type": "join", "name": "a\\u0007"}', "bad-message", "control characters"),
        ('{"type": "mute", "source": "camera", "muted": true}', "not-joined", "mute"),
        ("x" * (protocol.MAX_MESSAGE_BYTES + 1), "too-large", "131072"),
    ],
)
async def test_bad_messages_are_answered(new_meeting: Any, open_page: Any, data: str, code: str, says: str) -> None:
    page = await open_page((await new_meeting())["id"])
    await page.socket.send_str(data)
    error = await page.next("error")
    assert (error["code"], error["fatal"]) == (code, False)
    assert says in error["message"]
    assert (await page.join("Anna"))["title"] == "早安"


async def test_a_huge_message_ends_only_its_own_socket(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    page, other = await open_page(meeting["id"]), await open_page(meeting["id"])
    await other.join("Ben")
    await page.socket.send_str("x" * (9 * protocol.MAX_MESSAGE_BYTES))
    closed = await page.socket.receive(timeout=10)
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, 1009)
    await other.send(type="ping", number=3)
    assert (await other.next("pong"))["number"] == 3


async def test_a_page_that_sends_only_nonsense_is_closed(new_meeting: Any, open_page: Any) -> None:
    page = await open_page((await new_meeting())["id"])
    for _ in range(20):
        await page.socket.send_str("{}")
    errors = [await page.next("error") for _ in range(20)]
    assert [error["fatal"] for error in errors] == [False] * 19 + [True]


async def test_garbage_sdp_is_refused_and_the_meeting_goes_on(new_meeting: Any, open_page: Any) -> None:
    page = await open_page((await new_meeting())["id"])
    await page.join("Anna")
    await page.send(type="publish", sdp="garbage", sources=[{"mid": "0", "source": "camera"}])
    assert (await page.next("error"))["code"] == "bad-sdp"
    await page.send(type="candidate", connection="receive", candidate="garbage", mid="0")
    assert (await page.next("error"))["code"] == "bad-sdp"
    await page.send(type="ping", number=1)
    assert (await page.next("pong"))["number"] == 1


async def test_a_new_receiving_connection_is_offered_when_asked_for(new_meeting: Any, open_page: Any) -> None:
    page = await open_page((await new_meeting())["id"])
    await page.join("Anna")
    first = await page.next("offer")
    await page.send(type="receive")
    second = await page.next("offer")
    assert second["negotiation"] == first["negotiation"] == 1
    assert ice_name(second["sdp"]) != ice_name(first["sdp"])
    assert len((await page.next("slots"))["slots"]) == 5


def ice_name(sdp: str) -> str:
    return sdp.partition("a=ice-ufrag:")[2].split()[0]


async def test_the_small_picture_cannot_be_muted_alone(new_meeting: Any, open_page: Any) -> None:
    page = await open_page((await new_meeting())["id"])
    await page.join("Anna")
    await page.send(type="mute", source="camera-small", muted=True)
    error = await page.next("error")
    assert error["code"] == "bad-message"
    assert "mute that" in error["message"]


async def test_chat_reaches_everyone_and_those_who_come_later(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    anna, ben = await open_page(meeting["id"]), await open_page(meeting["id"])
    await anna.join("Anna")
    assert (await ben.join("Ben"))["chat"] == []
    await anna.send(type="chat", text=" 早安\r\nBen ")
    entries = [(await page.next("chat-entry"))["entry"] for page in (anna, ben)]
    assert entries[0] == entries[1]
    assert (entries[0]["number"], entries[0]["text"], entries[0]["name"]) == (1, "早安\nBen", "Anna")
    late = await open_page(meeting["id"])
    assert (await late.join("Carl"))["chat"] == entries[:1]


async def test_who_writes_too_fast_is_told_but_not_thrown_out(new_meeting: Any, open_page: Any) -> None:
    page = await open_page((await new_meeting())["id"])
    await page.join("Anna")
    for number in range(10 + 25):
        await page.send(type="chat", text=str(number))
    errors = [await page.next("error") for _ in range(25)]
    assert not any(error["fatal"] for error in errors)
    assert "10 texts in 10 s" in errors[0]["message"]
    await page.send(type="ping", number=9)
    assert (await page.next("pong"))["number"] == 9


async def test_a_host_is_told_how_other_programs_join(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    host, guest = await open_page(meeting["id"]), await open_page(meeting["id"])
    streams = (await host.join("Anna", host_key=meeting["host_key"]))["streams"]
    assert streams["whip_path"] == f"/api/meetings/{meeting['id']}/whip"
    assert streams["whep_path"] == f"/api/meetings/{meeting['id']}/whep"
    assert streams["whip_token"] != streams["whep_token"]
    assert (await guest.join("Ben"))["streams"] is None


async def test_a_reload_is_told_as_a_change_of_the_same_person(new_meeting: Any, open_page: Any) -> None:
    meeting = await new_meeting()
    anna, ben = await open_page(meeting["id"]), await open_page(meeting["id"])
    await anna.join("Anna")
    token = (await ben.join("Ben"))["token"]
    await ben.publish()
    await ben.send(type="mute", source="camera", muted=True)
    await ben.send(type="ping", number=1)
    await ben.next("pong")
    await ben.socket.close()
    reloaded = await open_page(meeting["id"])
    welcome = await reloaded.join("Ben", token=token)
    assert welcome["participant_id"] == ben.welcome["participant_id"]
    (me,) = (p for p in welcome["participants"] if p["id"] == welcome["participant_id"])
    assert me["sources"] == ["microphone", "camera", "screen"]
    assert me["muted"] == ["screen", "camera"]
    await reloaded.send(type="leave")
    kinds = []
    while (message := await anna.socket.receive_json(timeout=15))["type"] != "participant-left":
        kinds.append(message["type"])
    assert message["reason"] == "left"
    assert {"participant", "offer", "slots"} <= set(kinds)


async def test_a_page_that_falls_silent_is_shown_as_not_connected(
    new_meeting: Any, open_page: Any, client: Any
) -> None:
    meeting = await new_meeting()
    anna, ben = await open_page(meeting["id"]), await open_page(meeting["id"])
    await anna.join("Anna")
    await ben.join("Ben")
    live = client.app[HALL].all_live()[0]
    live.members[ben.welcome["participant_id"]].heard_s -= 6  # as if it had been silent for so long
    while (person := (await anna.next("participant"))["participant"])["connected"]:
        pass
    assert person["name"] == "Ben"
    await ben.send(type="ping")
    assert (await anna.next("participant"))["participant"]["connected"]
    live.members[ben.welcome["participant_id"]].heard_s -= protocol.OUTAGE_S
    assert (await anna.next("participant-left"))["reason"] == "lost"


async def test_only_a_host_records(new_meeting: Any, open_page: Any) -> None:
    page = await open_page((await new_meeting())["id"])
    await page.join("Anna")
    await page.send(type="recording-control", action="start")
    assert (await page.next("error"))["code"] == "not-host"


async def test_everyone_is_told_of_a_recording(new_meeting: Any, open_page: Any, client: Any) -> None:
    meeting = await new_meeting()
    host, guest = await open_page(meeting["id"]), await open_page(meeting["id"])
    await host.join("Anna", host_key=meeting["host_key"])
    await guest.join("Ben")
    await host.send(type="recording-control", action="start")
    started = (await guest.next("recording"))["recording"]
    assert started["active"]
    late = await open_page(meeting["id"])
    assert (await late.join("Carl"))["recording"] == started
    shown = await (await client.get(f"/api/recordings/{started['recording_id']}")).json()
    assert shown["state"] == "recording"
    assert (await client.delete(f"/api/recordings/{started['recording_id']}")).status == 409
    await host.send(type="recording-control", action="stop")
    assert not (await guest.next("recording"))["recording"]["active"]


async def test_a_recording_that_cannot_start_is_told_to_the_host(make_client: Any) -> None:
    client = await make_client(min_free_bytes=1 << 60)
    meeting = await (await client.post("/api/meetings", json={"title": "t", "preset": "plain"})).json()
    socket = await client.ws_connect(f"/api/meetings/{meeting['id']}/socket")
    await socket.send_json({"type": "join", "name": "Anna", "host_key": meeting["host_key"]})
    await socket.send_json({"type": "recording-control", "action": "start"})
    async with asyncio.timeout(10):
        while (message := await socket.receive_json())["type"] != "error":
            pass
    assert message["code"] == "recording-failed"
    assert "nearly full" in message["message"]
    assert await (await client.get("/api/recordings")).json() == {"recordings": [], "total": 0, "offset": 0}


async def test_a_disk_that_fills_stops_the_recording_and_everyone_is_told(
    new_meeting: Any, open_page: Any, client: Any
) -> None:
    meeting = await new_meeting()
    host, guest = await open_page(meeting["id"]), await open_page(meeting["id"])
    await host.join("Anna", host_key=meeting["host_key"])
    await guest.join("Ben")
    await host.send(type="recording-control", action="start")
    started = await guest.next("recording")
    recorder = client.app[HALL].all_live()[0]._recording.recorder
    recorder._min_free_bytes = 1 << 60  # as if somebody else had filled the disk
    stopped = await guest.next("recording")
    assert not stopped["recording"]["active"]
    assert "nearly full" in stopped["reason"]
    shown = await (await client.get(f"/api/recordings/{started['recording']['recording_id']}")).json()
    assert "nearly full" in shown["note"]
    await guest.send(type="ping", number=5)
    assert (await guest.next("pong"))["number"] == 5


async def test_a_host_who_stops_and_leaves_at_once_leaves_a_whole_recording(
    new_meeting: Any, open_page: Any, client: Any
) -> None:
    meeting = await new_meeting()
    host = await open_page(meeting["id"])
    await host.join("Anna", host_key=meeting["host_key"])
    await host.send(type="recording-control", action="start")
    await host.next("recording")
    await host.send(type="recording-control", action="stop")
    await host.next("recording")
    await host.socket.close()
    async with asyncio.timeout(10):
        while not (shown := await (await client.get("/api/recordings")).json())["recordings"][0]["job"]:
            await asyncio.sleep(0.05)
    assert shown["recordings"][0]["people"] == ["Anna"]
