"""Real workers behind a real ingress, and a slot that goes from the raw sound to the denoised one and back."""

import asyncio
import itertools
import os
import signal
import struct
import time
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)
from denoiser_kinds import PROVIDERS

from vmeet_core.hookspecs import Audio
from vmeet_core.live.cost import Cost, Costs
from vmeet_core.live.pool import LivePool, TrackEvents
from vmeet_core.live.worker import Track
from vmeet_core.media.encoded import opus_samples
from vmeet_core.media.resampler import audio_frame
from vmeet_core.server import worker_place
from vmeet_core.server.denoised_microphone import STALLED, DenoisedMicrophone
from vmeet_core.settings import Settings, load_settings
from vmeet_core.sfu.egress import Egress
from vmeet_core.sfu.ingress import AUDIO_LEVEL, Ingress
from vmeet_core.sfu.packet import RtpPacket, Wire, parse
from vmeet_core.sfu.publisher_clock import PublisherClock

RATE_HZ, PACKET = 48_000, 960
AMPLITUDE = 0.3
OPUS = [RTCRtpCodecParameters("audio/opus", RATE_HZ, 2, payloadType=96)]
LEVELS = [RTCRtpHeaderExtensionParameters(4, AUDIO_LEVEL)]
DENOISERS = """
import os, time
from vmeet_core.hookspecs import DenoiserStream, Options

KINDS = ("gain", "raises", "dies", "pauses")

class FakeOptions(Options):
    gain: float = 0.25
    after: int = 60  # good blocks before it goes wrong

class Stream(DenoiserStream):
    def __init__(self, options, kind):
        self.options, self.kind, self.count = options, kind, 0
    def update(self, options):
        self.options = options
    def process(self, audio):
        self.count += 1
        if self.count == self.options.after:
            if self.kind == "raises":
                raise RuntimeError("the model exploded")
            if self.kind == "dies":
                os.kill(os.getpid(), 9)
            if self.kind == "pauses":
                time.sleep(0.6)
        return audio * self.options.gain
"""


class Heard(NamedTuple):
    """A packet as it came to a receiver."""

    at_s: float
    is_raw: bool  # as the publisher sent it
    packet: RtpPacket
    captured: int  # its timestamp on the publisher's side
    audio: Audio

    @property
    def amplitude(self) -> float:
        return float(np.sqrt(2) * self.audio.std())


class Receiver:
    """The end of a slot: one stream, decoded as it comes. ``sent`` are the payloads of the raw sound."""

    def __init__(self, sent: set[bytes]) -> None:
        self.heard: list[Heard] = []
        self._sent = sent
        self.egress = Egress(7000, 7001, self)
        self.egress.configure(RTCRtpSendParameters(codecs=OPUS, headerExtensions=LEVELS))
        self._decoder: Any = opus_decoder()

    def send_wire(
        self, wire: Wire, second: int, sequence: int, timestamp: int, ssrc: int, picture_id: int, tl0: int
    ) -> bool:
        data = bytearray(wire.data)
        struct.pack_into("!BHII", data, 1, second, sequence, timestamp, ssrc)
        packet = parse(bytes(data))
        parts = [part.to_ndarray().reshape(-1) for part in self._decoder.decode(av.Packet(packet.payload))]
        captured = (timestamp - self.egress._timestamp_offset) % 2**32
        is_raw = packet.payload in self._sent
        self.heard.append(Heard(time.monotonic(), is_raw, packet, captured, np.concatenate(parts)))
        return True

    def check(self) -> None:
        """One stream: no number is missing or given twice, and no sound is played twice."""
        packets = [heard.packet for heard in self.heard]
        assert {packet.ssrc for packet in packets} == {7000}
        for before, after in itertools.pairwise(packets):
            assert after.sequence == (before.sequence + 1) % 2**16
            step = (after.timestamp - before.timestamp) % 2**32
            assert opus_samples(before.payload) <= step < 2 * RATE_HZ
        for one, other in itertools.pairwise(self.heard):
            assert (other.captured - one.captured) % 2**32 < 2 * RATE_HZ, "time goes back"
            assert (other.captured - one.captured) % 2**32 >= opus_samples(one.packet.payload)


class Microphone:
    """Opus packets of whatever ``sound`` gives for the times (n,) in seconds, in real time, with audio levels."""

    def __init__(self, ingress: Ingress, sound: Callable[[Any], Any]) -> None:
        self.ingress = ingress
        self.sound = sound
        self.silent = False  # as with DTX: a packet in 400 ms
        self.count = 0
        self._sequence = 2**16 - 40
        self.first_timestamp = 2**32 - 30 * PACKET
        self.sent: set[bytes] = set()
        self.raw: list[tuple[int, Audio]] = []  # as it can be decoded, by timestamp
        self._decoder = opus_decoder()
        self._encoder: Any = av.CodecContext.create("libopus", "w")
        self._encoder.sample_rate, self._encoder.layout, self._encoder.format = RATE_HZ, "mono", "flt"
        self._encoder.bit_rate = 64_000
        self._encoder.open()

    def push(self) -> None:
        times_s = (np.arange(PACKET) + self.count * PACKET) / RATE_HZ
        frame = audio_frame(np.asarray(self.sound(times_s), np.float32), RATE_HZ)
        frame.pts, frame.time_base = self.count * PACKET, Fraction(1, RATE_HZ)
        data = b"".join(bytes(each) for each in self._encoder.encode(frame))
        timestamp = (self.first_timestamp + self.count * PACKET) % 2**32
        level = bytes((self.count % 100,))
        self.count += 1
        if self.silent and self.count % 20:
            return
        self.sent.add(data)
        self.raw += [(timestamp, part.to_ndarray().reshape(-1)) for part in self._decoder.decode(av.Packet(data))]
        self._sequence = (self._sequence + 1) % 2**16
        packet = RtpPacket(96, False, self._sequence, timestamp, 11, data, {4: level})
        self.ingress.receive(packet, time.monotonic())

    async def run(self) -> None:
        began_s = time.monotonic()
        while True:
            self.push()
            await asyncio.sleep(max(began_s + self.count * PACKET / RATE_HZ - time.monotonic(), 0))


class Stage:
    """A person who speaks all the time, and somebody who listens."""

    def __init__(self, pool: LivePool, sound: Callable[[Any], Any]) -> None:
        self.ingress = Ingress("microphone", lambda data: True, PublisherClock())
        encodings = [RTCRtpDecodingParameters(11, 96)]
        self.ingress.configure(RTCRtpReceiveParameters(codecs=OPUS, encodings=encodings, headerExtensions=LEVELS))
        self.microphone = Microphone(self.ingress, sound)
        self.states: list[tuple[str, str]] = []
        self.denoised = DenoisedMicrophone(self.ingress, pool, self._on_state)
        self.receiver = Receiver(self.microphone.sent)
        self.egress = self.receiver.egress
        self.egress.attach(self.ingress)
        self._sending = asyncio.create_task(self.microphone.run())

    def _on_state(self, state: str, reason: str) -> None:
        self.states.append((state, reason))
        self.egress.attach(self.denoised.source if self.denoised.sounds else self.ingress)

    def start(self, name: str, **options: Any) -> None:
        self.denoised.start(Track(((name, options),), is_sound=True))

    def set_muted(self, muted: bool) -> None:
        self.ingress.set_muted(muted)
        self.denoised.set_muted(muted)

    async def until(self, condition: Callable[[], Any], timeout_s: float = 15) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.005)

    async def until_heard(self, raw: bool, since_s: float = 0.0) -> float:
        """When the raw sound, or else what was made of it, is first heard."""

        def found() -> list[float]:
            return [each.at_s for each in self.receiver.heard if each.at_s > since_s and each.is_raw is raw]

        await self.until(found)
        return found()[0]

    async def until_raw_after(self, number: signal.Signals) -> tuple[float, float]:
        """Send the worker this signal: when that was, and when the raw sound is heard then."""
        os.kill(self.worker_pid(), number)
        sent_s = time.monotonic()
        return sent_s, await self.until_heard(True, sent_s)

    def worker_pid(self) -> int:
        track = self.denoised._place.track
        assert track is not None
        assert track.worker is not None
        assert track.worker._process is not None
        return track.worker._process.pid

    async def close(self) -> None:
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)
        self.denoised.stop()
        self.receiver.check()


def opus_decoder() -> Any:
    decoder: Any = av.CodecContext.create("opus", "r")
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    return decoder


def tone(times_s: Any) -> Any:
    return AMPLITUDE * np.sin(2 * np.pi * (440 * times_s + 5 * np.sin(times_s)))  # no two packets alike


@pytest.fixture
def settings() -> Settings:
    return load_settings(None, {})


@pytest.fixture
async def pool(use_plugin: Callable[[str, str], None], settings: Settings) -> AsyncIterator[LivePool]:
    use_plugin("fake-denoisers", DENOISERS + PROVIDERS)
    made = LivePool(settings, denoisers=["gain", "raises", "dies", "pauses"])
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def stage(pool: LivePool) -> AsyncIterator[Stage]:
    made = Stage(pool, tone)
    await made.until_heard(True)
    yield made
    await made.close()


async def test_the_raw_sound_until_the_denoised_one_comes_and_again_after_stop(stage: Stage) -> None:
    stage.start("gain")
    assert not stage.denoised.sounds
    began_s = time.monotonic()
    assert await stage.until_heard(False) - began_s < 2
    assert stage.denoised.sounds
    first = next(i for i, heard in enumerate(stage.receiver.heard) if not heard.is_raw)
    await asyncio.sleep(0.5)
    assert not any(heard.is_raw for heard in stage.receiver.heard[first:])
    assert stage.receiver.heard[-1].amplitude == pytest.approx(AMPLITUDE / 4, rel=0.1)
    gap_s = stage.receiver.heard[first].at_s - stage.receiver.heard[first - 1].at_s
    assert gap_s < 0.3, "no longer than the denoiser is late"
    stopped_s = time.monotonic()
    stage.denoised.stop()
    assert not stage.denoised.sounds
    assert await stage.until_heard(True, stopped_s) - stopped_s < 0.5
    assert stage.states == [("starting", ""), ("on", ""), ("off", "")]
    stage.denoised.stop()
    assert len(stage.states) == 3


async def test_it_may_be_started_again(stage: Stage) -> None:
    for _ in range(3):
        stage.start("gain")
        await stage.until(lambda: stage.denoised.sounds)
        await stage.until_heard(False, time.monotonic())
        stage.denoised.stop()
        await stage.until_heard(True, time.monotonic())


async def test_an_option_takes_effect_within_half_a_second(stage: Stage) -> None:
    stage.start("gain")
    await stage.until_heard(False)
    await asyncio.sleep(0.4)
    stage.denoised.update("gain", {"gain": 0.5})
    changed_s = time.monotonic()
    await stage.until(lambda: stage.receiver.heard[-1].amplitude == pytest.approx(AMPLITUDE / 2, rel=0.1))
    assert time.monotonic() - changed_s < 0.5


async def test_after_a_killed_worker_the_raw_sound_and_soon_the_denoised_one_again(stage: Stage) -> None:
    stage.start("gain")
    await stage.until_heard(False)
    before = len(stage.states)
    killed_s, raw_s = await stage.until_raw_after(signal.SIGKILL)
    assert raw_s - killed_s < 0.5
    assert await stage.until_heard(False, raw_s) - killed_s < 2
    assert [state for state, _ in stage.states[before:]] == ["interrupted", "on"]


async def test_a_worker_that_hangs_for_a_moment_is_not_waited_for(stage: Stage) -> None:
    stage.start("pauses")
    await stage.until(lambda: stage.denoised.state == "interrupted")
    assert stage.states[-1] == ("interrupted", STALLED)
    stalled_s = time.monotonic()
    last_s = max(each.at_s for each in stage.receiver.heard)
    raw_s = await stage.until_heard(True, stalled_s)
    assert raw_s - last_s < 0.5
    await stage.until(lambda: stage.denoised.state == "on")
    await stage.until_heard(False, time.monotonic())
    assert [state for state, _ in stage.states] == ["starting", "on", "interrupted", "on"]


async def test_a_worker_that_never_answers_is_replaced(stage: Stage) -> None:
    stage.start("gain")
    await stage.until_heard(False)
    before = len(stage.states)
    stopped_s, raw_s = await stage.until_raw_after(signal.SIGSTOP)
    assert raw_s - stopped_s < 0.6
    await stage.until_heard(False, raw_s)
    assert stage.states[before] == ("interrupted", STALLED)
    assert [state for state, _ in stage.states[before:]] == ["interrupted", "interrupted", "on"]


async def test_a_denoiser_that_raises_leaves_the_raw_sound(stage: Stage) -> None:
    stage.start("raises")
    await stage.until(lambda: stage.denoised.state == "failed")
    assert "raises" in stage.states[-1][1]
    assert "exploded" in stage.states[-1][1]
    await stage.until_heard(True, time.monotonic())
    stage.start("gain")
    await stage.until_heard(False, time.monotonic())


async def test_what_kills_every_worker_ends_in_the_raw_sound(stage: Stage) -> None:
    stage.start("dies")
    await stage.until(lambda: stage.denoised.state == "failed", 60)
    await stage.until_heard(True, time.monotonic())
    assert not stage.denoised.sounds


async def test_without_workers_the_raw_sound_stays(stage: Stage, pool: LivePool) -> None:
    await pool.close()
    stage.start("gain")
    await stage.until(lambda: stage.denoised.state == "failed")
    await stage.until_heard(True, time.monotonic())


async def test_nothing_goes_out_of_a_muted_microphone(stage: Stage) -> None:
    stage.start("gain")
    await stage.until_heard(False)
    stage.set_muted(True)
    count, before = len(stage.receiver.heard), list(stage.states)
    await asyncio.sleep(0.6)
    assert len(stage.receiver.heard) == count, "not even what was under way"
    assert stage.states == before, "silence is no failure"
    stage.set_muted(False)
    opened_s = time.monotonic()
    assert await stage.until_heard(False, opened_s) - opened_s < 1


async def test_a_microphone_that_is_off_takes_no_room(stage: Stage, pool: LivePool) -> None:
    stage.set_muted(True)
    stage.start("gain")
    await asyncio.sleep(0.2)
    assert pool.room.full == 0
    stage.set_muted(False)
    await stage.until_heard(False)
    assert pool.room.full == 1
    stage.set_muted(True)
    assert (pool.room.full, stage.denoised.state) == (0, "starting")


async def test_whoever_found_no_room_is_denoised_when_there_is_some(
    stage: Stage, pool: LivePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_place, "RETRY_S", 0.5)
    pool._crew.costs = Costs(denoisers={"gain": Cost(0.5, 0.5)})
    first = pool.open(Track((("gain", {}),), is_sound=True), TrackEvents())
    stage.start("gain")
    await stage.until(lambda: stage.denoised.state == "failed")
    assert "no room" in stage.states[-1][1]
    await asyncio.sleep(1.5)
    assert [state for state, _ in stage.states] == ["starting", "failed"], "told once"
    pool.close_track(first)
    await stage.until_heard(False)
    assert [state for state, _ in stage.states] == ["starting", "failed", "starting", "on"]


async def test_silence_that_is_not_sent_is_no_failure(stage: Stage) -> None:
    stage.start("gain")
    await stage.until_heard(False)
    stage.microphone.silent = True
    await asyncio.sleep(0.2)
    before = list(stage.states)
    await asyncio.sleep(1.3)
    assert stage.states == before
    stage.microphone.silent = False
    await stage.until_heard(False, time.monotonic())


async def test_levels_are_those_of_the_raw_sound_at_that_time(stage: Stage) -> None:
    stage.start("gain")

    def made() -> list[Heard]:
        return [heard for heard in stage.receiver.heard if not heard.is_raw]

    await stage.until(lambda: len(made()) > 20)
    for heard in made():
        captured = round((heard.captured - stage.microphone.first_timestamp) % 2**32 / PACKET)
        assert (heard.packet.extensions[4][0] - captured) % 100 == 0


async def test_lips_and_voice_stay_together(stage: Stage) -> None:
    """A click comes out at its timestamp, and reports say when that was: before, while and after it is denoised."""
    clicks_s = np.arange(1, 12) * 0.5
    stage.microphone.sound = lambda times_s: sum(
        0.8 * np.exp(-(((times_s - at_s) / 0.0005) ** 2)) * np.sin(2 * np.pi * 2000 * (times_s - at_s))
        for at_s in clicks_s
    )
    stage.ingress.on_sender_report(int(time.time() + 2_208_988_800) << 32, 12345, time.monotonic())
    report = stage.ingress.last_sender_report
    stage.start("gain", gain=0.5)
    await stage.until(lambda: stage.denoised.sounds)
    await stage.until(lambda: stage.microphone.count > 200)
    assert stage.denoised.source.last_sender_report == report
    assert reported_offset(stage) == stage.egress._timestamp_offset
    stage.denoised.stop()
    await stage.until(lambda: stage.microphone.count > 290)
    assert reported_offset(stage) == stage.egress._timestamp_offset
    raw = peaks(stage.microphone.raw)
    heard = peaks([(heard.captured, heard.audio) for heard in stage.receiver.heard])
    assert len(heard) >= 6, "few are lost, in the gaps of switching"
    off_ms = [min((at - other for other in raw), key=abs) / RATE_HZ * 1000 for at in heard]
    assert max(map(abs, off_ms)) < 5


def reported_offset(stage: Stage) -> int:
    """From the publisher's timestamps to the receiver's, as the receiver is told."""
    ntp, rtp = stage.ingress.last_sender_report or (0, 0)
    told = stage.egress.make_report(stage.ingress.clock.server_ntp_s(ntp) or 0)
    assert told is not None
    return (told.sender_info.rtp_timestamp - rtp + 2**31) % 2**32 - 2**31


def peaks(parts: list[tuple[int, Audio]]) -> list[int]:
    """Where it is loud, in samples of the RTP clock (not wrapped)."""
    return [
        ((timestamp + 2**31) % 2**32) - 2**31 + int(np.argmax(np.abs(audio)))
        for timestamp, audio in parts
        if np.abs(audio).max() > 0.15
    ]


# ---- a real denoiser ----


@pytest.fixture
async def dtln(settings: Settings) -> AsyncIterator[LivePool]:
    plugin = pytest.importorskip("vmeet_denoise_dtln")
    from vmeet_core.weights import WeightError, WeightStore

    folder = Path(__file__).parents[2] / "weights"
    try:
        WeightStore(folder, offline=False).fetch_all(plugin.DtlnProvider().weights)
    except WeightError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    weights = settings.weights.model_copy(update={"dir": folder})
    made = LivePool(settings.model_copy(update={"weights": weights}), denoisers=["dtln"])
    await made.start()
    yield made
    await made.close()


def hissing_syllables(times_s: Any) -> Any:
    """Something like a voice (harmonics, in syllables) with pauses, and all the time noise, most of it below 4 kHz."""
    pitch = 2 * np.pi * (140 * times_s + 6 * np.sin(2 * np.pi * 0.7 * times_s))
    voice = sum(np.sin(k * pitch) / k for k in range(1, 16))
    syllables = np.clip(np.sin(2 * np.pi * 2 * times_s), 0, 1)
    noise = np.repeat(np.random.default_rng(int(times_s[0] * RATE_HZ)).normal(0, 0.03, len(times_s) // 6), 6)
    return 0.15 * voice * syllables + noise


async def test_noise_goes_and_the_voice_stays(dtln: LivePool) -> None:
    stage = Stage(dtln, hissing_syllables)

    async def denoised(count: int) -> list[Heard]:
        """So many packets, once it is at work for half a second."""
        begin = len(stage.receiver.heard)

        def made() -> list[Heard]:
            return [heard for heard in stage.receiver.heard[begin:] if not heard.is_raw][25:]

        await stage.until(lambda: len(made()) >= count, 60)
        return made()

    try:
        stage.start("dtln")
        made = await denoised(200)
        noise, voice = levels_of([(each.captured, each.audio) for each in made], stage.microphone)
        raw_noise, raw_voice = levels_of(stage.microphone.raw[-len(made) :], stage.microphone)
        assert 20 * np.log10(noise / raw_noise) < -10
        assert abs(20 * np.log10(voice / raw_voice)) < 3
        stage.denoised.update("dtln", {"strength": 0.0})
        made = await denoised(60)
        noise, _ = levels_of([(each.captured, each.audio) for each in made], stage.microphone)
        assert abs(20 * np.log10(noise / raw_noise)) < 3
    finally:
        await stage.close()


def levels_of(parts: list[tuple[int, Audio]], microphone: Microphone) -> tuple[float, float]:
    """The level in the middle of the pauses, and that of the syllables."""
    pauses, voiced = [], []
    for timestamp, audio in parts:
        phase = 2 * ((timestamp - microphone.first_timestamp) % 2**32) / RATE_HZ % 1
        if 0.65 < phase < 0.9:
            pauses.append(audio)
        elif 0.1 < phase < 0.35:
            voiced.append(audio)
    return float(np.concatenate(pauses).std()), float(np.concatenate(voiced).std())
