"""Parts of one picture in another: the strongest sign there is, where a candidate is at hand.

A candidate may be the profile picture that a face was taken from, or the original that a body was
taken from. `search` aligns it, compares, explains what differs, and draws both side by side.
"""

from dataclasses import replace

import cv2
import numpy as np

from haechi.errors import MediaError
from haechi.forensics import regions
from haechi.forensics.donor.compared import Compared, Mask, Rgb, compare
from haechi.forensics.donor.judged import Judged, Kin, judge
from haechi.forensics.report import BY_RULE, Signal, State, Toward
from haechi.index.align import align
from haechi.media import DEFAULT, Limits, decode

__all__ = ["Compared", "Judged", "Kin", "between", "compare", "judge", "off", "search"]

KIND = "donor"
_SEAM = (255, 210, 0)
_ALTERS = (Kin.INSERTED, Kin.REPLACED)
_LIMITS: dict[Kin, tuple[str, ...]] = {
    Kin.INSERTED: ("limit.donor_both_ways", "limit.donor_object"),
    Kin.REPLACED: ("limit.donor_both_ways", "limit.donor_overlay"),
    Kin.COVERED: ("limit.donor_overlay",),
    Kin.INSET: ("limit.donor_overlay",),
}


def search(data: bytes, donor: bytes, number: int, limits: Limits = DEFAULT) -> Signal:
    """What the picture in `data` has to do with the one in `donor`; for Sandbox.run.

    `number` counts the donors, from 1, and stands in the signal's id. Raises nothing for files
    that cannot be opened: then the signal is off. 0.5 to 2 s.
    """
    try:
        picture = decode(data, limits=limits).rgb
        other = decode(donor, limits=limits).rgb
    except MediaError:
        return off(number)
    return between(np.asarray(picture), np.asarray(other), number)


def between(picture: Rgb, donor: Rgb, number: int) -> Signal:
    """The same of pixels, uint8 (height, width, 3)."""
    found = align(picture, donor)
    if found is None:
        return _bare(number, "donor.nothing", State.SILENT, ())
    compared = compare(picture, donor, found)
    judged = judge(compared, donor)
    return replace(
        _bare(number, f"donor.{judged.kin.value}", State.SPEAKS, _LIMITS.get(judged.kin, ())),
        toward=Toward.ALTERED if judged.kin in _ALTERS else None,
        value=float(found.inliers),
        regions=regions.largest(judged.part),
        picture=_side_by_side(compared, judged.part),
    )


def off(number: int) -> Signal:
    """The signal of a donor that could not be compared."""
    return _bare(number, "donor.off", State.OFF, ("off.broken",))


def _bare(number: int, meaning: str, state: State, limits: tuple[str, ...]) -> Signal:
    told = {"number": str(number)}
    return Signal(
        f"{KIND}.{number}", KIND, state, meaning, calibration=BY_RULE, params=told, limits=limits
    )


def _side_by_side(compared: Compared, part: Mask) -> bytes:
    """PNG: the picture, then the donor brought into its frame; the seam is drawn into both."""
    outlines, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    halves = [np.array(one) for one in (compared.picture, compared.donor)]
    for half in halves:
        cv2.drawContours(half, outlines, -1, _SEAM, max(1, half.shape[1] // 400))
    gap = np.full((halves[0].shape[0], 8, 3), 255, np.uint8)
    joined = np.concatenate([halves[0], gap, halves[1]], axis=1)
    _, png = cv2.imencode(".png", cv2.cvtColor(joined, cv2.COLOR_RGB2BGR))
    return png.tobytes()
