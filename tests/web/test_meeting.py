"""The page of a meeting: lobby, people, keys, recording, the ways it ends. Media goes nowhere here: see tests/e2e."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Locator, Page, expect

from vmeet_core.protocol import clean_name

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MEETING = {"id": "abcd", "title": "Talk", "people": 2, "recording": False}
QUIET: dict[str, Any] = {"active": False, "recording_id": None, "started_at_s": None}


def person(identity: str, name: str, **changes: Any) -> dict[str, Any]:
    known = {"id": identity, "name": name, "is_host": False, "state": "in"}
    return {**known, "sources": ["microphone", "camera"], "muted": [], **changes}


class Room:
    """The server's end of a meeting with Ben in it; ``heard`` has what the page sends."""

    def __init__(self, recording: dict[str, Any] = QUIET, host: bool = False) -> None:
        self.recording = recording
        self.host = host
        self.heard: list[dict[str, Any]] = []
        self.socket: web.WebSocketResponse | None = None

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] == "join":
                await self._welcome(socket, message)
            if message["type"] == "ping":
                await socket.send_json({"type": "pong", "number": message["number"]})
            else:
                self.heard.append(message)

    async def _welcome(self, socket: web.WebSocketResponse, join: dict[str, Any]) -> None:
        people = [person("ben", "Ben"), person("me", join["name"], is_host=self.host)]
        about = {"participant_id": "me", "token": "secret", "is_host": self.host, "meeting_id": "abcd", "title": "Talk"}
        rest = {"participants": people, "recording": self.recording, "ice_servers": [], "heartbeat_s": 1}
        await socket.send_json({"type": "welcome", **about, **rest})

    async def send(self, **message: Any) -> None:
        assert self.socket is not None
        await self.socket.send_json(message)

    async def wait_for(self, **wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                for message in self.heard:
                    if wanted.items() <= message.items():
                        return message
                await asyncio.sleep(0.02)


async def enter(page: Page, site: Any, room: Room, name: str = "Ann") -> None:
    site.answers["GET /api/meetings/abcd"] = (200, MEETING)
    site.on_socket = room
    await page.goto("/m/abcd")
    await page.get_by_test_id("name").fill(name)
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call[data-state=in]").wait_for()


async def test_all_sources_are_published_at_once(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    publish = await room.wait_for(type="publish")
    assert [each["source"] for each in publish["sources"]] == ["microphone", "camera", "camera-small", "screen"]
    assert all(f"a=mid:{each['mid']}" in publish["sdp"] for each in publish["sources"])
    assert publish["sdp"].count("a=sendonly") == 4
    await room.wait_for(type="mute", source="camera", muted=False)
    await room.wait_for(type="candidate", connection="publish", candidate="")


async def test_the_switches_tell_the_server(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    await room.wait_for(type="mute", source="microphone", muted=False)
    await page.keyboard.press("m")
    await room.wait_for(type="mute", source="microphone", muted=True)
    await expect(page.get_by_test_id("toggle-microphone")).to_have_attribute("data-on", "false")
    await page.get_by_test_id("toggle-camera").click()
    await room.wait_for(type="mute", source="camera", muted=True)
    await expect(page.locator("vmeet-tile.own")).to_have_attribute("data-camera-off", "")
    await expect(page.get_by_role("button", name="Turn on camera")).to_be_visible()


async def test_keys_do_nothing_while_someone_types(page: Page, site: Any) -> None:
    await enter(page, site, Room())
    await page.get_by_test_id("open-devices").click()
    await page.keyboard.press("m")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("devices-dialog")).to_have_count(0)
    await expect(page.get_by_test_id("toggle-microphone")).to_have_attribute("data-on", "true")


async def test_people_who_come_and_go_are_announced(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    log = page.get_by_role("log")
    await expect(log).to_have_attribute("aria-live", "polite")
    await room.send(type="participant", participant=person("carla", "Carla"))
    await expect(log).to_contain_text("Carla joined")
    await expect(page.get_by_test_id("tile")).to_have_count(3)
    await room.send(type="participant-left", participant_id="ben", reason="lost")
    await expect(log).to_contain_text("Ben left")
    await expect(page.get_by_test_id("tile")).to_have_count(2)


async def test_signs_follow_the_person(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    ben = page.get_by_test_id("tile").filter(has_text="Ben")
    await expect(ben).not_to_have_attribute("data-muted", "")
    await room.send(type="participant", participant=person("ben", "Ben", muted=["microphone", "camera"]))
    await expect(ben).to_have_attribute("data-muted", "")
    await expect(ben).to_have_attribute("data-camera-off", "")
    await page.get_by_test_id("toggle-people").click()
    row = page.get_by_test_id("people-list").get_by_role("listitem").filter(has_text="Ben")
    await expect(row.get_by_role("img", name="Camera is off")).to_be_visible()


async def test_a_name_is_text_and_nothing_else(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    name = "<img src=x onerror=alert(1)>"
    await room.send(type="participant", participant=person("eve", name))
    await expect(page.get_by_test_id("tile").filter(has_text=name)).to_be_visible()
    assert await page.locator("vmeet-tile img").count() == 0


async def test_only_the_host_records_and_is_asked_first(page: Page, site: Any) -> None:
    room = Room(host=True)
    await enter(page, site, room)
    await page.keyboard.press("r")
    await expect(page.get_by_test_id("confirm-dialog")).to_contain_text("Everyone is told")
    await page.get_by_test_id("confirm-no").click()
    assert not [message for message in room.heard if message["type"] == "recording-control"]
    await page.get_by_test_id("toggle-recording").click()
    await page.get_by_test_id("confirm-yes").click()
    await room.wait_for(type="recording-control", action="start")


async def test_a_guest_has_no_button_but_sees_the_recording(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    await expect(page.get_by_test_id("toggle-recording")).to_be_hidden()
    await expect(page.get_by_test_id("recording-badge")).to_be_hidden()
    await room.send(type="recording", recording={**QUIET, "active": True}, reason=None)
    await expect(page.get_by_test_id("recording-badge")).to_contain_text("Recording")
    await expect(page.get_by_role("log")).to_contain_text("The recording has started.")
    await room.send(type="recording", recording=QUIET, reason="the disk is full")
    await expect(page.get_by_test_id("recording-badge")).to_be_hidden()
    await expect(page.get_by_role("log")).to_contain_text("the disk is full")


async def test_whoever_comes_while_it_records_is_told(page: Page, site: Any) -> None:
    await enter(page, site, Room(recording={**QUIET, "active": True}))
    await expect(page.get_by_test_id("recording-dialog")).to_contain_text("This meeting is being recorded")
    await expect(page.get_by_test_id("recording-ok")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("recording-dialog")).to_have_count(0)


async def test_the_lobby_tells_of_a_recording(page: Page, site: Any) -> None:
    site.answers["GET /api/meetings/abcd"] = (200, {**MEETING, "recording": True})
    await page.goto("/m/abcd")
    await expect(page.get_by_test_id("lobby-recording")).to_have_text("This meeting is being recorded.")


async def test_a_reload_comes_straight_back_as_the_same_person(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    await page.keyboard.press("v")
    await room.wait_for(type="mute", source="camera", muted=True)
    room.heard.clear()
    await page.reload()
    join = await room.wait_for(type="join")
    assert (join["name"], join["token"]) == ("Ann", "secret")
    await expect(page.get_by_test_id("toggle-microphone")).to_have_attribute("data-on", "true")
    await expect(page.get_by_test_id("toggle-camera")).to_have_attribute("data-on", "false")
    assert not [message for message in room.heard if message["type"] == "leave"]


async def test_a_lost_socket_is_said_and_mended(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    room.heard.clear()
    assert room.socket is not None
    await room.socket.close()
    await expect(page.get_by_test_id("banner")).to_have_text("The connection was lost. Trying again…")
    assert (await room.wait_for(type="join"))["token"] == "secret"
    await expect(page.get_by_test_id("banner")).to_be_hidden()


async def test_leaving_and_joining_again(page: Page, site: Any) -> None:
    room = Room()
    await enter(page, site, room)
    await page.get_by_test_id("leave").click()
    await room.wait_for(type="leave")
    await expect(page.get_by_test_id("ended")).to_have_attribute("data-reason", "left")
    room.heard.clear()
    await page.get_by_test_id("rejoin").click()
    assert (await room.wait_for(type="join"))["name"] == "Ann"


@pytest.mark.parametrize(
    ("last", "title"),
    [
        ({"type": "replaced", "reason": "another page took over"}, "You joined from another page"),
        ({"type": "error", "code": "full", "message": "100 people", "fatal": True}, "The meeting is full"),
        (
            {"type": "error", "code": "new-one", "message": "odd", "fatal": True},
            "The meeting ended because of a problem",
        ),
    ],
)
async def test_the_end_is_explained(page: Page, site: Any, last: dict[str, Any], title: str) -> None:
    room = Room()
    await enter(page, site, room)
    await room.send(**last)
    ended = page.get_by_test_id("ended")
    await expect(ended.get_by_role("heading")).to_have_text(title)
    await expect(ended).to_contain_text(str(last.get("reason") or last.get("message")))
    await page.reload()
    await expect(page.get_by_test_id("lobby")).to_be_visible()


async def test_an_unknown_meeting_is_said_at_once(page: Page, site: Any) -> None:
    site.answers["GET /api/meetings/nope"] = (404, {"error": {"code": "unknown-meeting", "message": "no such link"}})
    await page.goto("/m/nope")
    await expect(page.get_by_test_id("failure")).to_contain_text("There is no such meeting")
    await expect(page.get_by_role("link", name="Home page")).to_be_visible()


async def test_a_picture_can_be_shown_large(page: Page, site: Any) -> None:
    await enter(page, site, Room())
    own, ben = page.locator("vmeet-tile.own"), page.get_by_test_id("tile").filter(has_text="Ben")
    await expect(own).to_have_class("own floating")
    assert await width_px(ben) > 2 * await width_px(own)
    await own.get_by_role("button", name="Show large").click()
    await expect(own).to_have_class("own pinned")
    assert await width_px(own) > 2 * await width_px(ben)
    await own.get_by_role("button", name="Back to the grid").click()
    await expect(own).to_have_class("own floating")
    assert await width_px(ben) > 2 * await width_px(own)


async def width_px(tile: Locator) -> float:
    return float(await tile.evaluate("(tile) => parseFloat(tile.style.width)"))


async def test_sound_that_the_browser_refuses_is_offered_by_a_click(blank: Page) -> None:
    refuse = """async () => {
        const { Tile } = await import('/static/js/elements/tile.js');
        const tile = new Tile();
        document.body.append(tile);
        const refused = new Promise((resolve) => document.addEventListener('vmeet-silenced', () => resolve('refused')));
        HTMLMediaElement.prototype.play = async () => { throw new DOMException('no gesture', 'NotAllowedError'); };
        const context = new AudioContext();
        tile.setAudio(context.createMediaStreamDestination().stream.getAudioTracks()[0]);
        return refused;
    }"""
    assert await blank.evaluate(refuse) == "refused"


async def test_an_error_before_the_welcome_ends_the_waiting(page: Page, site: Any) -> None:
    async def refuse(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_json({"type": "error", "code": "bad-message", "message": "name: odd", "fatal": False})
        await socket.receive()

    site.answers["GET /api/meetings/abcd"] = (200, MEETING)
    site.on_socket = refuse
    await page.goto("/m/abcd")
    await page.get_by_test_id("name").fill("Ann")
    await page.get_by_test_id("join").click()
    await expect(page.get_by_test_id("ended")).to_contain_text("name: odd")


async def test_names_are_cleaned_as_the_server_wants_them(blank: Page) -> None:
    script = "async (names) => { const m = await import('/static/js/protocol.js'); return names.map(m.cleanName); }"
    names = ["  Ann ", "a\u202eb\u0000c", "王小明", "x" * 100, "\u2028", "e\u0301"]
    cleaned = await blank.evaluate(script, names)
    assert cleaned == ["Ann", "abc", "王小明", "x" * 64, "", "\u00e9"]
    assert [clean_name(name) for name in cleaned if name] == [name for name in cleaned if name]
