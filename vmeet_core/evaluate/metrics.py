"""Figures of merit of cleaned speech: float32 arrays (samples,), mono, aligned with the clean reference."""

import warnings

import numpy as np

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.extra import extra
from vmeet_core.hookspecs import Audio

SPEECH_RATE_HZ = 16_000  # what wideband PESQ is defined for


def si_sdr_db(reference: Audio, estimate: Audio) -> float:
    """Scale-invariant signal-to-distortion ratio in dB, both signals freed of their mean.

    J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019.
    Raises CompareError where the reference or the estimate is silent.
    """
    clean = reference.astype(np.float64) - reference.mean(dtype=np.float64)
    other = estimate.astype(np.float64) - estimate.mean(dtype=np.float64)
    if not clean.any():
        raise CompareError("the clean sound is silence, which has no signal-to-distortion ratio: leave this item out")
    if not other.any():
        raise CompareError("the result is silence, which has no signal-to-distortion ratio")
    target = clean * (other @ clean) / (clean @ clean)
    distortion = other - target
    # The floor stands for a result that is right to the last bit of float32.
    floor = np.finfo(np.float32).eps ** 2 * (target @ target) + np.finfo(np.float64).tiny
    return float(10 * np.log10((target @ target) / max(distortion @ distortion, floor) + np.finfo(np.float64).tiny))


def pesq_wb(reference: Audio, estimate: Audio) -> float:
    """Wideband PESQ, 1.0 to 4.64, at 16 kHz (ITU-T P.862.2). Raises CompareError where it finds no speech."""
    pesq = extra("pesq")
    if not reference.any() or not estimate.any():
        raise CompareError("PESQ cannot be computed of silence")
    try:
        return float(pesq.pesq(SPEECH_RATE_HZ, reference, estimate, "wb"))
    except pesq.PesqError as error:
        text = error.args[0] if error.args else type(error).__name__
        raise CompareError(f"PESQ cannot be computed ({_text(text)}): leave this item out") from error


def stoi(reference: Audio, estimate: Audio) -> float:
    """Short-time objective intelligibility, 0 to 1, at 16 kHz (C. H. Taal et al., IEEE TASLP 19(7), 2011).

    Raises CompareError where there is less than 0.4 s of speech.
    """
    pystoi = extra("pystoi")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Not enough STFT frames")
        try:
            return float(pystoi.stoi(reference, estimate, SPEECH_RATE_HZ, extended=False))
        except RuntimeWarning as warning:
            raise CompareError("STOI needs 0.4 s of speech: leave this item out") from warning


def require_extra() -> None:
    """Raises CompareError naming the command that installs what the metrics need."""
    for name in ("pesq", "pystoi"):
        extra(name)


def _text(message: object) -> str:
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)
