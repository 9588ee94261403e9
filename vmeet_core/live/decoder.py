"""Compressed pictures of one person, decoded one by one."""

from typing import Any

import av
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame

NAMES = {"vp8": "vp8", "h264": "h264"}


class PictureDecoder:
    """VP8 or H.264, one thread, no delay. After something that could not be decoded it waits for a keyframe."""

    def __init__(self) -> None:
        self.needs_keyframe = True
        self._name = ""
        self._codec: Any = None

    def decode(self, codec: str, data: bytes, keyframe: bool) -> VideoFrame | None:
        """The picture as yuv420p, None while there is none. Raises ValueError for a codec that is not a picture's."""
        if codec not in NAMES:
            raise ValueError(f"{codec} is no codec of pictures")
        if codec != self._name:
            self._open(codec)
        if self.needs_keyframe and not keyframe:
            return None
        try:
            pictures = self._codec.decode(Packet(data))
        except FFmpegError:  # damaged: what follows depends on it
            self._open(codec)
            return None
        self.needs_keyframe = False
        if not pictures:
            return None
        picture: VideoFrame = pictures[-1]
        return picture if picture.format.name in ("yuv420p", "yuvj420p") else picture.reformat(format="yuv420p")

    def _open(self, name: str) -> None:
        self._name, self.needs_keyframe = name, True
        self._codec = av.CodecContext.create(NAMES[name], "r")
        self._codec.thread_count = 1
        self._codec.flags |= 1 << 19  # AV_CODEC_FLAG_LOW_DELAY

    def close(self) -> None:
        """Free the decoder; twice is harmless."""
        self._codec, self._name = None, ""
