"""Tests of one person's sound from its pieces."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from material import RATE_HZ

from vmeet_core.media.audio import AudioWriter, read_all, sound_info
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.gather import ROLE, Params, run


def test_a_file_from_beginning_to_end(tmp_path: Path, make_work: Callable[..., Work]) -> None:
    with AudioWriter(tmp_path / "1.flac", RATE_HZ) as writer:
        writer.write(np.linspace(-1, 1, RATE_HZ, dtype=np.float32))
    params = Params(person="a", edges_s=(0.0, 2.0, 3.0, 3.5))
    inputs = {"1:a": tmp_path / "1.flac", "2:b": tmp_path / "absent.flac"}
    run(make_work(tmp_path, params, inputs, {ROLE: tmp_path / "out.flac"}))
    audio = read_all(tmp_path / "out.flac", RATE_HZ)
    assert len(audio) == 3.5 * RATE_HZ
    assert not audio[: 2 * RATE_HZ].any()
    assert np.array_equal(audio[2 * RATE_HZ : 3 * RATE_HZ], read_all(tmp_path / "1.flac", RATE_HZ))
    assert sound_info(tmp_path / "out.flac").channels == 1
