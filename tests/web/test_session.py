"""What a session says to the server, and what it makes of what the server says."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ENTRY = {"number": 1, "participant_id": "ben", "name": "Ben", "text": "早安", "at_s": 1.0}
ACCESS = {"whip_path": "/whip/abc", "whep_path": "/whep/abc", "whip_token": "one", "whep_token": "two"}
WELCOME = {
    "type": "welcome",
    "participant_id": "me",
    "token": "secret",
    "is_host": True,
    "meeting_id": "abc",
    "title": "Talk",
    "participants": [],
    "recording": {"active": False, "recording_id": None, "started_at_s": None},
    "ice_servers": [],
    "heartbeat_s": 1,
    "chat": [ENTRY],
    "speaker_id": "ben",
    "streams": ACCESS,
}
START = """async () => {
    const { Session } = await import('/static/js/session.js');
    const { LocalMedia } = await import('/static/js/local-media.js');
    const session = window.session = new Session('abc', { name: 'Ann' }, new LocalMedia());
    window.log = [];
    for (const type of ['speaker', 'chat', 'statistics', 'screen', 'trouble', 'state']) {
        session.addEventListener(type, ({ detail }) => window.log.push([type, detail ?? null]));
    }
    const entered = new Promise((resolve) => session.addEventListener('speaker', resolve, { once: true }));
    session.start();
    await entered;
}"""
SHARE = """async () => {
    navigator.mediaDevices.getDisplayMedia = async () => document.createElement('canvas').captureStream(5);
    await window.session.shareScreen();
}"""
PICTURE = {"participant_id": "ben", "source": "camera", "width_px": 320, "height_px": 192}


class Room:
    """The server's end; ``heard`` has what the page sends."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.socket: web.WebSocketResponse | None = None

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] == "join":
                await socket.send_json(WELCOME)
            if message["type"] != "ping":
                await self.heard.put(message)

    async def send(self, **message: Any) -> None:
        assert self.socket is not None
        await self.socket.send_json(message)

    async def drop(self) -> None:
        assert self.socket is not None
        await self.socket.close()

    async def next(self, **wanted: Any) -> dict[str, Any]:
        """The next message of that kind; those before it are gone."""
        async with asyncio.timeout(10):
            while True:
                message = await self.heard.get()
                if wanted.items() <= message.items():
                    return message


async def enter(page: Page, site: Any) -> Room:
    site.on_socket = room = Room()
    await page.evaluate(START)
    return room


async def logged(page: Page, kind: str, count: int) -> list[Any]:
    """The details of the events of a kind, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            found = [each for name, each in await page.evaluate("() => window.log") if name == kind]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_a_welcome_brings_speaker_history_and_streams(blank: Page, site: Any) -> None:
    await enter(blank, site)
    script = "() => [window.session.speakerId, window.session.chatHistory, window.session.streams]"
    assert await blank.evaluate(script) == ["ben", [ENTRY], ACCESS]


async def test_what_the_server_tells_becomes_events(blank: Page, site: Any) -> None:
    room = await enter(blank, site)
    statistics = {"type": "statistics", "estimate_bps": 1e6, "received_bps": 1.0, "received_loss": 0.0, "rtt_s": None}
    statistics |= {"sent": [], "received": [], "people": []}
    await room.send(type="speaker", participant_id=None)
    await room.send(type="chat-entry", entry={**ENTRY, "number": 2})
    await room.send(**statistics)
    assert await logged(blank, "statistics", 1) == [statistics]
    assert await logged(blank, "speaker", 2) == ["ben", None]
    assert await logged(blank, "chat", 1) == [{**ENTRY, "number": 2}]


async def test_the_view_is_told_again_after_every_welcome(blank: Page, site: Any) -> None:
    room = await enter(blank, site)
    await blank.evaluate("(picture) => window.session.setView([picture])", PICTURE)
    assert (await room.next(type="view"))["pictures"] == [PICTURE]
    await room.drop()
    await room.next(type="join", token="secret")
    assert (await room.next(type="view"))["pictures"] == [PICTURE]


async def test_a_text_goes_out_or_says_that_it_did_not(blank: Page, site: Any) -> None:
    room = await enter(blank, site)
    assert await blank.evaluate("() => window.session.sendChat('早安')") is True
    assert (await room.next(type="chat"))["text"] == "早安"
    await room.drop()
    await logged(blank, "state", 2)
    assert await blank.evaluate("() => window.session.sendChat('lost')") is False


async def test_a_shared_screen_is_turned_on_and_off(blank: Page, site: Any) -> None:
    room = await enter(blank, site)
    await room.next(type="mute", source="screen", muted=True)
    await blank.evaluate(SHARE)
    await room.next(type="mute", source="screen", muted=False)
    assert await blank.evaluate("() => window.session.screenOn")
    await blank.evaluate("() => window.session.stopScreen()")
    await room.next(type="mute", source="screen", muted=True)
    assert len(await logged(blank, "screen", 2)) == 2


async def test_a_shared_screen_outlives_the_socket(blank: Page, site: Any) -> None:
    room = await enter(blank, site)
    await blank.evaluate(SHARE)
    await room.next(type="mute", source="screen", muted=False)
    await room.drop()
    await room.next(type="join")
    await room.next(type="publish")
    await room.next(type="mute", source="screen", muted=False)


async def test_leaving_lets_go_of_the_screen(blank: Page, site: Any) -> None:
    await enter(blank, site)
    await blank.evaluate(SHARE)
    script = "() => { const { track } = window.session.screen; window.session.leave(); return track.readyState; }"
    assert await blank.evaluate(script) == "ended"
