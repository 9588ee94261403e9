"""Lengths, alignment and memory of what goes through a denoiser, and that files and arrays agree."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vmeet_core.hookspecs import Audio, Denoiser, DenoiserStream
from vmeet_core.media.audio import AudioWriter, read_all
from vmeet_core.media.denoise import denoise_array, denoise_file, denoised
from vmeet_core.testing import GateProvider, local_host, speech_like


class Late(Denoiser):
    """Passes everything on, ``latency_samples`` late, and counts what was asked of it."""

    sample_rate_hz, block_samples = 16_000, 100

    def __init__(self, latency_samples: int = 384) -> None:
        self.latency_samples = latency_samples
        self.calls: list[int] = []
        self.closed = 0

    def open(self, options: Any) -> "LateStream":
        return LateStream(self)


class LateStream(DenoiserStream):
    def __init__(self, engine: Late) -> None:
        self._engine = engine
        self._held: Audio = np.zeros(engine.latency_samples, np.float32)

    def process(self, audio: Audio) -> Audio:
        self._engine.calls.append(len(audio))
        joined = np.concatenate([self._held, audio])
        self._held = joined[len(audio) :]
        return joined[: len(audio)]

    def close(self) -> None:
        self._engine.closed += 1


class Broken(Late):
    """Its streams give what ``spoil`` makes of the result."""

    def __init__(self, spoil: Any) -> None:
        super().__init__()
        self._spoil = spoil

    def open(self, options: Any) -> LateStream:
        stream = super().open(options)
        process = stream.process
        stream.process = lambda audio: self._spoil(process(audio))  # type: ignore[method-assign]
        return stream


def write(path: Path, audio: Audio, rate_hz: int) -> Path:
    with AudioWriter(path, rate_hz) as writer:
        writer.write(audio)
    return path


@pytest.mark.parametrize("samples", [0, 1, 99, 100, 383, 384, 385, 160_000, 200_001])
@pytest.mark.parametrize("latency_samples", [0, 384])
def test_at_the_engine_s_rate_nothing_is_shifted_or_lost(samples: int, latency_samples: int) -> None:
    audio = np.random.default_rng(3).standard_normal(samples).astype(np.float32)
    engine = Late(latency_samples)
    np.testing.assert_array_equal(denoise_array(audio, 16_000, engine, None), audio)
    assert all(call % engine.block_samples == 0 for call in engine.calls)
    assert engine.closed == 1


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_at_other_rates_speech_comes_back_where_it_was(rate_hz: int) -> None:
    audio = speech_like(8_000, 12.345)
    audio = speech_like(rate_hz, 12.345) if rate_hz > 8_000 else audio
    out = denoise_array(audio, rate_hz, Late(), None)
    assert len(out) == len(audio)
    size = 2 * len(audio)
    products = np.fft.irfft(np.fft.rfft(out, size) * np.conj(np.fft.rfft(audio, size)), size)
    assert int(np.argmax(products)) == 0
    assert float(np.max(products)) > 0.99 * float(audio @ audio)


def test_the_cut_of_the_input_does_not_matter() -> None:
    audio = speech_like(48_000, 3.0)
    pieces = np.split(audio, [1, 777, 50_000])
    again = np.concatenate(list(denoised(pieces, 48_000, Late(), None)))
    np.testing.assert_array_equal(again, denoise_array(audio, 48_000, Late(), None))


def test_a_file_gives_what_the_array_gives(tmp_path: Path) -> None:
    engine = GateProvider().load(None, local_host())
    audio = speech_like(48_000, 23.4567)
    source = write(tmp_path / "in.flac", audio, 48_000)
    shares: list[float] = []
    denoise_file(source, tmp_path / "out.flac", engine, GateProvider.options(), shares.append)
    out = read_all(tmp_path / "out.flac", 48_000)
    wanted = denoise_array(read_all(source, 48_000), 48_000, engine, GateProvider.options())
    assert len(out) == len(audio)
    np.testing.assert_allclose(out, wanted, atol=2**-23)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_memory_does_not_grow_with_the_length() -> None:
    def blocks(seconds: int) -> Iterator[Audio]:
        for _ in range(seconds):
            yield np.zeros(48_000, np.float32)

    def peak(seconds: int) -> int:
        tracemalloc.start()
        total = sum(len(block) for block in denoised(blocks(seconds), 48_000, Late(), None))
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert total == seconds * 48_000
        return peak_bytes

    assert peak(240) < 1.2 * peak(40)


@pytest.mark.parametrize("spoil", [lambda out: out[1:], lambda out: out * np.nan], ids=["too short", "not finite"])
def test_a_broken_denoiser_is_named_closed_and_leaves_no_file(tmp_path: Path, spoil: Any) -> None:
    source = write(tmp_path / "in.flac", speech_like(16_000, 1.0), 16_000)
    engine = Broken(spoil)
    with pytest.raises(RuntimeError, match=r"the denoiser .*`vmeet check`"):
        denoise_file(source, tmp_path / "out.flac", engine, None)
    assert engine.closed == 1
    assert not (tmp_path / "out.flac").exists()


def test_the_input_is_lent_read_only() -> None:
    def write_to_it(audio: Audio) -> Audio:
        audio[:] = 0
        return audio

    engine = Late()
    stream = LateStream(engine)
    stream.process = write_to_it  # type: ignore[method-assign]
    engine.open = lambda options: stream  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="read-only"):
        denoise_array(np.ones(1000, np.float32), 16_000, engine, None)
