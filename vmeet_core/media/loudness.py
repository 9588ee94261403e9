"""Loudness by EBU R128 (ITU-R BS.1770), measured and set with FFmpeg's filters; mono float32, streaming."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import log10
from typing import NamedTuple, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from vmeet_core.hookspecs import Audio
from vmeet_core.media.resampler import audio_frame

TARGET_LUFS = -16.0
PEAK_DBTP = -1.5
SILENCE_LUFS = -60.0  #: nothing below is made louder
MAX_GAIN_DB = 30.0  #: more would only bring up noise
TOLERANCE_LU = 0.2
_CORRECTIONS = 3
_HEADROOM_DB = 0.1  # the way back from the limiter's rate overshoots by less
_LIMITER_HZ = 192_000  # a peak between samples is a sample there


class Loudness(NamedTuple):
    """``integrated_lufs`` is -70 for silence; ``true_peak_dbtp`` -inf."""

    integrated_lufs: float
    true_peak_dbtp: float


class Gain(NamedTuple):
    """``limits``: with it peaks are to be limited; without that, it is a multiplication."""

    gain_db: float
    limits: bool


def measure(blocks: Iterable[Audio], sample_rate_hz: int) -> Loudness:
    """Integrated loudness and true peak of a mono signal."""
    metadata = _measured(blocks, sample_rate_hz, "true")
    peak = float(metadata.get("lavfi.r128.true_peak", 0))
    return Loudness(
        integrated_lufs=float(metadata.get("lavfi.r128.I", -70)),
        true_peak_dbtp=20 * log10(peak) if peak > 0 else float("-inf"),
    )


def integrated_lufs(blocks: Iterable[Audio], sample_rate_hz: int) -> float:
    """As in ``measure``, for less than half of the time."""
    return float(_measured(blocks, sample_rate_hz, "none").get("lavfi.r128.I", -70))


def amplified(blocks: Iterable[Audio], sample_rate_hz: int, gain: Gain) -> Iterator[Audio]:
    """The signal with that gain, and peaks limited where they have to be."""
    if gain.limits:
        yield from limited(blocks, sample_rate_hz, gain.gain_db)
        return
    factor = np.float32(10 ** (gain.gain_db / 20))
    yield from (block * factor for block in blocks)


def limited(blocks: Iterable[Audio], sample_rate_hz: int, gain_db: float) -> Iterator[Audio]:
    """The signal with ``gain_db``, no true peak over ``PEAK_DBTP``, as many samples and no delay."""
    limit = 10 ** ((PEAK_DBTP - _HEADROOM_DB) / 20)
    graph = _graph(
        sample_rate_hz,
        [
            ("volume", f"{gain_db}dB:precision=float"),
            ("aresample", f"{_LIMITER_HZ}"),
            ("alimiter", f"limit={limit}:attack=5:release=100:level=disabled:latency=1"),
            ("aresample", f"{sample_rate_hz}"),
            ("aformat", "sample_fmts=flt:channel_layouts=mono"),
        ],
    )
    for frame in _filtered(graph, blocks, sample_rate_hz):
        samples: Audio = frame.to_ndarray().reshape(-1).astype(np.float32, copy=False)
        yield samples


def find_gain(blocks: Callable[[], Iterable[Audio]], sample_rate_hz: int) -> Gain:
    """The linear gain after which ``amplified`` gives ``TARGET_LUFS``; 0 for silence, ``MAX_GAIN_DB`` at most.

    ``blocks`` is called once per pass. Where the limiter takes off loudness, the gain is corrected for it.
    """
    loudness = measure(blocks(), sample_rate_hz)
    if loudness.integrated_lufs <= SILENCE_LUFS:
        return Gain(0.0, loudness.true_peak_dbtp > PEAK_DBTP - _HEADROOM_DB)
    gain_db = min(TARGET_LUFS - loudness.integrated_lufs, MAX_GAIN_DB)
    if loudness.true_peak_dbtp + gain_db <= PEAK_DBTP - _HEADROOM_DB:
        return Gain(gain_db, limits=False)
    for _ in range(_CORRECTIONS):
        short_lu = TARGET_LUFS - integrated_lufs(limited(blocks(), sample_rate_hz, gain_db), sample_rate_hz)
        if short_lu <= TOLERANCE_LU:
            break
        gain_db = min(gain_db + short_lu, MAX_GAIN_DB)
    return Gain(gain_db, limits=True)


def _measured(blocks: Iterable[Audio], sample_rate_hz: int, peak: str) -> dict[str, str]:
    """What the filter says at the end."""
    graph = _graph(sample_rate_hz, [("ebur128", f"peak={peak}:metadata=1:framelog=quiet")])
    metadata: dict[str, str] = {}
    for frame in _filtered(graph, blocks, sample_rate_hz):
        metadata = frame.metadata
    return metadata


def _graph(sample_rate_hz: int, filters: list[tuple[str, str]]) -> Graph:
    graph = Graph()
    last = graph.add_abuffer(
        sample_rate=sample_rate_hz, format="flt", layout="mono", time_base=Fraction(1, sample_rate_hz)
    )
    for node in [graph.add(name, args) for name, args in filters] + [graph.add("abuffersink")]:
        last.link_to(node)
        last = node
    graph.configure()
    return graph


def _filtered(graph: Graph, blocks: Iterable[Audio], sample_rate_hz: int) -> Iterator[AudioFrame]:
    position = 0
    for block in blocks:
        if not len(block):
            continue
        frame = audio_frame(np.ascontiguousarray(block), sample_rate_hz)
        frame.pts, frame.time_base = position, Fraction(1, sample_rate_hz)
        position += len(block)
        graph.push(frame)
        yield from _ready(graph)
    if position:
        graph.push(None)
        yield from _ready(graph)


def _ready(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            yield cast(AudioFrame, graph.pull())
        except (BlockingIOError, av.EOFError):
            return
