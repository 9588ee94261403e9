"""A voice goes through the denoiser and stays in step with the picture."""

import itertools
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

from vmeet_core.hookspecs import Audio, DenoiserStream
from vmeet_core.live.faults import FilterFault
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.sound_track import FRAME_SAMPLES, RATE_HZ, LiveDenoiser, SoundTrack, opus_decoder
from vmeet_core.media.resampler import audio_frame


class Gain(DenoiserStream):
    """Changes the level; ``answer`` replaces what it gives. It delays by ``latency`` samples, as it says."""

    def __init__(self, gain: float = 0.5, latency: int = 0, answer: Any = None) -> None:
        self.gain, self.answer = gain, answer
        self._kept = np.zeros(latency, np.float32)
        self.blocks: list[int] = []
        self.closed = 0

    def process(self, audio: Audio) -> Audio:
        self.blocks.append(len(audio))
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer  # type: ignore[no-any-return]
        both = np.concatenate([self._kept, audio * np.float32(self.gain)])
        self._kept = both[len(audio) :]
        return both[: len(audio)]

    def update(self, options: Any) -> None:
        self.gain = options

    def close(self) -> None:
        self.closed += 1


class Engine:
    sample_rate_hz, block_samples = 16_000, 128

    def __init__(self, latency_samples: int = 0) -> None:
        self.latency_samples = latency_samples


class Voice:
    """Opus packets of a tone that begins at ``onset_s``."""

    def __init__(self, onset_s: float = 0.0, first_timestamp: int = 2**32 - 20_000) -> None:
        self.encoder: Any = av.CodecContext.create("libopus", "w")
        self.encoder.sample_rate, self.encoder.layout, self.encoder.format = RATE_HZ, "mono", "flt"
        self.encoder.bit_rate = 64_000
        self.encoder.open()
        self.count, self.onset_s, self.first_timestamp = 0, onset_s, first_timestamp

    def packet(self) -> LiveFrame:
        times = (np.arange(FRAME_SAMPLES) + self.count * FRAME_SAMPLES) / RATE_HZ
        tone = (0.4 * np.sin(2 * np.pi * 440 * times) * (times >= self.onset_s)).astype(np.float32)
        frame = audio_frame(tone, RATE_HZ)
        frame.pts, frame.time_base = self.count * FRAME_SAMPLES, Fraction(1, RATE_HZ)
        timestamp = (self.first_timestamp + self.count * FRAME_SAMPLES) % 2**32
        self.count += 1
        return LiveFrame("opus", b"".join(bytes(each) for each in self.encoder.encode(frame)), timestamp, keyframe=True)


def run(track: SoundTrack, voice: Voice, packets: int) -> list[LiveFrame]:
    return [made for _ in range(packets) for made in track.process(voice.packet())]


def decoded(frames: list[LiveFrame]) -> Audio:
    decoder = opus_decoder()
    parts = [part.to_ndarray().reshape(-1) for frame in frames for part in decoder.decode(av.Packet(frame.data))]
    return np.concatenate(parts)


def make(stream: Gain, latency_samples: int = 0) -> SoundTrack:
    return SoundTrack(LiveDenoiser("gain", Engine(latency_samples), stream), 5)


def test_the_voice_comes_out_as_the_denoiser_made_it() -> None:
    stream = Gain(0.5)
    made = run(make(stream), Voice(), 50)
    assert set(stream.blocks) == {128}
    assert {(frame.codec, frame.epoch, frame.keyframe) for frame in made} == {("opus", 5, True)}
    assert len(made) >= 46, "some 40 ms are under way"
    level = np.sqrt(2) * decoded(made)[RATE_HZ // 4 :].std()
    assert level == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("latency", [0, 384])
def test_timestamps_are_those_of_the_capture(latency: int) -> None:
    """Where the tone begins tells it; an encoder and a decoder add what Opus itself needs: 6.5 ms each."""
    voice = Voice(onset_s=0.4)
    made = run(make(Gain(1.0, latency), latency), voice, 50)
    steps = {(b.rtp_timestamp - a.rtp_timestamp) % 2**32 for a, b in itertools.pairwise(made)}
    assert steps == {FRAME_SAMPLES}
    audio = decoded(made)
    onset = int(np.argmax(np.abs(audio) > 0.2))
    started_s = ((made[0].rtp_timestamp - voice.first_timestamp + 2**31) % 2**32 - 2**31) / RATE_HZ
    assert started_s + onset / RATE_HZ == pytest.approx(0.4, abs=0.02)


def test_a_lost_packet_leaves_a_gap_and_time_goes_on() -> None:
    voice, track = Voice(), make(Gain())
    made = run(track, voice, 10)
    voice.packet()
    made += run(track, voice, 20)
    steps = {(b.rtp_timestamp - a.rtp_timestamp) % 2**32 for a, b in itertools.pairwise(made)}
    assert steps == {FRAME_SAMPLES}
    last_s = ((made[-1].rtp_timestamp - voice.first_timestamp) % 2**32) / RATE_HZ
    assert last_s > 31 * 0.02 - 0.1


def test_after_a_long_silence_it_begins_anew() -> None:
    voice, track = Voice(), make(Gain())
    run(track, voice, 10)
    voice.first_timestamp += 3 * RATE_HZ
    made = run(track, voice, 10)
    assert (made[0].rtp_timestamp - voice.first_timestamp) % 2**32 >= 10 * FRAME_SAMPLES
    assert len(made) >= 6


def test_what_comes_twice_counts_once() -> None:
    voice, track = Voice(), make(Gain())
    packets = [voice.packet() for _ in range(20)]
    once = [made for packet in packets for made in track.process(packet)]
    track = make(Gain())
    twice = [made for packet in packets for _ in range(2) for made in track.process(packet)]
    assert len(once) == len(twice)


def test_a_damaged_packet_is_no_end() -> None:
    voice, track = Voice(), make(Gain())
    run(track, voice, 5)
    track.process(voice.packet()._replace(data=b""))
    assert len(run(track, voice, 20)) > 15


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RuntimeError("boom"), "RuntimeError: boom"),
        (np.zeros(5, np.float32), r"gave \(5,\)"),
        (np.full(128, np.nan, np.float32), "not finite"),
        ("noise", "gave str"),
    ],
)
def test_a_denoiser_that_fails_is_named(answer: Any, said: str) -> None:
    with pytest.raises(FilterFault, match=said) as caught:
        run(make(Gain(answer=answer)), Voice(), 10)
    assert caught.value.filter == "gain"


def test_options_reach_it_and_closing_twice_is_harmless() -> None:
    stream = Gain(1.0)
    track = make(stream)
    track.update("gain", 0.25)
    assert stream.gain == 0.25
    track.close()
    track.close()
    assert stream.closed == 1
