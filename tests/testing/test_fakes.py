"""The gate does what it says."""

import numpy as np

from vmeet_core.media.denoise import denoise_array
from vmeet_core.testing import GateProvider, local_host, noise, speech_like


def test_the_gate_keeps_speech_and_removes_faint_noise() -> None:
    engine = GateProvider().load(None, local_host())
    speech = speech_like(16_000, 2.0)
    faint = noise(16_000, 1.0, level=1e-3)
    out = denoise_array(np.concatenate([faint, speech]), 16_000, engine, GateProvider.options())
    assert np.max(np.abs(out[:15_000])) < 1e-5
    assert float(out[16_000:] @ speech) > 0.999 * float(speech @ speech)
