"""A running server on a free port, and clients of it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer
from aiortc import (
    AudioStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError
from live.conftest import filters  # noqa: F401  # a fixture

from vmeet_core.media.frames import planes_of
from vmeet_core.plugins import discover
from vmeet_core.server.app import NETWORK, build_app
from vmeet_core.settings import Preset, Settings, load_settings
from vmeet_core.sfu.publish_connection import PublishConnection

MakeClient = Callable[..., Awaitable[Any]]


def settings_in(folder: Path, min_free_bytes: int = 0, **server: Any) -> Settings:
    """Settings without a file, with everything kept in ``folder``."""
    settings = load_settings(None, {})
    return settings.model_copy(
        update={
            "server": settings.server.model_copy(update={"data_dir": folder / "data", **server}),
            "recording": settings.recording.model_copy(update={"min_free_bytes": min_free_bytes}),
        }
    )


@pytest.fixture
async def make_client(tmp_path: Path) -> AsyncIterator[MakeClient]:
    """``await make_client(access_key=...)``: a client of a fresh server over the same data folder."""
    clients: list[Any] = []

    async def make(**server: Any) -> Any:
        app = build_app(settings_in(tmp_path, **server), discover())
        client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return client

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def configured(tmp_path: Path) -> AsyncIterator[MakeClient]:
    """``await configured(uploads={"max_bytes": 10})``: a client of a server with such settings, over the same data."""
    clients: list[Any] = []

    async def make(**tables: dict[str, Any]) -> Any:
        settings = settings_in(tmp_path)
        changed = {name: getattr(settings, name).model_copy(update=keys) for name, keys in tables.items()}
        client = TestClient(TestServer(build_app(settings.model_copy(update=changed), discover())))
        clients.append(client)
        await client.start_server()
        return client

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
async def client(make_client: MakeClient) -> Any:
    return await make_client()


@pytest.fixture
async def with_presets(filters: None, tmp_path: Path) -> AsyncIterator[MakeClient]:  # noqa: F811
    """``await with_presets({"name": Preset(...)})``: a client of a server with these and one live worker, over the same
    data each time.
    """
    clients: list[Any] = []

    async def make(presets: dict[str, Preset]) -> Any:
        settings = settings_in(tmp_path).model_copy(update={"meetings": presets})
        live = settings.live.model_copy(update={"workers": 1})
        client = TestClient(TestServer(build_app(settings.model_copy(update={"live": live}), discover())))
        clients.append(client)
        await client.start_server()
        return client

    yield make
    for client in clients:
        await client.close()


class Page:
    """A page's socket, as far as signalling goes."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}

    async def send(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def next(self, kind: str) -> dict[str, Any]:
        """The next message of a type; others are passed over."""
        while True:
            message: dict[str, Any] = await self.socket.receive_json(timeout=15)
            if message["type"] == kind:
                return message

    async def join(self, name: str, **more: Any) -> dict[str, Any]:
        await self.send(type="join", name=name, **more)
        self.welcome = await self.next("welcome")
        return self.welcome

    async def until_slots(self, wanted: Callable[[set[str]], bool]) -> None:
        """Until those who have a slot are as wanted."""
        seated: set[str] = set()
        while not wanted(seated):
            slots = (await self.next("slots"))["slots"]
            seated = {slot["participant_id"] for slot in slots if slot["participant_id"]}

    async def publish(self) -> None:
        """Offer a microphone, a camera and a screen, of which nothing will come."""
        peer = new_peer()
        for kind in ("audio", "video", "video"):
            peer.addTransceiver(kind, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        mids = [transceiver.mid for transceiver in peer.getTransceivers()]
        sources = [{"mid": m, "source": s} for m, s in zip(mids, ("microphone", "camera", "screen"), strict=True)]
        await self.send(type="publish", sdp=peer.localDescription.sdp, sources=sources)
        await self.next("published")
        await peer.close()


def new_peer() -> RTCPeerConnection:
    """Bundled from the start: otherwise aiortc forgets to start the third section."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


class Tone(AudioStreamTrack):
    """A sine in syllables while ``loud``, else nearly nothing, in real time."""

    def __init__(self) -> None:
        super().__init__()
        self.loud = False
        self._sample = 0
        self._start_s = time.monotonic()

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(max(self._start_s + self._sample / 48_000 - time.monotonic(), 0))
        speaks = self.loud and self._sample / 48_000 % 0.3 < 0.2
        times = (self._sample + np.arange(960)) / 48_000
        samples = ((8000 if speaks else 2) * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._sample, Fraction(1, 48_000)
        self._sample += 960
        return frame


class Noise(VideoStreamTrack):
    """Small moving pictures, ten a second: encoding is not what is tested."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._start_s = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(max(self._start_s + self._count / 10 - time.monotonic(), 0))
        picture = np.full((64, 96, 3), self._count * 5 % 200, dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = self._count * 9000, Fraction(1, 90_000)
        self._count += 1
        return frame


class Flat(VideoStreamTrack):
    """A camera that sees nothing but one brightness, fifteen times a second."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level
        self._count = 0
        self._start_s = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(max(self._start_s + self._count / 15 - time.monotonic(), 0))
        picture = np.full((135, 160), 128, np.uint8)
        picture[:90] = self._level + self._count % 2
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = self._count * 6000, Fraction(1, 90_000)
        self._count += 1
        return frame


def upper_level(frame: av.VideoFrame) -> float:
    """Mean luma of the upper quarter."""
    return float(planes_of(frame)[0][: frame.height // 4].mean())


class Person(Page):
    """A page with both connections: what it is told is kept, offers are answered, what arrives is decoded."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        super().__init__(socket)
        self.id = ""
        self.log: list[dict[str, Any]] = []
        self.people: dict[str, Any] = {}
        self.slots: list[dict[str, Any]] = []
        self.speaker_id: str | None = None
        self.statistics: dict[str, Any] | None = None
        self.recording: dict[str, Any] | None = None
        self.tone = Tone()
        self._publish: RTCPeerConnection | None = None
        self._receive = new_peer()
        self._counts: dict[str, int] = {}
        self.looks: list[tuple[float, str, float]] = []  # when, in which section, how bright the upper quarter was
        self.effects: dict[str, Any] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def enter(self, name: str, **more: Any) -> None:
        """Join, and from now on read what comes."""
        await self.join(name, **more)
        self.id, self.speaker_id = self.welcome["participant_id"], self.welcome["speaker_id"]
        self.people = {person["id"]: person for person in self.welcome["participants"]}
        self._spawn(self._read())

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self) -> None:
        async for frame in self.socket:
            message = frame.json()
            self.log.append(message)
            await self._take(message)

    async def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "offer":
            await self._answer(message)
        elif kind == "effects-changed":
            self.effects = message
        elif kind == "published" and self._publish is not None:
            await self._publish.setRemoteDescription(RTCSessionDescription(message["sdp"], "answer"))
        elif kind == "participant":
            self.people[message["participant"]["id"]] = message["participant"]
        elif kind == "participant-left":
            self.people.pop(message["participant_id"], None)
        elif kind == "recording":
            self.recording = message["recording"] if message["recording"]["active"] else None
        elif kind in ("slots", "statistics", "speaker"):
            value = {"slots": message.get("slots"), "speaker": message.get("participant_id"), "statistics": message}
            setattr(self, "speaker_id" if kind == "speaker" else kind, value[kind])

    async def _answer(self, message: dict[str, Any]) -> None:
        peer = self._receive
        await peer.setRemoteDescription(RTCSessionDescription(message["sdp"], "offer"))
        for transceiver in peer.getTransceivers():
            if transceiver.mid not in self._counts:
                self._counts[str(transceiver.mid)] = 0
                self._spawn(self._count(str(transceiver.mid), transceiver.receiver.track))
        await peer.setLocalDescription(await peer.createAnswer())
        await self.send(type="answer", sdp=peer.localDescription.sdp, negotiation=message["negotiation"])

    async def _count(self, mid: str, track: Any) -> None:
        counts = self._counts
        with contextlib.suppress(MediaStreamError):
            while True:
                media = await track.recv()
                counts[mid] += 1
                if isinstance(media, av.VideoFrame):
                    self.looks.append((time.monotonic(), mid, upper_level(media)))

    async def publish(self, camera: VideoStreamTrack | None = None) -> None:
        """Send a microphone, a camera and a screen through a new connection."""
        if self._publish is not None:
            await self._publish.close()
        peer = self._publish = new_peer()
        sources = ("microphone", "camera", "screen")
        for track in (self.tone, camera or Noise(), Noise()):
            peer.addTransceiver(track, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        mids = [transceiver.mid for transceiver in peer.getTransceivers()]
        sections = [{"mid": mid, "source": source} for mid, source in zip(mids, sources, strict=True)]
        await self.send(type="publish", sdp=peer.localDescription.sdp, sources=sections)
        await self.until(lambda: peer.connectionState == "connected")

    async def renew_receive(self) -> None:
        """Ask for a new receiving connection."""
        await self.renew_peer()
        await self.send(type="receive")

    async def renew_peer(self) -> None:
        """A new receiving connection will be offered."""
        await self._receive.close()
        self._receive, self._counts, self.slots = new_peer(), {}, []

    async def until(self, condition: Callable[[], Any], timeout_s: float = 15) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.01)

    def slot(self, other: "Person", source: str = "camera") -> dict[str, Any] | None:
        """Where the other is seen."""
        found = [slot for slot in self.slots if (slot["participant_id"], slot["source"]) == (other.id, source)]
        return found[0] if found else None

    def frames(self, other: "Person", source: str = "camera", half: str = "video_mid") -> int:
        """How many pictures or pieces of sound of the other have been decoded."""
        slot = self.slot(other, source)
        return self._counts.get(slot[half], 0) if slot is not None else 0

    async def sees(self, other: "Person", source: str = "camera") -> None:
        """New pictures of the other arrive."""
        await self.until(lambda: self.slot(other, source) is not None)
        before = self.frames(other, source)
        await self.until(lambda: self.frames(other, source) > before + 3)

    async def hears(self, other: "Person") -> None:
        """New sound of the other arrives."""
        before = self.frames(other, half="audio_mid")
        await self.until(lambda: self.frames(other, half="audio_mid") > before + 10)

    async def close(self) -> None:
        await self.socket.close()
        for peer in (self._publish, self._receive):
            if peer is not None:
                await peer.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
def new_meeting(client: Any) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def make(title: str = "早安") -> dict[str, Any]:
        answer = await client.post("/api/meetings", json={"title": title, "preset": "plain"})
        assert answer.status == 201, await answer.text()
        return dict(await answer.json())

    return make


@pytest.fixture
def open_page(client: Any) -> Callable[[str], Awaitable[Page]]:
    async def make(meeting_id: str) -> Page:
        return Page(await client.ws_connect(f"/api/meetings/{meeting_id}/socket"))

    return make


@pytest.fixture
async def open_person(client: Any) -> AsyncIterator[Callable[[str], Awaitable[Person]]]:
    people: list[Person] = []

    async def make(meeting_id: str) -> Person:
        people.append(Person(await client.ws_connect(f"/api/meetings/{meeting_id}/socket")))
        return people[-1]

    yield make
    await asyncio.gather(*(person.close() for person in people))


@pytest.fixture
def published(client: Any) -> Callable[[], Awaitable[tuple[PublishConnection, RTCPeerConnection]]]:
    """A connection of the server that somebody publishes a microphone and a camera to, and their end of it."""

    async def make() -> tuple[PublishConnection, RTCPeerConnection]:
        peer = new_peer()
        for track in (Tone(), Noise()):
            peer.addTransceiver(track, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        mids = [str(transceiver.mid) for transceiver in peer.getTransceivers()]
        connection = PublishConnection(client.app[NETWORK])
        answer = await connection.negotiate(peer.localDescription.sdp, {mids[0]: "microphone", mids[1]: "camera"})
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return connection, peer

    return make
