"""Turns clothing-co-parsing into three memory-mapped arrays: pixels, groups of labels, backgrounds without people."""

import argparse
import hashlib
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.io import loadmat

# Groups of the 59 labels; the network learns them beside the mask, as an auxiliary task.
CLOTHES, SKIN, HAIR, HEADWEAR, BAG = 1, 2, 3, 4, 5
GROUP_NAMES = ("background", "clothes", "skin", "hair", "headwear", "bag")
_GROUP_OF_LABEL = np.full(256, CLOTHES, np.uint8)
_GROUP_OF_LABEL[0] = 0
for _group, _labels in ((SKIN, (41,)), (HAIR, (19,)), (HEADWEAR, (17, 20, 47)), (BAG, (2, 33, 56))):
    _GROUP_OF_LABEL[list(_labels)] = _group

Array = np.ndarray[Any, np.dtype[np.uint8]]


def held_out(name: str) -> bool:
    """About one photo in ten, fixed by its file name."""
    return hashlib.sha256(name.encode()).digest()[0] < 26


def extract(repository: Path, folder: Path) -> None:
    """Photos and pixel masks from the repository; a bare one will do."""
    archive = folder / "source.tar"
    parts = ["photos", "annotations/pixel-level"]
    with archive.open("wb") as file:
        subprocess.run(["git", "-C", str(repository), "archive", "HEAD", *parts], stdout=file, check=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()


def tidy(groups: Array) -> Array:
    """Removes crumbs, fills small holes, and smooths the steps that the annotators' superpixels left."""
    person = (cv2.medianBlur((groups > 0).astype(np.uint8) * 255, 7) > 0).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(person)
    areas = stats[1:, cv2.CC_STAT_AREA]
    for part in range(1, count):
        if areas[part - 1] < 0.02 * areas.max():
            person[parts == part] = 0
    count, parts, stats, _ = cv2.connectedComponentsWithStats(1 - person)
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] < 250:
            person[parts == part] = 1
    return np.where(person > 0, np.where(groups > 0, groups, CLOTHES), 0).astype(np.uint8)


def head_box(groups: Array) -> tuple[float, float, float]:
    """(centre x, top y, height) of the head: its width shows in the upper part of hair, skin and headwear."""
    ys, xs = np.nonzero(groups)
    top, bottom = float(ys.min()), float(ys.max())
    height = max(24.0, (bottom - top) / 7.2)
    return float(np.median(xs[ys < top + height])), top, height


def without_person(pixels: Array, groups: Array) -> Array:
    """Fills the person's place from its surroundings, coarse to fine (push-pull)."""
    keep = cv2.erode((groups == 0).astype(np.float32), np.ones((9, 9), np.uint8))
    levels = [(pixels.astype(np.float32) * keep[..., None], keep)]
    while min(levels[-1][1].shape) > 4:
        size = tuple(max(1, side // 2) for side in levels[-1][1].shape[::-1])
        levels.append(tuple(cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in levels[-1]))
    filled = levels[-1][0] / np.maximum(levels[-1][1], 1e-3)[..., None]
    for colour, weight in reversed(levels[:-1]):
        filled = cv2.resize(filled, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
        filled = colour + filled * (1 - weight[..., None])
    return np.clip(filled, 0, 255).astype(np.uint8)


def load(folder: Path, name: str) -> tuple[Array, Array]:
    bgr = cv2.imread(str(folder / "photos" / f"{name}.jpg"))
    labels = loadmat(folder / "annotations" / "pixel-level" / f"{name}.mat")["groundtruth"]
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), tidy(_GROUP_OF_LABEL[labels])


def prepare(folder: Path) -> None:
    names = sorted(path.stem for path in (folder / "annotations" / "pixel-level").glob("*.mat"))
    index, offset = [], 0
    with (
        (folder / "pixels.u8").open("wb") as pixels_file,
        (folder / "groups.u8").open("wb") as groups_file,
        (folder / "backgrounds.u8").open("wb") as backgrounds_file,
    ):
        for name in names:
            pixels, groups = load(folder, name)
            if groups.max() == 0:
                continue
            pixels_file.write(pixels.tobytes())
            groups_file.write(groups.tobytes())
            backgrounds_file.write(without_person(pixels, groups).tobytes())
            head = head_box(groups)
            index.append(
                {"name": name, "offset": offset, "shape": groups.shape, "head": head, "held_out": held_out(name)}
            )
            offset += groups.size
    (folder / "index.json").write_text(json.dumps(index))
    print(f"{len(index)} photos, {sum(entry['held_out'] for entry in index)} held out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repository", type=Path, help="a clone of bearpaw/clothing-co-parsing; may be bare")
    parser.add_argument("--data", type=Path, required=True, help="the folder to fill")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    arguments.data.mkdir(parents=True, exist_ok=True)
    if arguments.repository:
        extract(arguments.repository, arguments.data)
    prepare(arguments.data)


if __name__ == "__main__":
    main()
