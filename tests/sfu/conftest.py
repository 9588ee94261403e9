"""Real aiortc peers around our connections: a browser's two halves without the browser."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)

from vmeet_core.sfu.network import Network
from vmeet_core.sfu.publish_connection import PublishConnection
from vmeet_core.sfu.receive_connection import ReceiveConnection

LossPattern = Callable[[int], bool]


class Tone(AudioStreamTrack):
    """A 440 Hz sine at 48 kHz, in real time."""

    def __init__(self) -> None:
        super().__init__()
        self._sample = 0
        self._start_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        self._start_s = self._start_s or time.monotonic()
        await asyncio.sleep(max(self._start_s + self._sample / 48_000 - time.monotonic(), 0))
        times = (self._sample + np.arange(960)) / 48_000
        samples = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._sample, Fraction(1, 48_000)
        self._sample += 960
        return frame


class Bars(VideoStreamTrack):
    """Moving noise of a given size and brightness at 30 frames a second."""

    def __init__(self, brightness: int, size_px: tuple[int, int] = (320, 240)) -> None:
        super().__init__()
        self._random = np.random.default_rng(brightness)
        self._brightness = brightness
        self._size_px = size_px
        self.frames = 0

    async def recv(self) -> av.VideoFrame:
        self.frames += 1
        pts, time_base = await self.next_timestamp()
        width, height = self._size_px
        picture = self._random.integers(-20, 20, (height, width, 3)) + self._brightness
        frame = av.VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


def lose(pc: RTCPeerConnection, pattern: LossPattern) -> None:
    """Drop RTP packets that ``pc`` sends: those by whose running number ``pattern`` says so."""
    transport = pc.getTransceivers()[0].sender.transport.transport
    original, count = transport._send, 0

    async def send(data: bytes) -> None:
        nonlocal count
        is_rtp = 128 <= data[0] <= 191 and not 192 <= data[1] <= 208
        count += is_rtp
        if not (is_rtp and pattern(count)):
            await original(data)

    transport._send = send


def _peer() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


class Publisher:
    """Sends a microphone and a camera to a PublishConnection."""

    def __init__(self, network: Network, video: MediaStreamTrack, audio: MediaStreamTrack | None = None) -> None:
        self.pc = _peer()
        self.video = video
        self.server = PublishConnection(network)
        self._tracks = [(audio or Tone(), "microphone"), (video, "camera")]

    async def connect(self) -> None:
        for track, _ in self._tracks:
            self.pc.addTransceiver(track, direction="sendonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        sources = dict(zip((t.mid for t in self.pc.getTransceivers()), ("microphone", "camera"), strict=True))
        answer = await self.server.negotiate(self.pc.localDescription.sdp, sources)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await connected(self.pc)

    async def close(self) -> None:
        await self.pc.close()
        await self.server.close()


class Subscriber:
    """Receives the slots of a ReceiveConnection; ``tracks`` are its remote tracks by MID."""

    def __init__(self, network: Network) -> None:
        self.pc = _peer()
        self.tracks: dict[str, MediaStreamTrack] = {}
        self.offers = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._frames: dict[str, asyncio.Queue[Any]] = {}
        self.server = ReceiveConnection(network, self._on_offer)

    def _on_offer(self, sdp: str, negotiation: int) -> None:
        self.offers += 1
        self.spawn(self._answer(sdp, negotiation))

    def spawn(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, sdp: str, negotiation: int) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        for transceiver in self.pc.getTransceivers():
            mid = str(transceiver.mid)
            if mid not in self.tracks:
                self.tracks[mid] = transceiver.receiver.track
                self._frames[mid] = asyncio.Queue()
                self.spawn(self._read(mid))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        await self.server.accept(self.pc.localDescription.sdp, negotiation)

    async def _read(self, mid: str) -> None:
        with contextlib.suppress(Exception):
            while True:
                self._frames[mid].put_nowait(await self.tracks[mid].recv())

    async def frame(self, mid: str, timeout_s: float = 10) -> Any:
        """The next decoded frame of a slot half."""
        while mid not in self._frames:
            await asyncio.sleep(0.01)
        return await asyncio.wait_for(self._frames[mid].get(), timeout_s)

    def received(self, mid: str) -> int:
        """Decoded frames that wait to be read."""
        return self._frames[mid].qsize()

    def drain(self, mid: str) -> None:
        """Forget the frames that wait."""
        while not self._frames[mid].empty():
            self._frames[mid].get_nowait()

    async def close(self) -> None:
        await self.server.close()
        await self.pc.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def connected(pc: RTCPeerConnection, timeout_s: float = 10) -> None:
    """Wait until ICE and DTLS are done."""
    done = asyncio.Event()

    @pc.on("connectionstatechange")
    def changed() -> None:
        if pc.connectionState == "connected":
            done.set()

    if pc.connectionState != "connected":
        await asyncio.wait_for(done.wait(), timeout_s)


class Peers:
    """Makes peers and closes all of them."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._open: list[Publisher | Subscriber] = []

    async def publisher(self, brightness: int = 128, **options: Any) -> Publisher:
        peer = Publisher(self._network, Bars(brightness, **options))
        self._open.append(peer)
        await peer.connect()
        return peer

    async def subscriber(self, slots: int = 1) -> Subscriber:
        peer = Subscriber(self._network)
        self._open.append(peer)
        await peer.server.ensure(slots)
        await connected(peer.pc)
        return peer

    async def close(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self._open))


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    opened = Network(addresses=["127.0.0.1"])
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def peers(network: Network) -> AsyncIterator[Peers]:
    made = Peers(network)
    yield made
    await made.close()


@pytest.fixture
def drop() -> Callable[[RTCPeerConnection, LossPattern], None]:
    """``drop(pc, pattern)`` loses the RTP packets that ``pc`` sends."""
    return lose
