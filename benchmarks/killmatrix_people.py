"""Who is recorded while the server is killed: peers whose every picture has a number, and who know what they sent."""

import asyncio
import contextlib
import time
from fractions import Fraction
from typing import Any

import av
import numpy as np
from aiortc import AudioStreamTrack, RTCSessionDescription, VideoStreamTrack
from leak_peers import Page, new_peer, until
from leak_scene import NUMBERS, draw

from vmeet_core.media.frames import video_frame

CLOCK_HZ, HEIGHT_PX, FRAMERATE_HZ = 90_000, 180, 15
SAMPLE_RATE_HZ, PACKET_SAMPLES = 48_000, 960
ANSWER_S = 20.0


class Camera(VideoStreamTrack):
    """Numbered pictures; ``sent`` maps each number to the Unix time at which it was captured."""

    def __init__(self) -> None:
        super().__init__()
        self.began_s = time.time()
        self.sent: dict[int, float] = {}
        self._number = -1

    async def recv(self) -> av.VideoFrame:
        self._number = max(self._number + 1, int((time.time() - self.began_s) * FRAMERATE_HZ))
        await asyncio.sleep(max(self.began_s + self._number / FRAMERATE_HZ - time.time(), 0))
        picture = video_frame(draw(self._number % NUMBERS, HEIGHT_PX * 16 // 9, HEIGHT_PX))
        picture.pts = self._number * (CLOCK_HZ // FRAMERATE_HZ)
        picture.time_base = Fraction(1, CLOCK_HZ)
        self.sent[self._number] = time.time()
        return picture


class Microphone(AudioStreamTrack):
    """A tone of its own for each person, in real time; ``sent_until_s`` is the Unix time of its newest sample."""

    def __init__(self, frequency_hz: float) -> None:
        super().__init__()
        self._frequency_hz = frequency_hz
        self._samples = 0
        self.began_s = time.time()

    @property
    def sent_until_s(self) -> float:
        return self.began_s + self._samples / SAMPLE_RATE_HZ

    async def recv(self) -> av.AudioFrame:
        await asyncio.sleep(max(self.sent_until_s - time.time(), 0))
        times = (self._samples + np.arange(PACKET_SAMPLES)) / SAMPLE_RATE_HZ
        tone = 6000 * np.sin(2 * np.pi * self._frequency_hz * times)
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, self._samples, Fraction(1, SAMPLE_RATE_HZ)
        self._samples += PACKET_SAMPLES
        return frame


class Person(Page):
    """A page that sends a camera and a microphone. Its server may vanish at any moment."""

    def __init__(self, name: str, frequency_hz: float) -> None:
        super().__init__(name)
        self.camera = Camera()
        self.microphone = Microphone(frequency_hz)

    async def send_media(self) -> None:
        """Publish both. Raises TimeoutError."""
        peer = self._publish = new_peer()
        tracks: dict[str, Any] = {"camera": self.camera, "microphone": self.microphone}
        for track in tracks.values():
            peer.addTransceiver(track, direction="sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        mids = [transceiver.mid for transceiver in peer.getTransceivers()]
        sections = [{"mid": mid, "source": source} for mid, source in zip(mids, tracks, strict=True)]
        await self.send(type="publish", sdp=peer.localDescription.sdp, sources=sections)
        async with asyncio.timeout(ANSWER_S):
            await peer.setRemoteDescription(RTCSessionDescription(await self._published, "answer"))
        await until(lambda: peer.connectionState == "connected", ANSWER_S)

    async def close(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):  # the server may be gone
            await super().close()
        for track in (self.camera, self.microphone):
            track.stop()
