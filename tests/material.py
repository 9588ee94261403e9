"""Media that tests make for themselves: tones and beeps, flashes and moving boxes, segments and journals."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from vmeet_core.hookspecs import Audio
from vmeet_core.manifest import (
    MANIFEST_NAME,
    AnyEvent,
    Joined,
    Left,
    Muted,
    SegmentEnded,
    SegmentStarted,
    SenderReport,
    Started,
    Stopped,
    encode,
)

ZERO_S = 1_700_000_000.0
NTP_S = 2_208_988_800.0  # from 1900 to 1970
RATE_HZ = 48_000
FPS = 30

Signal = Callable[[Any], Any]  # seconds (n,) to samples (n,)
Draw = Callable[[float], int]  # seconds to luma
Keep = Callable[[float], bool]


def tone(frequency_hz: float = 440.0, level: float = 0.2) -> Signal:
    return lambda t: level * np.sin(2 * np.pi * frequency_hz * t)


def beep(at_s: float, length_s: float = 0.2) -> Signal:
    return lambda t: np.where((t >= at_s) & (t < at_s + length_s), 0.5 * np.sin(2 * np.pi * 1000 * t), 0.0)


def flash(at_s: float, length_s: float = 0.2) -> Draw:
    return lambda t: 230 if at_s - 1e-9 <= t < at_s + length_s else 30


def onset_s(audio: Audio, threshold: float = 0.05, rate_hz: int = RATE_HZ) -> float:
    """When it first gets loud."""
    return float(np.argmax(np.abs(audio) > threshold)) / rate_hz


def level(audio: Audio) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if len(audio) else 0.0


def write_opus(
    path: Path, duration_s: float, signal: Signal, keep: Keep = lambda _: True, layout: str = "mono"
) -> None:
    """A Matroska file of Opus packets as they come over the network; those that ``keep`` refuses were lost."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.time_base = (
        RATE_HZ,
        layout,
        "s16",
        Fraction(1, RATE_HZ),
    )
    channels = 1 if layout == "mono" else 2
    with av.open(str(path), "w", format="matroska", options={"cluster_time_limit": "200"}) as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout=layout)
        for start in range(0, round(duration_s * RATE_HZ), 960):
            samples = (signal((np.arange(960) + start) / RATE_HZ) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.repeat(samples, channels)[None], format="s16", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
            for packet in encoder.encode(frame):
                if keep(start / RATE_HZ):
                    own = av.Packet(bytes(packet))
                    own.stream, own.time_base, own.pts, own.dts = stream, Fraction(1, RATE_HZ), start, start
                    container.mux(own)


def picture(size_px: tuple[int, int], luma: int, number: int = 0) -> av.VideoFrame:
    """A grey picture with a box that moves."""
    width, height = size_px
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (luma, 128, 128), strict=True):
        samples = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        samples[:] = value
        if plane is frame.planes[0]:
            left = number * 4 % (width - 16)
            samples[8:16, left : left + 8] = 235
    return frame


def write_pictures(
    path: Path,
    duration_s: float,
    draw: Draw = lambda _: 120,
    size_px: tuple[int, int] = (320, 180),
    codec: str = "vp8",
    keep: Keep = lambda _: True,
    keyframe_every: int = FPS,
) -> None:
    """A Matroska file of pictures as they come over the network."""
    fast = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    with av.open(str(path), "w", format="matroska", options={"cluster_time_limit": "200"}) as container:
        stream = container.add_stream("libvpx" if codec == "vp8" else "libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *size_px, "yuv420p"
        stream.codec_context.gop_size = keyframe_every
        stream.codec_context.options = fast if codec == "vp8" else {"preset": "ultrafast", "tune": "zerolatency"}
        stream.codec_context.time_base = Fraction(1, 90_000)
        for number in range(round(duration_s * FPS)):
            frame = picture(size_px, draw(number / FPS), number)
            frame.pts, frame.time_base = number * 90_000 // FPS, Fraction(1, 90_000)
            if keep(number / FPS):
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def cut(path: Path, share: float) -> None:
    """Leave only the first part of a file, as a kill does."""
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])


class RecordingMaker:
    """A recording's folder, written as the recorder writes it: segments, and a journal of everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "segments").mkdir(parents=True)
        self.events: list[AnyEvent] = [Started(at_s=ZERO_S, recording_id="r1", meeting_id="m1", title="週會")]
        self._ssrc = 0

    def join(self, person: str, at_s: float = 0.0, name: str | None = None) -> None:
        self.events.append(Joined(at_s=ZERO_S + at_s, participant_id=person, name=name or person.title()))

    def leave(self, person: str, at_s: float) -> None:
        self.events.append(Left(at_s=ZERO_S + at_s, participant_id=person))

    def mute(self, person: str, source: Any, at_s: float, muted: bool = True) -> None:
        self.events.append(Muted(at_s=ZERO_S + at_s, participant_id=person, source=source, muted=muted))

    def sound(self, person: str, at_s: float, duration_s: float, signal: Signal, **given: Any) -> Path:
        path = self._segment(person, "microphone", "opus", at_s, duration_s, given)
        write_opus(path, duration_s, signal, **given)
        return path

    def pictures(self, person: str, at_s: float, duration_s: float, draw: Draw = lambda _: 120, **given: Any) -> Path:
        source = given.pop("source", "camera")
        path = self._segment(person, source, given.get("codec", "vp8"), at_s, duration_s, given)
        write_pictures(path, duration_s, draw, **given)
        return path

    def write(self, duration_s: float | None) -> Path:
        """None: the server was killed."""
        if duration_s is not None:
            self.events.append(Stopped(at_s=ZERO_S + duration_s, reason="host"))
        (self.folder / MANIFEST_NAME).write_bytes(b"".join(map(encode, self.events)))
        return self.folder

    def _segment(
        self, person: str, source: Any, codec: Any, at_s: float, duration_s: float, given: dict[str, Any]
    ) -> Path:
        """``delay_s``: how long the first frame took to arrive, which a sender report lets the reader undo."""
        self._ssrc += 1
        delay_s, finished = given.pop("delay_s", 0.0), given.pop("finished", True)
        clock_hz = RATE_HZ if codec == "opus" else 90_000
        file = f"{person}-{source}-{self._ssrc}.mkv"
        shared = {"participant_id": person, "source": source, "ssrc": self._ssrc}
        wall_s, rtp = ZERO_S + at_s + delay_s, 2**32 - 1000
        started = SegmentStarted(
            at_s=wall_s, wall_s=wall_s, file=file, codec=codec, clock_hz=clock_hz, rtp=rtp, **shared
        )
        report_rtp = (rtp + 2 * clock_hz) % 2**32
        report = SenderReport(at_s=wall_s + 2, ntp_s=NTP_S + ZERO_S + at_s + 2 + 3600, rtp=report_rtp, **shared)
        self.events += [started, report]
        if finished:
            self.events.append(SegmentEnded(at_s=wall_s + duration_s, file=file, frames=1, duration_s=duration_s))
        return self.folder / "segments" / file
