"""How much memory each step of the pipeline takes, and whether it grows with the length of the recording.

    python benchmarks/step_memory.py                     # 10 and 40 minutes
    python benchmarks/step_memory.py --minutes 10 180    # the bar: three hours
    python benchmarks/step_memory.py --hours 3           # the same, and nothing else
    python benchmarks/step_memory.py --minutes 10 180 --camera 64x36    # growth alone, in little time

A recording of four people is made of a few seconds of real VP8 and Opus, repeated, with a journal as the recorder
writes it. Every step then runs in its real process, one after the other; ``step_memory_probe`` notes in there what it
holds when it begins (with its model loaded) and the most it ever holds. Prints one JSON object as its last line:
``{"people", "fps", "steps": {NAME: {"MINUTES": {"base_mb", "over_base_mb", "wall_s"}}}, "worst_mb",
"worst_growth_mb_per_hour"}``. Linux only.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from live_clips import pictures

from vmeet_core.manifest import (
    MANIFEST_NAME,
    SEGMENTS,
    AnyEvent,
    Joined,
    SegmentEnded,
    SegmentStarted,
    Started,
    Stopped,
    encode,
)
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.frames import video_frame
from vmeet_core.media.resampler import audio_frame
from vmeet_core.pipeline import graph
from vmeet_core.pipeline.messages import Order
from vmeet_core.pipeline.prepared import Prepared
from vmeet_core.pipeline.process import Listener, run_process
from vmeet_core.pipeline.spec import StepSpec
from vmeet_core.pipeline.views import ProcessRequest
from vmeet_core.plugins import discover
from vmeet_core.recording.segment import SegmentWriter
from vmeet_core.settings import Settings, load_settings

PEOPLE = ("Ann", "Bob", "Cat", "王小明")
FPS = 30
MIN_CAMERA_PX = 16
BITS_PER_S = 300_000
OPUS_SAMPLES, OPUS_HZ = 960, 48_000
START_S = 1_700_000_000.0
KINDS = {"microphone": ("opus", OPUS_HZ), "camera": ("vp8", 90_000)}
MB = 1 << 20
Coded = list[tuple[bytes, bool]]


def camera_clip(size_px: tuple[int, int]) -> Coded:
    """A few seconds of VP8: a keyframe, then none."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size_px, "yuv420p"
    encoder.time_base, encoder.bit_rate, encoder.gop_size = Fraction(1, FPS), BITS_PER_S, 10 * FPS
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    coded: Coded = []
    for number, planes in enumerate(pictures(*size_px)):
        frame = video_frame(planes)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        coded += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    return coded


def microphone_clip(person: int) -> Coded:
    """A minute in which somebody speaks, at another time than the others."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = OPUS_HZ, "stereo", "flt"
    encoder.time_base = Fraction(1, OPUS_HZ)
    random = np.random.default_rng(person)
    coded: Coded = []
    for number in range(60 * OPUS_HZ // OPUS_SAMPLES):
        at_s = number * OPUS_SAMPLES / OPUS_HZ
        speaks = at_s % 60 // 15 == person and at_s % 0.3 < 0.2
        mono = (random.normal(0, 0.1 if speaks else 3e-4, OPUS_SAMPLES)).astype(np.float32)
        frame = audio_frame(mono, OPUS_HZ)
        stereo = av.AudioFrame.from_ndarray(np.repeat(frame.to_ndarray(), 2, axis=1), format="flt", layout="stereo")
        stereo.sample_rate, stereo.pts, stereo.time_base = OPUS_HZ, number * OPUS_SAMPLES, Fraction(1, OPUS_HZ)
        coded += [(bytes(packet), True) for packet in encoder.encode(stereo)]
    return coded


def write_segment(path: Path, source: str, clip: Coded, duration_s: float) -> int:
    """The clip again and again, as the recorder writes it; the number of frames."""
    codec: Any
    codec, clock_hz = KINDS[source]
    step = OPUS_SAMPLES if source == "microphone" else clock_hz // FPS
    frames = int(duration_s * clock_hz / step)
    writer: SegmentWriter | None = None
    for number in range(frames):
        data, is_key = clip[number % len(clip)]
        frame = EncodedFrame(codec, number * step % (1 << 32), data, is_key, 1, START_S)
        writer = writer or SegmentWriter(path, frame)
        writer.write(frame)
    assert writer is not None
    writer.close()
    return frames


def write_recording(folder: Path, duration_s: float, size_px: tuple[int, int]) -> None:
    """Everybody is there from the start to the end; one shares a screen in the middle third."""
    (folder / SEGMENTS).mkdir(parents=True)
    events: list[AnyEvent] = [Started(at_s=START_S, recording_id="r", meeting_id="m", title="Memory")]
    first_camera: Path | None = None
    clip = camera_clip(size_px)
    for number, name in enumerate(PEOPLE):
        events.append(Joined(at_s=START_S, participant_id=f"p{number}", name=name))
        for source in KINDS:
            file = f"p{number}-{source}.mkv"
            path = folder / SEGMENTS / file
            if source == "camera" and first_camera:
                path.hardlink_to(first_camera)
            else:
                write_segment(path, source, clip if source == "camera" else microphone_clip(number), duration_s)
            first_camera = path if source == "camera" else first_camera
            events += _journal(f"p{number}", source, file, START_S, duration_s)
    screen = "p0-screen.mkv"
    write_segment(folder / SEGMENTS / screen, "camera", clip, duration_s / 3)
    events += _journal("p0", "screen", screen, START_S + duration_s / 3, duration_s / 3)
    events.append(Stopped(at_s=START_S + duration_s, reason="host"))
    (folder / MANIFEST_NAME).write_bytes(b"".join(map(encode, events)))


def _journal(person: str, source: Any, file: str, at_s: float, duration_s: float) -> Iterator[AnyEvent]:
    codec: Any
    codec, clock_hz = KINDS["microphone" if source == "microphone" else "camera"]
    known = {"participant_id": person, "source": source, "file": file, "codec": codec, "clock_hz": clock_hz}
    yield SegmentStarted.model_validate(known | {"at_s": at_s, "wall_s": at_s, "ssrc": 1, "rtp": 0})
    yield SegmentEnded(at_s=at_s + duration_s, file=file, frames=1, duration_s=duration_s)


class Spoken(Listener):
    """What a step logs is shown."""

    def log(self, line: str) -> None:
        if line:
            say(f"    {line}")


class Steps:
    """Runs steps as the server does, but through the probe."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._there: dict[str, Path] = {}

    async def run(self, spec: StepSpec) -> dict[str, float]:
        """What its process held and took. Raises StepFailed."""
        results = self._folder / "results"
        results.mkdir(exist_ok=True)
        outputs = {role: results / output.file for role, output in spec.outputs.items()}
        report = results / "memory.json"
        order = Order(
            function="step_memory_probe:run",
            folder=self._folder,
            params={"function": spec.function, "params": spec.params, "report": str(report)},
            inputs={role: self._there[result] for role, result in spec.inputs.items()},
            outputs=outputs,
            temp_dir=results / ".partial",
            settings=self._settings,
            threads=max(1, os.cpu_count() or 1),
            parent_pid=os.getpid(),
        )
        began_s = time.monotonic()
        await run_process(order, Spoken())
        wall_s = time.monotonic() - began_s
        self._there |= {output.result: outputs[role] for role, output in spec.outputs.items()}
        told = json.loads(report.read_text())
        base, peak = told["base_bytes"] / MB, told["peak_bytes"] / MB
        return {"base_mb": round(base, 1), "over_base_mb": round(peak - base, 1), "wall_s": round(wall_s, 1)}

    def read(self, result: str) -> bytes:
        return self._there[result].read_bytes()


async def measure(
    minutes: float, size_px: tuple[int, int], request: ProcessRequest, settings: Settings, folder: Path
) -> dict[str, Any]:
    """By the names of the steps; of several of a kind the one that took most."""
    began_s = time.monotonic()
    write_recording(folder, minutes * 60, size_px)
    say(f"{minutes:g} minutes: recording made in {time.monotonic() - began_s:.0f} s")
    steps = Steps(folder, settings)
    first = graph.prepare_recording()
    found = {first.name: await steps.run(first)}
    prepared = Prepared.model_validate_json(steps.read(graph.PREPARED))
    for spec in graph.build_graph(prepared, request, settings, discover()):
        told = await steps.run(spec)
        kind = spec.name if spec.name.startswith("join:") else spec.name.partition(":")[0]
        say(f"{minutes:g} minutes: {spec.name}: {told}")
        found[kind] = max(found.get(kind, told), told, key=lambda each: each["over_base_mb"])
    return found


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def summary(found: dict[float, dict[str, Any]], fps: int) -> dict[str, Any]:
    """Worst over all lengths; growth between the shortest and the longest."""
    lengths = sorted(found)
    kinds = list(found[lengths[0]])
    over = {minutes: {kind: found[minutes][kind]["over_base_mb"] for kind in kinds} for minutes in lengths}
    hours = (lengths[-1] - lengths[0]) / 60
    growth = [(over[lengths[-1]][kind] - over[lengths[0]][kind]) / hours for kind in kinds] if hours else [0.0]
    return {
        "people": len(PEOPLE),
        "fps": fps,
        "steps": {kind: {f"{minutes:g}": found[minutes][kind] for minutes in lengths} for kind in kinds},
        "worst_mb": max(max(each.values()) for each in over.values()),
        "worst_growth_mb_per_hour": round(max(growth), 1),
    }


def run(args: argparse.Namespace) -> dict[str, Any]:
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    settings = load_settings(args.settings, {})
    video = settings.video.model_copy(update={"fps": args.fps})
    settings = settings.model_copy(update={"video": video})
    request = ProcessRequest(denoiser=args.denoiser, layout=args.layout, files=args.files)
    found = {}
    for minutes in [args.hours * 60] if args.hours else args.minutes:
        with tempfile.TemporaryDirectory(dir=args.work) as folder:
            found[minutes] = asyncio.run(measure(minutes, args.camera, request, settings, Path(folder) / "recording"))
    return summary(found, args.fps)


def camera_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= MIN_CAMERA_PX):
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 640x360")
    return int(width), int(height)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 40], help="how long the recordings are")
    parser.add_argument("--hours", type=float, help="one recording of so many hours instead")
    parser.add_argument("--camera", type=camera_size, default=(640, 360), help="the size of the cameras, WxH")
    parser.add_argument("--fps", type=int, default=30, choices=range(15, 61), metavar="15..60")
    parser.add_argument("--layout", choices=["grid", "speaker"], default="speaker")
    parser.add_argument("--files", choices=["meeting", "per-person"], default="meeting")
    parser.add_argument("--denoiser", help="a denoiser that is installed (default: none)")
    parser.add_argument("--settings", type=Path, help="a vmeet.toml, for denoisers that need settings or weights")
    parser.add_argument("--work", type=Path, help="a folder with room for the recordings")
    print(json.dumps(run(parser.parse_args())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
