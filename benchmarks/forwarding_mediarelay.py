"""aiortc's MediaRelay as the load generator meets it: it decodes and encodes, so it gets a real clip."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path as FilePath

import aiohttp
import numpy as np
from forwarding_clip import ArrivedPacket, ClipPictures, ClipSound, encode_pictures, encode_sound, pictures_of
from forwarding_figures import Figures, Layout
from forwarding_load import GRACE_S, Load
from forwarding_media import FPS
from forwarding_network import Place, ServerProcess
from forwarding_path import OnRtp, Path
from forwarding_receiving import ReceivingPerson
from forwarding_sending import SendingPerson
from forwarding_server import FLOWING_S, Server, answering

PORT = 8090
START_S = 20.0
MOST_RECEIVERS = 2
SERVER = FilePath(__file__).with_name("forwarding_mediarelay_server.py")


def why_not(layout: Layout) -> str | None:
    """None where one core can carry it."""
    if layout.is_meeting or layout.receivers > MOST_RECEIVERS:
        return f"MediaRelay encodes for everyone: one core carries about {MOST_RECEIVERS} pictures of 720p"
    return None


class MediaRelay(Server):
    """The server and what its watchers kept."""

    def __init__(self, where: Place, cores: set[int], folder: FilePath) -> None:
        command = [sys.executable, str(SERVER), where.server_address, str(PORT)]
        self.process = ServerProcess(where, command, cores, folder)
        self._url = f"http://{where.server_address}:{PORT}"
        self._http: aiohttp.ClientSession | None = None
        self._pictures: ClipPictures | None = None
        self._kept: list[list[ArrivedPacket]] = []

    async def start(self) -> None:
        """Returns when it answers."""
        self.process.start()
        self._http = aiohttp.ClientSession(self._url)
        await answering(self._http, "/", self.process, START_S)

    async def connect(self, layout: Layout, load: Load) -> None:
        """One sender and so many receivers."""
        self._pictures = ClipPictures(await asyncio.to_thread(encode_pictures))
        path = Path()
        await path.accept(await self._post("/publish", await path.offer()))
        load.add_sender(SendingPerson(0, 1, path, self._pictures, ClipSound(encode_sound())))
        for index in range(1, layout.receivers + 1):
            path = Path()
            await path.accept(await self._post("/watch", await path.offer("recvonly")))
            receiver = ReceivingPerson(index, path)
            self._kept.append([])
            path.on_rtp = _keeping(receiver, path.on_rtp, self._kept[-1])
            load.add_receiver(receiver)

    async def _post(self, where: str, sdp: str) -> str:
        assert self._http is not None
        async with self._http.post(where, data=sdp) as answer:
            answer.raise_for_status()
            return await answer.text()

    async def flowing(self, layout: Layout, load: Load) -> None:
        """Until everybody gets pictures. Raises TimeoutError."""
        async with asyncio.timeout(FLOWING_S):
            while not all(len(kept) > FPS for kept in self._kept):  # noqa: ASYNC110 packets are no event
                await asyncio.sleep(0.1)

    async def measure(self, layout: Layout, load: Load, seconds: float) -> Figures:
        """Pictures are told apart by the number in their corner: decoded after the window, outside of any timing."""
        assert self._pictures is not None
        first, packets, cpu_ns = len(self._pictures.shown_ns), _packets(load), self.process.cpu_ns()
        await asyncio.sleep(seconds)
        shown = self._pictures.shown_ns[first:]
        packets, cpu_ns = _packets(load) - packets, self.process.cpu_ns() - cpu_ns
        await asyncio.sleep(GRACE_S + 1)  # the jitter buffer and the encoder hold some
        latency_ms: list[float] = []
        for kept in self._kept:
            came = await asyncio.to_thread(lambda kept=kept: list(pictures_of(list(kept))))  # type: ignore[misc]
            latency_ms += _latencies_ms(shown, came)
        return Figures.of(cpu_ns, packets, len(shown) * layout.receivers, np.array(latency_ms), seconds, layout)

    async def stop(self) -> None:
        """Twice is harmless."""
        if self._http is not None:
            await self._http.close()
        await asyncio.to_thread(self.process.stop)


def _packets(load: Load) -> int:
    return sum(receiver.unmarked for receiver in load.receivers)


def _keeping(receiver: ReceivingPerson, handle: OnRtp, kept: list[ArrivedPacket]) -> Callable[[bytes, int], None]:
    def on_rtp(data: bytes, at_ns: int) -> None:
        handle(data, at_ns)
        if receiver.path.received_types.get(data[1] & 0x7F) == "video":
            start = 12 + (4 + 4 * int.from_bytes(data[14:16]) if data[0] & 0x10 else 0)
            kept.append(ArrivedPacket(at_ns, int.from_bytes(data[4:8]), data[start:]))

    return on_rtp


def _latencies_ms(shown: list[tuple[int, int]], came: list[tuple[int, int]]) -> list[float]:
    """For each picture that was shown, how long until the first one with its number came, within half a clip."""
    waits: list[float] = []
    for number, shown_ns in shown:
        at_ns = [at for other, at in came if other == number and 0 <= at - shown_ns < 1.4e9]
        waits += [(at_ns[0] - shown_ns) / 1e6] if at_ns else []
    return waits
