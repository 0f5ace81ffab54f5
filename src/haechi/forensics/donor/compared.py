"""Where a picture shows the same as a donor laid under it, and where something else.

The donor is brought into the picture's frame by the homography of haechi.index.align, then bent a
little by optical flow (DIS, Kroeger et al., ECCV 2016), because faces are pasted with warps.
What is compared is structure, by normalised correlation in small windows: colour, brightness and
contrast may differ from place to place, as blending makes them.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.index.align import Alignment

type Rgb = NDArray[np.uint8]
type Grey = NDArray[np.float32]
type Mask = NDArray[np.bool_]

LOOK_PX = 900
"""Longest side of what is compared."""

BEND_PART = 0.015
"""How far, in parts of the longest side, the flow may bend the donor and it is still the same."""

_SAME = 0.75
_OTHER = 0.45
_TEXTURE = 3.0
_WINDOW = 15
_SOFT = 1.5
"""Noise and compression, which differ between copies, are blurred away before comparing."""

_VOTES_PART = 1 / 28


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """All of one shape (height, width), in pixels of `picture`.

    Attributes:
        picture: The picture, at most LOOK_PX long.
        donor: The donor in its frame, colours adapted; grey where it has nothing.
        covered: Where the donor has something.
        same: Where both show the same.
        other: Where the donor has something and the picture shows something else.
        moved: Part of `other` that shows the same after a larger shift.
    """

    picture: Rgb
    donor: Rgb
    covered: Mask
    same: Mask
    other: Mask
    moved: Mask


def compare(picture: Rgb, donor: Rgb, found: Alignment) -> Compared:
    """Lay `donor` under `picture` as `found` says, and compare. About 0.2 s."""
    scale = min(1.0, LOOK_PX / max(picture.shape[:2]))
    small = _scaled(picture, scale)
    laid, covered = _laid(donor, np.diag([scale, scale, 1.0]) @ found.homography, small)
    ours, theirs = _soft(small), _soft(laid)
    bent, shift = _bent(ours, theirs)
    reach = BEND_PART * max(small.shape[:2])
    near = shift <= reach
    likeness = np.maximum(_likeness(ours, theirs), np.where(near, _likeness(ours, bent), -1))
    textured = covered & (np.maximum(_spread(ours), _spread(theirs)) > _TEXTURE)
    same = _voted((likeness > _SAME) & textured, textured, least=0.5)
    other = _voted((likeness < _OTHER) & textured, textured, least=0.6) & ~same
    far = _likeness(ours, bent) > _SAME
    moved = other & _voted(far & textured, textured, least=0.6)
    return Compared(small, _coloured(laid, small, covered, same), covered, same, other, moved)


def _scaled(rgb: Rgb, scale: float) -> Rgb:
    if scale >= 1:
        return np.ascontiguousarray(rgb)
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _laid(donor: Rgb, matrix: NDArray[np.float64], into: Rgb) -> tuple[Rgb, Mask]:
    """The donor in the frame of `into`, made smaller by area first where it shrinks."""
    height, width = donor.shape[:2]
    middle = np.array([[width / 2, height / 2], [width / 2 + 1, height / 2]], np.float64)
    there = cv2.perspectiveTransform(middle[None], matrix)[0]
    shrink = min(1.0, float(np.hypot(*(there[1] - there[0]))))
    small = _scaled(donor, shrink)
    back = np.diag([width / small.shape[1], height / small.shape[0], 1.0])
    size = into.shape[1], into.shape[0]
    laid = cv2.warpPerspective(small, matrix @ back, size, borderValue=(128, 128, 128))
    full = np.full(small.shape[:2], 255, np.uint8)
    covered = cv2.erode(cv2.warpPerspective(full, matrix @ back, size), np.ones((5, 5), np.uint8))
    return np.asarray(laid, np.uint8), np.asarray(covered) == 255


def _soft(rgb: Rgb) -> Grey:
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _SOFT), np.float32)


def _bent(ours: Grey, theirs: Grey) -> tuple[Grey, Grey]:
    """`theirs` bent onto `ours`, and how far each place was moved, in pixels."""
    maker: Any = cv2.DISOpticalFlow
    flow = maker.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(
        _levelled(ours), _levelled(theirs), None
    )
    rows, columns = np.indices(ours.shape, np.float32)
    bent = cv2.remap(theirs, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)
    return np.asarray(bent, np.float32), np.asarray(
        np.hypot(flow[..., 0], flow[..., 1]), np.float32
    )


def _levelled(grey: Grey) -> NDArray[np.uint8]:
    """Local brightness and contrast taken out: the flow expects that pixels keep their values."""
    mean = cv2.GaussianBlur(grey, (0, 0), 12)
    spread = np.sqrt(cv2.GaussianBlur((grey - mean) ** 2, (0, 0), 12)) + 4
    return np.asarray(np.clip(128 + 50 * (grey - mean) / spread, 0, 255), np.uint8)


def _likeness(one: Grey, two: Grey) -> Grey:
    """Normalised correlation around each pixel, -1..1; 0 where one of them is flat."""
    means = _box(one), _box(two)
    both = _box(one * two) - means[0] * means[1]
    spreads = _spread(one) * _spread(two)
    return np.where(spreads > 1.0, both / np.maximum(spreads, 1.0), 0).astype(np.float32)


def _spread(grey: Grey) -> Grey:
    mean = _box(grey)
    return np.sqrt(np.maximum(0, _box(grey * grey) - mean * mean)).astype(np.float32)


def _box(values: Grey) -> Grey:
    return np.asarray(cv2.boxFilter(values, -1, (_WINDOW, _WINDOW)), np.float32)


def _voted(yes: Mask, asked: Mask, least: float) -> Mask:
    """Where, of the places around that could answer, more than `least` say yes."""
    size = max(9, round(max(yes.shape) * _VOTES_PART))
    voices = cv2.boxFilter(asked.astype(np.float32), -1, (size, size))
    share = cv2.boxFilter(yes.astype(np.float32), -1, (size, size)) / np.maximum(voices, 1e-6)
    return np.asarray((share > least) & (voices > 0.15), np.bool_)


def _coloured(laid: Rgb, like: Rgb, covered: Mask, same: Mask) -> Rgb:
    """`laid` with each channel's mean and spread as in `like` where both are the same."""
    if same.sum() < 200:
        return laid
    ours = like[same].astype(np.float32)
    theirs = laid[same].astype(np.float32)
    gain = np.clip(ours.std(axis=0) / np.maximum(theirs.std(axis=0), 1), 0.5, 2)
    changed = (laid.astype(np.float32) - theirs.mean(axis=0)) * gain + ours.mean(axis=0)
    changed[~covered] = 128
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)
