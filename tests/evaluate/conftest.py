"""Generated pairs of clean and noisy speech, and of photos and masks."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vmeet_core.media.audio import AudioWriter
from vmeet_core.testing import noise, speech_like

MakePairs = Callable[..., Path]
MakePortraits = Callable[..., Path]


@pytest.fixture
def extra() -> None:
    """The metrics need packages of the extra; one of them needs a compiler, so they may be absent outside CI."""
    absent = [name for name in ("pesq", "pystoi") if importlib.util.find_spec(name) is None]
    if absent and os.environ.get("CI") != "true":
        pytest.skip(f"not installed: {', '.join(absent)}")


@pytest.fixture
def make_pairs(tmp_path: Path) -> MakePairs:
    """Writes pairs into a folder; ``noisy_hz`` may differ from ``rate_hz``."""

    def make(*names: str, rate_hz: int = 16_000, noisy_hz: int | None = None, cut: int = 0) -> Path:
        folder = tmp_path / "pairs"
        folder.mkdir(exist_ok=True)
        for seed, name in enumerate(names):
            speech = speech_like(rate_hz, 3.0, seed)
            with AudioWriter(folder / f"{name}.clean.flac", rate_hz) as clean:
                clean.write(speech)
            hiss = noise(rate_hz, 3.0, seed, level=0.02)
            hiss[np.abs(speech) == 0] *= 0.1  # faint between the words, so that a gate has something to do
            with AudioWriter(folder / f"{name}.noisy.flac", noisy_hz or rate_hz) as noisy:
                noisy.write((speech + hiss)[cut:])
        return folder

    return make


@pytest.fixture
def make_portraits(tmp_path: Path) -> MakePortraits:
    """Writes photos of 90x120 pixels with a person, of a sort, and their masks into a folder."""

    def make(*names: str) -> Path:
        folder = tmp_path / "portraits"
        folder.mkdir(exist_ok=True)
        rows, columns = np.mgrid[:120, :90]
        for seed, name in enumerate(names):
            truth = ((columns - 45) / 25) ** 2 + ((rows - 50) / 35) ** 2 < 1
            truth |= ((columns - 45) / 40) ** 2 + ((rows - 120) / 45) ** 2 < 1
            photo = np.where(truth[..., None], [200, 150, 130], [60, 90, 120])
            photo = photo + np.random.default_rng(seed).integers(-25, 26, photo.shape)
            Image.fromarray(photo.astype(np.uint8)).save(folder / f"{name}.jpg", quality=95)
            Image.fromarray(truth.astype(np.uint8) * 255).save(folder / f"{name}.png")
        return folder

    return make
