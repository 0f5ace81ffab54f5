"""Pictures of things, altered the way faces are: stand-ins for what may not be made here.

A part of a photograph is replaced by a part of another photograph, copied within it, smoothed, or
drawn anew from fewer pixels (as face generators work at 128 to 256 pixels), and blended in. What
they were made from was saved as JPEG before, as published pictures are.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.evaluation.studio import Rgb, Studio, recompressed, resized, scaled, within

type Alteration = Callable[[Rgb, Studio], Rgb]

_PART = (0.18, 0.42)


def published(rgb: Rgb, studio: Studio) -> Rgb:
    """As it lies on a page: at most 700 to 1,200 pixels long, saved as JPEG."""
    small = scaled(rgb, min(1.0, studio.whole(700, 1200) / max(rgb.shape[:2])))
    return recompressed(small, studio.whole(75, 95))


def insert(rgb: Rgb, studio: Studio) -> Rgb:
    """A part of another photograph, at another scale, colours adapted."""
    base, place, mask = _ground(rgb, studio)
    top, left, side = place
    other = published(studio.other(), studio)
    wanted = side if studio.chance(0.3) else studio.whole(side // 2, side * 2)
    cut = min(wanted, *other.shape[:2])
    y, x = studio.whole(0, other.shape[0] - cut), studio.whole(0, other.shape[1] - cut)
    piece = (
        resized(other[y : y + cut, x : x + cut], side, side)
        if cut != side
        else other[y : y + cut, x : x + cut]
    )
    under = base[top : top + side, left : left + side].astype(np.float32)
    moved = piece.astype(np.float32)
    if studio.chance(0.7):
        gain = np.clip(under.std((0, 1)) / np.maximum(moved.std((0, 1)), 1), 0.6, 1.6)
        moved = (moved - moved.mean((0, 1))) * gain + under.mean((0, 1))
    return _blended(base, moved, place, mask)


def drawn_anew(rgb: Rgb, studio: Studio) -> Rgb:
    """The same part from fewer pixels, with a little other colour, and sharpened."""
    base, place, mask = _ground(rgb, studio)
    top, left, side = place
    piece = base[top : top + side, left : left + side]
    few = max(24, round(side * studio.between(0.3, 0.7)))
    again = resized(resized(piece, few, few), side, side).astype(np.float32)
    soft = cv2.GaussianBlur(again, (0, 0), 1.5)
    again = again + studio.between(0.0, 0.8) * (again - soft)
    again = again * np.array([studio.between(0.94, 1.06) for _ in range(3)], np.float32)
    return _blended(base, again, place, mask)


def smoothed(rgb: Rgb, studio: Studio) -> Rgb:
    """A part without its noise, as by retouching."""
    base, place, mask = _ground(rgb, studio)
    top, left, side = place
    piece = base[top : top + side, left : left + side]
    strength = studio.between(20, 60)
    soft = cv2.bilateralFilter(np.ascontiguousarray(piece), 9, strength, 5).astype(np.float32)
    return _blended(base, soft, place, mask)


def copied(rgb: Rgb, studio: Studio) -> Rgb:
    """A part a second time elsewhere, sometimes turned or scaled a little."""
    base, place, mask = _ground(rgb, studio)
    _, _, side = place
    y, x = (studio.whole(0, max(0, length - side)) for length in base.shape[:2])
    piece = np.ascontiguousarray(base[y : y + side, x : x + side])
    if studio.chance():
        turn = cv2.getRotationMatrix2D(
            (side / 2, side / 2), studio.between(-10, 10), studio.between(0.9, 1.1)
        )
        piece = np.asarray(
            cv2.warpAffine(piece, turn, (side, side), borderMode=cv2.BORDER_REFLECT), np.uint8
        )
    return _blended(base, piece.astype(np.float32), place, mask)


ALTERATIONS: dict[str, Alteration] = {
    "insert": insert,
    "drawn_anew": drawn_anew,
    "smoothed": smoothed,
    "copied": copied,
}


def _ground(rgb: Rgb, studio: Studio) -> tuple[Rgb, tuple[int, int, int], NDArray[np.float32]]:
    """The published picture, a square (top, left, side) in it, and a soft mask for the square."""
    base = published(rgb, studio)
    height, width = base.shape[:2]
    side = round(min(height, width) * studio.between(*_PART))
    top, left = studio.whole(0, height - side), studio.whole(0, width - side)
    mask = np.zeros((side, side), np.float32)
    middle = side // 2
    axes = round(side * studio.between(0.36, 0.45)), round(side * studio.between(0.36, 0.45))
    cv2.ellipse(mask, (middle, middle), axes, studio.between(0, 90), 0, 360, 1.0, -1)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), studio.between(1, 6)), np.float32)
    return base, (top, left, side), soft[..., None]


def _blended(
    base: Rgb, piece: NDArray[np.float32], place: tuple[int, int, int], mask: NDArray[np.float32]
) -> Rgb:
    top, left, side = place
    under = base[top : top + side, left : left + side].astype(np.float32)
    changed = base.copy()
    changed[top : top + side, left : left + side] = within(under * (1 - mask) + piece * mask)
    return changed
