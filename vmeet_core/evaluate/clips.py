"""Films without truth: how much a mask flickers where nothing moves, and how late it follows what does."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from vmeet_core.evaluate.comparison import CompareError
from vmeet_core.evaluate.matting import Alpha, moving_alphas, still_alpha
from vmeet_core.evaluate.portraits import read_only
from vmeet_core.hookspecs import Frame, FrameFilter, Options
from vmeet_core.media.frames import Scaler, upright_size

SUFFIXES = (".mp4", ".webm", ".mkv")
MOST_FRAMES = 300
STILL_LEVELS = 2  #: luma that changes by less, after a 3x3 blur, stands still
MOVED_LEVELS = 8  #: luma that changes by at least so much has moved
LAG_FRAMES = 4  #: a lag is told up to here
_LAG_EVERY = 30  # one window of LAG_FRAMES + 1 frames in so many
_STEP, _STAYS = 0.5, 0.25  # how far a still mask steps at least, and may change afterwards at most

Luma = NDArray[np.float32]


class Clip(NamedTuple):
    """One file."""

    name: str
    path: Path


def find_clips(folder: Path) -> list[Clip]:
    return [Clip(path.name, path) for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES and path.is_file()]


def read_clip(clip: Clip) -> Iterator[tuple[Frame, float]]:
    """The first frames with their times in s from the first. Raises CompareError for what is no film."""
    scaler = Scaler()
    count = 0
    try:
        with av.open(str(clip.path)) as container:
            if not container.streams.video:
                raise CompareError(f"{clip.path} has no picture: replace or remove it")
            start_s: float | None = None
            for frame in islice(container.decode(container.streams.video[0]), MOST_FRAMES):
                time_s = frame.time if frame.time is not None else count / 30
                start_s = time_s if start_s is None else start_s
                y, u, v = map(np.array, scaler.scale(frame, *upright_size(frame)))
                yield read_only(Frame(y, u, v)), time_s - start_s
                count += 1
    except av.FFmpegError as error:
        raise CompareError(f"{clip.path} cannot be read as a film ({error.strerror}): replace or remove it") from error
    if count < 2:
        raise CompareError(f"{clip.path} holds {count} pictures, and change needs two: replace or remove it")


def check_clip(clip: Clip) -> None:
    """Raises CompareError for a clip whose first pictures cannot be read."""
    for _ in islice(read_clip(clip), 2):
        pass


def blurred(luma: NDArray[np.uint8]) -> Luma:
    """The mean of each 3x3 pixels."""
    wide = np.pad(luma.astype(np.float32), 1, mode="edge")
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    mean: Luma = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
    return mean


class Flicker:
    """The mean absolute change of alpha from frame to frame where the picture stands still."""

    def __init__(self) -> None:
        self._before: tuple[Luma, Alpha] | None = None
        self._sum, self._count = 0.0, 0

    def add(self, luma: NDArray[np.uint8], alpha: Alpha) -> None:
        now = blurred(luma), alpha
        if self._before is not None and self._before[1].shape == alpha.shape:
            still = np.abs(now[0] - self._before[0]) < STILL_LEVELS
            self._sum += float(np.abs(alpha - self._before[1])[still].sum(dtype=np.float64))
            self._count += int(np.count_nonzero(still))
        self._before = now

    @property
    def value(self) -> float | None:
        """None where nothing stood still."""
        return self._sum / self._count if self._count else None


class MotionLag:
    """By how many frames the mask of a running film follows the masks of the same frames standing still.

    Where the still mask steps between the first two frames of a window and then stays, the lag is the area between the
    step and the running mask's answer to it: 1 for a mask that is one frame late, (1 - a) / a for one that takes the
    share a of each new mask.
    """

    def __init__(self) -> None:
        self._area, self._count = 0.0, 0

    def add(self, lumas: Sequence[NDArray[np.uint8]], running: Sequence[Alpha], still: Sequence[Alpha]) -> None:
        """One window: frames in a row, LAG_FRAMES after the first."""
        step = still[1] - still[0]
        chosen = (np.abs(blurred(lumas[1]) - blurred(lumas[0])) >= MOVED_LEVELS) & (np.abs(step) > _STEP)
        for later in still[2:]:
            chosen &= np.abs(later - still[1]) < _STAYS
        for wanted, got in zip(still[1:], running[1:], strict=True):
            self._area += float(((wanted - got)[chosen] / step[chosen]).sum(dtype=np.float64))
        self._count += int(np.count_nonzero(chosen))

    @property
    def value(self) -> float | None:
        """None where nothing moved."""
        return self._area / self._count if self._count else None


def clip_scores(clip: Clip, engine: FrameFilter, options: Options) -> dict[str, float]:
    """``flicker`` and ``motion_lag``, as far as the clip tells them."""
    flicker, lag = Flicker(), MotionLag()
    recent: deque[tuple[Frame, Alpha]] = deque(maxlen=LAG_FRAMES + 1)
    for number, (frame, alpha) in enumerate(moving_alphas(engine, options, read_clip(clip))):
        flicker.add(frame.y, alpha)
        recent.append((frame, alpha))
        if number % _LAG_EVERY == 2 * LAG_FRAMES and len({one.y.shape for one, _ in recent}) == 1:
            frames, running = zip(*recent, strict=True)
            still = [still_alpha(engine, options, one) for one in frames]
            lag.add([one.y for one in frames], running, still)
    found = {"flicker": flicker.value, "motion_lag": lag.value}
    return {name: value for name, value in found.items() if value is not None}
