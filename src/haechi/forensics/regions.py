"""The largest places of a mask, as a report names them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.forensics.report import Region

MOST = 4


def largest(mask: NDArray[np.bool_]) -> tuple[Region, ...]:
    """Rectangles around the parts of `mask` (height, width) that hang together, MOST at most."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    rows, columns = mask.shape
    sizes = sorted(range(1, count), key=lambda one: -int(stats[one, cv2.CC_STAT_AREA]))
    return tuple(
        Region(
            round(float(stats[one, cv2.CC_STAT_LEFT]) / columns, 4),
            round(float(stats[one, cv2.CC_STAT_TOP]) / rows, 4),
            round(float(stats[one, cv2.CC_STAT_WIDTH]) / columns, 4),
            round(float(stats[one, cv2.CC_STAT_HEIGHT]) / rows, 4),
        )
        for one in sizes[:MOST]
    )
