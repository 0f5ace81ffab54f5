"""A match as a picture: query and known side by side, and what they share drawn into both."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import BrokenMedia
from haechi.index.align import Alignment, Moments, Point, Rgb, align, seen_part
from haechi.media import DEFAULT, Limits, decode

PANEL_PX = 640
"""Longest side of each of the two pictures as drawn."""

_GAP_PX = 16
_GROUND = (238, 238, 238)
_EDGE = (20, 20, 20)
_LINE = (255, 210, 0)


def draw(query_rgb: Rgb, known_rgb: Rgb, alignment: Alignment | None) -> Rgb:
    """uint8 (height, width, 3): the query left, the known picture right.

    Yellow lines go around what each shows of the other; without an alignment there are none.
    """
    regions: tuple[Sequence[Point], Sequence[Point]] = ((), ())
    if alignment is not None:
        regions = alignment.polygon, seen_part(alignment, query_rgb, known_rgb)
    panels = [_panel(query_rgb, regions[0]), _panel(known_rgb, regions[1])]
    height = max(panel.shape[0] for panel in panels)
    width = sum(panel.shape[1] for panel in panels)
    sheet = np.full((height + 2 * _GAP_PX, width + 3 * _GAP_PX, 3), _GROUND, dtype=np.uint8)
    left = _GAP_PX
    for panel in panels:
        top = _GAP_PX + (height - panel.shape[0]) // 2
        sheet[top : top + panel.shape[0], left : left + panel.shape[1]] = panel
        left += panel.shape[1] + _GAP_PX
    return sheet


def files(
    query: bytes, known: bytes, limits: Limits = DEFAULT, at_s: Moments = (None, None)
) -> tuple[Alignment | None, NDArray[np.uint8]]:
    """The alignment of two files and its picture, in this process: for `Sandbox.run`.

    Of videos the frames at these seconds in the query and in the known one are taken. Raises
    MediaError.
    """
    query_rgb = decode(query, limits=limits, at_s=at_s[0]).rgb
    known_rgb = decode(known, limits=limits, at_s=at_s[1]).rgb
    found = align(query_rgb, known_rgb)
    return found, draw(query_rgb, known_rgb, found)


def as_jpeg(query: bytes, known: bytes) -> bytes:
    """What `files` draws, as a JPEG without metadata: for `Sandbox.run`. Raises MediaError."""
    _found, rgb = files(query, known)
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not done:
        raise BrokenMedia("the pictures cannot be encoded again")
    return encoded.tobytes()


def _panel(rgb: Rgb, region: Sequence[Point]) -> Rgb:
    height, width = rgb.shape[:2]
    scale = PANEL_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    panel = np.asarray(cv2.resize(np.ascontiguousarray(rgb), size, interpolation=how), np.uint8)
    if region:
        shrunk = np.array(region) * (size[0] / width, size[1] / height)
        corners = np.rint(np.clip(shrunk, 2, np.array(size) - 3)).astype(np.int32)[None]
        cv2.polylines(panel, corners, True, _EDGE, 6, cv2.LINE_AA)  # noqa: FBT003 - OpenCV's order
        cv2.polylines(panel, corners, True, _LINE, 3, cv2.LINE_AA)  # noqa: FBT003 - OpenCV's order
    return panel
