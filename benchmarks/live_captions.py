"""How soon after a phrase its caption is there, and what that costs, by transcriber.

    python benchmarks/live_captions.py [--transcribers whisper] [--data ../shared/data/mandarin] [--speakers 1]
        [--clips 10] [--language zh] [--weights weights] [--show]

Real utterances (a folder with ``transcripts.tsv``, whose columns are ``file`` and ``text``), with ``PAUSE_S`` between
them and the noise of a room, go the server's own way in real time: RTP packets with Opus into an ingress, the process
that finds phrases and writes them down, a message for all pages. Measured against a transcriber that does nothing, in
the same run: what is left is the pause that ends a phrase. The last line is JSON.
"""

import argparse
import asyncio
import csv
import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpDecodingParameters, RTCRtpReceiveParameters
from own_plugin import own_plugin

from vmeet_core import protocol
from vmeet_core.hookspecs import Audio
from vmeet_core.live.captioner import Captioner
from vmeet_core.media.active_speaker import Voice
from vmeet_core.media.audio import read_all
from vmeet_core.media.resampler import audio_frame
from vmeet_core.media.silence import PAD_S, Phrase, heard, phrases
from vmeet_core.meetings import Participant
from vmeet_core.plugins import discover
from vmeet_core.server.attendee import Attendee
from vmeet_core.server.meeting_captions import MeetingCaptions, caption_plan
from vmeet_core.settings import Preset, Settings, load_settings
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.packet import RtpPacket
from vmeet_core.sfu.publisher_clock import PublisherClock

RATE_HZ, PACKET = 48_000, 960
PACKET_S = PACKET / RATE_HZ
LEAD_S, PAUSE_S, NOISE_DB = 2.0, 1.5, -65.0
AFTER_S = 8.0  #: whatever has not come by then does not come
CPUCLOCK_SCHED = 2  # of linux/posix-timers.h: with a process id, the id of that process's clock
OPUS = [RTCRtpCodecParameters("audio/opus", RATE_HZ, 2, payloadType=96)]
NOTHING = """
from vmeet_core.hookspecs import Segment, Transcriber, TranscriberProvider, TranscriberStream, hookimpl

class Stream(TranscriberStream):
    def transcribe(self, audio, language, context):
        return [Segment(0.0, len(audio) / 16_000, "…", language)]

class Nothing(Transcriber):
    sample_rate_hz, max_chunk_s = 16_000, 30.0
    def open(self, options):
        return Stream()

class Provider(TranscriberProvider):
    api, name, title, licence, version, languages = 1, "nothing", "Does nothing", "Apache-2.0", "1", ("zh",)
    def load(self, server_settings, host):
        return Nothing()

@hookimpl
def register_transcribers():
    return [Provider()]
"""
Figures = dict[str, float]


class Told(NamedTuple):
    """A caption, and when its message went to the pages."""

    at_s: float
    entry: protocol.CaptionEntry


class Speech:
    """Clips of ``data`` one after the other, from number ``first`` on: as Opus, and where somebody speaks."""

    def __init__(self, data: Path, first: int, count: int) -> None:
        with (data / "transcripts.tsv").open(encoding="utf-8", newline="") as file:
            files = [row["file"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
        clips = [read_all(data / files[(first + number) % len(files)], RATE_HZ) for number in range(count)]
        parts: list[Audio] = [np.zeros(round(LEAD_S * RATE_HZ), np.float32)]
        for clip in clips:
            parts += [clip, np.zeros(round(PAUSE_S * RATE_HZ), np.float32)]
        sound = np.concatenate(parts)
        hiss = np.random.default_rng(first).normal(0, 10 ** (NOISE_DB / 20), len(sound))
        self.sound = (sound + hiss).astype(np.float32)
        self.phrases: list[Phrase] = phrases(heard([self.sound], RATE_HZ), 60.0)
        self.packets = _packets(self.sound)

    def end_s(self, caption_end_s: float) -> float:
        """When what a caption tells was over, without the silence that is kept around a phrase."""
        for phrase in self.phrases:
            if phrase.start_s < caption_end_s <= phrase.end_s + 1:
                return min(caption_end_s, phrase.end_s - PAD_S)
        return caption_end_s


def _packets(sound: Audio) -> list[bytes]:
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE_HZ, "mono", "flt", 40_000
    encoder.open()
    packets = []
    for at in range(0, len(sound) - PACKET + 1, PACKET):
        frame = audio_frame(sound[at : at + PACKET], RATE_HZ)
        frame.pts, frame.time_base = at, Fraction(1, RATE_HZ)
        packets.append(b"".join(bytes(packet) for packet in encoder.encode(frame)))
    return packets


class Speaker(Attendee):
    """Somebody with a microphone."""

    def __init__(self, number: int, speech: Speech) -> None:
        self.speech = speech
        self.ingress = Ingress("microphone", lambda data: True, PublisherClock())
        super().__init__(Participant(str(number), f"Speaker {number}", is_host=False), Voice())
        encodings = [RTCRtpDecodingParameters(number + 1, 96)]
        self.ingress.configure(RTCRtpReceiveParameters(codecs=OPUS, encodings=encodings))
        self.began_s = 0.0

    @property
    def sources(self) -> Any:
        return {"microphone": self.ingress}

    async def speak(self) -> None:
        """All of it, in real time."""
        self.began_s = time.time()
        began_s = time.monotonic()
        for count, data in enumerate(self.speech.packets):
            await asyncio.sleep(max(began_s + (count + 1) * PACKET_S - time.monotonic(), 0))
            packet = RtpPacket(96, False, count % 2**16, count * PACKET, self.ingress.ssrc or 0, data)
            self.ingress.receive(packet, time.monotonic())


async def measure(settings: Settings, name: str, language: str, speeches: list[Speech], show: bool) -> Figures:
    captioner = Captioner(settings, name)
    await captioner.start()
    told: list[Told] = []
    states: list[str] = []

    def broadcast(message: protocol.ServerMessage) -> None:
        message.model_dump_json()
        if isinstance(message, protocol.CaptionReceived):
            told.append(Told(time.time(), message.entry))
        elif isinstance(message, protocol.CaptionsChanged):
            states.append(message.captions.state)

    speakers = [Speaker(number, speech) for number, speech in enumerate(speeches)]
    plan = caption_plan(Preset(live_transcriber=name, language=language), discover())
    captions = MeetingCaptions(plan, captioner, lambda: speakers, broadcast)
    for speaker in speakers:
        captions.follow(speaker)
    cpu_s = _cpu_s(captioner.process_id)
    try:
        await asyncio.gather(*(speaker.speak() for speaker in speakers))
        await asyncio.sleep(AFTER_S)
        cpu_s = _cpu_s(captioner.process_id) - cpu_s
    finally:
        captions.close()
        await captioner.close()
    by_id = {speaker.participant.id: speaker for speaker in speakers}
    after_s = [_after_s(by_id[each.entry.participant_id], each) for each in told]
    if show:
        for each, late_s in zip(told, after_s, strict=True):
            print(f"{late_s:6.2f} s  {each.entry.name}: {each.entry.text}")
    total_s = sum(len(speech.sound) for speech in speeches) / RATE_HZ
    return {
        "after_p50_s": _percentile(after_s, 50),
        "after_p95_s": _percentile(after_s, 95),
        "after_worst_s": max(after_s, default=float("nan")),
        "captions": len(told),
        "phrases": sum(len(speech.phrases) for speech in speeches),
        "behind": states.count("behind"),
        "failed": states.count("failed"),
        "cpu_s_per_s": round(cpu_s / total_s, 3),
    }


def _after_s(speaker: Speaker, told: Told) -> float:
    end_s = speaker.speech.end_s(told.entry.end_s - speaker.began_s)
    return told.at_s - (speaker.began_s + end_s)


def _percentile(values: list[float], share: int) -> float:
    return round(float(np.percentile(values, share)), 3) if values else float("nan")


def _cpu_s(pid: int) -> float:
    """CPU time so far of a process with all its threads."""
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


async def run(given: argparse.Namespace) -> dict[str, Figures]:
    settings = load_settings(None, {})
    weights = settings.weights.model_copy(update={"dir": given.weights.resolve()})
    settings = settings.model_copy(update={"weights": weights})
    speeches = [Speech(given.data, number * given.clips, given.clips) for number in range(given.speakers)]
    names = ["nothing", *(name for name in given.transcribers.split(",") if name)]
    return {name: await measure(settings, name, given.language, speeches, given.show) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transcribers", default="whisper", help="installed ones, with commas")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/mandarin"))
    parser.add_argument("--speakers", type=int, default=1, help="at once, all in one process")
    parser.add_argument("--clips", type=int, default=10, help="of each speaker")
    parser.add_argument("--language", default="zh")
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--show", action="store_true", help="what was written down, and how late")
    given = parser.parse_args()
    with own_plugin("nothing", NOTHING):
        results = asyncio.run(run(given))
    for name, figures in results.items():
        print(
            f"{name:12} {figures['after_p50_s']:5.2f} s after the end of a phrase (95 %: {figures['after_p95_s']:.2f}, "
            f"worst: {figures['after_worst_s']:.2f}), {figures['captions']:.0f} captions for {figures['phrases']:.0f} "
            f"phrases, {figures['cpu_s_per_s']:.2f} s of CPU a second"
        )
    print(json.dumps({"speakers": given.speakers, "transcribers": results}))


if __name__ == "__main__":
    main()
