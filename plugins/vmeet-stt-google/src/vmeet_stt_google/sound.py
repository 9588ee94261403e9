"""Sound as the services want it: 16 bits, 16 kHz, mono."""

import io

import av
import numpy as np
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio

SAMPLE_RATE_HZ = 16_000
Samples = NDArray[np.int16]


def checked(audio: Audio, max_chunk_s: float) -> Audio:
    """The same. Raises ValueError for another shape, and for more than ``max_chunk_s``."""
    if audio.ndim != 1:
        raise ValueError(f"google takes mono sound of shape (samples,), not of shape {audio.shape}")
    if len(audio) > max_chunk_s * SAMPLE_RATE_HZ:
        seconds = len(audio) / SAMPLE_RATE_HZ
        raise ValueError(f"google takes at most {max_chunk_s:g} s of sound at once, not {seconds:.2f} s: cut it first")
    return audio


def samples(audio: Audio) -> Samples:
    """Float32 in [-1, 1] as int16; what is beyond is clipped."""
    return np.rint(np.clip(audio, -1, 1) * 32_767).astype(np.int16)


def flac(sound: Samples) -> bytes:
    """A FLAC file. Made by PyAV: SpeechRecognition starts a program of its own, which it has not for every machine."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.format = "s16"
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()
