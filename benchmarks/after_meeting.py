"""How long after a meeting its recording is ready, and how long an uploaded file takes.

    python benchmarks/after_meeting.py --minutes 10            # two people, 640x360, DTLN: a real meeting, in real time
    python benchmarks/after_meeting.py --minutes 2 --people 4
    python benchmarks/after_meeting.py --upload-minutes 60     # an uploaded file of that length, nobody meets
    python benchmarks/after_meeting.py --minutes 3 --offline   # nothing is done while the meeting runs: the baseline
    python benchmarks/after_meeting.py --transcriber whisper   # people speak 60 % of the time, and it is written down

A real server records people who send VP8 and Opus that was encoded beforehand, so that the machine's time is the
server's. Prints one JSON object as its last line: after the end of the meeting ``sound_s`` until everybody's denoised
sound and its mix are there, ``video_s`` until the video that people play is, ``all_s`` until nothing is left to do (and
on stderr when each step was done); for an upload the same, and ``share`` of the file's length. With a transcriber,
``transcript_s`` until the transcript is, ``turns`` that were said and ``missing`` ones, and the character error rate,
``cer``.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import av
import browsers
import numpy as np
from aiortc import MediaStreamTrack
from conversation import MANDARIN, Conversation, converse, opus, utterances
from killmatrix_people import Person
from leak_peers import until
from transcript_times import judged

from vmeet_core.media.transcript import read_transcript

SIZE_PX, FPS, CLIP_S, KEYFRAME_S = (640, 360), 30, 12, 2
BITS_PER_S = 600_000
OPUS_HZ, OPUS_SAMPLES = 48_000, 960
NOISE = 0.01  #: what the denoiser is to take away
TOLD_S = 30.0
LOOK_S = 0.2
BEGINS_S = 15  #: people speak before they are recorded for less than that
MOST_S = 3600.0
PRESET = '[meetings.default]\ndenoiser = "dtln"\nlanguage = "zh"\n'


def camera_packets() -> list[bytes]:
    """A clip that begins with a keyframe, and has one every two seconds: nobody can ask an encoded clip for one."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height = SIZE_PX
    encoder.pix_fmt, encoder.time_base, encoder.bit_rate = "yuv420p", Fraction(1, FPS), BITS_PER_S
    encoder.gop_size = KEYFRAME_S * FPS
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    coded = []
    pictures = browsers._drawn_pictures(*SIZE_PX)
    for number in range(CLIP_S * FPS):
        frame = av.VideoFrame.from_ndarray(next(pictures), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        coded += [bytes(packet) for packet in encoder.encode(frame)]
    return coded


def microphone_packets(person: int) -> list[bytes]:
    """Somebody speaks, at another time than the others, in a room that is not quiet."""
    speech = browsers._drawn_sound()
    silent = np.zeros(len(speech))
    random = np.random.default_rng(person)
    samples = np.concatenate([speech, silent] if person % 2 else [silent, speech])
    samples = (samples * 0.5 + random.normal(0, NOISE, len(samples))).astype(np.float32)
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = OPUS_HZ, "stereo", "flt"
    encoder.time_base = Fraction(1, OPUS_HZ)
    coded = []
    for start in range(0, len(samples) - OPUS_SAMPLES + 1, OPUS_SAMPLES):
        stereo = np.repeat(samples[start : start + OPUS_SAMPLES], 2)[None]
        frame = av.AudioFrame.from_ndarray(stereo, format="flt", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = OPUS_HZ, start, Fraction(1, OPUS_HZ)
        coded += [bytes(packet) for packet in encoder.encode(frame)]
    return coded


class Packets(MediaStreamTrack):
    """Packets in real time, again and again."""

    def __init__(self, kind: str, packets: list[bytes], step: int, clock_hz: int) -> None:
        super().__init__()
        self.kind = kind
        self._packets, self._step, self._clock_hz = packets, step, clock_hz
        self._count = 0
        self._began_s = time.monotonic()

    async def recv(self) -> Any:
        at = self._count * self._step
        await asyncio.sleep(max(0.0, self._began_s + at / self._clock_hz - time.monotonic()))
        packet = av.Packet(self._packets[self._count % len(self._packets)])
        packet.pts = packet.dts = at
        packet.time_base = Fraction(1, self._clock_hz)
        self._count += 1
        return packet


class Prepared(Person):
    """Somebody whose camera and microphone were encoded beforehand."""

    def __init__(self, number: int, camera: list[bytes], microphone: list[bytes]) -> None:
        super().__init__(f"Person {number + 1}", 330.0)
        self.camera: Any = Packets("video", camera, 90_000 // FPS, 90_000)
        self.microphone: Any = Packets("audio", microphone, OPUS_SAMPLES, OPUS_HZ)


class Ready:
    """When which results of a recording are there, in seconds since ``began_s`` (monotonic clock)."""

    def __init__(self, server: browsers.Server, recording_id: str, began_s: float) -> None:
        self._server, self._id, self._began_s = server, recording_id, began_s
        self.at_s: dict[str, float] = {}
        self.steps_s: dict[str, float] = {}
        self.results: dict[str, str] = {}

    async def wait(self) -> dict[str, float]:
        """Raises RuntimeError when the job fails."""
        async with asyncio.timeout(MOST_S):
            while True:
                if await asyncio.to_thread(self._look):
                    break
                await asyncio.sleep(LOOK_S)
        return {key: round(at_s, 1) for key, at_s in sorted(self.at_s.items(), key=lambda each: each[1])}

    def _look(self) -> bool:
        recording = self._server.get(f"/api/recordings/{self._id}")
        job = recording["job"]
        if job is None:
            return False
        if job["state"] in ("failed", "cancelled"):
            raise RuntimeError(json.dumps(job, indent=1))
        results = set(job["results"])
        cleaned = [name for name in results if name.startswith("audio-denoised:")]
        for step in job["steps"]:
            if step["state"] == "done":
                self.steps_s.setdefault(step["name"], round(time.monotonic() - self._began_s, 1))
        everybody = len(cleaned) >= max(1, len(recording["people"]))
        self._note("sound_s", "mix-denoised" in results and everybody)
        self._note("video_s", "video" in results)
        self._note("transcript_s", "transcript" in results)
        self._note("all_s", job["state"] == "done")
        self.results = job["results"]
        return "all_s" in self.at_s

    def _note(self, key: str, is_there: bool) -> None:
        if is_there:
            self.at_s.setdefault(key, time.monotonic() - self._began_s)


@contextlib.asynccontextmanager
async def serving(folder: Path, ahead: bool, transcriber: str | None) -> AsyncIterator[browsers.Server]:
    preset = PRESET + (f'transcriber = "{transcriber}"\n' if transcriber else "")
    server = browsers.Server(folder, preset + ("" if ahead else "[pipeline]\nahead = false\n"))
    await server.start()
    try:
        yield server
    finally:
        assert server.process is not None
        server.process.terminate()
        await asyncio.to_thread(server.process.wait)


async def meet(
    server: browsers.Server, folder: Path, people: int, seconds: float, conversation: Conversation | None
) -> dict[str, Any]:
    """Meet, record, end the recording, and wait for what comes of it."""
    camera = camera_packets()
    if conversation is not None:
        microphones = [list(opus(sound)) for sound in conversation.sounds]
    else:
        microphones = [microphone_packets(number) for number in range(people)]
    meeting = server.new_meeting()
    async with aiohttp.ClientSession(server.url) as http, contextlib.AsyncExitStack() as stack:
        there = []
        for number in range(people):
            person = Prepared(number, camera, microphones[number])
            stack.push_async_callback(person.close)
            await person.enter(http, meeting)
            await person.send_media()
            there.append(person)
        await there[0].send(type="recording-control", action="start")
        await until(lambda: there[0].recording and there[0].recording["active"], TOLD_S)
        assert there[0].recording is not None
        recording_id = there[0].recording["recording_id"]
        await asyncio.sleep(seconds)
        await there[0].send(type="recording-control", action="stop")
        ready = Ready(server, recording_id, time.monotonic())
        found: dict[str, Any] = await ready.wait()
        print(json.dumps(ready.steps_s), file=sys.stderr)
    if conversation is not None:
        path = folder / "data" / "recordings" / recording_id / ready.results["transcript"]
        found |= said_and_written(conversation, path, seconds)
    return found


def said_and_written(conversation: Conversation, path: Path, seconds: float) -> dict[str, Any]:
    """Turns that ended within the recording; when it began is told by where most turns are found best."""
    transcript = read_transcript(path)
    ids = {name: person for person, name in transcript.people.items()}
    names = {ids[f"Person {number + 1}"]: f"p{number}" for number in range(len(conversation.sounds))}
    said = [each.model_copy(update={"person": names[each.person]}) for each in transcript.utterances]

    def shifted(begin_s: float) -> dict[str, Any]:
        moved = tuple(
            each.model_copy(update={"start_s": each.start_s + begin_s, "end_s": each.end_s + begin_s}) for each in said
        )
        within = [turn for turn in conversation.turns if begin_s <= turn.start_s and turn.end_s < begin_s + seconds - 1]
        return judged(conversation._replace(turns=within), transcript.model_copy(update={"utterances": moved}))

    best = min((shifted(0.25 * step) for step in range(4 * BEGINS_S)), key=lambda each: (each["missing"], each["cer"]))
    return {key: best[key] for key in ("turns", "missing", "cer")}


def write_file(path: Path, seconds: float) -> None:
    """A file as a meeting leaves it elsewhere: VP8 and Opus in Matroska."""
    camera, microphone = camera_packets(), microphone_packets(0)
    with av.open(str(path), "w", format="matroska") as container:
        video = container.add_mux_stream("vp8", rate=FPS, width=SIZE_PX[0], height=SIZE_PX[1])
        sound = container.add_stream("libopus", rate=OPUS_HZ, layout="stereo")
        picture = 0
        for number in range(int(seconds * OPUS_HZ / OPUS_SAMPLES)):
            at_s = number * OPUS_SAMPLES / OPUS_HZ
            while picture / FPS <= at_s:
                packet = av.Packet(camera[picture % len(camera)])
                packet.stream, packet.is_keyframe = video, picture % len(camera) % (KEYFRAME_S * FPS) == 0
                packet.pts = packet.dts = picture
                packet.time_base = Fraction(1, FPS)
                container.mux(packet)
                picture += 1
            packet = av.Packet(microphone[number % len(microphone)])
            packet.stream, packet.time_base = sound, Fraction(1, OPUS_HZ)
            packet.pts = packet.dts = number * OPUS_SAMPLES
            container.mux(packet)


async def upload(server: browsers.Server, path: Path) -> dict[str, float]:
    """By tus, in one request, as a page does with a fast line; the clock starts when the file is there."""
    size_bytes = (await asyncio.to_thread(path.stat)).st_size
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size_bytes), "Upload-Metadata": "filename aG91ci5ta3Y="}
    async with aiohttp.ClientSession(server.url) as http:
        async with http.post("/api/uploads", headers=headers) as answer:
            answer.raise_for_status()
            location = answer.headers["Location"]
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        with path.open("rb") as file:
            async with http.patch(location, data=file, headers=headers) as answer:
                answer.raise_for_status()
    began_s = time.monotonic()
    recordings: list[dict[str, Any]] = []
    await until(lambda: recordings.extend(server.get("/api/recordings")["recordings"]) or recordings, TOLD_S)
    return await Ready(server, recordings[0]["id"], began_s).wait()


async def main(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with serving(folder, not arguments.offline, arguments.transcriber) as server:
            if not arguments.upload_minutes:
                seconds = arguments.minutes * 60
                conversation = None
                if arguments.transcriber:
                    conversation = converse(utterances(arguments.speech), arguments.people, seconds + BEGINS_S)
                found = await meet(server, folder, arguments.people, seconds, conversation)
                return {"minutes": arguments.minutes, "people": arguments.people, **found}
            seconds = arguments.upload_minutes * 60
            write_file(folder / "file.mkv", seconds)
            found = await upload(server, folder / "file.mkv")
            return {"minutes": arguments.upload_minutes, **found, "share": round(found["all_s"] / seconds, 3)}


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--minutes", type=float, default=10, help="how long the meeting is recorded")
    found.add_argument("--people", type=int, default=2)
    found.add_argument("--offline", action="store_true", help="do nothing while the meeting runs")
    found.add_argument("--transcriber", metavar="NAME", help="what writes down what they say")
    found.add_argument("--speech", metavar="DIR", type=Path, default=MANDARIN, help="utterances with transcripts.tsv")
    found.add_argument("--upload-minutes", type=float, default=0, help="upload a file of that length instead")
    return found


if __name__ == "__main__":
    chosen = parser().parse_args()
    result: Callable[..., Any] = main
    print(json.dumps(asyncio.run(result(chosen))), file=sys.stdout)
