"""The server's end of a meeting, with canned people: for tests of what the page shows. Media goes nowhere."""

import asyncio
import json
from typing import Any

from aiohttp import web
from playwright.async_api import Page

MEETING = {"id": "abcd", "title": "Talk", "people": 2, "recording": False}
QUIET: dict[str, Any] = {"active": False, "recording_id": None, "started_at_s": None, "started_by": None}
STREAMS = {
    "whip_path": "/whip/abcd",
    "whep_path": "/whep/abcd",
    "whip_token": "publish-token",
    "whep_token": "watch-token",
}


def person(identity: str, name: str, **changes: Any) -> dict[str, Any]:
    """Someone who is in, with microphone and camera on."""
    known = {"id": identity, "name": name, "is_host": False, "state": "in", "connected": True, "is_stream": False}
    return {**known, "sources": ["microphone", "camera", "camera-small", "screen"], "muted": ["screen"], **changes}


def chat_entry(number: int, text: str, sender: str = "ben", name: str = "Ben", at_s: float = 1e9) -> dict[str, Any]:
    """A message; each is a second later than the one before."""
    return {"number": number, "participant_id": sender, "name": name, "text": text, "at_s": at_s + number}


class MeetingRoom:
    """Ben is in it, and whoever joins is "me". ``heard`` has what the page sends; chat messages are sent back.

    ``chat`` is the history for those who come; ``echoes`` says whether messages are taken; ``own`` is more about "me".
    """

    def __init__(self, host: bool = False, **welcome: Any) -> None:
        self.host = host
        self.people = [person("ben", "Ben")]
        self.chat: list[dict[str, Any]] = []
        self.echoes = True
        self.own: dict[str, Any] = {}
        self.more = welcome
        self.heard: list[dict[str, Any]] = []
        self.socket: web.WebSocketResponse | None = None

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        """Serves one socket."""
        self.socket = socket
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] == "join":
                await socket.send_json(self._welcome(message["name"]))
            if message["type"] == "ping":
                await socket.send_json({"type": "pong", "number": message["number"]})
                continue
            self.heard.append(message)
            if message["type"] == "chat" and self.echoes:
                await self.write(message["text"], "me", "Ann")

    def _welcome(self, name: str) -> dict[str, Any]:
        about = {"participant_id": "me", "token": "secret", "is_host": self.host, "meeting_id": "abcd", "title": "Talk"}
        people = [*self.people, person("me", name, is_host=self.host, **self.own)]
        rest = {"participants": people, "recording": QUIET, "ice_servers": [], "heartbeat_s": 1, "chat": self.chat}
        streams = STREAMS if self.host else None
        return {"type": "welcome", **about, **rest, "speaker_id": None, "streams": streams, **self.more}

    async def send(self, **message: Any) -> None:
        """To the page that joined last."""
        assert self.socket is not None
        await self.socket.send_json(message)

    async def write(self, text: str, sender: str = "ben", name: str = "Ben") -> None:
        """Somebody's chat message, kept for those who come later."""
        entry = chat_entry(len(self.chat) + 1, text, sender, name)
        self.chat.append(entry)
        await self.send(type="chat-entry", entry=entry)

    async def wait_for(self, **wanted: Any) -> dict[str, Any]:
        """The first message of the page with these fields. Raises TimeoutError."""
        async with asyncio.timeout(10):
            while True:
                for message in self.heard:
                    if wanted.items() <= message.items():
                        return message
                await asyncio.sleep(0.02)


async def enter_room(page: Page, site: Any, room: MeetingRoom, name: str = "Ann") -> None:
    """Through the lobby into the meeting."""
    site.answers["GET /api/meetings/abcd"] = (200, MEETING)
    site.on_socket = room
    await page.goto("/m/abcd")
    await page.get_by_test_id("name").fill(name)
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call[data-state=in]").wait_for()
