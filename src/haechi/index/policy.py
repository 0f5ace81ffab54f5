"""Where a likeness becomes a verdict: the thresholds, their reasons and their false-match rates."""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Self

from haechi.errors import PolicyRefused
from haechi.fingerprint import pdq
from haechi.index import clips
from haechi.index.entry import Hit, Verdict

BESIDE = frozenset({"calibration", "sha256"})
"""What a file of thresholds may hold beside them."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds for one search.

    Measured for SSCD (this model, 288 x 288, int8) over 1,326,812 pairs of a query (724 pictures
    as they are and 1,503 edited copies) and an unrelated member with its ten views: the highest
    cosine was 0.4999, 0.48 was reached by 8 in a million, 0.46 by 16, 0.40 by 98. Plain photographs
    alone have a lighter tail (499,500 pairs of wholes: 1e-6 at 0.282, tenfold rarer every 0.037, so
    1e-9 at 0.39). Portraits in one framing, and pictures of one series (panoramas of one place,
    grains in one bowl, drawings by one hand), have a heavier one: tenfold rarer only every 0.1,
    series up to 0.75. No single pair rate covers both; what lies beyond is extrapolated, and
    `haechi calibrate` measures it for the pictures of one platform. docs/recall.md has the rest.

    Attributes:
        pdq_same_bits: Up to this distance a picture is the same one, re-encoded or resized. On 27
            photographs JPEG at quality 20 moved 8 of 256 bits at most, enlarging 18, three
            quarters of the size 18, half the size 16 in the median and 24 at most: there PDQ
            cannot tell resizing from a 2 % crop (24 in the median), and the weaker word is used.
        pdq_edited_bits: Up to this distance it is a copy. 31 is the distance at which PDQ is
            exchanged between platforms. Two random hashes come this close once in 1e37;
            photographs are not random, so the quality must be there too. Of 1,431 pairs of
            unlike portraits and photographs in eight turns, the closest were 76 bits apart.
        min_quality: PDQ counts only if both sides have this quality. Under 50 (the limit its
            authors give) flat pictures share their few gradients.
        sscd_similarity: Cosine of two whole pictures. At 0.50: no false match in those pairs, by
            which it was placed, under 1e-11 for plain photographs by their tail.
        sscd_view_similarity: Cosine where a crop or an inset takes part; up to 10 looks at up to 17
            views, all of them in the pairs measured. At 0.50 the same.
        sscd_certain: From here on a likeness by SSCD alone is sure enough to act on; see `certain`.
            At 0.80 about 1e-8 a pair by the heavier tail, and above every series that was measured.
    """

    pdq_same_bits: int = 16
    pdq_edited_bits: int = 31
    min_quality: int = pdq.MIN_QUALITY
    sscd_similarity: float = 0.50
    sscd_view_similarity: float = 0.50
    sscd_certain: float = 0.80

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The policy in a JSON object of thresholds; a field that is missing keeps its default.

        What `haechi calibrate --write` adds beside them (BESIDE) is not read here; index.policy_file
        does. Raises PolicyRefused with the field's name if one is unknown, no number, or out of its
        range.
        """
        try:
            told = json.loads(text)
        except ValueError as error:
            raise PolicyRefused(f"the policy is not JSON: {error}") from error
        if not isinstance(told, dict):
            raise PolicyRefused("the policy is no JSON object")
        return cls(
            **{name: checked(name, value) for name, value in told.items() if name not in BESIDE}  # type: ignore[arg-type]
        )

    def to_json(self) -> str:
        """A JSON object that `from_json` reads."""
        return json.dumps(asdict(self), indent=2)

    def certain(self, hit: Hit) -> bool:
        """True if a machine may act on `hit`; otherwise a person looks first.

        The same file, PDQ within the distances above, or SSCD at sscd_certain: two portraits of
        different people can be alike enough for SSCD to report, and must not be removed for it.
        Of a video some frames must agree, one after the other: a single one may be a title or a
        still that many films share.
        """
        if hit.verdict in (Verdict.IDENTICAL_FILE, Verdict.SAME_PICTURE):
            return True
        if hit.found_by == "vpdq":
            enough = hit.clip is not None and hit.clip.matched_frames >= clips.ENOUGH_FRAMES
        else:
            enough = hit.distance_bits is not None
        if enough:
            return True
        return hit.similarity is not None and hit.similarity >= self.sscd_certain


MOST_BITS = 40
"""As far as the Hamming index searches."""

LEAST_SIMILARITY = 0.3
"""Beneath it unrelated photographs meet (Policy), whatever a file or a bank wishes for."""


def span(name: str) -> tuple[float, float]:
    """The least and the largest value that the threshold `name` may have."""
    if name.startswith("sscd_"):
        return LEAST_SIMILARITY, 1.0
    return 0, MOST_BITS if name.endswith("_bits") else 100


def checked(name: str, value: object) -> int | float:
    """`value`, if the threshold `name` may have it: in a file, of a bank and of a source alike.

    Bits and the quality are whole numbers, and int. Raises PolicyRefused, which names the threshold.
    """
    if name not in NAMES:
        raise PolicyRefused(f"{name} is no threshold; there are {', '.join(NAMES)}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PolicyRefused(f"{name} must be a number")
    if not name.startswith("sscd_"):
        if value != int(value):
            raise PolicyRefused(f"{name} must be a whole number")
        value = int(value)
    low, high = span(name)
    if not low <= value <= high:
        raise PolicyRefused(f"{name} must be from {low} to {high}")
    return value


NAMES = tuple(field.name for field in fields(Policy))
"""Every threshold."""

DEFAULT = Policy()
