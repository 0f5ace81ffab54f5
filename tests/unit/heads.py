"""A photograph of a head that is moved, turned, covered and lit with nothing but itself."""

import functools
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data as shipped

Rgb = NDArray[np.uint8]

WIDTH, HEIGHT = 360, 270
_SIDE = 256
_X, _Y = 112, 59
"""Between the eyes of the astronaut."""


def acted(act: str, seconds: float, rate: int) -> Iterator[Rgb]:
    """Frames in which one thing happens once."""
    count = round(seconds * rate)
    for number in range(count):
        yield frame(act, number / count, number)


def frame(act: str, part: float, number: int) -> Rgb:
    """One frame: `part` of an act is done, 0..1. The head sways a little, and there is noise."""
    shift = (20 + 2 * np.sin(number / 10), -5 + 1.5 * np.cos(number / 7))
    move = np.array([[1.3, 0, shift[0]], [0, 1.3, shift[1]]], dtype=np.float32)
    made = _act(act, part, number)
    placed = cv2.warpAffine(made, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    return _clipped(placed + _noise()[number % 3])


def _act(act: str, part: float, number: int) -> Rgb:
    photo = _photo()
    swing = float(np.sin(np.pi * part))
    match act:
        case "turn":
            return _turned(photo, 60 * swing)
        case "hand":
            made = photo.copy()
            cv2.ellipse(made, (int(20 + 170 * part), 65), (26, 40), 15, 0, 360, (190, 140, 115), -1)
            return made
        case "light":
            slope = np.clip((np.arange(_SIDE) - _X) / 30, -1, 1)
            return _clipped(photo * (1 + 0.7 * min(1.0, 2 * swing) * slope)[None, :, None])
        case "flicker":
            bright = 1 + 0.07 * (-1) ** (number * (number + 1) // 2)
            return _clipped(photo * (1 - _mask()) + photo * bright * _mask())
        case _:
            return photo


@functools.cache
def _photo() -> Rgb:
    size = (_SIDE, _SIDE)
    return np.asarray(cv2.resize(shipped.astronaut(), size, interpolation=cv2.INTER_AREA), np.uint8)


@functools.cache
def _noise() -> list[NDArray[np.float64]]:
    made = np.random.default_rng(6)
    return [made.normal(0, 2, (HEIGHT, WIDTH, 3)) for _ in range(3)]


@functools.cache
def _mask() -> NDArray[np.float64]:
    oval = np.zeros((_SIDE, _SIDE), dtype=np.float64)
    cv2.ellipse(oval, (_X, _Y - 1), (23, 30), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(oval, (0, 0), 3))[..., None]


def _turned(photo: Rgb, degrees: float) -> Rgb:
    """The head turned about its own axis, as far as one picture shows it."""
    places = np.arange(_SIDE, dtype=np.float32)
    x, y = np.meshgrid(places - _X, places - _Y)
    angle = np.radians(degrees)
    from_x = x.copy()
    for _ in range(15):
        from_x = 0.5 * from_x + 0.5 * (x - _depth(from_x, y) * np.sin(angle)) / np.cos(angle)
    inside = np.clip((1.25 - np.sqrt((x / 48) ** 2 + (y / 55) ** 2)) / 0.25, 0, 1)
    place = (from_x * inside + x * (1 - inside) + _X).astype(np.float32)
    return np.asarray(cv2.remap(photo, place, y + _Y, cv2.INTER_LINEAR), dtype=np.uint8)


def _depth(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels towards the camera: an egg with a nose."""
    egg = np.clip(1 - (x / 40) ** 2 - (y / 48) ** 2, 0, 1)
    nose = 13 * np.exp(-((x / 4.5) ** 2) - ((y - 4) / 8) ** 2)
    return np.asarray(30 * np.sqrt(egg) + nose - 15 * (egg > 0), dtype=np.float32)


def _clipped(values: NDArray[np.float64]) -> Rgb:
    return np.clip(values, 0, 255).astype(np.uint8)
