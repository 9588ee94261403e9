"""A viewer that is a real aiortc peer, watching real publishers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from vmeet_core.sfu.network import Network
from vmeet_core.sfu.peer_link import BadDescription
from vmeet_core.sfu.stream_offer import StreamOffer, UnsupportedOffer
from vmeet_core.sfu.watch_connection import WatchConnection


class Viewer:
    """Asks for these kinds of media; ``latest`` is the newest decoded frame of each section, ``counts`` how many."""

    def __init__(self, network: Network, kinds: tuple[str, ...]) -> None:
        self.server = WatchConnection(network)
        self.answer = ""
        self.latest: list[Any] = [None] * len(kinds)
        self.counts = [0] * len(kinds)
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._tasks: list[asyncio.Task[None]] = []
        self._kinds = kinds

    async def connect(self) -> None:
        for kind in self._kinds:
            self._peer.addTransceiver(kind, direction="recvonly")
        await self._peer.setLocalDescription(await self._peer.createOffer())
        self.answer = await self.server.negotiate(StreamOffer(self._peer.localDescription.sdp))
        await self._peer.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        for i, transceiver in enumerate(self._peer.getTransceivers()):
            self._tasks.append(asyncio.create_task(self._read(i, transceiver.receiver.track)))
        await self.until(lambda: self.server.state == "connected")

    async def _read(self, i: int, track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                self.latest[i] = await track.recv()
                self.counts[i] += 1

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(15):
            while not condition():
                await asyncio.sleep(0.01)

    async def gets(self, i: int) -> None:
        """More of a section arrives."""
        before = self.counts[i]
        await self.until(lambda: self.counts[i] > before + 3)

    def brightness(self, i: int) -> float:
        return float(np.mean(self.latest[i].to_ndarray(format="rgb24"))) if self.latest[i] is not None else 0.0

    def sent(self) -> list[int]:
        """Packets, by section."""
        return [each.packets_sent for each in (self.server.picture, *self.server.sounds) if each is not None]

    async def close(self) -> None:
        await self.server.close()
        await self._peer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


OpenViewer = Callable[..., Awaitable[Viewer]]


@pytest.fixture
async def open_viewer(network: Network) -> AsyncIterator[OpenViewer]:
    viewers: list[Viewer] = []

    async def make(*kinds: str) -> Viewer:
        viewers.append(Viewer(network, kinds))
        await viewers[-1].connect()
        return viewers[-1]

    yield make
    await asyncio.gather(*(viewer.close() for viewer in viewers))


async def test_a_viewer_sees_and_hears_one_person_and_then_another(open_viewer: OpenViewer, peers: Any) -> None:
    dark, bright = [await peers.publisher(brightness) for brightness in (60, 200)]
    viewer = await open_viewer("audio", "video")
    viewer.server.show(dark.server.pictures("camera"))
    viewer.server.play([dark.server.sources["microphone"]])
    await viewer.gets(0)
    await viewer.until(lambda: 40 < viewer.brightness(1) < 80)
    viewer.server.show(bright.server.pictures("camera"))
    viewer.server.play([bright.server.sources["microphone"]])
    await viewer.until(lambda: 180 < viewer.brightness(1) < 220)
    await viewer.gets(0)
    viewer.server.show(())
    viewer.server.play([])
    sent, arrived = viewer.sent(), dark.server.media.packets_received
    await viewer.until(lambda: dark.server.media.packets_received > arrived + 20)
    assert viewer.sent() == sent


async def test_the_answer_sends_and_is_ice_lite(open_viewer: OpenViewer) -> None:
    viewer = await open_viewer("video", "audio")
    assert viewer.answer.count("a=sendonly") == 2
    assert "a=ice-lite" in viewer.answer
    assert viewer.answer.count("a=candidate") >= 1
    assert viewer.answer.count("a=fingerprint") == 2


async def test_a_viewer_may_ask_for_sound_alone(open_viewer: OpenViewer, peers: Any) -> None:
    person = await peers.publisher()
    viewer = await open_viewer("audio")
    viewer.server.show(person.server.pictures("camera"))
    viewer.server.play([person.server.sources["microphone"]])
    await viewer.gets(0)
    assert viewer.server.picture is None


async def test_sounds_stay_where_they_are_when_others_change(open_viewer: OpenViewer, peers: Any) -> None:
    first, second, third = [(await peers.publisher()).server.sources["microphone"] for _ in range(3)]
    viewer = await open_viewer("audio", "audio")

    def playing() -> list[Any]:
        return [egress.source for egress in viewer.server.sounds]

    viewer.server.play([first, second, third])
    assert playing() == [first, second]
    viewer.server.play([third, second, first])
    assert playing() == [third, second]
    viewer.server.play([second, first])
    assert playing() == [first, second]
    await asyncio.gather(viewer.gets(0), viewer.gets(1))
    viewer.server.play([second])
    assert playing() == [None, second]


async def test_an_offer_that_cannot_be_served_is_refused(network: Network) -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for direction in ("recvonly", "sendonly"):
        peer.addTransceiver("audio", direction=direction)
    await peer.setLocalDescription(await peer.createOffer())
    connection = WatchConnection(network)
    with pytest.raises(UnsupportedOffer, match="nothing would be watched"):
        await connection.negotiate(StreamOffer(peer.localDescription.sdp))
    unsafe = peer.localDescription.sdp.replace("a=setup:", "a=x-setup:").replace("a=sendonly", "a=recvonly")
    with pytest.raises(BadDescription, match="the offer"):
        await connection.negotiate(StreamOffer(unsafe))
    await connection.close()
    await peer.close()
