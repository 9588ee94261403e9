"""A model that says one sentence: random weights, in a file as upstream's, taught what to say of one sound."""

import asrt_reference as reference
import numpy as np
import pytest
from vmeet_stt_asrt import AsrtSettings
from vmeet_stt_asrt.features import SAMPLE_RATE_HZ, spectrogram

from vmeet_core.hookspecs import Audio
from vmeet_core.testing import speech_like

SYLLABLES = ("an1", "zao3", "da4", "jia1")
BLANK = len(SYLLABLES)
#: What the network says of the sound, each 80 ms: da4 jia1 zao3 an1.
SAID = [BLANK, BLANK, 2, 2, BLANK, 3, 3, 3, BLANK, BLANK, 1, BLANK, 0, 0] + [BLANK] * 12


@pytest.fixture(scope="session")
def audio() -> Audio:
    """Two seconds, read-only."""
    sound = speech_like(SAMPLE_RATE_HZ, 2.0)
    sound.flags.writeable = False
    return sound


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, audio: Audio) -> AsrtSettings:
    """They name the model."""
    folder = tmp_path_factory.mktemp("release")
    rows = spectrogram(audio)
    rows = np.pad(rows, ((0, -len(rows) % 8), (0, 0)))
    layers = reference.taught(reference.random_layers(BLANK + 1), rows, SAID)
    (folder / "dict.txt").write_text("\n".join(SYLLABLES))
    return AsrtSettings(model=reference.save(layers, folder / "model.h5"), labels=folder / "dict.txt")
