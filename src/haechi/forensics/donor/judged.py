"""What two compared pictures have to do with each other: the part that differs must be explained.

Two photographs of one scene differ where something moved, a copy differs where words, stickers or
blocks were laid over it, a collage shows its tiles whole, and screenshots of one app share its bars
and words. Only what none of these explains counts as a part that was put in or replaced.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.forensics.donor.compared import Compared, Mask, Rgb
from haechi.index.align import align

LEAST_PART = 0.006
"""Of the picture: smaller parts are not told from faults of the comparison."""

_MOVED = 0.35
_FLAT = ((2.0, 0.4), (5.0, 0.6))
"""Grey levels of spread, and the share of a part that has less, from which it is plain."""

_DRAWN = 1.0, 0.25
"""Grey levels of spread, and the share of what both show that has less: a program drew it, as the bars
of an app, captions and forms. Of 36 shared parts, photographed ones reached 0.11 and drawn ones began
at 0.38."""

_EDGE = 0.35
_RECTANGULAR = 0.9
_FRAYED = 0.75
_SMOOTHED = 0.8
_OUTSIDE = 0.2
_INSIDE = 0.5
_PLAIN = 0.4
"""The same share around a part: 0.26 and 0.32 around a head on a night sky under strong compression, 0.46 and
0.49 around a round portrait in the page of an app."""

_SPECK = 0.1
_COPY = 0.5
_CORNERS = 4
_CORNERED = 0.8
"""Of its area: four corners of an ellipse have less than two thirds of it."""

_BENT = 0.03


class Kin(StrEnum):
    """How the picture and the donor belong together."""

    INSERTED = "inserted"
    REPLACED = "replaced"
    COPY = "copy"
    COVERED = "covered"
    MOVED = "moved"
    INSET = "inset"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The kinship, and the part that it is about: what came from the donor, or what did not."""

    kin: Kin
    part: Mask


def judge(compared: Compared, donor: Rgb) -> Judged:
    """Explain what differs, or say that it was put in or replaced."""
    same, other = _parts(compared.same), _parts(_inner(compared.other))
    alike = _joined(same, compared.same)
    if not same:
        return Judged(Kin.SHARED, alike)
    if not other:
        return Judged(Kin.COPY, alike)
    # Plain places are neither the same nor other, so these two are weighed against each other.
    inserted = bool(alike.sum() < _joined(other, compared.other).sum())
    left: list[Mask] = []
    kin = Kin.COVERED
    for part in other:
        if float(compared.moved[part].mean()) > _MOVED:
            kin = Kin.MOVED
        # What surrounds a part that was put in is no cover, however plain it is.
        elif inserted or not (_covering(part, compared) or _at_edge(part, compared.covered)):
            left.append(part)
    if not left:
        return Judged(kin, _joined(other, compared.other))
    if _drawn(alike, compared.picture):
        return Judged(Kin.SHARED, alike)
    remains, within = _joined(left, compared.other), _hull(alike)
    inside = float((remains & within).sum() / remains.sum())
    if _straight(_filled(alike)) and inside < _OUTSIDE:
        return Judged(Kin.INSET, alike)
    if inserted and inside > _INSIDE:
        # What both share lies around the rest: a frame.
        return Judged(Kin.SHARED, alike)
    if inserted and _drawn(_around(_filled(alike)), compared.picture, _PLAIN):
        # A round portrait in an app, a cut-out on a plain page.
        return Judged(Kin.INSET, alike)
    if not inserted and remains.sum() > _COPY * alike.sum():
        # No copy with a part replaced, but as much of one picture as of another: a wide frame.
        return Judged(Kin.SHARED, alike)
    if _elsewhere(compared.picture, remains, donor):
        return Judged(Kin.MOVED, remains)
    return Judged(Kin.INSERTED, alike) if inserted else Judged(Kin.REPLACED, remains)


def _parts(mask: Mask) -> list[Mask]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    least = LEAST_PART * mask.size
    return [labels == one for one in range(1, count) if stats[one, cv2.CC_STAT_AREA] >= least]


def _inner(mask: Mask) -> Mask:
    """Without strips: along edges a small fault of the homography makes things look different."""
    size = max(3, round(max(mask.shape) / 60))
    opened = cv2.morphologyEx(
        mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((size, size), np.uint8)
    )
    return np.asarray(opened, np.bool_)


def _joined(parts: list[Mask], like: Mask) -> Mask:
    return np.logical_or.reduce(parts) if parts else np.zeros_like(like)


def _covering(part: Mask, compared: Compared) -> bool:
    """True for what is laid over either: straight-edged, plain, or the same but blurred."""
    if _straight(_filled(part)) or _drawn(part, compared.donor):
        return True
    grey = cv2.cvtColor(compared.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    spread = _spread(grey)
    if any(float((spread[part] < limit).mean()) > share for limit, share in _FLAT):
        return True
    theirs = cv2.cvtColor(compared.donor, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sigma = max(compared.same.shape) / 60
    soft = [cv2.GaussianBlur(one, (0, 0), sigma)[part] for one in (grey, theirs)]
    if min(float(one.std()) for one in soft) < 1:
        return False
    return float(np.corrcoef(soft[0], soft[1])[0, 1]) > _SMOOTHED


def _drawn(part: Mask, picture: Rgb, share: float = _DRAWN[1]) -> bool:
    """True for flat ground with words on it, which a camera does not make."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    limit = _DRAWN[0]
    return float((_spread(grey)[part] < limit).mean()) > share


def _spread(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = cv2.boxFilter(grey, -1, (9, 9))
    squares = cv2.boxFilter(grey * grey, -1, (9, 9))
    return np.asarray(np.sqrt(np.maximum(0, squares - mean * mean)), np.float32)


def _at_edge(part: Mask, covered: Mask) -> bool:
    """True for a strip where the donor ends inside the picture: a tile that shows less of it."""
    return float((~covered[_ring(part)]).mean()) > _EDGE


def _around(part: Mask) -> Mask:
    """What lies around it, beyond what letting neighbours vote adds to it."""
    return _ring(part | _ring(part))


def _ring(part: Mask) -> Mask:
    """What lies around it."""
    size = max(5, round(max(part.shape) / 40)) | 1
    grown = cv2.dilate(part.astype(np.uint8), np.ones((size, size), np.uint8)).astype(bool)
    return np.asarray(grown & ~part, np.bool_)


def _filled(mask: Mask) -> Mask:
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(drawn, outlines, -1, 1, cv2.FILLED)
    return np.asarray(drawn, np.bool_)


def _hull(mask: Mask) -> Mask:
    drawn = np.zeros(mask.shape, np.uint8)
    places = cv2.findNonZero(mask.astype(np.uint8))
    if places is not None:
        cv2.fillConvexPoly(drawn, np.asarray(cv2.convexHull(places), np.int32), (1,))
    return np.asarray(drawn, np.bool_)


def _straight(mask: Mask) -> bool:
    """True if all parts are nearly rectangles, however they lie or are seen; edges may be frayed."""
    outlines, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    areas = [cv2.contourArea(one) for one in outlines]
    least = max(LEAST_PART * mask.size, _SPECK * max(areas, default=0.0))
    large = [one for one, area in zip(outlines, areas, strict=True) if area >= least]
    for outline in large:
        hull = cv2.convexHull(outline)
        area = cv2.contourArea(hull)
        if cv2.contourArea(outline) < _FRAYED * area:
            return False
        wide, high = cv2.minAreaRect(hull)[1]
        if area < _RECTANGULAR * wide * high and not _four_cornered(
            np.asarray(hull, np.int32), area
        ):
            return False
    return bool(large)


def _four_cornered(hull: NDArray[np.int32], area: float) -> bool:
    """True for a rectangle seen from aside: a poster, a screen, a page."""
    corners = cv2.approxPolyDP(hull, _BENT * cv2.arcLength(hull, closed=True), closed=True)
    return len(corners) == _CORNERS and cv2.contourArea(corners) >= _CORNERED * area


def _elsewhere(picture: Rgb, part: Mask, donor: Rgb) -> bool:
    """True if what is in `part` is in the donor too, at another place: one scene, taken twice."""
    size = max(3, round(max(part.shape) / 60))
    inner = cv2.erode(part.astype(np.uint8), np.ones((size, size), np.uint8)).astype(bool)
    if not inner.any():
        return False
    alone = picture.copy()
    alone[~inner] = np.asarray(picture[inner].mean(axis=0), np.uint8)
    return align(alone, donor) is not None
