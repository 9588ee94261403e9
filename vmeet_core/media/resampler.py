"""Change of sample rate, streaming, without delay and with exact sample counts.

The work is done by libswresample's polyphase filter bank (Kaiser-windowed sinc), with a filter far longer than its
default: between 16 and 48 kHz the pass band reaches 7.8 kHz instead of 6.5 kHz, and a round trip errs by less than
-90 dB there. It matters: an error of -65 dB was seen to change a denoiser's result by 0.1 dB.
Output sample ``k`` lies at input time ``k / to_hz``: the filter's delay is compensated.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.filter import Graph

from vmeet_core.hookspecs import Audio

FILTER_TAPS = 512  # at the lower of both rates
CUTOFF = 0.998  # of the lower Nyquist frequency
_PUSH_SAMPLES = 1 << 16  # bounds the memory of one step


def resampled_count(samples: int, from_hz: int, to_hz: int) -> int:
    """How many samples at ``to_hz`` cover ``samples`` at ``from_hz``: rounded up."""
    return -(-samples * to_hz // from_hz)


class Resampler:
    """Mono float32 at ``from_hz`` in, at ``to_hz`` out; ``resampled_count`` samples in total once flushed."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self.from_hz, self.to_hz = from_hz, to_hz
        self._graph = None if from_hz == to_hz else _graph(from_hz, to_hz)
        self._samples_in = self._samples_out = 0

    def push(self, audio: Audio) -> Audio:
        """Take the next samples, shape (n,), and give those that are ready (possibly none)."""
        if self._graph is None:
            return audio
        pieces = [np.zeros(0, np.float32)]
        for start in range(0, len(audio), _PUSH_SAMPLES):
            pieces += self._filtered(self._graph, audio[start : start + _PUSH_SAMPLES])
        out = np.concatenate(pieces)
        self._samples_out += len(out)
        return out

    def flush(self) -> Audio:
        """Give the rest; silence stands in for what would come after the end."""
        missing = resampled_count(self._samples_in, self.from_hz, self.to_hz) - self._samples_out
        tail = 2 * FILTER_TAPS * max(1, -(-self.from_hz // self.to_hz))
        return self.push(np.zeros(tail, np.float32))[:missing] if missing else np.zeros(0, np.float32)

    def _filtered(self, graph: Graph, audio: Audio) -> Iterator[Audio]:
        frame = audio_frame(audio, self.from_hz)
        frame.pts, frame.time_base = self._samples_in, Fraction(1, self.from_hz)
        self._samples_in += len(audio)
        graph.push(frame)
        while True:
            try:
                out = cast(av.AudioFrame, graph.pull())
            except BlockingIOError:
                return
            yield cast(Audio, out.to_ndarray()).reshape(-1)


def _graph(from_hz: int, to_hz: int) -> Graph:
    graph = Graph()
    source = graph.add_abuffer(sample_rate=from_hz, format="flt", layout="mono", time_base=Fraction(1, from_hz))
    swr = graph.add("aresample", f"{to_hz}:filter_size={FILTER_TAPS}:cutoff={CUTOFF}")
    output = graph.add("aformat", f"sample_fmts=flt:sample_rates={to_hz}:channel_layouts=mono")
    sink = graph.add("abuffersink")
    for first, second in ((source, swr), (swr, output), (output, sink)):
        first.link_to(second)
    graph.configure()
    return graph


def audio_frame(audio: Audio, sample_rate_hz: int) -> av.AudioFrame:
    """Mono float32 samples, shape (n,), as a PyAV frame of format ``flt``."""
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio[None], np.float32), format="flt", layout="mono")
    frame.sample_rate = sample_rate_hz
    return frame


def resample(audio: Audio, from_hz: int, to_hz: int) -> Audio:
    """A whole signal at another rate: float32, ``resampled_count(len(audio), from_hz, to_hz)`` samples, no delay."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.push(audio), resampler.flush()])
