"""VMeet as the load generator meets it: ``vmeet serve`` as shipped, entered over REST and WebSocket as a page does."""

import asyncio
import json
import sys
from pathlib import Path as FilePath
from typing import Any

import aiohttp
from forwarding_figures import Layout
from forwarding_load import Load
from forwarding_media import HEIGHT_PX, WIDTH_PX
from forwarding_network import Place, ServerProcess
from forwarding_path import Path
from forwarding_receiving import ReceivingPerson
from forwarding_sending import SendingPerson
from forwarding_server import Server, answering

PORT = 8080
ACCESS_KEY = "benchmark"
START_S = 30.0
ANSWER_S = 30.0


class VMeet(Server):
    """The server and one meeting on it."""

    def __init__(self, where: Place, cores: set[int], folder: FilePath) -> None:
        self.url = f"http://{where.server_address}:{PORT}"
        weights = FilePath(__file__).parents[1] / "weights"
        settings = folder / "vmeet.toml"
        settings.write_text(
            f'[server]\nbind = "{where.server_address}:{PORT}"\ndata_dir = "data"\naccess_key = "{ACCESS_KEY}"\n'
            f'[weights]\ndir = "{weights}"\n[meetings.default]\n',
            encoding="utf-8",
        )
        vmeet = str(FilePath(sys.executable).with_name("vmeet"))
        self.process = ServerProcess(where, [vmeet, "--settings", str(settings), "serve"], cores, folder)
        self._pages: dict[int, Page] = {}
        self._meeting_id = ""
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Returns when it answers. Raises RuntimeError when it does not."""
        self.process.start()
        jar, connector = aiohttp.CookieJar(unsafe=True), aiohttp.TCPConnector(limit=0)  # a socket for each person
        self._http = aiohttp.ClientSession(self.url, cookie_jar=jar, connector=connector)
        await answering(self._http, "/api/health", self.process, START_S)

    async def connect(self, layout: Layout, load: Load) -> None:
        """A meeting of so many people; their media are handed to ``load``."""
        assert self._http is not None
        async with self._http.post("/api/login", json={"key": ACCESS_KEY}) as answer:
            answer.raise_for_status()
        body = {"title": "forwarding", "preset": "default"}
        async with self._http.post("/api/meetings", json=body) as answer:
            answer.raise_for_status()
            self._meeting_id = (await answer.json())["id"]
        for index in range(layout.people):
            await self.enter(index, layout.people, load, sends=index < layout.senders)

    async def enter(self, index: int, people: int, load: Load, sends: bool = True) -> None:
        """One more person. Raises TimeoutError, or RuntimeError when the server refuses."""
        assert self._http is not None
        page = self._pages[index] = Page(index, people, load, sends)
        await page.enter(self._http, self._meeting_id)

    async def leave(self, index: int) -> None:
        """One person less."""
        await self._pages.pop(index).leave()

    async def metrics(self) -> dict[str, float]:
        """The server's own, of those without labels."""
        assert self._http is not None
        async with self._http.get("/metrics", headers={"Authorization": f"Bearer {ACCESS_KEY}"}) as answer:
            answer.raise_for_status()
            lines = (await answer.text()).splitlines()
        pairs = [line.split() for line in lines if not line.startswith("#") and "{" not in line]
        return {pair[0]: float(pair[1]) for pair in pairs if len(pair) == 2}

    async def stop(self) -> None:
        """People leave, then the server ends."""
        await asyncio.gather(*(page.leave() for page in self._pages.values()), return_exceptions=True)
        if self._http is not None:
            await self._http.close()
        await asyncio.to_thread(self.process.stop)


class Page:
    """One person's page: signalling, heartbeats, and the two connections."""

    def __init__(self, index: int, people: int, load: Load, sends: bool) -> None:
        self.index = index
        self._people = people
        self._load = load
        self._sends = sends
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._receive: Path | None = None
        self._published: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._welcomed = asyncio.Event()
        self._refused = ""
        self._shown: dict[str, bool] = {}  # participant id -> has a camera
        self._own_id = ""
        self._tasks: set[asyncio.Task[Any]] = set()

    async def enter(self, http: aiohttp.ClientSession, meeting_id: str) -> None:
        """Join, and publish where this person sends. Raises TimeoutError."""
        self._socket = await http.ws_connect(f"/api/meetings/{meeting_id}/socket", max_msg_size=0)
        self._spawn(self._read())
        await self._tell(type="join", name=f"Person {self.index}")
        self._spawn(self._beat())
        async with asyncio.timeout(ANSWER_S):
            await self._welcomed.wait()
            if self._refused:
                raise RuntimeError(self._refused)
            if self._sends:
                await self._publish()

    async def _publish(self) -> None:
        path = Path()
        sdp = await path.offer()
        mids = path.mids()
        sources = [{"mid": mids["audio"], "source": "microphone"}, {"mid": mids["video"], "source": "camera"}]
        await self._tell(type="publish", sdp=sdp, sources=sources)
        await path.accept(await self._published)
        self._load.add_sender(SendingPerson(self.index, self._people, path))

    async def _read(self) -> None:
        assert self._socket is not None
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._act(json.loads(message.data))

    async def _act(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "offer":
            await self._answer(message["sdp"], message["negotiation"])
        elif kind == "published":
            self._published.set_result(message["sdp"])
        elif kind == "welcome":
            self._own_id = message["participant_id"]
            self._note(message["participants"])
            self._welcomed.set()
        elif kind == "participant" and self._note([message["participant"]]):
            await self._view()
        elif kind == "participant-left":
            self._shown.pop(message["participant_id"], None)
        elif kind == "error":
            self._refused = f"VMeet refused: {message['message']}"
            self._welcomed.set()
            raise RuntimeError(self._refused)

    def _note(self, participants: list[dict[str, Any]]) -> bool:
        """Whether somebody's camera is new."""
        before = dict(self._shown)
        self._shown.update({p["id"]: "camera" in p["sources"] for p in participants if p["id"] != self._own_id})
        return self._shown != before and any(self._shown.values())

    async def _view(self) -> None:
        """Everybody's picture is on the screen in full: all are sent, as by servers that do not ask."""
        shown = [person for person, has_camera in self._shown.items() if has_camera]
        size = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX}
        await self._tell(type="view", pictures=[{"participant_id": person, **size} for person in shown])

    async def _answer(self, sdp: str, negotiation: int) -> None:
        is_new = self._receive is None
        path = self._receive = self._receive or Path()
        await self._tell(type="answer", sdp=await path.answer(sdp), negotiation=negotiation)
        if is_new:
            self._spawn(self._start_receiving(path))

    async def _start_receiving(self, path: Path) -> None:
        await path.connected()
        self._load.add_receiver(ReceivingPerson(self.index, path))
        if any(self._shown.values()):
            await self._view()

    async def _beat(self) -> None:
        """Heartbeats as docs/protocol.md asks for them."""
        number = 0
        while True:
            await asyncio.sleep(2)
            number += 1
            await self._tell(type="ping", number=number)

    async def _tell(self, **message: Any) -> None:
        assert self._socket is not None
        await self._socket.send_str(json.dumps(message))

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._published.done():
            self._published.set_exception(error)

    async def leave(self) -> None:
        """Goodbye; the connections are the load's to close."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None and not self._socket.closed:
            await self._tell(type="leave")
            await self._socket.close()
