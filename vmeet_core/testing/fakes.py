"""Small real providers without models, for tests of what surrounds them, and as examples for plugin authors."""

from typing import Any

import numpy as np
from pydantic import Field

from vmeet_core.hookspecs import Audio, Denoiser, DenoiserProvider, DenoiserStream, Host, Options


class GateOptions(Options):
    """Options of ``GateProvider``."""

    threshold_db: float = Field(
        -45.0, ge=-90, le=0, title="Threshold", description="Sound below this level (dB of full scale) is turned down."
    )
    reduction_db: float = Field(60.0, ge=0, le=90, title="Reduction", description="By how much, in dB.")


class GateProvider(DenoiserProvider):
    """A noise gate: blocks without sound are turned down. It looks one block ahead, so that no onset is cut."""

    api = 1
    name = "gate"
    title = "Noise gate"
    licence = "Apache-2.0"
    version = "1"
    options = GateOptions

    def load(self, server_settings: Any, host: Host) -> Denoiser:
        return GateEngine()


class GateEngine(Denoiser):
    sample_rate_hz = 16_000
    block_samples = 160
    latency_samples = 160

    def open(self, options: Any) -> DenoiserStream:
        return GateStream(options, self.block_samples)


class GateStream(DenoiserStream):
    """The block before, and the gain it ended with."""

    def __init__(self, options: GateOptions, block_samples: int) -> None:
        self._options = options
        self._before: Audio = np.zeros(block_samples, np.float32)
        self._gain = 0.0

    def update(self, options: GateOptions) -> None:
        self._options = options

    def process(self, audio: Audio) -> Audio:
        blocks = audio.reshape(-1, len(self._before))
        return np.concatenate([self._gated(block.copy()) for block in blocks])

    def _gated(self, block: Audio) -> Audio:
        level = max(float(np.sqrt(np.mean(part**2))) for part in (self._before, block))
        is_open = level >= 10 ** (self._options.threshold_db / 20)
        gain = 1.0 if is_open else 10 ** (-self._options.reduction_db / 20)
        ramp = np.linspace(self._gain, gain, len(block), dtype=np.float32)
        out: Audio = self._before * ramp
        self._before, self._gain = block, gain
        return out
