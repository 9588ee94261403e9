"""The quality on real speech, and that the way through 48 kHz files costs none of it."""

import importlib.util
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from vmeet_denoise_dtln import DtlnOptions, DtlnProvider, DtlnSettings

from vmeet_core.evaluate.denoisers import Pair, find_pairs, score
from vmeet_core.evaluate.metrics import SPEECH_RATE_HZ, pesq_wb, si_sdr_db
from vmeet_core.hookspecs import Denoiser, Weight
from vmeet_core.media.audio import AudioWriter, read_all, read_audio
from vmeet_core.media.denoise import denoise_file, denoised
from vmeet_core.pipeline.steps.audio import SAMPLE_RATE_HZ
from vmeet_core.pipeline.steps.denoise import denoised_part
from vmeet_core.testing import local_host

WeightPath = Callable[[Weight], Path]


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    folder = Path(__file__).parents[3] / "../shared/data/denoise"
    if not folder.is_dir():
        pytest.skip("the folder shared/data/denoise beside the checkout is absent")
    absent = [name for name in ("pesq", "pystoi") if importlib.util.find_spec(name) is None]
    if absent and os.environ.get("CI") != "true":
        pytest.skip(f"not installed: {', '.join(absent)}")
    return find_pairs(folder.resolve())


@pytest.fixture(scope="module")
def engine(weight_path: WeightPath) -> Denoiser:
    return DtlnProvider().load(DtlnSettings(), local_host(weight_path))


def test_quality_is_upstream_s(pairs: list[Pair], engine: Denoiser) -> None:
    scores = [score(pair, engine, DtlnOptions()) for pair in pairs]
    assert fmean(each["si_sdr_db"] for each in scores) == pytest.approx(16.9, abs=0.1)
    assert fmean(each["pesq"] for each in scores) == pytest.approx(2.65, abs=0.1)
    assert fmean(each["stoi"] for each in scores) == pytest.approx(0.95, abs=0.01)
    assert fmean(each["rtf"] for each in scores) < 0.3  # ten times what an idle core needs


def test_the_way_through_48_khz_files_costs_nothing(pairs: list[Pair], engine: Denoiser, tmp_path: Path) -> None:
    for pair in pairs:
        with AudioWriter(tmp_path / "noisy.flac", 48_000) as writer:
            for block in read_audio(pair.noisy, 48_000):
                writer.write(block)
        denoise_file(tmp_path / "noisy.flac", tmp_path / "cleaned.flac", engine, DtlnOptions())
        clean, cleaned = (read_all(path, SPEECH_RATE_HZ) for path in (pair.clean, tmp_path / "cleaned.flac"))
        direct = score(pair, engine, DtlnOptions())
        assert len(cleaned) == len(clean)
        assert si_sdr_db(clean, cleaned) == pytest.approx(direct["si_sdr_db"], abs=0.05), pair.name
        assert pesq_wb(clean, cleaned) == pytest.approx(direct["pesq"], abs=0.05), pair.name


def test_in_parts_it_sounds_as_in_one_pass(pairs: list[Pair], engine: Denoiser) -> None:
    """Its memory fades: what a part, begun a few seconds early, gives differs from the whole by less than one hears."""
    noisy = np.concatenate([read_all(pair.noisy, SAMPLE_RATE_HZ) for pair in pairs])[: 30 * SAMPLE_RATE_HZ]
    whole = np.concatenate(list(denoised([noisy], SAMPLE_RATE_HZ, engine, DtlnOptions())))
    edges = [0, 10 * SAMPLE_RATE_HZ, 20 * SAMPLE_RATE_HZ, len(noisy)]
    parts = []
    for number, (start, end) in enumerate(pairwise(edges)):
        before = edges[max(0, number - 1)]
        sound = iter([noisy[before:end]])
        parts += denoised_part(sound, start - before, end - before, end == len(noisy), engine, DtlnOptions())
    joined = np.concatenate(parts)
    assert len(joined) == len(noisy)
    assert si_sdr_db(joined, whole) > 30
