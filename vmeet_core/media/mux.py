"""Pictures and sound into MP4: H.264 and AAC, the index at the front, as every browser plays it."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from heapq import merge
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import av
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vmeet_core.media.audio import MediaError, read_audio
from vmeet_core.media.frames import Planes, video_frame
from vmeet_core.media.resampler import audio_frame

Packet: TypeAlias = "av.Packet[Any]"  # no generic at run time

KEYFRAME_S = 2
CRF = 24
#: Half the time of "veryfast" for a tenth more bytes (two people, 720p): what "ultrafast" leaves out at little gain.
#: There are no B-frames: in parts that are put together, nothing has to change places.
_X264 = "cabac=1:8x8dct=1:subme=1:deblock=0,0:aq-mode=1:mbtree=1:rc-lookahead=10:open-gop=0:stitchable=1"
AAC_BITS_PER_S = 128_000
_AAC = {"aac_coder": "fast"}  # a third of the time of "twoloop", at a bit rate that leaves room
_BT601, _BT709, _LIMITED = 6, 1, 1  # libavutil's numbers: SMPTE 170M matrix, BT.709 primaries and transfer, MPEG range
_FASTSTART = {"movflags": "+faststart"}


class PictureWriter:
    """An MP4 with H.264 alone: ``write`` takes I420 planes (BT.601, limited range) at a constant rate.

    It begins with a keyframe, has one every ``KEYFRAME_S`` and no picture that needs another one before a keyframe:
    files of the same format can be put together by ``join``, packet by packet.

    The matrix is tagged as BT.601 (SMPTE 170M), primaries and transfer as BT.709, which is what cameras give.
    When the block raises, the unfinished file is removed.
    """

    def __init__(self, path: Path, width: int, height: int, fps: Fraction, threads: int) -> None:
        self.path, self.frames = path, 0
        self._container = av.open(str(path), "w", format="mp4", options=_FASTSTART)
        options = {"preset": "ultrafast", "crf": str(CRF), "x264-params": _X264}
        stream = self._container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / fps
        context.gop_size = max(1, round(KEYFRAME_S * fps))
        context.thread_count = threads
        context.colorspace, context.color_range = _BT601, _LIMITED
        context.color_primaries, context.color_trc = _BT709, _BT709
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        if kind is not None:
            self.path.unlink(missing_ok=True)

    def write(self, planes: Planes) -> None:
        """The next picture; it is copied. Raises OSError when the disk is full."""
        frame = video_frame(planes)
        frame.pts, frame.time_base = self.frames, self._stream.codec_context.time_base
        self.frames += 1
        self._container.mux(self._stream.encode(frame))


def join(target: Path, picture: Path | Sequence[Path] | None, sound: Path | None, title: str = "") -> None:
    """Write an MP4 with the video stream of ``picture``, copied, and the sound of ``sound`` as AAC.

    A picture in parts comes one after the other. Either may be absent, not both. All are read side by side.
    Raises MediaError for pictures that differ in format, OSError for the files.
    """
    pictures = [picture] if isinstance(picture, Path) else picture or []
    with av.open(str(target), "w", format="mp4", options=_FASTSTART) as output:
        if title:
            output.metadata["title"] = title
        streams = [_copied(output, pictures)] if pictures else []
        streams += [_encoded(output, sound)] if sound else []
        for packet in merge(*streams, key=_dts_s):
            output.mux(packet)


def picture_at(path: Path, time_s: float) -> VideoFrame:
    """The picture shown at ``time_s``, the last one after the end. Raises ValueError for a file without pictures."""
    shown: VideoFrame | None = None
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        container.seek(int(max(0.0, time_s) * av.time_base))
        for frame in container.decode(stream):
            if shown is not None and frame.time is not None and frame.time > time_s:
                break
            shown = frame
    if shown is None:
        raise ValueError(f"{path} holds no picture")
    return shown


def _dts_s(packet: Packet) -> float:
    if packet.dts is None or packet.time_base is None:
        return 0.0
    return float(packet.dts * packet.time_base)


def _copied(output: OutputContainer, paths: Sequence[Path]) -> Iterator[Packet]:
    with av.open(str(paths[0])) as first:
        template = first.streams.video[0]
        stream = output.add_stream_from_template(template)
        form = _form(template)

    def packets() -> Iterator[Packet]:
        offset = 0
        for path in paths:
            end = offset
            with av.open(str(path)) as source:
                if _form(source.streams.video[0]) != form:
                    raise MediaError(f"{path} cannot follow {paths[0]} in one file: its pictures are coded otherwise")
                for packet in source.demux(source.streams.video[0]):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = stream
                    yield packet
            offset = end

    return packets()


def _form(stream: VideoStream) -> tuple[object, ...]:
    """What must be the same in all parts of one stream; the parameter sets are in ``extradata``."""
    context = stream.codec_context
    return context.name, context.width, context.height, stream.time_base, context.extradata


def _encoded(output: OutputContainer, path: Path) -> Iterator[Packet]:
    with av.open(str(path)) as source:
        rate_hz = source.streams.audio[0].rate
    stream = output.add_stream("aac", rate=rate_hz, layout="mono", options=_AAC)
    stream.bit_rate = AAC_BITS_PER_S

    def packets() -> Iterator[Packet]:
        position = 0
        for block in read_audio(path, rate_hz):
            frame = audio_frame(block, rate_hz)
            frame.pts, frame.time_base = position, Fraction(1, rate_hz)
            position += len(block)
            yield from stream.encode(frame)
        yield from stream.encode(None)

    return packets()
