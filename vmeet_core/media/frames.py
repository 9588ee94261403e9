"""Decoded pictures as I420 planes and back; scaling by libswscale, which keeps its tables from picture to picture."""

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from vmeet_core.color import Plane
from vmeet_core.hookspecs import Frame

Planes = tuple[Plane, Plane, Plane]
_BT601_LIMITED = (Colorspace.ITU601, 1)  # libavutil's AVCOL_RANGE_MPEG


def planes_of(frame: VideoFrame) -> Planes:
    """Views of a yuv420p picture: y (h, w), u and v ((h+1)//2, (w+1)//2), uint8. They live as long as ``frame``."""
    height, width = frame.height, frame.width
    half = ((height + 1) // 2, (width + 1) // 2)
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:rows, :columns]
        for plane, (rows, columns) in zip(frame.planes, ((height, width), half, half), strict=True)
    )
    return y, u, v


def frame_of(frame: VideoFrame) -> Frame:
    """The contract's Frame, sharing the memory of a yuv420p (or yuvj420p) picture."""
    full = frame.format.name == "yuvj420p" or frame.color_range == 2
    return Frame(*planes_of(frame), color="bt601-full" if full else "bt601-limited")


def video_frame(planes: Planes) -> VideoFrame:
    """A yuv420p picture with a copy of ``planes``."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for target, source in zip(planes_of(frame), planes, strict=True):
        target[:] = source
    return frame


class Scaler:
    """Pictures of any size, format, colour matrix and rotation to I420 planes, BT.601 limited range."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def scale(self, frame: VideoFrame, width: int, height: int) -> Planes:
        """Planes of ``width`` x ``height``, upright; they may share the memory of ``frame``."""
        turns = (frame.rotation // 90) % 4
        size = (height, width) if turns % 2 else (width, height)
        scaled = self._reformatter.reformat(
            frame,
            *size,
            "yuv420p",
            dst_colorspace=_BT601_LIMITED[0],
            dst_color_range=_BT601_LIMITED[1],
            interpolation="BILINEAR",
            threads=1,  # the encoder has the others
        )
        return _turned(planes_of(scaled), turns)


def upright_size(frame: VideoFrame) -> tuple[int, int]:
    """(width, height) as it is meant to be seen: rotation applied."""
    return (frame.height, frame.width) if (frame.rotation // 90) % 2 else (frame.width, frame.height)


def _turned(planes: Planes, turns: int) -> Planes:
    if not turns:
        return planes
    y, u, v = (np.rot90(plane, turns) for plane in planes)
    return y, u, v
