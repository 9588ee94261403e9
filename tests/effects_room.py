"""The server's end of a meeting with live effects: a preview first, wishes, and how they stand. Media goes nowhere."""

import json
from typing import Any

from aiohttp import web
from meeting_room import MEETING, MeetingRoom
from playwright.async_api import Page

from vmeet_core.builtin import BrightnessOptions
from vmeet_core.effects.options import EffectOptions

OFF: dict[str, Any] = {"state": "off", "reason": None, "hides": False, "reduced": False, "no_room": False}
ON = {**OFF, "state": "on", "hides": True}
STARTING = {**ON, "state": "starting"}
FAILED = {**ON, "state": "failed", "reason": "the model exploded"}


def offered(name: str, title: str, protects_privacy: bool, options: Any) -> dict[str, Any]:
    """An effect as GET /api/meetings/{id} tells of it."""
    about = {"name": name, "title": title, "protects_privacy": protects_privacy}
    return {**about, "options_schema": options.model_json_schema(), "options": options().model_dump(mode="json")}


MASK = offered("mask", "Mask", True, EffectOptions)
BRIGHTNESS = offered("brightness", "Brightness", False, BrightnessOptions)
QUIET = offered("quiet", "Quiet", False, BrightnessOptions)


def effects(people_may_change: str = "everything", *filters: dict[str, Any], denoiser: Any = None) -> dict[str, Any]:
    """What a meeting has."""
    return {"people_may_change": people_may_change, "filters": list(filters) or [MASK], "denoiser": denoiser}


class EffectsRoom(MeetingRoom):
    """``offer`` is what the meeting has, ``camera`` how the filters stand; ``refuses`` answers a preview with an error.

    ``wishes`` are the latest of the page; ``sockets`` counts those that it has opened.
    """

    def __init__(self, offer: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.offer = offer or effects()
        self.camera: dict[str, Any] = ON
        self.microphone: dict[str, Any] = OFF
        self.wishes: dict[str, Any] = {"filters": [], "denoiser": None}
        self.refuses: dict[str, Any] | None = None
        self.full = False
        self.answers_wishes = True
        self.sockets = 0

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        """Serves one socket."""
        self.socket = socket
        self.sockets += 1
        async for frame in socket:
            message = json.loads(frame.data)
            if message["type"] == "ping":
                await socket.send_json({"type": "pong", "number": message["number"]})
                continue
            self.heard.append(message)
            await self._answer(socket, message)

    async def _answer(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind in ("preview", "join", "effects") and message.get("effects") is not None:
            self.wishes = message["effects"]
        if kind == "preview" and self.refuses is not None:
            await socket.send_json({"type": "error", **self.refuses})
        elif kind == "preview":
            await socket.send_json(
                {"type": "previewing", "participant_id": "guest", "ice_servers": [], "heartbeat_s": 1}
            )
        elif kind == "join" and self.full:
            await socket.send_json({"type": "error", "code": "full", "message": "128 people", "fatal": False})
            return
        elif kind == "join":
            await socket.send_json(self._welcome(message["name"]))
        if kind in ("preview", "join") or (kind == "effects" and self.answers_wishes):
            await self.tell()

    async def tell(self, **changes: Any) -> None:
        """What is in force now; ``camera`` and ``microphone`` may be others from now on."""
        for source, standing in changes.items():
            setattr(self, source, standing)
        wished = {each["name"]: each for each in self.wishes["filters"]}
        filters = [in_force(each, wished.get(each["name"])) for each in self.offer["filters"]]
        denoiser = self.offer["denoiser"] and in_force(self.offer["denoiser"], self.wishes["denoiser"])
        await self.send(
            type="effects-changed", filters=filters, denoiser=denoiser, camera=self.camera, microphone=self.microphone
        )


def in_force(offer: dict[str, Any], wish: dict[str, Any] | None) -> dict[str, Any]:
    """An effect of the meeting with a person's wish over it."""
    wish = wish or {"on": True, "options": {}}
    return {"name": offer["name"], "on": wish["on"], "options": {**offer["options"], **wish["options"]}}


async def open_lobby(page: Page, site: Any, room: EffectsRoom) -> None:
    """The lobby of a meeting with effects, its panel open."""
    site.answers["GET /api/meetings/abcd"] = (200, {**MEETING, "effects": room.offer})
    titles = {"studio": {"en": "Studio", "zh-Hant": "攝影棚"}, "dawn": {"en": "Dawn", "zh-Hant": "晨光"}}
    pictures = [{"name": name, "title": title} for name, title in titles.items()]
    site.answers["GET /api/pictures"] = (200, {"pictures": pictures})
    site.on_socket = room
    await page.goto("/m/abcd")
    await page.get_by_test_id("lobby-effects").get_by_text("Background and effects").click()


async def join(page: Page, name: str = "Ann") -> None:
    """From the lobby into the meeting."""
    await page.get_by_test_id("name").fill(name)
    await page.get_by_test_id("join").click()
    await page.locator("vmeet-call[data-state=in]").wait_for()
