"""Media files read by their timestamps, as far as they go: a file that a kill cut short is read up to there."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame

from vmeet_core.hookspecs import Audio
from vmeet_core.media.resampler import Resampler

_JITTER_S = 0.015  # timestamps are whole milliseconds in Matroska; less than one Opus packet
_ROUNDED_S = 0.0011
_BLOCK_S = 1.0


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer | None]:
    """The container; None for a file that has not even a header."""
    try:
        container = av.open(str(path))
    except FileNotFoundError:
        raise
    except (av.FFmpegError, OSError):
        yield None
        return
    with container:
        yield container


@contextmanager
def _opened_at(path: Path, from_s: float) -> Iterator[InputContainer | None]:
    """The container, to be read from a keyframe before ``from_s`` on, where that can be had, else from its start."""
    if from_s > 0 and _can_seek(path, from_s):
        with _opened(path) as container:
            if container is not None:
                _seek(container, from_s)
            yield container
    else:
        with _opened(path) as container:
            yield container


def _can_seek(path: Path, from_s: float) -> bool:
    """Whether seeking leads to a keyframe at or before that time; with a wrong index, or none, it may not."""
    with _opened(path) as container:
        if container is None or not container.streams.video:
            return False
        try:
            _seek(container, from_s)
        except (av.FFmpegError, OSError):
            return False
        packet = next(_packets(container, container.streams.video[0]), None)
        if packet is None or packet.pts is None or packet.time_base is None:
            return False
        return packet.is_keyframe and packet.pts * packet.time_base <= from_s


def _seek(container: InputContainer, time_s: float) -> None:
    stream = container.streams.video[0]
    container.seek(int(time_s / (stream.time_base or 1)), stream=stream, backward=True)


def segment_duration_s(path: Path) -> float:
    """End of the last packet, found by reading the file through: for files whose header does not say.

    0 for a file without content. Raises FileNotFoundError.
    """
    end_s = 0.0
    with _opened(path) as container:
        for packet in _packets(container, container.streams[0]) if container and container.streams else ():
            if packet.pts is not None and packet.time_base is not None:
                end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return end_s


def keyframe_times_s(path: Path) -> list[float]:
    """Of the first video track, in order, found by reading the file through. Raises FileNotFoundError."""
    with _opened(path) as container:
        if container is None or not container.streams.video:
            return []
        return sorted(
            float(packet.pts * packet.time_base)
            for packet in _packets(container, container.streams.video[0])
            if packet.is_keyframe and packet.pts is not None and packet.time_base is not None
        )


def segment_sound(path: Path, start_s: float, duration_s: float, sample_rate_hz: int) -> Iterator[Audio]:
    """The first sound track from its time ``start_s`` on, mono float32 in blocks, filled up to ``duration_s``.

    Yields ``round(duration_s * sample_rate_hz)`` samples in all. Timestamps are obeyed: gaps, and what lies before
    the beginning or after the end, become silence; what overlaps is dropped. Raises FileNotFoundError.
    """
    left = round(duration_s * sample_rate_hz)
    for block in _at_rate(_aligned(_sound_frames(path), start_s, duration_s), sample_rate_hz):
        yield block[:left]
        left -= min(left, len(block))
        if not left:
            return
    yield from silence(left, sample_rate_hz)


def segment_pictures(path: Path, threads: int = 1, from_s: float = 0.0) -> Iterator[tuple[float, VideoFrame]]:
    """Decoded pictures of the first video track, each with its time in seconds. Raises FileNotFoundError.

    Those from the last keyframe before ``from_s`` on, or from an earlier one where the file cannot say: enough to
    know what is seen from ``from_s`` on.
    """
    with _opened_at(path, from_s) as container:
        if container is None or not container.streams.video:
            return
        stream = container.streams.video[0]
        stream.codec_context.thread_count = threads
        stream.thread_type = "AUTO" if threads > 1 else "NONE"
        for frame in _decoded(container, stream):
            if isinstance(frame, VideoFrame) and frame.time is not None:
                yield frame.time, frame


def silence(samples: int, block: int) -> Iterator[Audio]:
    """``samples`` zeros in blocks of at most ``block``."""
    for start in range(0, samples, block):
        yield np.zeros(min(block, samples - start), np.float32)


def _packets(container: InputContainer, stream: Stream) -> Iterator["av.Packet[Any]"]:
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except (StopIteration, av.FFmpegError, OSError):
            return


def _decoded(container: InputContainer, stream: Stream) -> Iterator[object]:
    """All frames that can be decoded; a damaged packet costs only itself."""
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except (av.FFmpegError, OSError):
            continue
        yield from frames


def _sound_frames(path: Path) -> Iterator[tuple[float | None, AudioFrame]]:
    """With their times. That of the first, of which samples were dropped, is rounded: the second one says it."""
    with _opened(path) as container:
        if container is None or not container.streams.audio:
            return
        decoded = (each for each in _decoded(container, container.streams.audio[0]) if isinstance(each, AudioFrame))
        first, second = next(decoded, None), next(decoded, None)
        if first is None:
            return
        yield _exact_time_s(first, second), first
        for frame in chain([second] if second is not None else [], decoded):
            yield frame.time, frame


def _exact_time_s(first: AudioFrame, second: AudioFrame | None) -> float | None:
    if first.time is None or second is None or second.time is None:
        return first.time
    exact_s = second.time - first.samples / first.sample_rate
    return exact_s if abs(exact_s - first.time) <= _ROUNDED_S else first.time


def _aligned(
    frames: Iterator[tuple[float | None, AudioFrame]], start_s: float, duration_s: float
) -> Iterator[tuple[int, Audio]]:
    """(sample rate, samples), one after the other without a gap from ``start_s`` to ``start_s + duration_s``."""
    position_s, end_s = start_s, start_s + duration_s
    for time_s, frame in frames:
        rate_hz, samples = frame.sample_rate, _mono(frame)
        gap_s = 0.0 if time_s is None else min(time_s, end_s) - position_s
        if gap_s > _JITTER_S:
            yield from ((rate_hz, block) for block in silence(round(gap_s * rate_hz), rate_hz))
            position_s += round(gap_s * rate_hz) / rate_hz
        elif gap_s < -_JITTER_S or position_s == start_s:
            samples = samples[max(0, round(-gap_s * rate_hz)) :]
        if position_s >= end_s:
            return
        yield rate_hz, samples
        position_s += len(samples) / rate_hz


def _mono(frame: AudioFrame) -> Audio:
    """The average of the channels, whatever the sample format."""
    converter = av.AudioResampler(format="fltp", layout=frame.layout.name, rate=frame.sample_rate)
    frame.pts = None
    planes = [converted.to_ndarray() for converted in converter.resample(frame)]
    if not planes:
        return np.zeros(0, np.float32)
    mono: Audio = np.concatenate(planes, axis=1).mean(axis=0, dtype=np.float32)
    return mono


def _at_rate(pieces: Iterator[tuple[int, Audio]], to_hz: int) -> Iterator[Audio]:
    """To one rate; a file may change its own on the way."""
    resampler: Resampler | None = None
    for rate_hz, samples in pieces:
        if resampler is None or resampler.from_hz != rate_hz:
            if resampler is not None:
                yield resampler.flush()
            resampler = Resampler(rate_hz, to_hz)
        yield resampler.push(samples)
    if resampler is not None:
        yield resampler.flush()
