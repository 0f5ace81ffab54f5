"""Edits that move a picture: mirrors, turns, crops, stretches, borders, perspective."""

import cv2
import numpy as np
from PIL import Image

from haechi.evaluation.studio import Edit, Rgb, Studio, resized


def mirror(rgb: Rgb, _: Studio) -> Rgb:
    """Left side right."""
    return rgb[:, ::-1]


def quarter_turn(rgb: Rgb, studio: Studio) -> Rgb:
    """By 90 or 270 degrees."""
    return np.rot90(rgb, 1 if studio.chance() else 3)


def upside_down(rgb: Rgb, _: Studio) -> Rgb:
    """By 180 degrees."""
    return rgb[::-1, ::-1]


def stretch(rgb: Rgb, studio: Studio) -> Rgb:
    """One side longer by 15 to 35 %."""
    height, width = rgb.shape[:2]
    more = studio.between(1.15, 1.35)
    if studio.chance():
        return resized(rgb, round(width * more), height)
    return resized(rgb, width, round(height * more))


def turn(low: float, high: float) -> Edit:
    """An edit that turns by low to high degrees, with the corners filled or cut off."""

    def turned(rgb: Rgb, studio: Studio) -> Rgb:
        degrees = studio.between(low, high) * (1 if studio.chance() else -1)
        whole = Image.fromarray(np.ascontiguousarray(rgb)).rotate(
            degrees, Image.Resampling.BICUBIC, expand=studio.chance(0.6), fillcolor=studio.colour()
        )
        return np.array(whole)

    return turned


def crop(low: float, high: float) -> Edit:
    """An edit that cuts away low to high of the area, anywhere, each side by its own share."""

    def cropped(rgb: Rgb, studio: Studio) -> Rgb:
        height, width = rgb.shape[:2]
        left_over = 1 - studio.between(low, high)
        uneven = studio.between(-0.15, 0.15) * (1 - left_over)
        part = min(1.0, np.sqrt(left_over) * (1 + uneven))
        wide, high_px = round(width * part), round(height * min(1.0, left_over / part))
        left, top = studio.whole(0, width - wide), studio.whole(0, height - high_px)
        return rgb[top : top + high_px, left : left + wide]

    return cropped


def border(rgb: Rgb, studio: Studio) -> Rgb:
    """A frame of one colour, 4 to 20 % of the shorter side, not always alike on all sides."""
    short = min(rgb.shape[:2])
    sides = [round(short * studio.between(0.04, 0.2))] * 4
    if studio.chance(0.4):
        sides = [round(short * studio.between(0.02, 0.2)) for _ in sides]
    return _framed(rgb, sides, studio)


def letterbox(rgb: Rgb, studio: Studio) -> Rgb:
    """Bars above and below, or left and right, as players and phones add them."""
    height, width = rgb.shape[:2]
    if studio.chance():
        bar = round(height * studio.between(0.1, 0.5))
        return _framed(rgb, [bar, bar, 0, 0], studio)
    bar = round(width * studio.between(0.1, 0.5))
    return _framed(rgb, [0, 0, bar, bar], studio)


def _framed(rgb: Rgb, sides: list[int], studio: Studio) -> Rgb:
    top, bottom, left, right = sides
    framed = cv2.copyMakeBorder(
        np.ascontiguousarray(rgb),
        top,
        bottom,
        left,
        right,
        cv2.BORDER_CONSTANT,
        value=studio.colour(),
    )
    return np.asarray(framed, np.uint8)


def perspective(rgb: Rgb, studio: Studio) -> Rgb:
    """Seen from the side: every corner moves inwards by up to 14 % of its side."""
    height, width = rgb.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
    moved = corners + inwards * studio.random.uniform(0, 0.14, (4, 2)).astype(np.float32) * (
        width,
        height,
    )
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen = cv2.warpPerspective(
        np.ascontiguousarray(rgb), matrix, (width, height), borderValue=studio.colour()
    )
    return np.asarray(seen, np.uint8)
