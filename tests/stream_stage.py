"""Programs that publish and watch, as aiortc peers without HTTP in between."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack
from h264_units import encode

from vmeet_core.server.live_meeting import LiveMeeting
from vmeet_core.server.stream_session import StreamSession
from vmeet_core.server.streams import Refusal, Streams
from vmeet_core.sfu.stream_offer import StreamOffer


class Encoded(VideoStreamTrack):
    """Pictures that x264 made, sent as they are, again and again."""

    def __init__(self, b_frames: int) -> None:
        super().__init__()
        self._packets = encode(b_frames=b_frames)
        self._count = 0

    async def recv(self) -> Any:
        pts, time_base = await self.next_timestamp()
        packet = self._packets[self._count % len(self._packets)]
        packet.pts, packet.dts, packet.time_base = pts, pts, time_base
        self._count += 1
        return packet


class Program:
    """The other end of a session."""

    def __init__(self, *media: Any, direction: str = "sendonly") -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for each in media:
            transceiver = self.peer.addTransceiver(each, direction=direction)
            if isinstance(each, Encoded):
                codecs = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences([codec for codec in codecs if codec.mimeType == "video/H264"])

    async def offer(self) -> StreamOffer:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return StreamOffer(self.peer.localDescription.sdp)

    async def take(self, answer: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))


class Stage:
    """A live meeting and the streams of a server that run."""

    def __init__(self, live: LiveMeeting, streams: Streams) -> None:
        self.live = live
        self.streams = streams
        self._programs: list[Program] = []

    async def publish(self, *media: Any, name: str = "Stream") -> StreamSession:
        program = self.program(*media)
        session, answer = await self.streams.publish(self.live, await program.offer(), name)
        await program.take(answer)
        return session

    def program(self, *media: Any, direction: str = "sendonly") -> Program:
        self._programs.append(Program(*media, direction=direction))
        return self._programs[-1]

    def known(self, session: StreamSession) -> StreamSession | Refusal | None:
        return self.streams.find(self.live.meeting.id, session.kind, session.id)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(15):
            while not condition():
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await asyncio.gather(*(program.peer.close() for program in self._programs))
