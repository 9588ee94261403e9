"""What a webcam and its light do to a picture: float32 RGB of 0 to 255 in, the same out."""

from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, Any]
Random = np.random.Generator


def tint(random: Random, picture: Array, strength: float = 1.0) -> Array:
    """Exposure, contrast, gamma, colour temperature, saturation."""
    warm, green = random.normal(0, 0.09 * strength), random.normal(0, 0.04 * strength)
    gains = np.exp(random.normal(0, 0.15 * strength) + np.array([warm, green, -warm])).astype(np.float32)
    picture = picture * gains
    if random.random() < 0.5:
        grey = picture.mean(2, keepdims=True)
        picture = grey + (picture - grey) * np.float32(np.exp(random.normal(0, 0.3 * strength)))
    if random.random() < 0.5:
        level = np.float32(picture.mean())
        picture = level + (picture - level) * np.float32(np.exp(random.normal(0, 0.2 * strength)))
    picture = np.clip(picture, 0, 255)
    if random.random() < 0.6:
        picture = 255 * (picture / 255) ** np.float32(np.exp(random.normal(0, 0.3 * strength)))
    return picture


def light(random: Random, picture: Array, mask: Array) -> Array:
    """Back-light, light from one side, a dark room. ``mask`` (h, w) in [0, 1] is where the people are."""
    kind = random.random()
    if kind < 0.15:
        soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, picture.shape[0] / 60))[..., None]
        picture = picture * (random.uniform(1.0, 1.8) * (1 - soft) + random.uniform(0.25, 0.9) * soft)
    elif kind < 0.4:
        ramp = cv2.resize(np.exp(random.normal(0, 0.4, (2, 2))).astype(np.float32), picture.shape[1::-1])
        picture = picture * ramp[..., None]
    elif kind < 0.5:
        picture = picture * np.float32(random.uniform(0.12, 0.5))
    return picture


def optics(random: Random, picture: Array) -> Array:
    """Defocus, motion, a sensor or a stream of few pixels, over-sharpening."""
    kind = random.random()
    height, width = picture.shape[:2]
    if kind < 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.6))
    elif kind < 0.25:
        length = int(random.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        tip = (int(random.integers(0, length)), 0) if random.random() < 0.5 else (0, int(random.integers(0, length)))
        cv2.line(kernel, tip, (length - 1 - tip[0], length - 1 - tip[1]), 1.0, 1)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
    elif kind < 0.4:
        factor = random.uniform(0.35, 0.9)
        small = cv2.resize(picture, (int(width * factor), int(height * factor)), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    elif kind < 0.5:
        picture = picture + random.uniform(0.3, 1.5) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.0))
    return picture


def sensor(random: Random, picture: Array) -> Array:
    """Noise, sometimes without colour, sometimes of larger grain; then eight bits and JPEG."""
    if random.random() < 0.5:
        height, width = picture.shape[:2]
        grain = 2 if random.random() < 0.3 else 1
        channels = 1 if random.random() < 0.4 else 3
        noise = random.standard_normal((height // grain, width // grain, channels), dtype=np.float32)
        noise *= np.float32(random.exponential(6))
        picture = picture + cv2.resize(noise, (width, height)).reshape(height, width, channels)
    result = np.clip(picture, 0, 255).astype(np.uint8)
    if random.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 95))]
        result = cv2.imdecode(cv2.imencode(".jpg", result, quality)[1], cv2.IMREAD_COLOR)
    return result


def shoot(random: Random, picture: Array, mask: Array, strength: float = 1.0) -> Array:
    """All of it: uint8 RGB out."""
    picture = tint(random, light(random, picture, mask), strength)
    if random.random() < 0.04:
        picture = np.repeat(picture.mean(2, keepdims=True), 3, 2)
    return sensor(random, optics(random, np.ascontiguousarray(picture, dtype=np.float32)))
