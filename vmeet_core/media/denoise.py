"""Sound through a denoiser: resampled to its rate, cut into whole blocks, its latency trimmed, resampled back."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from vmeet_core.hookspecs import Audio, Denoiser, DenoiserStream
from vmeet_core.media.audio import AudioWriter, duration_s, read_audio, rechunked, sound_info
from vmeet_core.media.resampler import Resampler

CHUNK_S = 10.0  # what a denoiser is given at once


def denoise_array(audio: Audio, sample_rate_hz: int, engine: Denoiser, options: Any) -> Audio:
    """A whole signal, float32 (n,), cleaned: as many samples, aligned with the input."""
    return np.concatenate([np.zeros(0, np.float32), *denoised([audio], sample_rate_hz, engine, options)])


def denoise_file(
    source: Path, target: Path, engine: Denoiser, options: Any, progress: Callable[[float], None] | None = None
) -> None:
    """Clean the first sound track of ``source`` into a FLAC of its rate, with exactly as many samples.

    Memory stays constant. ``progress`` is told the share that is done, 0 to 1. Raises MediaError and OSError for
    the files; what the denoiser raises passes through. A target that could not be finished is removed.
    """
    rate_hz = sound_info(source).sample_rate_hz
    total = duration_s(source) * rate_hz
    with AudioWriter(target, rate_hz) as writer:
        for block in denoised(read_audio(source, rate_hz), rate_hz, engine, options):
            writer.write(block)
            if progress is not None:
                progress(min(1.0, writer.samples / max(total, 1.0)))


def denoised(blocks: Iterable[Audio], sample_rate_hz: int, engine: Denoiser, options: Any) -> Iterator[Audio]:
    """A signal in blocks of any length, cleaned, as many samples in total, aligned with the input."""
    counter = _Counter(blocks)
    there = _resampled(counter, sample_rate_hz, engine.sample_rate_hz)
    back = _resampled(_processed(there, engine, options), engine.sample_rate_hz, sample_rate_hz)
    given = 0
    for block in back:
        # Both ways round up, so that the last block may hold a few samples too many.
        kept = block[: counter.samples - given]
        given += len(kept)
        if len(kept):
            yield kept


class _Counter:
    """Passes blocks on and counts their samples."""

    def __init__(self, blocks: Iterable[Audio]) -> None:
        self._blocks = blocks
        self.samples = 0

    def __iter__(self) -> Iterator[Audio]:
        for block in self._blocks:
            self.samples += len(block)
            yield block


def _resampled(blocks: Iterable[Audio], from_hz: int, to_hz: int) -> Iterator[Audio]:
    resampler = Resampler(from_hz, to_hz)
    yield from (resampler.push(block) for block in blocks)
    yield resampler.flush()


def _processed(blocks: Iterable[Audio], engine: Denoiser, options: Any) -> Iterator[Audio]:
    """Through one stream of the engine, at its rate: whole blocks in, the latency's samples left out at the start."""
    padding = np.zeros(engine.latency_samples, np.float32)
    chunk = max(1, round(CHUNK_S * engine.sample_rate_hz / engine.block_samples)) * engine.block_samples
    skipped = engine.latency_samples
    stream = engine.open(options)
    try:
        for part in rechunked(chain(blocks, [padding]), chunk):
            yield _called(stream, part, engine.block_samples)[skipped:]
            skipped = max(0, skipped - len(part))
    finally:
        stream.close()


def _called(stream: DenoiserStream, part: Audio, block_samples: int) -> Audio:
    """One call, with the last block filled up with silence."""
    whole = np.pad(part, (0, -len(part) % block_samples))
    whole.flags.writeable = False
    out = stream.process(whole)
    if out.shape != whole.shape or not np.isfinite(out).all():
        raise RuntimeError(
            f"the denoiser {type(stream).__module__} gave {out.shape} for {whole.shape} samples, or values that are not"
            " finite: `vmeet check` says what is wrong"
        )
    return out[: len(part)]
