"""What an effect costs without its network: ms of one core for a 720p picture, step by step, against plain numpy.

    python benchmarks/effects.py [--rounds 5] [--frames 40]

Of several rounds the least counts, since other work on the machine only adds. One JSON object is the last line.
"""

import argparse
import json
import time
from collections.abc import Callable

import cv2
import numpy as np

from vmeet_core.effects.background import Blur, Picture
from vmeet_core.effects.compose import Composer
from vmeet_core.effects.light_wrap import LightWrap
from vmeet_core.effects.options import EffectOptions
from vmeet_core.effects.pictures import built_in
from vmeet_core.effects.planes import Alpha, blend, shrunk
from vmeet_core.effects.seam import Mask, SoftEdge
from vmeet_core.effects.temporal import MaskSmoother
from vmeet_core.hookspecs import Frame

HEIGHT, WIDTH = 720, 1280
MASK_SIZE = 160, 288  # as vmeet-pointrend has it
FRAME_S = 1 / 30
COMPOSED = {
    "compose_blur": EffectOptions(effect="blur"),
    "compose_colour": EffectOptions(background="#20603c"),
    "compose_picture": EffectOptions(background="bookshelf"),
    "compose_picture_without_light": EffectOptions(background="bookshelf", light_wrap=0),
}
Step = Callable[[float], object]  # takes the picture's time in seconds


def scene() -> tuple[Frame, Mask]:
    """A noisy room with someone before it, and a mask with a soft edge."""
    rng = np.random.default_rng(0)
    y, x = np.ogrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    person = (((x - 0.5) / 0.14) ** 2 + ((y - 0.36) / 0.24) ** 2 < 1) | (
        ((x - 0.5) / 0.3) ** 2 + (y - 1) ** 2 / 0.2 < 1
    )
    luma = np.where(person, 150, 60 + 60 * ((x * 30).astype(int) % 2)) + rng.normal(0, 3, (HEIGHT, WIDTH))
    u, v = (rng.integers(110, 146, (HEIGHT // 2, WIDTH // 2), dtype=np.uint8) for _ in range(2))
    small = cv2.resize(person.astype(np.float32), MASK_SIZE[::-1], interpolation=cv2.INTER_AREA)
    return Frame(luma.astype(np.uint8), u, v), cv2.GaussianBlur(small, (0, 0), 0.7)


def baselines(frame: Frame, mask: Mask) -> dict[str, Step]:
    """The same blend in numpy alone, in float32: of the planes as they are, and by way of RGB as is common."""
    rows, columns = (np.arange(n) * m // n for n, m in zip((HEIGHT, WIDTH), MASK_SIZE, strict=True))
    picture = built_in("bookshelf")
    back = Frame.from_rgb(picture)

    def mixed(front: np.ndarray, behind: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        return (front * alpha + behind * (1 - alpha) + np.float32(0.5)).astype(np.uint8)

    def planes(_: float) -> Frame:
        alpha = mask[np.ix_(rows, columns)]
        half = alpha[::2, ::2]
        return Frame(mixed(frame.y, back.y, alpha), mixed(frame.u, back.u, half), mixed(frame.v, back.v, half))

    def rgb(_: float) -> Frame:
        return Frame.from_rgb(mixed(frame.rgb(), picture, mask[np.ix_(rows, columns)][..., None]))

    return {"numpy_blend_i420": planes, "numpy_blend_rgb": rgb}


def steps(frame: Frame, mask: Mask) -> dict[str, Step]:
    small = shrunk(frame.y, mask.shape)
    edge, wrap, smoother = SoftEdge(), LightWrap(), MaskSmoother(0.5)
    blur, picture = Blur(0.6), Picture(built_in("bookshelf"))
    alpha = Alpha(*(plane.copy() for plane in SoftEdge().alpha(mask, small, frame.y, 0.3)))
    behind, light = picture.backdrop(frame, alpha)
    return {
        "luma_at_mask_size": lambda _: shrunk(frame.y, mask.shape),
        "temporal": lambda pts_s: smoother.smooth(mask, small, pts_s),
        "seam": lambda _: edge.alpha(mask, small, frame.y, 0.3),
        "blur": lambda _: blur.backdrop(frame, alpha),
        "picture": lambda _: picture.backdrop(frame, alpha),
        "light_wrap": lambda _: wrap.lit(frame, light, alpha, 0.15),
        "blend": lambda _: blend(frame, behind, alpha),
    }


def composed(frame: Frame, mask: Mask) -> dict[str, Step]:
    def step(options: EffectOptions) -> Step:
        composer = Composer(options)
        return lambda pts_s: composer.compose(frame, mask, pts_s)

    return {name: step(options) for name, options in COMPOSED.items()}


def cpu_ms(step: Step, frames: int) -> float:
    """The median of ``frames`` runs, CPU of this thread, the system's part for fresh memory included."""
    taken = []
    for n in range(frames):
        start = time.thread_time()
        step(n * FRAME_S)
        taken.append(1000 * (time.thread_time() - start))
    return float(np.median(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=40)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    frame, mask = scene()
    groups = [baselines(frame, mask), steps(frame, mask), composed(frame, mask)]
    everything = {name: step for group in groups for name, step in group.items()}
    rounds = [{name: cpu_ms(step, given.frames) for name, step in everything.items()} for _ in range(given.rounds)]
    results = {name: round(min(each[name] for each in rounds), 3) for name in everything}
    for name, value in results.items():
        print(f"{name:32} {value:7.2f} ms")
    print(json.dumps({"size": f"{WIDTH}x{HEIGHT}", "threads": 1, "ms_per_frame": results}))


if __name__ == "__main__":
    main()
