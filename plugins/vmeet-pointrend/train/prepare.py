"""Turns photos, labels and mattes into memory-mapped arrays: pixels, mattes, groups of labels, empty backgrounds.

Of clothing-co-parsing the labels say where a person is, the teachers' mattes how the outline runs; of all other photos
the mattes say both. Photos on which the teachers disagree are left out.
"""

import argparse
import hashlib
import json
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from metrics import iou
from scipy.io import loadmat

# Groups of the 59 labels; the network learns them beside the mask, as an auxiliary task.
CLOTHES, SKIN, HAIR, HEADWEAR, BAG = 1, 2, 3, 4, 5
SOMEBODY = 254  # a person, nobody says which part
UNKNOWN = 255  # perhaps a person
GROUP_NAMES = ("background", "clothes", "skin", "hair", "headwear", "bag")
_GROUP_OF_LABEL = np.full(256, CLOTHES, np.uint8)
_GROUP_OF_LABEL[0] = 0
for _group, _labels in ((SKIN, (41,)), (HAIR, (19,)), (HEADWEAR, (17, 20, 47)), (BAG, (2, 33, 56))):
    _GROUP_OF_LABEL[list(_labels)] = _group

Array = np.ndarray[Any, np.dtype[np.uint8]]

PLANES = ("pixels", "mattes", "groups", "backgrounds")
ROOMS = "rooms"  # photos of rooms without people: only backgrounds
PORTRAITS = ("congress", "former", "fellows", "synthetic", "gatherings")
AGREEMENT = {"ccp": 0.8, "former": 0.96, "gatherings": 0.8}  # IoU of the teachers, at least
PORTRAIT_AGREEMENT = 0.93
BAND = 10  # pixels around a labelled outline within which the matte decides
DOUBT = 6  # pixels around it within which nothing is known without a matte


def held_out(name: str) -> bool:
    """About one photo in ten, fixed by its file name."""
    return hashlib.sha256(name.encode()).digest()[0] < 26


def extract(repository: Path, folder: Path) -> None:
    """Pixel labels from the repository; a bare one will do."""
    archive = folder / "source.tar"
    with archive.open("wb") as file:
        command = ["git", "-C", str(repository), "archive", "HEAD", "annotations/pixel-level"]
        subprocess.run(command, stdout=file, check=True)
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


def _around(person: Array, pixels: int) -> Array:
    """Where the outline is less than so many pixels away."""
    size = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.asarray(cv2.dilate(person, size) > cv2.erode(person, size))


def repaired(groups: Array, matte: Array | None) -> tuple[Array, Array]:
    """(matte, groups) of a labelled person: the matte's outline, or none where the two do not agree on the whole."""
    person, sure = (groups > 0).astype(np.uint8), groups != BAG
    if matte is None or iou((matte > 127) & sure, (person > 0) & sure) < 0.9:
        return person * 255, np.where(_around(person, DOUBT), UNKNOWN, groups).astype(np.uint8)
    return np.where(_around(person, BAND), matte, person * 255).astype(np.uint8), groups


def settled(matte: Array) -> Array:
    """All or nothing, except along the outline."""
    person = (matte > 127).astype(np.uint8)
    return np.where(_around(person, round(0.02 * max(matte.shape))), matte, person * 255).astype(np.uint8)


def without_specks(matte: Array) -> Array:
    """Fills the tiny holes (teeth, glasses) that the teacher left in a person."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats((matte < 128).astype(np.uint8))
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] < 0.0015 * matte.size:
            hole = cv2.dilate((parts == part).astype(np.uint8), np.ones((5, 5), np.uint8))
            edge = min(stats[part, cv2.CC_STAT_LEFT], stats[part, cv2.CC_STAT_TOP]) == 0
            matte = matte if edge else np.where(hole > 0, np.uint8(255), matte)
    return matte


def floor(matte: Array) -> float:
    """The row from which on the person is cut off by the photo's left or right edge; or the photo's height."""
    sides = np.flatnonzero((matte[:, :3].max(1) > 127) | (matte[:, -3:].max(1) > 127))
    return float(sides.min()) if sides.size else float(matte.shape[0])


class Entry(NamedTuple):
    pixels: Array
    matte: Array
    groups: Array
    head: tuple[float, float, float]
    labelled: bool  #: by people


def portrait(pixels: Array, matte: Array, note: dict[str, Any], source: str) -> Entry | None:
    """``gatherings`` were looked through one by one: there people may turn their backs, and be small."""
    face, least = (0.0, 0.03) if source == "gatherings" else (0.5, 0.08)
    matte, share = settled(without_specks(matte)), float((matte > 127).mean())
    agreement = AGREEMENT.get(source, PORTRAIT_AGREEMENT)
    if note["agreement"] < agreement or note["face"] < face or not least < share < 0.92:
        return None
    groups = np.where(matte > 127, SOMEBODY, 0).astype(np.uint8)
    return Entry(pixels, matte, groups, note["head"], labelled=False)


def figure(pixels: Array, matte: Array | None, note: dict[str, Any], labels: Path) -> Entry | None:
    """A photo of clothing-co-parsing: labelled, or good enough without."""
    if labels.exists():
        groups = tidy(_GROUP_OF_LABEL[loadmat(labels)["groundtruth"]])
        if not groups.any():
            return None
        head = head_box(groups)
        return Entry(pixels, *repaired(groups, matte), head, labelled=True)
    if matte is None or note["agreement"] < AGREEMENT["ccp"] or not 0.03 < (matte > 127).mean() < 0.6:
        return None
    matte = settled(matte)
    groups = np.where(matte > 127, SOMEBODY, 0).astype(np.uint8)
    return Entry(pixels, matte, groups, head_box(groups), labelled=False)


def entries(folder: Path, source: str) -> Iterator[tuple[str, Entry]]:
    lines = (folder / "mattes" / f"{source}.jsonl").read_text().splitlines()
    notes = {note["name"]: note for note in map(json.loads, lines)}
    for path in sorted((folder / "photos" / source).glob("*.png")):
        note = notes.get(path.stem, {})
        if not note and source != "ccp":
            continue
        pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        matte = cv2.imread(str(folder / "mattes" / source / path.name), cv2.IMREAD_GRAYSCALE) if note else None
        if source in PORTRAITS:
            entry = portrait(pixels, matte, note, source)
        else:
            entry = figure(pixels, matte, note, folder / "annotations" / "pixel-level" / f"{path.stem}.mat")
        if entry:
            yield path.stem, entry


def prepare(folder: Path) -> None:
    """Backgrounds are kept of labelled photos only."""
    index: list[dict[str, Any]] = []
    offset = 0
    with ExitStack() as stack:
        files = {plane: stack.enter_context((folder / f"{plane}.u8").open("wb")) for plane in PLANES}
        for source in ("ccp", *PORTRAITS):
            if not (folder / "mattes" / f"{source}.jsonl").exists():
                continue
            for name, entry in entries(folder, source):
                row = {"name": name, "source": source, "labelled": entry.labelled}
                row |= {"offset": offset, "shape": entry.groups.shape, "head": entry.head, "floor": floor(entry.matte)}
                row |= {"held_out": held_out(name), "background": None}
                for plane, values in (("pixels", entry.pixels), ("mattes", entry.matte), ("groups", entry.groups)):
                    files[plane].write(values.tobytes())
                if entry.labelled:
                    row["background"] = files["backgrounds"].tell() // 3
                    files["backgrounds"].write(without_person(entry.pixels, entry.groups).tobytes())
                index.append(row)
                offset += entry.groups.size
        for path in sorted((folder / "photos" / ROOMS).glob("*.png")):
            pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            row = {"name": path.stem, "source": ROOMS, "labelled": False, "shape": pixels.shape[:2]}
            index.append(row | {"held_out": held_out(path.stem), "background": files["backgrounds"].tell() // 3})
            files["backgrounds"].write(pixels.tobytes())
    (folder / "index.json").write_text(json.dumps(index))
    kinds = Counter((row["source"], row["labelled"], row["held_out"]) for row in index)
    for (source, labelled, kept_back), count in sorted(kinds.items()):
        print(f"{source}, labelled by {'people' if labelled else 'teachers'}, held out {kept_back}: {count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repository", type=Path, help="a clone of bearpaw/clothing-co-parsing; may be bare")
    parser.add_argument("--data", type=Path, required=True, help="the folder that sources.py and label.py filled")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.repository:
        extract(arguments.repository, arguments.data)
    prepare(arguments.data)


if __name__ == "__main__":
    main()
