"""The metrics against values that are known, and where they have none."""

import builtins
from typing import Any

import numpy as np
import pytest

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.metrics import pesq_wb, require_extra, si_sdr_db, stoi
from vmeet_core.testing import noise, speech_like

SPEECH = speech_like(16_000, 3.0)


def test_si_sdr_of_noise_at_a_known_level() -> None:
    clean = noise(16_000, 10.0, seed=1, level=0.1).astype(np.float64)
    other = noise(16_000, 10.0, seed=2, level=0.1).astype(np.float64)
    clean -= clean.mean()
    other -= other.mean()
    other -= clean * (other @ clean) / (clean @ clean)
    other *= np.linalg.norm(clean) / np.linalg.norm(other) / 10
    assert si_sdr_db(clean, clean + other) == pytest.approx(20.0, abs=1e-6)


def test_si_sdr_takes_no_notice_of_scale_and_offset() -> None:
    noisy = SPEECH + noise(16_000, 3.0)
    assert si_sdr_db(SPEECH, 0.3 * noisy + 0.1) == pytest.approx(si_sdr_db(SPEECH, noisy), abs=1e-3)


def test_si_sdr_of_a_perfect_result_is_finite_and_high() -> None:
    assert 100 < si_sdr_db(SPEECH, SPEECH) < 200


def test_si_sdr_of_silence_is_refused() -> None:
    silence = np.zeros_like(SPEECH)
    with pytest.raises(CompareError, match="the result is silence"):
        si_sdr_db(SPEECH, silence)
    with pytest.raises(CompareError, match="the clean sound is silence"):
        si_sdr_db(silence, SPEECH)


def test_a_shift_of_one_sample_costs_dearly() -> None:
    assert si_sdr_db(SPEECH[1:], SPEECH[:-1]) < 30


@pytest.mark.usefixtures("extra")
def test_pesq_and_stoi_put_clean_above_noisy() -> None:
    noisy = SPEECH + noise(16_000, 3.0)
    assert 4.6 < pesq_wb(SPEECH, SPEECH) < 4.7
    assert 1.0 <= pesq_wb(SPEECH, noisy) < 2.5
    assert stoi(SPEECH, SPEECH) == pytest.approx(1.0, abs=1e-4)
    assert stoi(SPEECH, noisy) < 0.98


@pytest.mark.usefixtures("extra")
def test_what_holds_no_speech_is_refused() -> None:
    with pytest.raises(CompareError, match="PESQ cannot be computed of silence"):
        pesq_wb(SPEECH, np.zeros_like(SPEECH))
    with pytest.raises(CompareError, match=r"PESQ cannot be computed \(.*\): leave this item out"):
        pesq_wb(SPEECH[:2000], SPEECH[:2000])
    with pytest.raises(CompareError, match=r"STOI needs 0\.4 s of speech"):
        stoi(SPEECH[:4000], SPEECH[:4000])


def test_an_absent_extra_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "pesq":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setitem(__import__("sys").modules, "pesq", None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CompareError, match=r"pip install 'vmeet-core\[evaluate\]'"):
        require_extra()
