"""Lets the teachers label the photos that sources.py brought; takes up where it stopped.

For each photo a matte (``mattes/SOURCE/NAME.png``) and a line in ``mattes/SOURCE.jsonl``: how well the teachers
agree (IoU), and where the head is.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from metrics import iou
from teachers import Face, FaceFinder, IsNet, Selfie

Array = np.ndarray[Any, Any]
SOURCES = ("congress", "fellows", "synthetic", "former", "gatherings", "ccp")
SIZE = 512  # of ISNet's input: a quarter of the time of the 1,024 that it was trained with, and hardly worse


def largest_part(matte: Array) -> Array:
    """Only the largest thing that the matte shows, with its soft edge."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats((matte > 0.3).astype(np.uint8))
    if count < 2:
        return matte
    part = (parts == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    return np.where(cv2.dilate(part, np.ones((7, 7), np.uint8)) > 0, matte, 0).astype(np.float32)


def head_of(matte: Array, face: Face) -> tuple[float, float, float]:
    """(centre x, top y, height): from the topmost person above the face to the chin."""
    half = 0.4 * face.height
    left, right = int(max(0, face.x - half)), int(max(1, face.x + half))
    rows = np.flatnonzero((matte[:, left:right] > 0.5).mean(1) > 0.2)
    top = float(rows.min()) if rows.size else face.top - 0.4 * face.height
    top = float(np.clip(top, face.top - 0.8 * face.height, face.top))
    return face.x, top, face.top + 1.05 * face.height - top


def label(folder: Path, source: str, threads: int) -> None:
    teachers = folder / "teachers"
    isnet = IsNet(teachers / "isnet.onnx", SIZE, threads)
    selfie, find_face = Selfie(teachers / "selfie.tflite"), FaceFinder(teachers / "face.tflite")
    (folder / "mattes" / source).mkdir(parents=True, exist_ok=True)
    notes = folder / "mattes" / f"{source}.jsonl"
    done = {json.loads(line)["name"] for line in notes.read_text().splitlines()} if notes.exists() else set()
    with notes.open("a") as file:
        for path in sorted((folder / "photos" / source).glob("*.png")):
            if path.stem in done:
                continue
            picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            matte, face = largest_part(isnet(picture)), find_face(picture)
            cv2.imwrite(str(folder / "mattes" / source / path.name), (matte * 255).round().astype(np.uint8))
            note = {"name": path.stem, "agreement": iou(matte > 0.5, selfie(picture) > 0.5)}
            note |= {"face": face.score, "head": head_of(matte, face)}
            file.write(json.dumps(note) + "\n")
            file.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that sources.py filled")
    parser.add_argument(
        "--sources", nargs="+", default=["congress", "fellows", "synthetic", "former", "gatherings", "ccp"]
    )
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    for source in arguments.sources:
        label(arguments.data, source, arguments.threads)


if __name__ == "__main__":
    main()
