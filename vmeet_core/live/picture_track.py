"""One person's picture in a worker: decoded once, filtered, encoded in each size."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame

from vmeet_core.color import Plane
from vmeet_core.hookspecs import Frame, FrameStream
from vmeet_core.live.decoder import PictureDecoder
from vmeet_core.live.faults import FilterFault
from vmeet_core.live.messages import LiveFrame
from vmeet_core.live.pace import Pace
from vmeet_core.live.person_memory import PersonMemory
from vmeet_core.live.vp8_encoder import CLOCK_HZ, Vp8Encoder
from vmeet_core.media.frames import Planes, Scaler, frame_of, video_frame

WRAP = 1 << 32
FULL_PX = 1280 * 720


class Size(NamedTuple):
    """One of the sizes that are sent: ``height_px`` is that of the shorter side, of a camera held upright too.

    0 is the size of the camera; larger ones are never made. Its ``bitrate_bps`` is that of 720p: a camera that gives
    less takes less.
    """

    height_px: int
    bitrate_bps: int

    def bitrate_of(self, width_px: int, height_px: int) -> int:
        """For a picture of this size. Smaller pictures take more bits a pixel for the same looks."""
        if self.height_px:
            return self.bitrate_bps
        share: float = min(1.0, width_px * height_px / FULL_PX) ** 0.75
        return round(self.bitrate_bps * share)


class Filter(NamedTuple):
    """A filter of this track, by the name of its provider."""

    name: str
    stream: FrameStream


class PictureTrack:
    """``process`` gives what became of a frame; ``on_keyframe_wanted`` asks the sender for one.

    Nothing leaves it but what came out of every filter: where one fails, FilterFault is raised and no picture is made.
    """

    def __init__(
        self, filters: Sequence[Filter], sizes: Sequence[Size], epoch: int, on_keyframe_wanted: Callable[[], None]
    ) -> None:
        self._filters = filters
        self._epoch = epoch
        self._on_keyframe_wanted = on_keyframe_wanted
        self._decoder = PictureDecoder()
        self._sizes = list(sizes)
        self._encoders = [Vp8Encoder(size.bitrate_bps) for size in sizes]
        self._scalers = [Scaler() for _ in sizes]
        self._pts = 0
        self._timestamp: int | None = None  # of the picture before
        self._max_height_px, self._pace, self._shrinker = 0, Pace(), Scaler()
        self._person = PersonMemory()

    def process(self, frame: LiveFrame, worth_it: bool = True) -> list[LiveFrame]:
        """One frame in, one a size out; ``worth_it`` False decodes it only, since later ones need that.

        Raises FilterFault, and ValueError for a codec that is not a picture's.
        """
        picture = self._decoder.decode(frame.codec, frame.data, frame.keyframe)
        if picture is None:
            if self._decoder.needs_keyframe:
                self._on_keyframe_wanted()
            return []
        pts = self._unwrapped(frame.rtp_timestamp)
        if not worth_it or not self._pace.takes(pts / CLOCK_HZ):
            return []
        return self._encoded(self._filtered(picture, pts), pts, frame)

    def _filtered(self, picture: VideoFrame, pts: int) -> Frame:
        found = self._limited(picture)
        size, pts_s = found.y.shape, pts / CLOCK_HZ
        given = self._person.recall(size, pts_s)
        found = _read_only(found, given)
        for each in self._filters:
            try:
                after = each.stream.process(found, pts_s)
            except Exception as error:
                raise FilterFault(each.name, f"{type(error).__name__}: {error}") from error
            refused = _why_not(found, after)
            if refused:
                raise FilterFault(each.name, refused)
            found = _read_only(after, found.person if after.person is None else after.person)
        if found.person is not given:
            self._person.keep(found.person, size, pts_s)
        return found

    def _limited(self, picture: VideoFrame) -> Frame:
        """Not larger than it may be: smaller before the filters, since these cost most."""
        planes = shrunk(picture, self._max_height_px, self._shrinker)
        return frame_of(picture) if planes is None else Frame(*planes)

    def _encoded(self, frame: Frame, pts: int, source: LiveFrame) -> list[LiveFrame]:
        picture = video_frame((frame.y, frame.u, frame.v))
        picture.color_range = 2 if frame.color == "bt601-full" else 1
        made = []
        for index, (size, encoder) in enumerate(zip(self._sizes, self._encoders, strict=True)):
            scaled = self._scaled(picture, size, index)
            encoder.set_bitrate(size.bitrate_of(scaled.width, scaled.height))
            encoded = encoder.encode(scaled, pts)
            if encoded is not None:
                made.append(source._replace(codec="vp8", epoch=self._epoch, size=index, **encoded._asdict()))
        return made

    def _scaled(self, picture: VideoFrame, size: Size, index: int) -> VideoFrame:
        planes = shrunk(picture, size.height_px, self._scalers[index])
        return picture if planes is None else video_frame(planes)

    def _unwrapped(self, rtp_timestamp: int) -> int:
        """RTP timestamps wrap after 13 hours, and a camera may begin anew; what the encoder gets has to grow."""
        step = 0 if self._timestamp is None else (rtp_timestamp - self._timestamp + WRAP // 2) % WRAP - WRAP // 2
        self._pts = rtp_timestamp if self._timestamp is None else self._pts + max(step, 1)
        self._timestamp = rtp_timestamp
        return self._pts

    def update(self, name: str, options: object) -> None:
        """Other options for a filter, from the next picture on. Raises FilterFault."""
        for each in self._filters:
            if each.name == name:
                try:
                    each.stream.update(options)
                except Exception as error:
                    raise FilterFault(name, f"{type(error).__name__}: {error}") from error

    def request_keyframe(self) -> None:
        """The next picture of every size can be decoded by itself."""
        for encoder in self._encoders:
            encoder.request_keyframe()

    def set_bitrate(self, size: int, bitrate_bps: int) -> None:
        """Of one size. Raises IndexError where there is none such."""
        self._sizes[size] = self._sizes[size]._replace(bitrate_bps=bitrate_bps)

    def limit(self, max_height_px: int, max_fps: float) -> None:
        """From the next picture on its shorter side is no longer, and no more come in a second; 0: no limit."""
        self._max_height_px, self._pace = max_height_px, Pace(max_fps)

    def close(self) -> None:
        """Close filters, decoder and encoders; twice is harmless. What a filter raises then is of no consequence."""
        filters, self._filters = self._filters, ()
        for each in filters:
            try:
                each.stream.close()
            except Exception:  # it has done its work
                continue
        self._decoder.close()
        for encoder in self._encoders:
            encoder.close()


def shrunk(picture: VideoFrame, shorter_px: int, scaler: Scaler) -> Planes | None:
    """Its planes, with a shorter side of ``shorter_px``; None where it is no larger, or that is 0."""
    now_px = min(picture.width, picture.height)
    if not 0 < shorter_px < now_px:
        return None
    scale = shorter_px / now_px
    width_px, height_px = (max(round(side * scale / 2) * 2, 2) for side in (picture.width, picture.height))
    return scaler.scale(picture, width_px, height_px)


def _read_only(frame: Frame, person: Plane | None) -> Frame:
    y, u, v = (_locked(plane) for plane in (frame.y, frame.u, frame.v))
    return Frame(y, u, v, frame.color, None if person is None else _locked(person))


def _locked(plane: Plane) -> Plane:
    """A view that cannot be written; one that cannot be is given back itself."""
    if not plane.flags.writeable:
        return plane
    view = plane.view()
    view.flags.writeable = False
    return view


def _why_not(before: Frame, after: object) -> str | None:
    """What is wrong with a filter's answer."""
    if not isinstance(after, Frame):
        return f"gave a {type(after).__name__} instead of a Frame"
    for name in ("y", "u", "v"):
        wanted, given = getattr(before, name), getattr(after, name)
        if not isinstance(given, np.ndarray) or given.dtype != np.uint8 or given.shape != wanted.shape:
            shape = getattr(given, "shape", type(given).__name__)
            return f"gave {name} as {getattr(given, 'dtype', '?')} {shape}, not uint8 {wanted.shape}"
    if after.color not in ("bt601-limited", "bt601-full"):
        return f"gave the unknown colour range {after.color!r}"
    return _why_no_person(after.person)


def _why_no_person(given: object) -> str | None:
    if given is None or (isinstance(given, np.ndarray) and given.ndim == 2 and given.dtype == np.uint8 and given.size):
        return None
    facts = f"{given.dtype} {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__
    return f"gave person as {facts}, not uint8 (height, width)"
