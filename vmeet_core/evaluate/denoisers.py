"""The bake-off of denoisers: noisy speech in, compared with the clean speech that it was mixed from."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vmeet_core.evaluate.comparison import CompareError, Evaluator, Metric, Scores
from vmeet_core.evaluate.metrics import SPEECH_RATE_HZ, pesq_wb, require_extra, si_sdr_db, stoi
from vmeet_core.hookspecs import Audio, Denoiser
from vmeet_core.media.audio import MediaError, SoundInfo, read_all, resample, sound_info
from vmeet_core.media.denoise import denoise_array

CLEAN, NOISY = ".clean.flac", ".noisy.flac"
_WARM_UP_S = 0.5

METRICS = (
    Metric(
        "si_sdr_db",
        "SI-SDR",
        "訊號失真比",
        "dB",
        1,
        2,
        "speech against what is left of noise and distortion (Le Roux et al., 2019)",
        "語音與殘餘噪音、失真之比",
    ),
    Metric("pesq", "PESQ-WB", "感知品質", "1–4.64", 1, 2, "perceived quality (ITU-T P.862.2)", "聽感品質"),
    Metric("stoi", "STOI", "可懂度", "0–1", 1, 3, "intelligibility (Taal et al., 2011)", "短時客觀可懂度"),
    Metric("rtf", "RTF", "即時係數", "s/s", -1, 3, "seconds of computing for each of sound", "每秒聲音的計算秒數"),
)


class Pair(NamedTuple):
    """``NAME.clean.flac`` and ``NAME.noisy.flac``: the same speech without and with noise."""

    name: str
    clean: Path
    noisy: Path
    sample_rate_hz: int


def find_pairs(folder: Path) -> list[Pair]:
    """All pairs of ``folder``, by name.

    Raises CompareError: the metrics are not installed, no folder, no pairs, one half of a pair is missing, the two
    halves differ in rate, a rate is under 16 kHz, a file is no sound file.
    """
    require_extra()
    if not folder.is_dir():
        raise CompareError(f"{folder} is no folder: --data names one that holds NAME{CLEAN} and NAME{NOISY}")
    halves = {kind: {path.name.removesuffix(kind): path for path in folder.glob(f"*{kind}")} for kind in (CLEAN, NOISY)}
    for kind, other in ((CLEAN, NOISY), (NOISY, CLEAN)):
        lonely = sorted(halves[kind].keys() - halves[other].keys())
        if lonely:
            names = ", ".join(lonely[:5]) + (f" and {len(lonely) - 5} more" if len(lonely) > 5 else "")
            raise CompareError(f"{folder} lacks NAME{other} for {names}: add it, or remove NAME{kind}")
    if not halves[CLEAN]:
        raise CompareError(f"{folder} is empty: put NAME{CLEAN} and NAME{NOISY} there")
    return [_pair(name, halves[CLEAN][name], halves[NOISY][name]) for name in sorted(halves[CLEAN])]


def _pair(name: str, clean: Path, noisy: Path) -> Pair:
    facts = _info(clean), _info(noisy)
    rates_hz = [info.sample_rate_hz for info in facts]
    if rates_hz[0] != rates_hz[1]:
        raise CompareError(f"{clean} has {rates_hz[0]} Hz and {noisy} {rates_hz[1]} Hz: give both the same rate")
    if rates_hz[0] < SPEECH_RATE_HZ:
        raise CompareError(f"{clean} has {rates_hz[0]} Hz: wideband speech needs at least {SPEECH_RATE_HZ} Hz")
    return Pair(name, clean, noisy, rates_hz[0])


def _info(path: Path) -> SoundInfo:
    try:
        return sound_info(path)
    except MediaError as error:
        raise CompareError(f"{error}: replace or remove it") from error


def score_noisy(pair: Pair) -> Scores:
    """The scores of doing nothing."""
    clean, noisy = _read(pair)
    return _quality(pair, clean, noisy)


def score(pair: Pair, engine: Denoiser, options: Any) -> Scores:
    """The scores of one denoiser on one pair; its declared latency is trimmed."""
    clean, noisy = _read(pair)
    denoise_array(np.zeros(round(_WARM_UP_S * pair.sample_rate_hz), np.float32), pair.sample_rate_hz, engine, options)
    started_s = time.perf_counter()
    cleaned = denoise_array(noisy, pair.sample_rate_hz, engine, options)
    elapsed_s = time.perf_counter() - started_s
    return {**_quality(pair, clean, cleaned), "rtf": elapsed_s / (len(noisy) / pair.sample_rate_hz)}


def _read(pair: Pair) -> tuple[Audio, Audio]:
    clean, noisy = read_all(pair.clean, pair.sample_rate_hz), read_all(pair.noisy, pair.sample_rate_hz)
    if len(clean) != len(noisy):
        raise CompareError(f"the clean file has {len(clean)} samples and the noisy one {len(noisy)}: cut them alike")
    return clean, noisy


def _quality(pair: Pair, clean: Audio, other: Audio) -> dict[str, float]:
    clean, other = (resample(audio, pair.sample_rate_hz, SPEECH_RATE_HZ) for audio in (clean, other))
    return {"si_sdr_db": si_sdr_db(clean, other), "pesq": pesq_wb(clean, other), "stoi": stoi(clean, other)}


EVALUATOR = Evaluator("denoisers", "Denoisers", "降噪外掛", METRICS, "noisy", find_pairs, score_noisy, score)
