"""The streaming: latency from its structure, the mix, changes while it runs, bad input, and the quality."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from vmeet_denoise_dtln import MASK_MODEL, SIGNAL_MODEL, DtlnOptions
from vmeet_denoise_dtln.engine import FRAME, HOP, LATENCY, DtlnEngine, DtlnStream
from vmeet_denoise_dtln.network import Rows

from vmeet_core.hookspecs import Audio, Weight
from vmeet_core.testing import noise, speech_like

WeightPath = Callable[[Weight], Path]
RATE_HZ = 16_000


@pytest.fixture(scope="module")
def engine(weight_path: WeightPath) -> DtlnEngine:
    return DtlnEngine(weight_path(MASK_MODEL), weight_path(SIGNAL_MODEL), threads=1)


def whole_blocks(audio: Audio) -> Audio:
    return audio[: len(audio) - len(audio) % HOP]


class Transparent:
    """A network that lets everything through: what is left is the overlap-add alone."""

    def __init__(self, gain: float) -> None:
        self._gain = gain

    def initial_state(self) -> Rows:
        return np.zeros(1, np.float32)

    def run(self, rows: Rows, state: Rows) -> tuple[Rows, Rows]:
        return np.full_like(rows, self._gain) if rows.shape[1] != FRAME else rows * self._gain, state


def test_through_transparent_networks_every_sample_comes_exactly_as_late_as_declared() -> None:
    # Each sample lies in FRAME / HOP frames, so a gain of its inverse makes the whole chain the identity.
    stream = DtlnStream(Transparent(1.0), Transparent(HOP / FRAME), 1.0)  # type: ignore[arg-type]
    audio = noise(RATE_HZ, 1.024)
    out = stream.process(audio)
    np.testing.assert_allclose(out[LATENCY:], audio[:-LATENCY], atol=1e-6)
    np.testing.assert_allclose(out[:LATENCY], 0, atol=1e-6)


def test_strength_zero_is_the_input_just_as_late(engine: DtlnEngine) -> None:
    audio = whole_blocks(speech_like(RATE_HZ, 1.0))
    out = engine.open(DtlnOptions(strength=0)).process(audio)
    np.testing.assert_array_equal(out[LATENCY:], audio[:-LATENCY])


def test_strength_in_between_is_the_mix_of_both(engine: DtlnEngine) -> None:
    audio = whole_blocks(speech_like(RATE_HZ, 1.0) + noise(RATE_HZ, 1.0))
    none, half, full = (engine.open(DtlnOptions(strength=s)).process(audio) for s in (0, 0.5, 1))
    np.testing.assert_allclose(half, (none + full) / 2, atol=1e-6)


def test_a_new_strength_comes_without_a_click(engine: DtlnEngine) -> None:
    stream = engine.open(DtlnOptions(strength=0))
    tone = (0.5 * np.sin(2 * np.pi * 50 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)
    tone = whole_blocks(tone)
    stream.process(tone)
    stream.update(DtlnOptions(strength=1))
    after = stream.process(tone)
    assert np.max(np.abs(np.diff(after[: 2 * HOP]))) < 0.05
    full = engine.open(DtlnOptions())
    full.process(tone)
    np.testing.assert_allclose(after[HOP:], full.process(tone)[HOP:], atol=1e-6)


def test_however_the_input_is_cut_the_result_is_the_same_bit_for_bit(engine: DtlnEngine) -> None:
    audio = whole_blocks(speech_like(RATE_HZ, 10.0) + noise(RATE_HZ, 10.0))
    whole = engine.open(DtlnOptions()).process(audio)  # longer than is worked on at once
    stream = engine.open(DtlnOptions())
    cuts = np.array([1, 2, 9, 500, 501]) * HOP
    np.testing.assert_array_equal(np.concatenate([stream.process(p) for p in np.split(audio, cuts)]), whole)


@pytest.mark.parametrize("shape", [(1,), (127,), (129,), (2, 128)])
def test_what_is_no_whole_block_is_refused(engine: DtlnEngine, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="whole blocks of 128 samples"):
        engine.open(DtlnOptions()).process(np.zeros(shape, np.float32))


def test_nothing_in_nothing_out(engine: DtlnEngine) -> None:
    assert engine.open(DtlnOptions()).process(np.zeros(0, np.float32)).shape == (0,)


def test_noise_goes_and_speech_stays(engine: DtlnEngine) -> None:
    speech, hiss = whole_blocks(speech_like(RATE_HZ, 4.0)), whole_blocks(noise(RATE_HZ, 4.0, level=0.05))
    quiet = engine.open(DtlnOptions()).process(hiss)
    heard = engine.open(DtlnOptions()).process(speech)
    assert np.std(quiet[RATE_HZ:]) < 0.1 * np.std(hiss)
    assert float(heard[LATENCY:] @ speech[:-LATENCY]) > 0.9 * float(speech @ speech)


def test_the_runtime_is_loaded_with_the_engine(engine: DtlnEngine) -> None:
    assert "onnxruntime" in sys.modules
    assert (engine.sample_rate_hz, engine.block_samples, engine.latency_samples) == (16_000, 128, 384)
