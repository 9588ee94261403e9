"""Tests of the step that cleans one person's sound."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from material import RATE_HZ, tone

from vmeet_core.hookspecs import Permanent
from vmeet_core.media.audio import AudioWriter, read_all
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.denoise import INPUT, ROLE, Params, run
from vmeet_core.plugins import Registry
from vmeet_core.settings import SettingsError

MakeWork = Callable[..., Work]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    with AudioWriter(tmp_path / "in.flac", RATE_HZ) as writer:
        writer.write(tone()(np.arange(100_001) / RATE_HZ).astype(np.float32))
    return tmp_path / "in.flac"


@pytest.mark.usefixtures("registry")
def test_the_options_arrive_and_the_length_stays(tmp_path: Path, make_work: MakeWork, sound: Path) -> None:
    params = Params(denoiser="half", options={"gain": 0.25})
    run(make_work(tmp_path, params, {INPUT: sound}, {ROLE: tmp_path / "out.flac"}))
    before, after = read_all(sound, RATE_HZ), read_all(tmp_path / "out.flac", RATE_HZ)
    assert len(after) == 100_001
    assert np.abs(after - before / 4)[1000:-1000].max() < 1e-3


def test_a_wrong_option_is_refused(tmp_path: Path, make_work: MakeWork, sound: Path, registry: Registry) -> None:
    assert "half" in registry.providers["denoisers"]
    params = Params(denoiser="half", options={"gian": 0.25})
    with pytest.raises(SettingsError, match="gian"):
        run(make_work(tmp_path, params, {INPUT: sound}, {ROLE: tmp_path / "out.flac"}))


def test_a_fault_leaves_no_file(tmp_path: Path, make_work: MakeWork, sound: Path, registry: Registry) -> None:
    assert "hopeless" in registry.providers["denoisers"]
    with pytest.raises(Permanent, match="cannot be cleaned"):
        run(make_work(tmp_path, Params(denoiser="hopeless", options={}), {INPUT: sound}, {ROLE: tmp_path / "o.flac"}))
    assert not (tmp_path / "o.flac").exists()
