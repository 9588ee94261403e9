"""The socket that joins by itself, and again when it drops."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
WELCOME = {
    "type": "welcome",
    "participant_id": "p1",
    "token": "secret",
    "is_host": False,
    "meeting_id": "abc",
    "title": "Talk",
    "participants": [],
    "recording": {"active": False, "recording_id": None, "started_at_s": None},
    "ice_servers": [],
    "heartbeat_s": 0.1,
}
OPEN = """async () => {
    const { Signalling, socketUrl } = await import('/static/js/signalling.js');
    const signalling = window.signalling = new Signalling(socketUrl('abc'), {name: 'Ann'});
    window.log = [];
    signalling.addEventListener('state', (event) => window.log.push(event.detail));
    signalling.addEventListener('message', (event) => window.log.push('message ' + event.detail.type));
    signalling.open();
}"""


class Meeting:
    """The server's end: notes what comes, and closes or falls silent when told."""

    def __init__(self, answer_pings: bool = True, heartbeat_s: float = 0.1) -> None:
        self.joins: asyncio.Queue[Any] = asyncio.Queue()
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.sockets: list[web.WebSocketResponse] = []
        self.answer_pings = answer_pings
        self.welcome = {**WELCOME, "heartbeat_s": heartbeat_s}

    async def __call__(self, socket: web.WebSocketResponse) -> None:
        self.sockets.append(socket)
        async for frame in socket:
            await self._heard(socket, json.loads(frame.data))

    async def _heard(self, socket: web.WebSocketResponse, message: Any) -> None:
        if message["type"] == "join":
            await socket.send_json(self.welcome)
            await self.joins.put(message)
        elif message["type"] == "ping":
            if self.answer_pings:
                await socket.send_json({"type": "pong", "number": message["number"]})
        else:
            await self.messages.put(message)


async def soon(queue: asyncio.Queue[Any], within_s: float = 8) -> Any:
    async with asyncio.timeout(within_s):
        return await queue.get()


async def joined(page: Page, meeting: Meeting) -> None:
    """The page has read its welcome: the server knows only that it has sent it."""
    await soon(meeting.joins)
    await page.wait_for_function("() => window.signalling.state === 'open'")


async def test_it_joins_and_comes_back_with_its_token(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting()
    await blank.evaluate(OPEN)
    assert await soon(meeting.joins) == {"type": "join", "name": "Ann"}
    await meeting.sockets[0].close()
    assert await soon(meeting.joins) == {"type": "join", "name": "Ann", "token": "secret"}
    log = [each for each in await blank.evaluate("() => window.log") if each != "message pong"]
    assert log[:4] == ["connecting", "open", "message welcome", "reconnecting"]


async def test_a_server_that_falls_silent_is_given_up(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting(answer_pings=False)
    await blank.evaluate(OPEN)
    await soon(meeting.joins)
    assert (await soon(meeting.joins))["token"] == "secret"


async def test_a_heartbeat_that_is_answered_keeps_the_socket(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting(heartbeat_s=0.5)
    await blank.evaluate(OPEN)
    await soon(meeting.joins)
    with pytest.raises(TimeoutError):
        await soon(meeting.joins, within_s=4)  # more than twice what silence is allowed


@pytest.mark.parametrize(
    "last",
    [{"type": "replaced", "reason": "elsewhere"}, {"type": "error", "code": "full", "message": "", "fatal": True}],
)
async def test_a_last_word_is_the_last(blank: Page, site: Any, last: dict[str, Any]) -> None:
    site.on_socket = meeting = Meeting()
    await blank.evaluate(OPEN)
    await soon(meeting.joins)
    await meeting.sockets[0].send_json(last)
    with pytest.raises(TimeoutError):
        await soon(meeting.joins, within_s=2)
    assert (await blank.evaluate("() => window.log"))[-2:] == [f"message {last['type']}", "closed"]


async def test_leaving_says_goodbye_and_stays_away(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting()
    await blank.evaluate(OPEN)
    await soon(meeting.joins)
    await blank.evaluate("() => window.signalling.leave()")
    assert await soon(meeting.messages) == {"type": "leave"}
    with pytest.raises(TimeoutError):
        await soon(meeting.joins, within_s=1.5)


async def test_garbage_from_the_server_is_ignored(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting(heartbeat_s=60)
    await blank.evaluate(OPEN)
    await soon(meeting.joins)
    for garbage in ("not json", "null", '{"type": "unheard-of"}', "[]"):
        await meeting.sockets[0].send_str(garbage)
    await meeting.sockets[0].send_json({"type": "recording", "recording": WELCOME["recording"], "reason": None})
    async with asyncio.timeout(5):
        while "message recording" not in (log := await blank.evaluate("() => window.log")):
            await asyncio.sleep(0.05)
    assert log == ["connecting", "open", "message welcome", "message recording"]


async def test_the_back_off_doubles_is_bounded_and_spread(blank: Page) -> None:
    script = """async () => {
        const { backOffS } = await import('/static/js/signalling.js');
        return [0, 1, 2, 3, 20].map((attempt) => [backOffS(attempt, 0), backOffS(attempt, 0.5), backOffS(attempt, 1)]);
    }"""
    delays = await blank.evaluate(script)
    assert [middle for _, middle, _ in delays] == [0.5, 1, 2, 4, 10]
    assert all(
        low == pytest.approx(0.75 * middle) and high == pytest.approx(1.25 * middle) for low, middle, high in delays
    )


async def test_a_look_at_a_living_server_finds_it(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting(heartbeat_s=60)
    await blank.evaluate(OPEN)
    await joined(blank, meeting)
    assert await blank.evaluate("() => window.signalling.check()")
    assert meeting.joins.empty()


async def test_a_look_at_a_dead_server_joins_again(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting(answer_pings=False, heartbeat_s=60)
    await blank.evaluate(OPEN)
    await joined(blank, meeting)
    assert await blank.evaluate("() => window.signalling.check()") is False
    assert (await soon(meeting.joins))["token"] == "secret"


async def test_a_change_of_network_is_looked_into_at_once(blank: Page, site: Any) -> None:
    site.on_socket = meeting = Meeting(answer_pings=False, heartbeat_s=60)
    await blank.evaluate(OPEN)
    await joined(blank, meeting)
    await blank.evaluate("() => window.dispatchEvent(new Event('online'))")
    assert (await soon(meeting.joins))["token"] == "secret"
