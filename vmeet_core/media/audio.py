"""Sound files as arrays and arrays as sound files: mono float32 in [-1, 1], streaming, in bounded memory."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from vmeet_core.hookspecs import Audio, Permanent
from vmeet_core.media.resampler import Resampler, audio_frame, resample

__all__ = [
    "AudioWriter",
    "MediaError",
    "SoundInfo",
    "duration_s",
    "read_all",
    "read_audio",
    "rechunked",
    "resample",
    "sound_info",
]

BLOCK_S = 1.0  # what read_audio yields at once
_GAP_S = 0.015  # less than one Opus packet, more than a container's rounding of timestamps
_MAX_GAP_S = 86_400.0
_CONTAINERS = {"flac": "flac", "aac": "mp4", "libopus": "ogg", "pcm_s16le": "wav", "pcm_s24le": "wav"}
_FULL_SCALE_24 = 1 << 23


class MediaError(Permanent):
    """A file that cannot be read or written as sound; the message names it."""


class SoundInfo(NamedTuple):
    """The first sound track of a file. ``duration_s`` is None where the file does not say (a recording cut short)."""

    sample_rate_hz: int
    channels: int
    duration_s: float | None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The container and its first sound track. Raises MediaError; OSError when the file is absent."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise MediaError(f"{path} has no sound track")
            if not container.streams.audio[0].rate:
                raise MediaError(f"{path} cannot be read as a media file: its sound track has no sample rate")
            yield container, container.streams.audio[0]
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise MediaError(f"{path} cannot be read as a media file: {error.strerror}") from error


def sound_info(path: Path) -> SoundInfo:
    """What the header says. Raises MediaError for no media file or no sound, OSError for no file."""
    with _opened(path) as (container, stream):
        duration: float | None = None
        if stream.duration is not None and stream.time_base is not None:
            duration = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration = container.duration / av.time_base
        return SoundInfo(stream.rate, stream.channels, duration)


def duration_s(path: Path) -> float:
    """Length of the sound; a file whose header does not say is decoded to its end. Raises as ``sound_info``."""
    info = sound_info(path)
    if info.duration_s is not None:
        return info.duration_s
    return sum(len(block) for block in read_audio(path, info.sample_rate_hz)) / info.sample_rate_hz


def read_audio(path: Path, sample_rate_hz: int, *, align: bool = False) -> Iterator[Audio]:
    """The first sound track of any media file in blocks of one second: mono float32 at ``sample_rate_hz``.

    Channels are averaged. Without ``align`` the decoded samples follow one another. With it, timestamps are obeyed:
    sample ``n`` lies ``n / sample_rate_hz`` seconds after the file's time 0, gaps become silence and what overlaps
    is dropped. Raises MediaError (no media file, no sound track, a gap of more than a day) and OSError.
    """
    pieces = _aligned(path, _decoded(path)) if align else _decoded(path)
    audio = ((rate_hz, piece) for rate_hz, _, piece in pieces)
    yield from rechunked(_converted(audio, sample_rate_hz), max(1, round(BLOCK_S * sample_rate_hz)))


def read_all(path: Path, sample_rate_hz: int, *, align: bool = False) -> Audio:
    """A whole (short) file as one array; otherwise as ``read_audio``."""
    return np.concatenate([np.zeros(0, np.float32), *read_audio(path, sample_rate_hz, align=align)])


def rechunked(blocks: Iterable[Audio], samples: int) -> Iterator[Audio]:
    """The same signal in blocks of exactly ``samples``, the last one shorter (never empty)."""
    held: list[Audio] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count >= samples:
            joined = np.concatenate(held)
            whole = count - count % samples
            yield from (joined[start : start + samples] for start in range(0, whole, samples))
            held, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(held)


_Piece = tuple[int, float | None, Audio]  # sample rate, time in seconds where known, samples


def _decoded(path: Path) -> Iterator[_Piece]:
    with _opened(path) as (container, stream):
        start_s = max(0, container.start_time or 0) / av.time_base
        for frame in container.decode(stream):
            yield frame.sample_rate, None if frame.time is None else frame.time - start_s, _mono(frame)


def _mono(frame: av.AudioFrame) -> Audio:
    """The average of a decoded frame's channels, float32 in [-1, 1], whatever its sample format."""
    samples: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    channel: NDArray[np.float64] = samples.mean(axis=0, dtype=np.float64)
    if samples.dtype.kind == "f":
        return channel.astype(np.float32)
    full_scale = 1 << (8 * samples.dtype.itemsize - 1)
    offset = full_scale if samples.dtype.kind == "u" else 0
    return ((channel - offset) / full_scale).astype(np.float32)


def _aligned(path: Path, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Put each piece at its time: silence before it, or its first samples dropped."""
    position_s = 0.0
    for rate_hz, time_s, audio in pieces:
        gap_s = 0.0 if time_s is None else time_s - position_s
        if gap_s > _MAX_GAP_S:
            raise MediaError(f"{path} has a gap of {gap_s:.0f} s after {position_s:.1f} s: its timestamps are broken")
        if gap_s > _GAP_S:
            silence = round(gap_s * rate_hz)
            yield from ((rate_hz, None, part) for part in _silence(silence, rate_hz))
            position_s += silence / rate_hz
        dropped = min(len(audio), round(-gap_s * rate_hz)) if gap_s < -_GAP_S else 0
        yield rate_hz, None, audio[dropped:]
        position_s += (len(audio) - dropped) / rate_hz


def _silence(samples: int, most: int) -> Iterator[Audio]:
    for start in range(0, samples, most):
        yield np.zeros(min(most, samples - start), np.float32)


def _converted(pieces: Iterable[tuple[int, Audio]], to_hz: int) -> Iterator[Audio]:
    """To one rate; a track may change its own on the way."""
    for rate_hz, run in groupby(pieces, key=itemgetter(0)):
        resampler = Resampler(rate_hz, to_hz)
        for _, audio in run:
            yield resampler.push(audio)
        yield resampler.flush()


class AudioWriter:
    """A sound file, mono, written as the samples come: ``with AudioWriter(path, 48000) as writer: writer.write(a)``.

    ``codec`` is one of flac (24 bits, so that rounding costs nothing), aac, libopus, pcm_s16le, pcm_s24le, and
    decides the container, whatever the file is called. When the block raises, the unfinished file is removed.
    Raises OSError when the folder is absent, ValueError for another codec.
    """

    def __init__(self, path: Path, sample_rate_hz: int, codec: str = "flac") -> None:
        if codec not in _CONTAINERS:
            raise ValueError(f"codec {codec!r} is unknown: one of {', '.join(_CONTAINERS)}")
        self.path, self.sample_rate_hz, self.samples = path, sample_rate_hz, 0
        if not path.parent.is_dir():  # FFmpeg finds out at the first packet, and does not name the file
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
        self._container = av.open(str(path), "w", format=_CONTAINERS[codec])
        self._stream = cast(AudioStream, self._container.add_stream(codec, rate=sample_rate_hz, layout="mono"))
        self._closed = False
        self._integer = codec in ("flac", "pcm_s24le")
        if self._integer:
            self._stream.format = av.AudioFormat("s32")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.close()
        finally:
            if kind is not None and self.path.is_file():  # never a device
                self.path.unlink()

    def write(self, audio: Audio) -> None:
        """Append float32 samples, shape (n,); beyond full scale is clipped.

        Raises MediaError for samples that are not finite, OSError when the disk is full.
        """
        if not len(audio):
            return
        if not np.isfinite(audio).all():
            raise MediaError(f"{self.path}: the sound after sample {self.samples} holds NaN or infinity")
        frame = self._frame(audio)
        frame.pts = self.samples
        self._container.mux(self._stream.encode(frame))
        self.samples += len(audio)

    def close(self) -> None:
        """Finish the file; twice does no harm. Raises OSError when the disk is full."""
        if self._closed:
            return
        self._closed = True
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def _frame(self, audio: Audio) -> av.AudioFrame:
        if not self._integer:
            return audio_frame(np.clip(audio, -1, 1), self.sample_rate_hz)
        scaled = np.rint(np.clip(audio.astype(np.float64) * _FULL_SCALE_24, -_FULL_SCALE_24, _FULL_SCALE_24 - 1))
        samples = scaled.astype(np.int32)[None] << 8
        frame = av.AudioFrame.from_ndarray(samples, format="s32", layout="mono")
        frame.sample_rate = self.sample_rate_hz
        return frame
