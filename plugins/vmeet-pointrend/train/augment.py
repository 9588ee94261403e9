"""Endless webcam-like pictures with masks, made from the arrays of prepare.py."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import camera
import cv2
import numpy as np
import scenes
from prepare import BAG, PORTRAITS, ROOMS, SKIN, SOMEBODY, UNKNOWN

Array = np.ndarray[Any, Any]
Random = np.random.Generator
Size = tuple[int, int]  # (height, width)

DISTANCES = ((0.26, 0.9), (0.12, 0.26), (0.055, 0.12))  # heights of a head, as shares of the frame's
DISTANCE_CHANCES = (0.78, 0.14, 0.08)
CHANCES = {
    "ccp": 1.0,
    "congress": 1.2,
    "former": 0.8,
    "fellows": 3.0,
    "synthetic": 3.0,
    "gatherings": 3.0,
}  # of one photo


class Photo(NamedTuple):
    pixels: Array  #: (h, w, 3) uint8
    matte: Array  #: (h, w) uint8
    groups: Array  #: (h, w) uint8
    head: tuple[float, float, float]  #: centre x, top y, height
    floor: float  #: the row from which on the photo's edge cuts the person off


class Library:
    """Some photos of one split; maps the files, copies nothing."""

    def __init__(self, folder: Path, held_out: bool, sources: tuple[str, ...] = ("ccp", *PORTRAITS)) -> None:
        index = [row for row in json.loads((folder / "index.json").read_text()) if row["held_out"] == held_out]
        self.entries = [row for row in index if row["source"] in sources]
        self.rooms = [row for row in index if row["source"] == ROOMS]
        self.chances = np.cumsum([CHANCES[row["source"]] for row in self.entries])
        self.empty = [row for row in self.entries if row["background"] is not None]
        self._planes = {
            name: np.memmap(folder / f"{name}.u8", np.uint8, "r")
            for name in ("pixels", "mattes", "groups", "backgrounds")
        }

    def __len__(self) -> int:
        return len(self.entries)

    def _read(self, plane: str, start: int, shape: list[int], channels: int) -> Array:
        size = shape[0] * shape[1]
        part = self._planes[plane][channels * start : channels * (start + size)]
        return part.reshape(*shape, channels) if channels > 1 else part.reshape(*shape)

    def __getitem__(self, number: int) -> Photo:
        row = self.entries[number]
        shape, start = row["shape"], row["offset"]
        planes = (
            self._read("pixels", start, shape, 3),
            *(self._read(p, start, shape, 1) for p in ("mattes", "groups")),
        )
        return Photo(*planes, tuple(row["head"]), row["floor"])

    def background(self, row: dict[str, Any]) -> Array:
        """A room, or a photo whose person has been filled in."""
        return self._read("backgrounds", row["background"], row["shape"], 3)


class Sample(NamedTuple):
    image: Array  #: (h, w, 3) uint8 RGB
    mask: Array  #: (2h, 2w) uint8, 255 = person
    groups: Array  #: (h / 4, w / 4) uint8; UNKNOWN = nothing known, SOMEBODY = which part is not known


@dataclass
class Shot:
    """Where a photo's pixels go: ``matrix`` maps them into a frame of ``size``."""

    matrix: Array
    size: Size
    head: tuple[float, float, float]  # in the frame

    @property
    def scale(self) -> float:
        return float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))


def _resized(old: Size, new: Size) -> Array:
    """Maps pixel centres when a picture changes size; its corners stay its corners."""
    y, x = new[0] / old[0], new[1] / old[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _warp(source: Array, shot: Shot, border: int, size: Size | None = None, nearest: bool = False) -> Array:
    """Warps the part of ``source`` that the frame shows; shrinks it first where that would alias."""
    size = size or shot.size
    matrix = _resized(shot.size, size) @ np.vstack([shot.matrix, [0, 0, 1]])
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if scale < 0.75 and not nearest:
        old = source.shape[:2]
        small = (max(2, round(old[0] * scale)), max(2, round(old[1] * scale)))
        source, matrix = cv2.resize(source, small[::-1], interpolation=cv2.INTER_AREA), matrix @ _resized(small, old)
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return cv2.warpAffine(source, matrix[:2], size[::-1], flags=flags, borderMode=border)


def _crop(source: Array, shot: Shot) -> tuple[Array, Shot]:
    """Only the rows and columns that the frame shows, with a margin: less to shrink."""
    height, width = shot.size
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    seen = corners @ cv2.invertAffineTransform(shot.matrix).T
    (x0, y0), (x1, y1) = np.floor(seen.min(0)).astype(int) - 4, np.ceil(seen.max(0)).astype(int) + 4
    x0, y0 = np.clip(x0, 0, source.shape[1] - 8), np.clip(y0, 0, source.shape[0] - 8)
    x1, y1 = np.clip(x1, x0 + 8, source.shape[1]), np.clip(y1, y0 + 8, source.shape[0])
    matrix = shot.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ np.array([x0, y0])
    return source[y0:y1, x0:x1], Shot(matrix, shot.size, shot.head)


class Studio:
    """``strength`` is that of rotation and colour: weaker towards the end of the training."""

    def __init__(self, library: Library, random: Random) -> None:
        self._library, self._random, self.strength = library, random, 1.0

    def photo(self) -> Photo:
        chances = self._library.chances
        return self._library[int(np.searchsorted(chances, self._random.uniform(0, chances[-1]), "right"))]

    def person(self) -> Photo:
        """A photo that shows a whole head and some of what is below."""
        while True:
            photo = self.photo()
            _, top, head = photo.head
            if top > 2 and photo.floor - top > head:
                return photo

    def aim(self, photo: Photo, size: Size, *, inside: bool, beside: Shot | None = None) -> Shot:
        """Frames head and shoulders, or head to waist, seldom more.

        ``inside`` keeps to the photo's edges; ``beside`` puts the person next to another.
        """
        random, (height, width) = self._random, size
        x, top, head = photo.head
        tall, wide = photo.groups.shape
        share, middle, above = self._position(size, beside)
        scale = share * height / head
        if not inside:  # where the photo cut the person off, the frame does
            reach = photo.floor - top
            scale = max(scale, 0.5 * height / reach)
            above = max(above, height - scale * reach)
        stretch = float(np.exp(random.normal(0, 0.1)))
        if inside:  # no picture beyond the photo's edges: move the frame rather than mirror
            scale = max(scale, width / stretch / wide, height / tall)
            middle = float(np.clip(middle, width - scale * stretch * (wide - x), scale * stretch * x))
            above = float(np.clip(above, height - scale * (tall - top), scale * top))
        angle = self.strength * (random.normal(0, 4) if random.random() < 0.7 else random.normal(0, 14))
        flip = -1.0 if random.random() < 0.5 else 1.0
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        linear = scale * np.array([[cos, -sin], [sin, cos]]) @ np.diag([flip * stretch, 1.0])
        target = np.array([width - middle if flip < 0 else middle, above])
        matrix = np.column_stack([linear, target - linear @ np.array([x, top])])
        return Shot(matrix, size, (float(target[0]), float(target[1]), scale * head))

    def _position(self, size: Size, beside: Shot | None) -> tuple[float, float, float]:
        """(height of the head as a share of the frame's, middle x and top y of the head in the frame)."""
        random, (height, width) = self._random, size
        if beside:
            x, top, head = beside.head
            size_px = head * float(np.exp(random.normal(0, 0.15)))
            away = random.choice([-1.0, 1.0]) * random.uniform(0.8, 2.2) * head
            return size_px / height, x + away, top + random.normal(0, 0.25) * head
        near, far = DISTANCES[int(random.choice(len(DISTANCES), p=DISTANCE_CHANCES))]
        share = float(np.exp(random.uniform(np.log(near), np.log(far))))
        above = random.uniform(-0.15 * share - 0.03, max(0.05, min(0.6, 1 - 1.2 * share)))
        return share, (0.5 + random.normal(0, 0.13)) * width, above * height

    def part(self, photo: Photo, size: Size) -> Shot:
        """Frames any part of the person, at any slant: arms and hands without a head."""
        random, (height, width) = self._random, size
        ys, xs = np.nonzero(photo.matte[::4, ::4] > 127)
        chosen = int(random.integers(len(xs)))
        x, y = 4.0 * xs[chosen], 4.0 * ys[chosen]
        scale = float(np.exp(random.uniform(np.log(0.25), np.log(0.8)))) * height / photo.head[2]
        angle = np.radians(random.uniform(-75, 75))
        flip = -1.0 if random.random() < 0.5 else 1.0
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = scale * turn @ np.diag([flip, 1.0])
        target = np.array([random.uniform(0.2, 0.8) * width, random.uniform(0.2, 0.8) * height])
        matrix = np.column_stack([linear, target - linear @ np.array([x, y])])
        head = linear @ np.array([photo.head[0] - x, photo.head[1] - y]) + target
        return Shot(matrix, size, (float(head[0]), float(head[1]), scale * photo.head[2]))

    def original(self, size: Size) -> tuple[Array, Array, Array]:
        """A part of one photo as it was taken: (picture, mask at twice the size, groups)."""
        photo = self.photo()
        slanted = self._random.random() < 0.1
        shot = self.part(photo, size) if slanted else self.aim(photo, size, inside=True)
        pixels, moved = _crop(photo.pixels, shot)
        picture = _warp(pixels, moved, cv2.BORDER_REFLECT_101).astype(np.float32)
        mask, groups = self._labels(photo, shot, cv2.BORDER_REFLECT_101)
        if not slanted and self._random.random() < 0.1:
            scenes.headset(self._random, picture, mask, shot.head)
        return picture, mask, groups

    def upright(self, size: Size) -> tuple[Array, Array, Array]:
        """What a phone held upright sends into a wide frame: blurred, plain or black sides."""
        random, (height, width) = self._random, size
        inside = 4 * int(width * random.uniform(0.4, 0.8) / 4)
        picture, mask, groups = self.original((height, inside))
        frame = cv2.GaussianBlur(cv2.resize(picture, (width, height)), (0, 0), height * random.uniform(0.02, 0.08))
        if random.random() < 0.4:
            frame[:] = scenes.colour(random) if random.random() < 0.5 else 0
        before = 4 * ((width - inside) // 8)
        after = width - inside - before
        frame[:, before : width - after] = picture
        mask = cv2.copyMakeBorder(mask, 0, 0, 2 * before, 2 * after, cv2.BORDER_CONSTANT, value=0)
        return frame, mask, np.pad(groups, ((0, 0), (before // 4, after // 4)))

    def _labels(self, photo: Photo, shot: Shot, border: int) -> tuple[Array, Array]:
        (matte, moved), (groups, _) = _crop(photo.matte, shot), _crop(photo.groups, shot)
        mask = _warp(matte, moved, border, (shot.size[0] * 2, shot.size[1] * 2))
        quarter = (shot.size[0] // 4, shot.size[1] // 4)
        return mask, _warp(groups, moved, border, quarter, nearest=True)

    def backdrop(self, size: Size) -> Array:
        random = self._random
        kind = random.random()
        if kind < 0.25:
            return scenes.drawn(random, size)
        of_rooms = len(self._library.rooms) > 0 and kind < 0.7
        empty = self._library.rooms if of_rooms else self._library.empty
        background = self._library.background(empty[int(random.integers(len(empty)))])
        height, width = background.shape[:2]
        wide = int(random.uniform(0.35, 1.0) * min(width, height * size[1] / size[0]))
        tall = min(height, max(8, wide * size[0] // size[1]))
        x, y = int(random.integers(0, width - wide + 1)), int(random.integers(0, height - tall + 1))
        part = background[y : y + tall, x : x + wide]
        if random.random() < 0.5:
            part = part[:, ::-1]
        picture = cv2.resize(part, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        if random.random() < 0.45:
            picture = cv2.GaussianBlur(picture, (0, 0), random.exponential(size[0] / 50) + 0.3)
        return picture

    def composite(self, size: Size) -> tuple[Array, Array, Array]:
        """One or two people before another background."""
        random = self._random
        picture = camera.tint(random, self.backdrop(size), 0.7)
        mask = np.zeros((size[0] * 2, size[1] * 2), np.uint8)
        groups = np.zeros((size[0] // 4, size[1] // 4), np.uint8)
        people = [self.person() for _ in range(random.choice([0, 1, 2], p=[0.05, 0.79, 0.16]))]
        shot = None
        for photo in people:
            shot = self.aim(photo, size, inside=False, beside=shot)
            if photo is people[0] and random.random() < 0.3:
                picture = self._bystanders(picture, shot)
            if random.random() < 0.25:
                scenes.chair(random, picture, shot.head)
            if random.random() < 0.12:
                picture = self._limb(picture, mask, shot)
            picture, alpha, added = self._place(picture, photo, shot)
            mask = np.maximum(mask, alpha)
            if random.random() < 0.1:
                scenes.headset(random, picture, mask, shot.head)
            groups = np.where(added > 0, added, groups)
        return picture, mask, groups

    def _bystanders(self, picture: Array, speaker: Shot) -> Array:
        """Others, farther away and out of focus: part of the background."""
        random, height = self._random, picture.shape[0]
        for _ in range(int(random.integers(1, 4))):
            photo = self.person()
            shot = self.aim(photo, speaker.size, inside=False)
            _, top, head = speaker.head
            scale = random.uniform(0.2, 0.6) * head / shot.head[2]
            place = np.array([random.uniform(0, picture.shape[1]), top + random.uniform(-0.3, 0.8) * head])
            linear = shot.matrix[:, :2] * scale
            matrix = np.column_stack([linear, place - linear @ np.array(photo.head[:2])])
            farther = Shot(matrix, speaker.size, (float(place[0]), float(place[1]), scale * shot.head[2]))
            picture, _, _ = self._place(picture, photo, farther)
        return cv2.GaussianBlur(picture, (0, 0), height * random.uniform(0.01, 0.035))

    def _limb(self, picture: Array, mask: Array, speaker: Shot) -> Array:
        """A bare arm or leg of somebody, which comes from the speaker's body: raised arms, waving hands."""
        random = self._random
        photo = self.person()
        parts = (photo.groups == SKIN) & (photo.matte > 127)
        parts[: int(photo.head[1] + 1.2 * photo.head[2])] = False
        count, of, stats, centres = cv2.connectedComponentsWithStats(parts.astype(np.uint8))
        long = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] > 0.12 * photo.head[2] ** 2]
        if not long:
            return picture
        chosen = long[int(random.integers(len(long)))]
        alone = np.where(cv2.dilate((of == chosen).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, photo.matte, 0)
        x, top, head = speaker.head
        angle, around = random.uniform(0, 2 * np.pi), random.uniform(-1.0, 1.0) * np.pi
        scale = random.uniform(0.8, 1.3) * head / photo.head[2]
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        away = random.uniform(0.6, 1.4) * head
        place = np.array([x + away * np.sin(around), top + 0.8 * head - away * np.cos(around)])
        shot = Shot(np.column_stack([linear, place - linear @ centres[chosen]]), speaker.size, speaker.head)
        picture, alpha, _ = self._place(picture, photo._replace(matte=alone), shot)
        np.maximum(mask, alpha, out=mask)
        return picture

    def _place(self, picture: Array, photo: Photo, shot: Shot) -> tuple[Array, Array, Array]:
        random = self._random
        mask, groups = self._labels(photo, shot, cv2.BORDER_CONSTANT)
        pixels, moved = _crop(photo.pixels, shot)
        person = _warp(pixels, moved, cv2.BORDER_REFLECT_101).astype(np.float32)
        soft = cv2.GaussianBlur(mask, (0, 0), random.uniform(0.3, 1.2)).astype(np.float32)
        inward = random.uniform(0.0, 0.3)  # cuts off the fringe that still shows the old background
        alpha = np.clip((soft / 255 - 0.5 - inward / 2) * 1.3 + 0.5, 0, 1)
        person = self._harmonise(person, picture)
        if random.random() < 0.2:
            picture = scenes.shadow(random, picture, alpha, shot.head[2])
        blend = cv2.resize(alpha, shot.size[::-1], interpolation=cv2.INTER_AREA)[..., None]
        return picture + (person - picture) * blend, (alpha * 255).astype(np.uint8), groups

    def _harmonise(self, person: Array, picture: Array) -> Array:
        """Moves the person's light some way towards the scene's."""
        ours, theirs = person.mean((0, 1)), picture.mean((0, 1))
        gain = ((theirs + 20) / (ours + 20)) ** np.float32(self._random.uniform(0, 0.7))
        return np.clip(person * np.clip(gain, 0.4, 2.0), 0, 255)

    def sample(self, size: Size) -> Sample:
        random, kind, wide = self._random, self._random.random(), size[1] > size[0]
        if kind < 0.07 and wide:
            picture, mask, groups = self.upright(size)
        else:
            picture, mask, groups = (self.original if kind < (0.42 if wide else 0.6) else self.composite)(size)
        if random.random() < 0.15:
            scenes.foreground(random, picture, mask)
        small = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        shown = cv2.resize(mask, groups.shape[::-1], interpolation=cv2.INTER_AREA) > 63
        unknown = (groups == BAG) | (groups == UNKNOWN)
        groups = np.where(shown, np.where(groups == 0, SOMEBODY, groups), 0)
        groups = np.where(unknown, UNKNOWN, groups).astype(np.uint8)
        return Sample(camera.shoot(random, picture, small, self.strength), mask, groups)
