"""Tests of the mix."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from material import RATE_HZ, onset_s, tone

from vmeet_core.hookspecs import Audio
from vmeet_core.media.audio import AudioWriter, read_all
from vmeet_core.media.loudness import measure
from vmeet_core.pipeline.spec import Work
from vmeet_core.pipeline.steps.mix import ROLE, run

MakeWork = Callable[..., Work]
SECONDS = 6


def person(path: Path, level: float, from_s: float) -> Path:
    t = np.arange(SECONDS * RATE_HZ) / RATE_HZ
    with AudioWriter(path, RATE_HZ) as writer:
        writer.write((tone(500, level)(t) * (t >= from_s)).astype(np.float32))
    return path


def mixed(folder: Path, make_work: MakeWork, **people: Path) -> Audio:
    run(make_work(folder, None, people, {ROLE: folder / "mix.flac"}))
    return read_all(folder / "mix.flac", RATE_HZ)


def test_everyone_is_heard_at_the_target(tmp_path: Path, make_work: MakeWork) -> None:
    audio = mixed(tmp_path, make_work, a=person(tmp_path / "a.flac", 0.9, 2.0), b=person(tmp_path / "b.flac", 0.8, 2.0))
    assert len(audio) == SECONDS * RATE_HZ
    assert measure([audio], RATE_HZ).integrated_lufs == pytest.approx(-16.0, abs=0.2)
    assert onset_s(audio) == pytest.approx(2.0, abs=0.002)


def test_a_silent_recording_stays_silent(tmp_path: Path, make_work: MakeWork) -> None:
    assert not mixed(tmp_path, make_work, a=person(tmp_path / "a.flac", 0.0, 0.0)).any()
