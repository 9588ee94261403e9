"""Whether a long recording is written down whole, once, and at the right times, also when the server is killed.

    python benchmarks/transcript_times.py                 # the bar: an hour, two people, Whisper; killed in the middle
    python benchmarks/transcript_times.py --minutes 5 --transcriber whisper --no-kill

A recording is made of known utterances, as the recorder writes it. A real server finds and processes it, is killed with
all its processes when half of the parts are written down, and goes on when it is started again. Every turn is then
looked for in the transcript. Prints one JSON object as its last line: ``{"minutes", "turns", "missing", "doubled",
"worst_start_s", "worst_end_s", "late", "cer", "rtf"}``: turns of which nothing is there, turns that are there more than
once, how far the first and the last word are from the truth at most, how many turns are further than 0.3 s, the
character error rate, and seconds of computing for each of speech.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
import psutil
from conversation import MANDARIN, OPUS_SAMPLES, RATE_HZ, Conversation, Turn, converse, opus, utterances

from vmeet_core.evaluate.alignment import distance
from vmeet_core.evaluate.spoken_text import both_spoken
from vmeet_core.manifest import (
    MANIFEST_NAME,
    SEGMENTS,
    AnyEvent,
    Joined,
    SegmentEnded,
    SegmentStarted,
    Started,
    Stopped,
)
from vmeet_core.manifest import encode as encode_event
from vmeet_core.media.encoded import EncodedFrame
from vmeet_core.media.transcript import Transcript, Utterance, read_transcript
from vmeet_core.recording.segment import SegmentWriter
from vmeet_core.settings import Recording

START_S = 1_700_000_000.0
WITHIN_S = 0.3
NEAR_S = 1.0  #: what begins or ends so near to a turn may belong to it
PART_S = Recording().part_s
MOST_S = 7200.0
LOOK_S = 1.0
VIDEO = "[video]\nwidth_px = 320\nheight_px = 180\nfps = 15\n"  # nobody looks at it


def write_recording(folder: Path, meeting_id: str, conversation: Conversation) -> float:
    """As the recorder leaves it, each microphone in one file for each part; how long it is."""
    (folder / SEGMENTS).mkdir(parents=True)
    duration_s = len(conversation.sounds[0]) / RATE_HZ
    started = Started(at_s=START_S, recording_id=folder.name, meeting_id=meeting_id, title="Times", part_s=PART_S)
    events: list[AnyEvent] = [started]
    for person, sound in enumerate(conversation.sounds):
        events.append(Joined(at_s=START_S, participant_id=f"p{person}", name=f"Person {person + 1}"))
        events += _segments(folder, f"p{person}", list(opus(sound)))
    events.sort(key=lambda event: event.at_s)
    events.append(Stopped(at_s=START_S + duration_s, reason="host"))
    (folder / MANIFEST_NAME).write_bytes(b"".join(map(encode_event, events)))
    return duration_s


def _segments(folder: Path, person: str, packets: list[bytes]) -> Iterator[AnyEvent]:
    each = PART_S * RATE_HZ // OPUS_SAMPLES
    for number, first in enumerate(range(0, len(packets), each)):
        file, some = f"{person}-microphone-{number}.mkv", packets[first : first + each]
        writer: SegmentWriter | None = None
        for index, packet in enumerate(some):
            rtp = (first + index) * OPUS_SAMPLES % (1 << 32)
            frame = EncodedFrame("opus", rtp, packet, True, 1, START_S)
            writer = writer or SegmentWriter(folder / SEGMENTS / file, frame)
            writer.write(frame)
        assert writer is not None
        writer.close()
        at_s = START_S + first * OPUS_SAMPLES / RATE_HZ
        known: Any = {"participant_id": person, "source": "microphone", "file": file, "codec": "opus"}
        rtp = first * OPUS_SAMPLES % (1 << 32)
        yield SegmentStarted(**known, clock_hz=RATE_HZ, at_s=at_s, wall_s=at_s, ssrc=1, rtp=rtp)
        length_s = len(some) * OPUS_SAMPLES / RATE_HZ
        yield SegmentEnded(at_s=at_s + length_s, file=file, frames=len(some), duration_s=length_s)


async def processed(folder: Path, conversation: Conversation, transcriber: str, kill: bool) -> tuple[Path, float]:
    """The transcript, and seconds of computing that it took."""
    preset = f'[meetings.default]\ntranscriber = "{transcriber}"\nlanguage = "zh"\n{VIDEO}'
    server = browsers.Server(folder, preset)
    await server.start()
    meeting = server.new_meeting()
    server.stop()
    recording = folder / "data" / "recordings" / "times"
    await asyncio.to_thread(write_recording, recording, meeting["id"], conversation)
    await server.start()
    try:
        while True:
            job = server.get("/api/recordings/times")["jobs"][-1]
            if job["state"] in ("failed", "cancelled"):
                raise RuntimeError(json.dumps(job, indent=1, ensure_ascii=False))
            if job["state"] == "done":
                break
            step = next((step for step in job["steps"] if step["name"] == "transcribe"), None)
            if kill and step is not None and step["progress"] > 0.5:
                kill = False
                print(f"killed at {step['parts_done']} of {step['parts']} parts", file=sys.stderr)
                _kill_all(server)
                await server.start()
            await asyncio.sleep(LOOK_S)
    finally:
        server.stop()
    cost = next(step["cost"] for step in job["steps"] if step["name"] == "transcribe")
    return recording / job["results"]["transcript"], cost["wall_s"]


def _kill_all(server: browsers.Server) -> None:
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    for each in [process, *process.children(recursive=True)]:
        os.kill(each.pid, signal.SIGKILL)
    server.process.wait()


def judged(conversation: Conversation, transcript: Transcript) -> dict[str, Any]:
    """Turn by turn."""
    found = [_of(turn, transcript) for turn in conversation.turns]
    both = list(zip(conversation.turns, found, strict=True))
    starts_s = [abs(said[0].start_s - turn.start_s) for turn, said in both if said]
    ends_s = [abs(said[-1].end_s - turn.end_s) for turn, said in both if said]
    texts = [(turn.text, "".join(each.text for each in said)) for turn, said in both]
    spoken = [both_spoken(truth, written) for truth, written in texts]
    errors = sum(distance(truth, written) for truth, written in spoken)
    return {
        "turns": len(both),
        "missing": sum(not said for said in found),
        "doubled": sum(len(written) > 1.5 * len(truth) + 2 for truth, written in spoken),
        "worst_start_s": round(max(starts_s, default=0.0), 2),
        "worst_end_s": round(max(ends_s, default=0.0), 2),
        "late": sum(max(each) > WITHIN_S for each in zip(starts_s, ends_s, strict=True)),
        "cer": round(errors / max(1, sum(len(truth) for truth, _ in spoken)), 4),
    }


def _of(turn: Turn, transcript: Transcript) -> list[Utterance]:
    """What that person said around that time."""
    return [
        each
        for each in transcript.utterances
        if each.person == f"p{turn.person}"
        and turn.start_s - NEAR_S < (each.start_s + each.end_s) / 2 < turn.end_s + NEAR_S
    ]


async def main(arguments: argparse.Namespace) -> dict[str, Any]:
    began_s = time.monotonic()
    conversation = converse(utterances(arguments.speech), arguments.people, arguments.minutes * 60)
    folder = Path(tempfile.mkdtemp(prefix="vmeet-times-"))
    try:
        path, wall_s = await processed(folder, conversation, arguments.transcriber, not arguments.no_kill)
        transcript = read_transcript(path)
    finally:
        shutil.rmtree(folder)
    spoken_s = sum(turn.end_s - turn.start_s for turn in conversation.turns)
    print(f"{time.monotonic() - began_s:.0f} s in all", file=sys.stderr)
    return {"minutes": arguments.minutes, **judged(conversation, transcript), "rtf": round(wall_s / spoken_s, 3)}


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--minutes", type=float, default=60)
    found.add_argument("--people", type=int, default=2)
    found.add_argument("--transcriber", default="whisper")
    found.add_argument("--speech", metavar="DIR", type=Path, default=MANDARIN, help="utterances with transcripts.tsv")
    found.add_argument("--no-kill", action="store_true", help="let the server live")
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(parser().parse_args()))))
