"""What holds for every denoiser: shapes, states, silence, latency."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vmeet_core.hookspecs import Audio, Denoiser, DenoiserStream
from vmeet_core.testing.check import Breach, Check, Subject, close_twice
from vmeet_core.testing.probes import noise, speech_like
from vmeet_core.testing.provider_checks import PROVIDER_CHECKS

TOLERANCE = 1e-4  #: -80 dB of full scale: rounding, where whole batches are computed at once
SILENCE = 1e-3  #: -60 dB of full scale
LATENCY_TOLERANCE_SAMPLES = 1
_LEAST_CORRELATION = 0.2


def check_load(subject: Subject) -> str:
    """The engine loads and says sensible things of itself."""
    started_s = time.perf_counter()
    engine = subject.engine
    seconds = time.perf_counter() - started_s
    if not isinstance(engine, Denoiser):
        raise Breach(f"load() returned {type(engine).__name__}.", "Return a subclass of vmeet_core.hookspecs.Denoiser.")
    limits = {
        "sample_rate_hz": (8_000, 48_000),
        "block_samples": (1, 48_000),
        "latency_samples": (0, 48_000),
    }
    for attribute, (least, most) in limits.items():
        value = getattr(engine, attribute, None)
        if not isinstance(value, int) or not least <= value <= most:
            raise Breach(f"{attribute} is {value!r}.", f"Set it to a whole number from {least} to {most}.")
    return f"{seconds:.2f} s; {engine.sample_rate_hz} Hz, {engine.block_samples} a block"


def check_length(subject: Subject) -> str:
    """As many samples out as in, float32, for one block and for many."""
    stream, block = subject.open(), subject.engine.block_samples
    for blocks in (1, 2, 3, 50, 1, 7):
        audio = noise(1, blocks * block, seed=blocks)
        _check_shape(stream.process(audio), audio, f"{blocks} blocks")
    stream.close()
    return ""


def check_cutting(subject: Subject) -> str:
    """One long call gives what many calls of one block, or of changing length, give."""
    audio = _speech(subject)
    whole = _run(subject, audio, len(audio))
    for blocks in (1, 5):
        _check_same(whole, _run(subject, audio, blocks * subject.engine.block_samples), f"cut into {blocks} blocks")
    return ""


def check_state(subject: Subject) -> str:
    """Two streams at once do not hear one another, and a new stream starts afresh."""
    first, second = _speech(subject), noise(subject.engine.sample_rate_hz, 2.0)
    second = second[: len(second) - len(second) % subject.engine.block_samples]
    alone = _run(subject, first, len(first)), _run(subject, second, len(second))
    streams, step = (subject.open(), subject.open()), 10 * subject.engine.block_samples
    given: tuple[list[Audio], list[Audio]] = ([], [])
    for start in range(0, max(len(first), len(second)), step):
        for stream, audio, out in zip(streams, (first, second), given, strict=True):
            if start < len(audio):
                out.append(stream.process(audio[start : start + step]))
    for stream in streams:
        stream.close()
    for wanted, out in zip(alone, given, strict=True):
        _check_same(wanted, np.concatenate(out), "beside another stream")
    return ""


def check_input(subject: Subject) -> str:
    """Read-only input is accepted, not kept, and the output is no view of it."""
    audio, step = _speech(subject), 10 * subject.engine.block_samples
    wanted = _run(subject, audio, step)
    stream, out = subject.open(), []
    for start in range(0, len(audio), step):
        lent = audio[start : start + step].copy()
        lent.flags.writeable = False
        try:
            out.append(stream.process(lent))
        except ValueError as error:
            raise Breach(f"read-only input is refused: {error}.", "Copy the input before changing it.") from error
        lent.flags.writeable = True
        if not np.array_equal(lent, audio[start : start + step]):
            raise Breach("the input was changed.", "Copy the input before changing it.")
        lent.fill(0.5)
    stream.close()
    _check_same(wanted, np.concatenate(out), "from a buffer that is used again after each call")
    return ""


def check_silence(subject: Subject) -> str:
    """Digital silence stays silent, and makes nothing that is not finite."""
    silence = np.zeros(2 * subject.engine.sample_rate_hz // subject.engine.block_samples, np.float32)
    out = _run(subject, np.repeat(silence, subject.engine.block_samples), 50 * subject.engine.block_samples)
    _check_finite(out, "silence")
    level = float(np.max(np.abs(out)))
    if level > SILENCE:
        raise Breach(f"silence comes out with a peak of {level:.2g}.", "Let zeros give zeros.")
    return f"peak {level:.2g}"


def check_loud(subject: Subject) -> str:
    """Full scale of every shape comes out finite and not beyond twice full scale."""
    rate_hz, block = subject.engine.sample_rate_hz, subject.engine.block_samples
    shapes = {
        "a square wave": np.sign(np.sin(2 * np.pi * 220 * np.arange(rate_hz) / rate_hz)),
        "noise": np.sign(noise(rate_hz, 1.0)),
        "a constant": np.ones(rate_hz),
    }
    for label, audio in shapes.items():
        out = _run(subject, audio[: rate_hz - rate_hz % block].astype(np.float32), 20 * block)
        _check_finite(out, f"{label} at full scale")
        if np.max(np.abs(out)) > 2:
            raise Breach(f"{label} at full scale comes out at {np.max(np.abs(out)):.1f}.", "Keep to [-1, 1].")
    return ""


def check_latency(subject: Subject) -> str:
    """Speech comes out as late as declared: the lag at which output and input correlate best."""
    audio, declared = _speech(subject, 4.0), subject.engine.latency_samples
    out = _run(subject, audio, len(audio))
    lag, correlation = measured_lag(audio, out)
    if correlation < _LEAST_CORRELATION:
        raise Breach(
            f"the latency cannot be told: output and clean speech correlate by {correlation:.2f} only.",
            "Let clean speech pass.",
        )
    if abs(lag - declared) > LATENCY_TOLERANCE_SAMPLES:
        raise Breach(f"speech comes {lag} samples late, declared are {declared}.", f"Set latency_samples = {lag}.")
    return f"{lag} samples, {1000 * lag / subject.engine.sample_rate_hz:.0f} ms"


def measured_lag(audio: Audio, out: Audio) -> tuple[int, float]:
    """By how many samples ``out`` follows ``audio``, and their normalised correlation there."""
    size = 2 * len(audio)
    products = np.fft.irfft(np.fft.rfft(out, size) * np.conj(np.fft.rfft(audio, size)), size)
    lag = int(np.argmax(products))
    power = float(np.linalg.norm(audio) * np.linalg.norm(out)) or 1.0
    return (lag if lag < len(audio) else lag - size), float(products[lag]) / power


def check_update(subject: Subject) -> str:
    """New options while it runs: the same ones change nothing, others break nothing."""
    audio, block = _speech(subject), subject.engine.block_samples
    wanted = _run(subject, audio, 10 * block)
    stream, out = subject.open(), []
    for start in range(0, len(audio), 10 * block):
        stream.update(subject.provider.options())
        out.append(stream.process(audio[start : start + 10 * block]))
    _check_same(wanted, np.concatenate(out), "after an update to the options it has")
    variants = subject.variants()
    for options in variants:
        stream.update(options)
        _check_shape(stream.process(audio[: 20 * block]), audio[: 20 * block], f"options {options}")
    stream.close()
    return f"{len(variants)} variants"


def check_thread(subject: Subject) -> str:
    """A stream works in another thread than the one that opened it."""
    audio = _speech(subject)
    wanted = _run(subject, audio, len(audio))
    with ThreadPoolExecutor(1) as executor:
        stream: DenoiserStream = subject.open()
        out = executor.submit(stream.process, audio).result()
        stream.close()
    _check_same(wanted, out, "in another thread")
    return ""


def check_close(subject: Subject) -> str:
    """Closing twice does no harm, and closing one stream harms no other."""
    audio = _speech(subject)
    wanted = _run(subject, audio, len(audio))
    stays, goes = subject.open(), subject.open()
    close_twice(goes, "a stream")
    _check_same(wanted, stays.process(audio), "after another stream was closed")
    stays.close()
    close_twice(subject.load(), "an engine")
    _check_same(wanted, _run(subject, audio, len(audio)), "after another engine was closed")
    return ""


def check_speed(subject: Subject) -> str:
    """Says how fast it is, in calls of 20 ms as in a meeting; how fast is enough depends on the machine."""
    engine = subject.engine
    audio = _speech(subject, 5.0)
    step = max(1, round(0.02 * engine.sample_rate_hz / engine.block_samples)) * engine.block_samples
    _run(subject, audio[: 10 * step], step)
    started_s = time.perf_counter()
    _run(subject, audio, step)
    factor = (time.perf_counter() - started_s) / (len(audio) / engine.sample_rate_hz)
    return f"real-time factor {factor:.3f}"


def _speech(subject: Subject, seconds: float = 2.0) -> Audio:
    """Whole blocks of speech-like sound."""
    engine = subject.engine
    audio = speech_like(engine.sample_rate_hz, max(seconds, 25 * engine.block_samples / engine.sample_rate_hz))
    return audio[: len(audio) - len(audio) % engine.block_samples]


def _run(subject: Subject, audio: Audio, step: int) -> Audio:
    """Through a stream of its own, ``step`` samples a call; copies, so that a bad plugin does not spoil the probe."""
    stream = subject.open()
    out = [stream.process(audio[start : start + step].copy()) for start in range(0, len(audio), step)]
    stream.close()
    return np.concatenate(out)


def _check_shape(out: Audio, audio: Audio, label: str) -> None:
    if out.shape != audio.shape or out.dtype != np.float32:
        raise Breach(
            f"{label}: {audio.shape} float32 in, {out.shape} {out.dtype} out.", "Give as many samples as came, float32."
        )
    _check_finite(out, label)


def _check_finite(out: Audio, label: str) -> None:
    if not np.isfinite(out).all():
        raise Breach(f"{label} gives NaN or infinity.", "Guard divisions and logarithms against zero.")


def _check_same(wanted: Audio, out: Audio, label: str) -> None:
    if wanted.shape != out.shape:
        raise Breach(f"{label}: {out.shape} samples instead of {wanted.shape}.", "Give as many samples as came.")
    difference = float(np.max(np.abs(wanted - out)))
    if not difference <= TOLERANCE:
        raise Breach(
            f"{label} the result differs by {difference:.2g}.",
            "Keep all state in the stream, keep no view of input or output, and let no result depend on the cuts.",
        )


DENOISER_CHECKS = (
    *PROVIDER_CHECKS,
    Check("load", "it loads and declares rate, block and latency", check_load),
    Check("length", "as many samples out as in", check_length, True),
    Check("cutting", "the result does not depend on how the input is cut", check_cutting, True),
    Check("state", "two streams share no state", check_state, True),
    Check("input", "the input is neither changed nor kept", check_input, True),
    Check("silence", "silence stays silent", check_silence, True),
    Check("loud", "full scale comes out finite", check_loud, True),
    Check("latency", "the latency is as declared", check_latency, True),
    Check("update", "new options while it runs", check_update, True),
    Check("thread", "it works in another thread", check_thread, True),
    Check("close", "closing twice does no harm", check_close, True),
    Check("speed", "real-time factor, for your information", check_speed, True),
)
