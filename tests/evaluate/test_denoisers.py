"""Pairs of files, good and bad, and the scores of denoisers whose results are known."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.denoisers import METRICS, find_pairs, score, score_noisy
from vmeet_core.testing import GateProvider, local_host

MakePairs = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("extra")


def test_pairs_come_by_name(make_pairs: MakePairs) -> None:
    folder = make_pairs("b", "a")
    (folder / "notes.txt").touch()
    assert [(pair.name, pair.sample_rate_hz) for pair in find_pairs(folder)] == [("a", 16_000), ("b", 16_000)]


def test_no_folder_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match=r"nowhere is no folder"):
        find_pairs(tmp_path / "nowhere")
    with pytest.raises(CompareError, match=r"is empty: put NAME\.clean\.flac and NAME\.noisy\.flac there"):
        find_pairs(tmp_path)


@pytest.mark.parametrize(("kept", "lost"), [("clean", "noisy"), ("noisy", "clean")])
def test_a_missing_half_is_named(make_pairs: MakePairs, kept: str, lost: str) -> None:
    folder = make_pairs("a", "b")
    (folder / f"b.{lost}.flac").unlink()
    with pytest.raises(CompareError, match=rf"lacks NAME\.{lost}\.flac for b: add it, or remove NAME\.{kept}\.flac"):
        find_pairs(folder)


def test_rates_that_differ_or_are_too_low_are_named(make_pairs: MakePairs) -> None:
    with pytest.raises(CompareError, match=r"16000 Hz and .* 48000 Hz: give both the same rate"):
        find_pairs(make_pairs("a", noisy_hz=48_000))
    with pytest.raises(CompareError, match=r"8000 Hz: wideband speech needs at least 16000 Hz"):
        find_pairs(make_pairs("a", rate_hz=8_000))


def test_a_file_that_is_no_sound_is_named(make_pairs: MakePairs) -> None:
    folder = make_pairs("a")
    (folder / "a.noisy.flac").write_text("nothing")
    with pytest.raises(CompareError, match=r"a\.noisy\.flac cannot be read as a media file.*: replace or remove it"):
        find_pairs(folder)


def test_lengths_that_differ_are_told(make_pairs: MakePairs) -> None:
    (pair,) = find_pairs(make_pairs("a", cut=5))
    with pytest.raises(CompareError, match="the clean file has 48000 samples and the noisy one 47995"):
        score_noisy(pair)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_a_gate_improves_the_pauses_and_its_latency_is_trimmed(make_pairs: MakePairs, rate_hz: int) -> None:
    (pair,) = find_pairs(make_pairs("a", rate_hz=rate_hz))
    before = score_noisy(pair)
    after = score(pair, GateProvider().load(None, local_host()), GateProvider.options())
    assert after["si_sdr_db"] > before["si_sdr_db"] - 0.1
    assert after["pesq"] > before["pesq"] - 0.1
    assert after["stoi"] > 0.8
    assert 0 < after["rtf"] < 1
    assert "rtf" not in before


def test_every_metric_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/compare.md").read_text(encoding="utf-8")
    for metric in METRICS:
        assert f"| `{metric.name}` | {metric.unit} | {'higher' if metric.better > 0 else 'lower'} |" in text
