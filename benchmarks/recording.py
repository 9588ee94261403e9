"""What recording a person costs: the server's recorder beside aiortc's MediaRecorder, on the same compressed media.

    python benchmarks/recording.py [--seconds 30] [--height 360] [--part 60]

A camera (VP8, 30 a second) and a microphone (Opus) are compressed beforehand. The server's recorder takes them as they
come from the network. MediaRecorder takes pictures and samples, so aiortc has to decode first, as it does for every
track that it receives; that belongs to its cost, and is told by itself. CPU time of all threads, without what the media
cost to make. One JSON object is the last line.
"""

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.codecs.opus import OpusDecoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.contrib.media import MediaRecorder
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import MediaStreamError

from vmeet_core.manifest import Started
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.recording.recorder import Recorder

FPS, PACKETS = 30, 50
LOOP_S = 4
BITRATE_BPS = 600_000


def film(height_px: int) -> list[tuple[bytes, bool]]:
    """Some seconds of somebody who moves, compressed."""
    width_px = height_px * 16 // 9 // 2 * 2
    encoder: Any = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width_px, height_px, "yuv420p"
    encoder.time_base, encoder.bit_rate, encoder.gop_size = Fraction(1, FPS), BITRATE_BPS, LOOP_S * FPS
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    random, found = np.random.default_rng(1), []
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    for number in range(LOOP_S * FPS):
        head = (rows - height_px / 2) ** 2 + (columns - width_px * (0.5 + 0.1 * np.sin(number / 9))) ** 2
        picture = np.full((height_px * 3 // 2, width_px), 128, np.uint8)
        luma = 60 + columns * 60 / width_px + 70 * (head < (height_px / 3) ** 2) + random.integers(-4, 4, rows.shape)
        picture[:height_px] = np.clip(luma, 16, 235)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        found += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    return found


def sound() -> list[bytes]:
    """Some seconds of a voice's pitch, compressed, 20 ms a packet."""
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.time_base = Fraction(1, 48_000)
    found = []
    for number in range(LOOP_S * PACKETS):
        times = (number * 960 + np.arange(960)) / 48_000
        tone = (8000 * np.sin(2 * np.pi * (150 + 50 * np.sin(4 * times)) * times)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, number * 960
        found += [bytes(packet) for packet in encoder.encode(frame)]
    return found


def media(seconds: int, height_px: int) -> list[tuple[str, EncodedFrame]]:
    """Both tracks in the order in which they come."""
    pictures, packets = film(height_px), sound()
    found: list[tuple[str, EncodedFrame]] = []
    for number in range(seconds * FPS):
        data, is_key = pictures[number % len(pictures)]
        at_s = number / FPS
        found.append(("camera", EncodedFrame("vp8", number * 90_000 // FPS, data, is_key, 1, at_s)))
    for number in range(seconds * PACKETS):
        frame = EncodedFrame("opus", number * 960, packets[number % len(packets)], True, 2, number / PACKETS)
        found.append(("microphone", frame))
    return sorted(found, key=lambda each: each[1].wall_s)


def cost_s(work: Callable[[], None]) -> float:
    """CPU time of this process, all threads."""
    before_s = time.process_time()
    work()
    return time.process_time() - before_s


def record(tracks: list[tuple[str, EncodedFrame]], folder: Path, part_s: float) -> None:
    """As the server does, in real time."""
    failures: list[str] = []
    zero_s = time.time()
    started = Started(at_s=zero_s, recording_id="benchmark", meeting_id="benchmark", title="", part_s=part_s)
    recorder = Recorder(folder / "ours", started, 0, failures.append)
    began_s = time.monotonic()
    for source, frame in tracks:
        time.sleep(max(0.0, began_s + frame.wall_s - time.monotonic()))
        recorder.frame("person", source, replace(frame, wall_s=zero_s + frame.wall_s))  # type: ignore[arg-type]
    recorder.stop("done")
    if failures:
        raise RuntimeError(failures[0])


class Decoded(MediaStreamTrack):
    """A track as aiortc's receiver makes it, in real time."""

    def __init__(self, kind: str, frames: list[EncodedFrame]) -> None:
        super().__init__()
        self.kind = kind
        self.ended = asyncio.Event()
        self._decoder: Any = Vp8Decoder() if kind == "video" else OpusDecoder()
        self._began_s = time.monotonic()
        self._frames = self._decode(frames)

    def _decode(self, frames: list[EncodedFrame]) -> Iterator[tuple[float, Any]]:
        for frame in frames:
            for decoded in self._decoder.decode(JitterFrame(data=frame.data, timestamp=frame.rtp_timestamp)):
                yield frame.wall_s, decoded

    async def recv(self) -> Any:
        wall_s, frame = next(self._frames, (0.0, None))
        if frame is None:
            self.ended.set()
            raise MediaStreamError
        await asyncio.sleep(max(0.0, self._began_s + wall_s - time.monotonic()))
        return frame


def tracks_of(media: list[tuple[str, EncodedFrame]]) -> list[Decoded]:
    kinds = {"video": "camera", "audio": "microphone"}
    return [Decoded(kind, [frame for of, frame in media if of == source]) for kind, source in kinds.items()]


async def media_recorder(media: list[tuple[str, EncodedFrame]], folder: Path) -> None:
    """aiortc's, into an MP4 as its documentation shows."""
    recorder = MediaRecorder(str(folder / "theirs.mp4"))
    tracks = tracks_of(media)
    for track in tracks:
        recorder.addTrack(track)
    await recorder.start()
    await asyncio.gather(*(track.ended.wait() for track in tracks))
    await recorder.stop()


async def decode(media: list[tuple[str, EncodedFrame]]) -> None:
    """What aiortc's receiver does before that."""

    async def drained(track: Decoded) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                await track.recv()

    await asyncio.gather(*map(drained, tracks_of(media)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30, help="of media; each of the three runs takes as long")
    parser.add_argument("--height", type=int, default=360, help="of the picture, in pixels")
    parser.add_argument("--part", type=int, default=60, help="seconds after which tracks go on in new files")
    arguments = parser.parse_args()
    tracks = media(arguments.seconds, arguments.height)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours_s = cost_s(lambda: record(tracks, folder, arguments.part))
        theirs_s = cost_s(lambda: asyncio.run(media_recorder(tracks, folder)))
        decoding_s = cost_s(lambda: asyncio.run(decode(tracks)))
    report = {"vmeet": ours_s, "mediarecorder": theirs_s, "of_it_decoding": decoding_s}
    shares = {f"{key}_core_share": round(value / arguments.seconds, 4) for key, value in report.items()}
    ratios = {
        "ratio": round(theirs_s / ours_s, 1),
        "ratio_without_decoding": round((theirs_s - decoding_s) / ours_s, 1),
    }
    print(json.dumps({"seconds": arguments.seconds, "height_px": arguments.height} | shares | ratios))


if __name__ == "__main__":
    main()
