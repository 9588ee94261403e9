"""The people of the leak test: real peers of a real server, whose every decoded picture is looked at."""

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import aiohttp
import av
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci
from leak_scene import NUMBERS, Look, draw, look

from vmeet_core.live.decoder import PictureDecoder
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.frames import planes_of, video_frame
from vmeet_core.sfu.assembler import FrameAssembler
from vmeet_core.sfu.ingress import Ingress, PayloadTypes
from vmeet_core.sfu.packet import parse
from vmeet_core.sfu.publisher_clock import PublisherClock

CLOCK_HZ = 90_000
HEARTBEAT_S = 2.0
SMALL_PX = 180
ANSWER_S = 20.0
REPAIR_S = 0.03
REPORT_S = 1.0
ROOM_BPS = 5_000_000


class Seen(NamedTuple):
    """A picture that was decoded, and when (monotonic clock)."""

    at_s: float
    look: Look


class Camera:
    """Pictures with numbers, the same in both sizes; ``number`` is that of the newest."""

    def __init__(self, height_px: int, framerate_hz: int) -> None:
        self.framerate_hz = framerate_hz
        self.step = self.step_of(framerate_hz)
        self.began_s = time.monotonic()
        self.tracks = {"camera": CameraTrack(self, height_px), "camera-small": CameraTrack(self, SMALL_PX)}

    @staticmethod
    def step_of(framerate_hz: int) -> int:
        """What a picture adds to the timestamp."""
        return CLOCK_HZ // framerate_hz

    @property
    def number(self) -> int:
        """Of the picture that is captured now."""
        return int((time.monotonic() - self.began_s) * self.framerate_hz)


class CameraTrack(VideoStreamTrack):
    """One of the sizes; pictures for which there was no time are left out."""

    def __init__(self, camera: Camera, height_px: int) -> None:
        super().__init__()
        self._camera = camera
        self._height_px = height_px
        self._sent = -1

    async def recv(self) -> av.VideoFrame:
        camera = self._camera
        number = max(camera.number, self._sent + 1)
        await asyncio.sleep(max(camera.began_s + number / camera.framerate_hz - time.monotonic(), 0))
        self._sent = number
        picture = video_frame(draw(number % NUMBERS, self._height_px * 16 // 9, self._height_px))
        picture.pts, picture.time_base = number * camera.step, Fraction(1, CLOCK_HZ)
        return picture


class Viewer:
    """Whoever decodes pictures: ``seen`` is all of them, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[Seen] = []
        self.peer = new_peer()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Task[None] | None = None

    def spawn(self, coroutine: Any) -> None:
        """Run it until this viewer is closed."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def watch(self, track: Any) -> None:
        """Look at everything that is decoded."""
        with contextlib.suppress(MediaStreamError):
            while True:
                picture = await track.recv()
                if isinstance(picture, av.VideoFrame):
                    self.seen.append(Seen(time.monotonic(), look(planes_of(picture)[0])))

    @property
    def latest(self) -> Look | None:
        """What is shown now."""
        return self.seen[-1].look if self.seen else None

    async def close(self) -> None:
        """Watch no more; what was seen is kept. It ends even when whoever waits for it is cancelled; twice is harmless.

        aiortc closes by itself when the server has closed. Whoever is cancelled while waiting for that cancels what
        everybody else waits for.
        """
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.peer.close()


class Page(Viewer):
    """A page of the meeting. ``is_prompt``: a picture is decoded when its last packet is there, as browsers do, and not
    when the next one begins, as aiortc does. Of such a page ``loss`` is the share of the packets that never reach it.
    """

    def __init__(self, name: str, is_prompt: bool = False, loss: float = 0.0, seed: int = 0) -> None:
        super().__init__(name)
        self.id = ""
        self.welcome: dict[str, Any] = {}
        self.effects: dict[str, Any] = {}
        self.reasons: list[str] = []  #: why one's camera was not shown, as it was told
        self.recording: dict[str, Any] | None = None
        self.recording_reason: str | None = None  #: why it ended by itself, as it was told
        self.errors: list[str] = []
        self.loss = loss
        self._is_prompt = is_prompt
        self.lost_packets = 0
        self.repaired_packets = 0  #: that came by a retransmission
        self.random = random.Random(seed)
        self._heard: set[Any] = set()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._publish: RTCPeerConnection | None = None
        self._watched: set[str] = set()
        self._published: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def enter(self, http: aiohttp.ClientSession, meeting: dict[str, Any]) -> None:
        """Join; from now on what comes is read. Raises TimeoutError."""
        self._socket = await http.ws_connect(f"/api/meetings/{meeting['id']}/socket")
        await self.send(type="join", name=self.name, host_key=meeting["host_key"])
        self.spawn(self._read(self._socket))
        self.spawn(self._beat())
        await until(lambda: self.welcome, ANSWER_S)
        self.id = self.welcome["participant_id"]

    async def send(self, **message: Any) -> None:
        """A message to the server."""
        assert self._socket is not None
        await self._socket.send_json(message)

    async def wish(self, *filters: dict[str, Any]) -> None:
        """Ask for these effects."""
        await self.send(type="effects", effects={"filters": list(filters)})

    @property
    def state(self) -> str:
        """How the filters of one's camera do."""
        return str(self.effects["camera"]["state"]) if self.effects else ""

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = frame.json()
            kind = message["type"]
            if kind == "offer":
                await self._answer(message)
            elif kind == "published":
                self._published.set_result(message["sdp"])
            elif kind == "effects-changed":
                self.effects = message
                self.reasons += [message["camera"]["reason"]] if message["camera"]["reason"] else []
            elif kind == "recording":
                self.recording = message["recording"] if message["recording"]["active"] else None
                self.recording_reason = message["reason"]
            elif kind == "welcome":
                self.welcome = message
            elif kind == "error":
                self.errors.append(message["message"])

    async def _beat(self) -> None:
        with contextlib.suppress(ConnectionError):  # it is leaving
            for number in itertools.count():
                await self.send(type="ping", number=number)
                await asyncio.sleep(HEARTBEAT_S)

    async def _answer(self, message: dict[str, Any]) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(message["sdp"], "offer"))
        for transceiver in self.peer.getTransceivers():
            mid = str(transceiver.mid)
            if mid not in self._watched and not self._is_prompt:
                self._watched.add(mid)
                self.spawn(self.watch(transceiver.receiver.track))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        if self._is_prompt:
            self._listen()
        with contextlib.suppress(ConnectionError):  # it is leaving
            await self.send(type="answer", sdp=self.peer.localDescription.sdp, negotiation=message["negotiation"])

    def _listen(self) -> None:
        """In place of aiortc, to what was decrypted."""
        transceivers = self.peer.getTransceivers()
        for transport in {each.receiver.transport for each in transceivers if each.kind == "video"} - self._heard:
            self._heard.add(transport)
            ear = Ear(self.peer.localDescription.sdp, transport, self)
            transport._handle_rtp_data = ear.take  # no public place to listen, or to lose a packet
            self.spawn(ear.repair())

    async def publish(self, camera: Camera) -> None:
        """Send both sizes of a camera."""
        peer = self._publish = new_peer()
        for track in camera.tracks.values():
            peer.addTransceiver(track, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        mids = [transceiver.mid for transceiver in peer.getTransceivers()]
        sections = [{"mid": mid, "source": source} for mid, source in zip(mids, camera.tracks, strict=True)]
        await self.send(type="publish", sdp=peer.localDescription.sdp, sources=sections)
        async with asyncio.timeout(ANSWER_S):
            await peer.setRemoteDescription(RTCSessionDescription(await self._published, "answer"))
        await until(lambda: peer.connectionState == "connected", ANSWER_S)

    async def _close(self) -> None:
        if self._socket is not None and not self._socket.closed:
            await self.send(type="leave")
            await self._socket.close()
        await super()._close()
        if self._publish is not None:
            await self._publish.close()


class Ear:
    """Receives one picture as a browser does: it asks for what is missing, again and again, and then for a keyframe.

    aiortc's own receiver asks once, and then waits for its buffer to overflow.
    """

    def __init__(self, sdp: str, transport: Any, page: Page) -> None:
        self._transport = transport
        self._page = page
        self._ingress = Ingress("camera", self._send, PublisherClock())
        names = {int(number): name.lower() for number, name in re.findall(r"a=rtpmap:(\d+) (VP8|rtx)/", sdp)}
        apt = {int(number): int(of) for number, of in re.findall(r"a=fmtp:(\d+) apt=(\d+)", sdp)}
        vp8 = {number for number, name in names.items() if name == "vp8"}
        self._ingress.types = PayloadTypes(
            codecs=dict.fromkeys(vp8, "vp8"), rtx_of={number: of for number, of in apt.items() if of in vp8}
        )
        self._decoder = PictureDecoder()
        self._ingress.add_listener(
            FrameAssembler(
                True, self._on_frame, lambda before, after: None, lambda ntp, rtp: None, self._ingress.request_keyframe
            )
        )

    async def take(self, data: bytes, arrival_time_ms: int) -> None:
        """A packet, decrypted."""
        packet = parse(data)
        of_picture = {*self._ingress.types.codecs, *self._ingress.types.rtx_of}
        if packet.payload_type not in of_picture:
            return
        if self._page.random.random() < self._page.loss:
            self._page.lost_packets += 1
        else:
            self._page.repaired_packets += packet.payload_type in self._ingress.types.rtx_of
            self._ingress.receive(packet, time.monotonic())

    async def repair(self) -> None:
        """Ask again for what stays missing, and report every second."""
        reported_s = 0.0
        while True:
            await asyncio.sleep(REPAIR_S)
            now_s = time.monotonic()
            self._ingress.ask_for_missing(now_s)
            if now_s - reported_s > REPORT_S and self._ingress.ssrc is not None:
                reported_s = now_s
                self._report(self._ingress.ssrc)

    def _report(self, ssrc: int) -> None:
        """There is room for more. What was lost is not told: of so few packets it would look like a narrow line, and
        the picture be paused; here it is to be watched.
        """
        room = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=pack_remb_fci(ROOM_BPS, [ssrc]))
        self._send(bytes(room))

    def _send(self, data: bytes) -> bool:
        self._page.spawn(self._tell(data))
        return True

    async def _tell(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # not connected yet, or no more
            await self._transport._send_rtp(data)

    def _on_frame(self, frame: EncodedFrame) -> None:
        picture = self._decoder.decode(frame.codec, frame.data, frame.keyframe)
        if picture is not None:
            self._page.seen.append(Seen(time.monotonic(), look(planes_of(picture)[0])))


class Watcher(Viewer):
    """A WHEP player."""

    async def enter(self, http: aiohttp.ClientSession, streams: dict[str, str]) -> None:
        """``streams`` is what a host is told of these addresses."""
        for kind in ("audio", "video"):
            self.peer.addTransceiver(kind, direction="recvonly")
        await self.peer.setLocalDescription(await self.peer.createOffer())
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {streams['whep_token']}"}
        async with http.post(streams["whep_path"], data=self.peer.localDescription.sdp, headers=headers) as answer:
            answer.raise_for_status()
            sdp = await answer.text()
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        for transceiver in self.peer.getTransceivers():
            self.spawn(self.watch(transceiver.receiver.track))


def new_peer() -> RTCPeerConnection:
    """Bundled from the start, and nobody else's servers are asked."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


async def until(condition: Callable[[], Any], timeout_s: float) -> None:
    """Raises TimeoutError when it does not become true in time."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.01)
