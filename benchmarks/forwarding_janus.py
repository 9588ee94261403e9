"""Janus VideoRoom as the load generator meets it: Debian's package with its defaults, through its WebSocket API."""

import asyncio
import itertools
import re
import shutil
from pathlib import Path as FilePath
from typing import Any

import aiohttp
from forwarding_figures import Layout
from forwarding_load import Load
from forwarding_network import Place, ServerProcess
from forwarding_path import Path
from forwarding_receiving import ReceivingPerson
from forwarding_sending import SendingPerson
from forwarding_server import Server

PORT = 8188
ROOM = 1234
KEEPALIVE_S = 20.0
START_S = 20.0
ANSWER_S = 30.0
LIBRARIES = tuple(FilePath("/usr/lib").glob("*/janus"))
_LONG_FINGERPRINT = re.compile(r"a=fingerprint:sha-(?:384|512) [^\r\n]*\r?\n")

GENERAL = """general: {{
  configs_folder = "{folder}"
  plugins_folder = "{libraries}/plugins"
  transports_folder = "{libraries}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  debug_level = 3
}}
nat: {{ nice_debug = false }}
plugins: {{ disable = "{unused}" }}
transports: {{ disable = "{unused_transports}" }}
"""
WEBSOCKETS = 'general: {{ json = "compact"  ws = true  ws_port = {port}  ws_ip = "{address}"  wss = false }}\n'


def why_absent(where: Place) -> str | None:
    """None where Janus can be measured."""
    if shutil.which("janus") is None or not LIBRARIES:
        return "janus is not installed; on Debian: apt-get install janus"
    if where.namespace is None:
        return "Janus refuses loopback addresses, so it needs a network namespace, which needs root"
    return None


class Janus(Server):
    """The server and one room in it."""

    def __init__(self, where: Place, cores: set[int], folder: FilePath) -> None:
        self._url = f"http://{where.server_address}:{PORT}"
        libraries = LIBRARIES[0]
        unused = [p.name for p in (libraries / "plugins").glob("*.so") if "videoroom" not in p.name]
        transports = [p.name for p in (libraries / "transports").glob("*.so") if "websockets" not in p.name]
        (folder / "janus.jcfg").write_text(
            GENERAL.format(
                folder=folder, libraries=libraries, unused=",".join(unused), unused_transports=",".join(transports)
            )
        )
        (folder / "janus.transport.websockets.jcfg").write_text(
            WEBSOCKETS.format(port=PORT, address=where.server_address)
        )
        (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
        self.process = ServerProcess(where, ["janus", "-F", str(folder)], cores, folder)
        self._session: Session | None = None

    async def start(self) -> None:
        """Returns when it has made a room. Raises RuntimeError when it ends."""
        self.process.start()
        async with asyncio.timeout(START_S):
            while self._session is None:
                self.process.check()
                try:
                    self._session = await Session.open(self._url)
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        manager = await self._session.attach()
        room = {"request": "create", "room": ROOM, "publishers": 100, "bitrate": 0}
        room |= {"audiocodec": "opus", "videocodec": "vp8", "notify_joining": False}
        await self._session.message(manager, room)

    async def connect(self, layout: Layout, load: Load) -> None:
        """A room of so many people; their media are handed to ``load``."""
        assert self._session is not None
        people = layout.people
        feeds = [await self._publish(index, people, load) for index in range(layout.senders)]
        for index in range(0 if layout.is_meeting else layout.senders, people):
            others = [feed for number, feed in enumerate(feeds) if number != index]
            await self._subscribe(index, others, load)

    async def _publish(self, index: int, people: int, load: Load) -> int:
        """Returns the number of the feed."""
        assert self._session is not None
        session, path = self._session, Path()
        handle = await session.attach()
        joined, _ = await session.message(handle, {"request": "join", "ptype": "publisher", "room": ROOM})
        body = {"request": "publish", "audiocodec": "opus", "videocodec": "vp8"}
        jsep = {"type": "offer", "sdp": without_long_fingerprints(await path.offer())}
        _, answer = await session.message(handle, body, jsep)
        await path.accept(answer["sdp"])
        load.add_sender(SendingPerson(index, people, path))
        return int(joined["id"])

    async def _subscribe(self, index: int, feeds: list[int], load: Load) -> None:
        assert self._session is not None
        session, path = self._session, Path()
        handle = await session.attach()
        streams = [{"feed": feed} for feed in feeds]
        body = {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": streams}
        _, offer = await session.message(handle, body)
        answer = {"type": "answer", "sdp": without_long_fingerprints(await path.answer(offer["sdp"]))}
        await session.message(handle, {"request": "start", "room": ROOM}, answer)
        await path.connected()
        load.add_receiver(ReceivingPerson(index, path))

    async def stop(self) -> None:
        """Close the session, end the server."""
        if self._session is not None:
            await self._session.close()
        await asyncio.to_thread(self.process.stop)


def without_long_fingerprints(sdp: str) -> str:
    """Janus 1.1 takes the last fingerprint that it finds, and knows SHA-256 only."""
    return _LONG_FINGERPRINT.sub("", sdp)


class Session:
    """Janus's JSON protocol: requests with transactions, of which some are answered by a later event."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._id = 0
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]

    @classmethod
    async def open(cls, url: str) -> "Session":
        """Raises aiohttp.ClientError when nobody listens yet."""
        http = aiohttp.ClientSession()
        try:
            session = cls(http, await http.ws_connect(url, protocols=("janus-protocol",), max_msg_size=0))
        except BaseException:
            await http.close()
            raise
        session._id = (await session._request(janus="create"))["data"]["id"]
        return session

    async def attach(self) -> int:
        """A handle, which is a peer connection."""
        answer = await self._request(janus="attach", plugin="janus.plugin.videoroom")
        return int(answer["data"]["id"])

    async def message(
        self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """To the plugin; its answer and the SDP that came with it. Raises RuntimeError when it refuses."""
        more: dict[str, Any] = {"jsep": jsep} if jsep else {}
        answer = await self._request(janus="message", handle_id=handle, body=body, **more)
        data = answer["plugindata"]["data"]
        if "error" in data:
            raise RuntimeError(f"Janus refused {body['request']}: {data['error']}")
        return data, answer.get("jsep", {})

    async def _request(self, **fields: Any) -> dict[str, Any]:
        transaction = str(next(self._numbers))
        waiting = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        await self._send(transaction=transaction, **fields)
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await waiting
        finally:
            del self._waiting[transaction]
        if answer["janus"] == "error":
            raise RuntimeError(f"Janus refused {fields['janus']}: {answer['error']['reason']}")
        return answer

    async def _send(self, **fields: Any) -> None:
        session = {"session_id": self._id} if self._id else {}
        await self._socket.send_json({**session, **fields})

    async def _read(self) -> None:
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            message = frame.json()
            waiting = self._waiting.get(message.get("transaction", ""))
            if waiting is not None and message["janus"] != "ack" and not waiting.done():
                waiting.set_result(message)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE_S)
            await self._send(janus="keepalive", transaction="keepalive")

    async def close(self) -> None:
        """Twice is harmless."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()
        await self._http.close()
