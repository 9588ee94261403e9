"""One Matroska file of one track, written frame by frame so that a kill loses at most a fraction of a second."""

import io
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet

from vmeet_core.media.encoded import CLOCK_HZ, EncodedFrame
from vmeet_core.recording.sound_tail import SoundTail

MOST_LATE_S = 3.0
#: Clusters of 200 ms, flushed at once: with the default of 5 s a kill loses 5 s.
OPTIONS = {"flush_packets": "1", "cluster_time_limit": "200"}


def picture_size(frame: EncodedFrame) -> tuple[int, int]:
    """(width, height) in pixels of a keyframe; (0, 0) for sound. Raises ValueError when there is none in it."""
    if frame.codec == "vp8":
        if len(frame.data) < 10 or frame.data[3:6] != b"\x9d\x01\x2a":
            raise ValueError("not a VP8 keyframe")
        width, height = (int.from_bytes(frame.data[i : i + 2], "little") & 0x3FFF for i in (6, 8))
        return width, height
    if frame.codec == "h264":
        with _as_h264_file(frame.data) as container:
            context: Any = container.streams.video[0].codec_context
            return context.width, context.height
    return 0, 0


def parameter_sets(access_unit: bytes) -> tuple[bytes, ...]:
    """The SPS and PPS of an H.264 access unit in Annex B form: NAL unit types 7 and 8 (H.264, 7.3.1 and B.1)."""
    units = (unit.rstrip(b"\0") for unit in access_unit.split(b"\0\0\1")[1:])
    return tuple(unit for unit in units if unit and unit[0] & 0x1F in (7, 8))


class SegmentWriter:
    """Opens with the frame that starts it (a keyframe); presentation time 0 is that frame.

    ``wall_s`` is when the latest frame arrived, ``written_s`` when it was written (monotonic clock).
    Raises OSError (FFmpeg's errors are OSErrors) when the disk does not take it, ValueError for a bad first frame.
    """

    def __init__(self, path: Path, first: EncodedFrame) -> None:
        self.path = path
        self.codec = first.codec
        self.ssrc = first.ssrc
        self.size_px = picture_size(first)
        self._parameter_sets = parameter_sets(first.data) if first.codec == "h264" else ()
        self.frames = 0
        self.wall_s = first.wall_s
        self.written_s = time.monotonic()
        self.tail = SoundTail() if first.codec == "opus" else None
        self._fastest_s = float("inf")  # the earliest that time 0 would have come, as the frames came
        self._clock_hz = CLOCK_HZ[first.codec]
        self._time_base = Fraction(1, self._clock_hz)
        self._last_rtp = first.rtp_timestamp
        self._pts = 0
        self._container = av.open(str(path), "w", format="matroska", options=OPTIONS)
        self._stream = self._add_stream(first)

    def _add_stream(self, first: EncodedFrame) -> Any:
        if first.codec == "opus":
            return self._container.add_stream("libopus", rate=48_000, layout="stereo")
        if first.codec == "h264":
            with _as_h264_file(first.data) as template:
                return self._container.add_stream_from_template(template.streams.video[0])
        return self._container.add_mux_stream(first.codec, rate=30, width=self.size_px[0], height=self.size_px[1])

    @property
    def duration_s(self) -> float:
        """From the first frame to the latest."""
        return self._pts / self._clock_hz

    def continues(self, frame: EncodedFrame) -> bool:
        """Whether this frame belongs into the same file."""
        if frame.codec != self.codec or frame.ssrc != self.ssrc:
            return False
        if not frame.keyframe or frame.codec == "opus":
            return True
        if frame.codec == "h264":  # the file's header holds the first ones, and players go by it
            return parameter_sets(frame.data) in ((), self._parameter_sets)
        return picture_size(frame) == self.size_px

    def time_s(self, frame: EncodedFrame) -> float:
        """Where the next frame, if it is this one, lies in the file."""
        return self._pts_of(frame) / self._clock_hz

    def due_s(self, frame: EncodedFrame) -> float:
        """When the next frame would have arrived (Unix time), had it been under way no longer than the fastest one.

        What would be later by more than ``MOST_LATE_S`` was not: its sender's timestamps have stood still.
        """
        time_s = self.time_s(frame)
        return max(min(self._fastest_s, frame.wall_s - time_s) + time_s, frame.wall_s - MOST_LATE_S)

    def opening(self, frame: EncodedFrame) -> EncodedFrame:
        """A keyframe of this track, such that another file can open with it: H.264 needs its parameter sets."""
        if frame.codec != "h264" or parameter_sets(frame.data):
            return frame
        return replace(frame, data=b"".join(b"\0\0\0\1" + unit for unit in self._parameter_sets) + frame.data)

    def write(self, frame: EncodedFrame) -> None:
        """Append one frame."""
        self._pts = self._pts_of(frame)
        self._last_rtp = frame.rtp_timestamp
        self._fastest_s = min(self._fastest_s, frame.wall_s - self.duration_s)
        self.wall_s, self.written_s = frame.wall_s, time.monotonic()
        if self.tail is not None:
            self.tail.add(frame)
        packet = Packet(frame.data)
        packet.stream = self._stream
        packet.pts = packet.dts = self._pts
        packet.time_base = self._time_base
        packet.is_keyframe = frame.keyframe
        self._container.mux(packet)
        self.frames += 1

    def _pts_of(self, frame: EncodedFrame) -> int:
        step: int = (frame.rtp_timestamp - self._last_rtp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        return max(self._pts + step, self._pts + 1 if self.frames else 0)

    def close(self) -> None:
        """Finish the file; what was written stays readable even if this fails."""
        self._container.close()


def _as_h264_file(access_unit: bytes) -> InputContainer:
    """An Annex B access unit as FFmpeg sees a file of it, with size and parameter sets. Raises ValueError."""
    try:
        container = av.open(io.BytesIO(access_unit), "r", format="h264")
    except av.FFmpegError as error:
        raise ValueError(f"not an H.264 keyframe: {error}") from error
    if not container.streams.video[0].codec_context.width:
        container.close()
        raise ValueError("no H.264 parameter set in the keyframe")
    return container
