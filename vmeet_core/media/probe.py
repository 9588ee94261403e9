"""What a media file holds, found by reading it through rather than by believing its header."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vmeet_core.media.audio import MediaError
from vmeet_core.media.frames import upright_size

_MAX_PACKETS = 500  # a stream that yields nothing by then is none
_NO_MEDIA = ("tty", "bin", "xbin", "adf", "idf", "image2")  # FFmpeg draws text as pictures of a terminal
_FPS = (1, 60)
_DEFAULT_FPS = Fraction(30)


class PictureInfo(NamedTuple):
    """Upright size and mean rate."""

    width: int
    height: int
    fps: Fraction


class MediaInfo(NamedTuple):
    """``start_s`` is the file's first timestamp, ``duration_s`` counts from there; codec names, None without."""

    start_s: float
    duration_s: float
    sound_codec: str | None
    picture_codec: str | None
    picture: PictureInfo | None


def probe(path: Path) -> MediaInfo:
    """Raises MediaError, naming the file, for what is no media file or has neither sound nor moving pictures."""
    try:
        return _probe(path)
    except av.FFmpegError as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise MediaError(f"{path}: {error.strerror}") from None
        raise MediaError(f"{path} is no media file that can be read: {error.strerror}") from None


def _probe(path: Path) -> MediaInfo:
    with av.open(str(path)) as container:
        if container.format.name in _NO_MEDIA or container.format.name.endswith("_pipe"):
            raise MediaError(f"{path} is no media file: it holds text or a still picture")
        sounds = list(container.streams.audio[:1])
        pictures = [stream for stream in container.streams.video if not _is_cover(stream)][:1]
        first = {stream.index: _first_frame(path, stream) for stream in [*sounds, *pictures]}
        sound = next((stream for stream in sounds if first[stream.index]), None)
        picture = next((stream for stream in pictures if first[stream.index]), None)
        if sound is None and picture is None:
            raise MediaError(f"{path} holds no sound and no moving pictures that can be decoded")
        start_s, end_s = _extent_s(container, [stream for stream in (sound, picture) if stream is not None])
        shown = first[picture.index] if picture else None
        return MediaInfo(
            start_s=start_s,
            duration_s=end_s - start_s,
            sound_codec=sound.codec_context.name if sound else None,
            picture_codec=picture.codec_context.name if picture else None,
            picture=PictureInfo(*upright_size(shown), _fps(picture))
            if picture and isinstance(shown, VideoFrame)
            else None,
        )


def first_frames(path: Path, options: dict[str, str]) -> float | None:
    """A quick look: something can be decoded. The length that the header tells, None when it does not.

    ``options`` are FFmpeg's for the demuxer. Raises MediaError (without the file's name) and av.FFmpegError.
    """
    with av.open(str(path), options=options) as container:
        streams = [*container.streams.audio[:1], *(s for s in container.streams.video if not _is_cover(s))]
        if not any(_first_frame(path, stream, options) for stream in streams[:2]):
            raise MediaError("it holds no sound and no moving pictures that can be decoded")
        return container.duration / av.time_base if container.duration else None


def _is_cover(stream: Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _first_frame(path: Path, stream: Stream, options: dict[str, str] | None = None) -> VideoFrame | AudioFrame | None:
    """The first frame that decodes, of the stream with this number; opened anew, so that nothing is skipped."""
    with av.open(str(path), options=options) as container:
        for number, packet in enumerate(container.demux(container.streams[stream.index])):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                frames = []
            for frame in frames:
                if isinstance(frame, VideoFrame | AudioFrame):
                    return frame
            if number > _MAX_PACKETS:
                break
    return None


def _extent_s(container: InputContainer, streams: list[Stream]) -> tuple[float, float]:
    starts, ends = [], [0.0]
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            break
        if packet.pts is not None and packet.time_base is not None:
            starts.append(float(packet.pts * packet.time_base))
            ends.append(float((packet.pts + (packet.duration or 0)) * packet.time_base))
    start_s = min(starts, default=0.0)
    if container.start_time is not None:
        # Packets may begin before what is to be heard: an encoder's priming.
        start_s = max(start_s, container.start_time / av.time_base)
    return start_s, max(ends)


def _fps(stream: VideoStream) -> Fraction:
    rate = stream.average_rate
    return rate if rate and _FPS[0] <= rate <= _FPS[1] else _DEFAULT_FPS
