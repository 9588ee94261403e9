"""What denoising a voice live costs: how much later it comes out, and CPU for each second of sound, by denoiser.

    python benchmarks/live_denoise.py [--denoisers dtln] [--voices 1] [--seconds 10] [--rounds 3] [--weights weights]

The path is the server's own: RTP packets with Opus into an ingress, a worker process, RTP packets of the denoised
sound. Measured against denoisers that do nothing, in the same run: ``identity`` takes blocks of 8 ms at 16 kHz, as DTLN
does, ``identity48`` blocks of 10 ms at 48 kHz, so that nothing is resampled. Of several rounds the least time counts,
since other work on the machine only adds, and the worst of what was missing or interrupted. The last line is JSON.
"""

import argparse
import asyncio
import json
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpDecodingParameters, RTCRtpReceiveParameters
from own_plugin import own_plugin

from vmeet_core.live.pool import LivePool
from vmeet_core.live.worker import Track
from vmeet_core.media.resampler import audio_frame
from vmeet_core.server.denoised_microphone import DenoisedMicrophone
from vmeet_core.settings import Settings, load_settings
from vmeet_core.sfu.ingress import Ingress
from vmeet_core.sfu.packet import RtpPacket, timestamp_difference
from vmeet_core.sfu.publisher_clock import PublisherClock

RATE_HZ, PACKET = 48_000, 960
PACKET_S = PACKET / RATE_HZ
WARM_S = 1.5  #: before it counts: the worker opens the track, the model has its first calls behind it
CLIP_S = 4
CPUCLOCK_SCHED = 2  # of linux/posix-timers.h: with a process id, the id of that process's clock
OPUS = [RTCRtpCodecParameters("audio/opus", RATE_HZ, 2, payloadType=96)]
IDENTITIES = """
from vmeet_core.hookspecs import Denoiser, DenoiserProvider, DenoiserStream, hookimpl

class Stream(DenoiserStream):
    def process(self, audio):
        return audio

class Identity(Denoiser):
    latency_samples = 0
    def __init__(self, sample_rate_hz, block_samples):
        self.sample_rate_hz, self.block_samples = sample_rate_hz, block_samples
    def open(self, options):
        return Stream()

class Provider(DenoiserProvider):
    api, title, licence, version = 1, "Does nothing", "Apache-2.0", "1"
    def __init__(self, name, sample_rate_hz, block_samples):
        self.name, self._figures = name, (sample_rate_hz, block_samples)
    def load(self, server_settings, host):
        return Identity(*self._figures)

@hookimpl
def register_denoisers():
    return [Provider("identity", 16_000, 128), Provider("identity48", 48_000, 480)]
"""
FAULTS = ("missing", "interrupted")
Figures = dict[str, float]


def clip() -> list[bytes]:
    """Opus packets of something like a voice, with pauses, in noise."""
    times_s = np.arange(CLIP_S * RATE_HZ) / RATE_HZ
    pitch = 2 * np.pi * (140 * times_s + 6 * np.sin(2 * np.pi * 0.7 * times_s))
    voice = sum(np.sin(k * pitch) / k for k in range(1, 16)) * np.clip(np.sin(4 * np.pi * times_s), 0, 1)
    sound = (0.15 * voice + np.random.default_rng(0).normal(0, 0.02, len(times_s))).astype(np.float32)
    encoder: Any = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE_HZ, "mono", "flt", 40_000
    encoder.open()
    packets = []
    for at in range(0, len(sound), PACKET):
        frame = audio_frame(sound[at : at + PACKET], RATE_HZ)
        frame.pts, frame.time_base = at, Fraction(1, RATE_HZ)
        packets.append(b"".join(bytes(packet) for packet in encoder.encode(frame)))
    return packets


class Voice:
    """A microphone, its denoised sound, and how much later each packet of it comes than the raw one."""

    def __init__(self, number: int, pool: LivePool, packets: list[bytes]) -> None:
        self.ingress = Ingress("microphone", lambda data: True, PublisherClock())
        encodings = [RTCRtpDecodingParameters(number, 96)]
        self.ingress.configure(RTCRtpReceiveParameters(codecs=OPUS, encodings=encodings))
        self.states: list[str] = []
        self.denoised = DenoisedMicrophone(self.ingress, pool, lambda state, reason: self.states.append(state))
        self.denoised.source.add_listener(self)
        self.added_ms: list[float] = []
        self._packets = packets
        self._count = 0
        self._came_s: list[float] = []  # of each raw packet

    def push(self) -> None:
        data = self._packets[self._count % len(self._packets)]
        packet = RtpPacket(96, False, self._count % 2**16, self._count * PACKET, self.ingress.ssrc or 0, data)
        self._count += 1
        self._came_s.append(time.monotonic())
        self.ingress.receive(packet, self._came_s[-1])

    def forward(self, packet: RtpPacket) -> None:
        """A denoised packet begins between the beginnings of two raw ones: it would have come between them."""
        whole, part = divmod(timestamp_difference(packet.timestamp, 0), PACKET)
        if 0 <= whole < len(self._came_s):
            expected_s = self._came_s[whole] + part / RATE_HZ
            self.added_ms.append(1000 * (time.monotonic() - expected_s))

    def interrupt(self) -> None:
        """Part of a listener."""

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """Part of a listener."""


async def speak(voices: list[Voice], seconds: float) -> None:
    """All of them, in real time, one after the other within each packet's time."""
    began_s = time.monotonic()
    for step in range(round(seconds / PACKET_S)):
        for index, voice in enumerate(voices):
            at_s = began_s + (step + index / len(voices)) * PACKET_S
            await asyncio.sleep(max(at_s - time.monotonic(), 0))
            voice.push()


def worker_cpu_s(pool: LivePool) -> float:
    """CPU time so far of all its processes."""
    return sum(time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED) for pid in pool.process_ids)


async def measure(settings: Settings, name: str, voices: int, seconds: float) -> Figures:
    pool = LivePool(settings, denoisers=[name])
    await pool.start()
    packets = clip()
    people = [Voice(number + 1, pool, packets) for number in range(voices)]
    try:
        for person in people:
            person.denoised.start(Track(((name, {}),), is_sound=True))
        await speak(people, WARM_S)
        for person in people:
            person.added_ms.clear()
        worker_s, server_s = worker_cpu_s(pool), time.process_time()
        await speak(people, seconds)
        worker_s, server_s = worker_cpu_s(pool) - worker_s, time.process_time() - server_s
    finally:
        for person in people:
            person.denoised.close()
        await pool.close()
    added_ms = [each for person in people for each in person.added_ms]
    return {
        "added_p50_ms": float(np.percentile(added_ms, 50)) if added_ms else float("nan"),
        "added_p95_ms": float(np.percentile(added_ms, 95)) if added_ms else float("nan"),
        "worker_ms_per_s": 1000 * worker_s / seconds / voices,
        "server_ms_per_s": 1000 * server_s / seconds / voices,
        "missing": 1 - len(added_ms) / (voices * seconds / PACKET_S),
        "interrupted": sum(person.states != ["starting", "on"] for person in people),
    }


def summary(rounds: list[Figures]) -> Figures:
    """Of times the least, of faults the worst."""
    return {key: round((max if key in FAULTS else min)(each[key] for each in rounds), 3) for key in rounds[0]}


async def run(given: argparse.Namespace) -> dict[str, Figures]:
    settings = load_settings(None, {})
    weights = settings.weights.model_copy(update={"dir": given.weights.resolve()})
    settings = settings.model_copy(update={"weights": weights})
    names = ["identity48", "identity", *(name for name in given.denoisers.split(",") if name)]
    rounds: dict[str, list[Figures]] = {name: [] for name in names}
    for _ in range(given.rounds):  # they take turns
        for name in names:
            rounds[name].append(await measure(settings, name, given.voices, given.seconds))
    return {name: summary(each) for name, each in rounds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--denoisers", default="dtln", help="installed ones, with commas")
    parser.add_argument("--voices", type=int, default=1, help="at once, all in one worker")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    given = parser.parse_args()
    with own_plugin("identity", IDENTITIES):
        results = asyncio.run(run(given))
    for name, figures in results.items():
        print(
            f"{name:12} {figures['added_p50_ms']:6.1f} ms later (95 %: {figures['added_p95_ms']:.1f}), "
            f"{figures['worker_ms_per_s']:.1f} ms of CPU in the worker and {figures['server_ms_per_s']:.1f} in the "
            "server for each second of sound"
        )
    print(json.dumps({"voices": given.voices, "denoisers": results}))


if __name__ == "__main__":
    main()
