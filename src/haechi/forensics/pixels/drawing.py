"""Where in the picture something was found, as rectangles and as a small picture of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from haechi.forensics import regions
from haechi.forensics.pixels.parts import Part
from haechi.forensics.pixels.subject import Found, Grey
from haechi.forensics.report import Region
from haechi.media.jpeg import turn

_LONGEST_PX = 512
_HEAT_PX = 192


@dataclass(frozen=True, slots=True)
class Canvas:
    """The whole picture in small; `shape` is its height and width as it lies in the file."""

    shape: tuple[int, int]
    orientation: int

    def regions(self, part: Part, found: Found) -> tuple[Region, ...]:
        """The largest places that were found in a part, as the picture is shown."""
        if found.region is None or not found.region.any():
            return ()
        drawn = self._blank()
        self._lay(drawn, part, found.region.astype(np.float32), cv2.INTER_NEAREST)
        return regions.largest(np.ascontiguousarray(self._upright(drawn) > 0.5))

    def heat(self, found: Mapping[Part, Found]) -> bytes | None:
        """A PNG of the maps of all parts; None where there is no place to show."""
        maps = {part: one.map for part, one in found.items() if one.map is not None}
        if not maps:
            return None
        every = np.concatenate([one.ravel() for one in maps.values()])
        low, high = (float(value) for value in np.percentile(every, (2, 98)))
        drawn = self._blank()
        for part, values in maps.items():
            level = np.clip((values - low) / max(1e-6, high - low), 0, 1)
            self._lay(drawn, part, level.astype(np.float32), cv2.INTER_LINEAR)
        shown = np.ascontiguousarray(self._upright(drawn))
        scale = min(1.0, _HEAT_PX / max(shown.shape))
        small = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, png = cv2.imencode(".png", np.rint(small * 255).astype(np.uint8))
        return png.tobytes()

    @property
    def _scale(self) -> float:
        return _LONGEST_PX / max(self.shape)

    def _blank(self) -> Grey:
        rows, columns = (max(1, round(side * self._scale)) for side in self.shape)
        return np.zeros((rows, columns), np.float32)

    def _lay(self, drawn: Grey, part: Part, values: Grey, how: int) -> None:
        top, left = round(part.top * self._scale), round(part.left * self._scale)
        below = max(top + 1, round((part.top + part.height) * self._scale))
        right = max(left + 1, round((part.left + part.width) * self._scale))
        place = drawn[top:below, left:right]
        place[:] = cv2.resize(values, (place.shape[1], place.shape[0]), interpolation=how)

    def _upright(self, values: Grey) -> Grey:
        whole = np.rint(values * 255).astype(np.uint8)
        return np.asarray(turn(whole[..., None], self.orientation)[..., 0] / 255, np.float32)


def turned(region: Region, orientation: int) -> Region:
    """Where a region lies after `media.jpeg.turn`."""
    x, y, width, height = region.x, region.y, region.width, region.height
    if orientation in {5, 6, 7, 8}:
        x, y, width, height = y, x, height, width
    if orientation in {2, 3, 6, 7}:
        x = 1 - x - width
    if orientation in {3, 4, 7, 8}:
        y = 1 - y - height
    return Region(*(round(min(1.0, max(0.0, one)), 4) for one in (x, y, width, height)))
