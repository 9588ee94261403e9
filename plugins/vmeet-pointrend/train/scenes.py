"""Backgrounds: drawn rooms, gradients, textures. Photos without their people come from prepare.py."""

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Random = np.random.Generator


def colour(random: Random, dull: float = 0.6) -> Array:
    """A random RGB colour, mostly not a strong one."""
    grey = random.uniform(15, 245)
    return np.clip(grey + (1 - dull * random.random()) * random.uniform(-90, 90, 3), 0, 255)


def gradient(random: Random, size: tuple[int, int]) -> Array:
    corners = np.stack([colour(random) for _ in range(4)]).reshape(2, 2, 3).astype(np.float32)
    return cv2.resize(corners, size[::-1], interpolation=cv2.INTER_LINEAR)


def texture(random: Random, size: tuple[int, int]) -> Array:
    """Noise of several scales, coloured: foliage, plaster, cloth."""
    picture = np.zeros((*size, 3), np.float32) + colour(random).astype(np.float32)
    for _ in range(int(random.integers(1, 5))):
        cells = int(2 ** random.uniform(1, 7))
        shape = (cells, max(2, int(cells * random.uniform(0.4, 2.5))), 1 if random.random() < 0.6 else 3)
        noise = random.normal(0, random.uniform(4, 40), shape).astype(np.float32)
        enlarged = cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)
        picture += enlarged.reshape(*size, -1)
    return picture


def _box(random: Random, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    height, width = size
    x, y = int(random.uniform(-0.2, 1) * width), int(random.uniform(-0.2, 1) * height)
    right, bottom = x + int(random.uniform(0.04, 0.6) * width), y + int(random.uniform(0.04, 0.9) * height)
    return (x, y), (right, bottom)


def _thing(random: Random, picture: Array, size: tuple[int, int]) -> None:
    start, end = _box(random, size)
    kind = random.random()
    shade = colour(random).tolist()
    if kind < 0.45:  # a picture, a window, a screen, with its frame
        cv2.rectangle(picture, start, end, shade, -1)
        cv2.rectangle(picture, start, end, colour(random).tolist(), int(random.integers(1, 6)))
    elif kind < 0.65:  # a lamp, a plant, a head that is none
        radii = (max(2, (end[0] - start[0]) // 4), max(2, (end[1] - start[1]) // 4))
        cv2.ellipse(picture, start, radii, float(random.uniform(0, 180)), 0, 360, shade, -1, cv2.LINE_AA)
    elif kind < 0.85:  # shelves, blinds, books
        step = max(3, int((end[1] - start[1]) / random.uniform(2, 9)))
        for offset in range(0, max(1, end[1] - start[1]), step):
            shelf = (end[0], start[1] + offset + max(1, step // 2))
            cv2.rectangle(picture, (start[0], start[1] + offset), shelf, shade, -1)
            shade = shade if random.random() < 0.5 else colour(random).tolist()
    else:
        cv2.line(picture, start, end, shade, int(random.integers(1, 8)), cv2.LINE_AA)


def room(random: Random, size: tuple[int, int]) -> Array:
    picture = np.ascontiguousarray(gradient(random, size) if random.random() < 0.7 else texture(random, size))
    for _ in range(int(random.integers(1, 14))):
        _thing(random, picture, size)
    return picture


def chair(random: Random, picture: Array, head: tuple[float, float, float]) -> None:
    """The back of a chair, to stand behind somebody whose head is (centre x, top y, height)."""
    x, top, height = head
    half, upper = height * random.uniform(0.6, 1.3), top + height * random.uniform(0.1, 1.1)
    middle = x + height * random.uniform(-0.5, 0.5)
    corners = np.array(
        [[-half * 0.9, upper], [half * 0.9, upper], [half, upper + 4 * height], [-half, upper + 4 * height]]
    )
    corners[:, 0] += middle
    shade = (colour(random, 1.0) * random.uniform(0.1, 1.0)).tolist()
    cv2.fillPoly(picture, [corners.astype(np.int32)], shade, cv2.LINE_AA)
    cv2.polylines(picture, [corners.astype(np.int32)], True, shade, max(1, int(height * 0.25)), cv2.LINE_AA)


def headset(random: Random, picture: Array, mask: Array, head: tuple[float, float, float]) -> None:
    """A band over the head and its ear cups, part of the person; ``mask`` is twice as large as the picture."""
    x, top, height = head
    half = height * random.uniform(0.34, 0.44)
    shade, thick = colour(random, 1.0).tolist(), max(1.0, height * random.uniform(0.05, 0.12))
    for canvas, factor, value in ((picture, 1, shade), (mask, 2, 255)):
        centre = (int(factor * x), int(factor * (top + 0.5 * height)))
        axes = (int(factor * half), int(factor * 0.5 * height))
        cv2.ellipse(canvas, centre, axes, 0, 180, 360, value, max(1, int(factor * thick)), cv2.LINE_AA)
        cup = (max(1, int(factor * 1.1 * thick)), max(1, int(factor * 0.17 * height)))
        for side in (-1, 1):
            cv2.ellipse(canvas, (centre[0] + side * axes[0], centre[1]), cup, 0, 0, 360, value, -1, cv2.LINE_AA)


def drawn(random: Random, size: tuple[int, int]) -> Array:
    kind = random.random()
    picture = room(random, size) if kind < 0.6 else gradient(random, size) if kind < 0.75 else texture(random, size)
    if random.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 6))
    return picture


def shadow(random: Random, picture: Array, alpha: Array, head: float) -> Array:
    """What a person's ``alpha`` (twice the picture's size) throws on the wall behind."""
    height, width = picture.shape[:2]
    dark = cv2.resize(alpha.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    move = np.float32([[1, 0, random.normal(0, 0.25) * head], [0, 1, random.uniform(-0.15, 0.3) * head]])
    dark = cv2.GaussianBlur(
        cv2.warpAffine(dark, move, (width, height)), (0, 0), random.uniform(0.02, 0.25) * head + 0.5
    )
    return picture * (1 - np.float32(random.uniform(0.15, 0.7)) * dark[..., None])


def _quad(middle: float, half: float, top: float, bottom: float, lean: float) -> Array:
    return np.array(
        [[middle - half + lean, top], [middle + half - lean, top], [middle + half, bottom], [middle - half, bottom]]
    )


def foreground(random: Random, picture: Array, mask: Array) -> None:
    """A table, the back of a laptop, a cup, a microphone before the people; ``mask`` is twice as large."""
    height, width = picture.shape[:2]
    edge = height * random.uniform(0.72, 1.0)
    table = np.array([[0, edge], [width, edge + random.normal(0, 0.02) * height], [width, height], [0, height]])
    x = random.uniform(0.1, 0.9) * width
    laptop = _quad(x, random.uniform(0.1, 0.3) * width, edge - random.uniform(0.05, 0.25) * height, edge + height, 3.0)
    cup = _quad(x, random.uniform(0.02, 0.06) * width, edge - random.uniform(0.05, 0.2) * height, edge, -1.0)
    stand = _quad(x, max(1.0, 0.008 * width), edge - random.uniform(0.1, 0.4) * height, float(height), 0.0)
    shapes = [
        shape for shape, chance in ((table, 0.7), (laptop, 0.4), (cup, 0.3), (stand, 0.2)) if random.random() < chance
    ]
    for shape in shapes:
        shade = (colour(random, 1.0) * random.uniform(0.2, 1.0)).tolist()
        cv2.fillPoly(picture, [shape.round().astype(np.int32)], shade, cv2.LINE_AA)
        cv2.fillPoly(mask, [(2 * shape).round().astype(np.int32)], 0, cv2.LINE_AA)
        if shape is stand:
            for canvas, factor, value in ((picture, 1, shade), (mask, 2, 0)):
                size = (max(1, int(factor * 0.02 * width)), max(1, int(factor * 0.035 * width)))
                tip = (int(factor * x), int(factor * shape[0, 1]))
                cv2.ellipse(canvas, tip, size, 0, 0, 360, value, -1, cv2.LINE_AA)
