"""What the parts of a search found about one entry, and what follows from it."""

from dataclasses import dataclass
from typing import NamedTuple

from haechi.index.clips import Clip
from haechi.index.entry import Hit, Verdict
from haechi.index.policy import Policy

_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Bits(NamedTuple):
    """One near hash. `how` is "pdq", "pdq_turned", "pdq_view" or "vpdq", as in Hit.found_by."""

    same: bool
    distance_bits: int
    orientation: int
    how: str

    def order(self) -> tuple[bool, int]:
        """The stronger comes first: first what makes it the same picture, then what is nearer."""
        return not self.same, self.distance_bits


@dataclass(slots=True)
class Evidence:
    """What is known about one entry so far."""

    identical: bool = False
    bits: Bits | None = None
    clip: Clip | None = None
    similarity: float | None = None
    view: bool = False

    def closer(self, bits: Bits, clip: Clip | None = None) -> None:
        """Take a near hash into account; of equals the first counts."""
        if self.bits is None or bits.order() < self.bits.order():
            self.bits = bits
        if self.clip is None or (clip and clip.matched_frames > self.clip.matched_frames):
            self.clip = clip

    def liker(self, similarity: float, *, view: bool) -> None:
        """Take a near embedding into account."""
        if self.similarity is None or similarity > self.similarity:
            self.similarity, self.view = similarity, view

    def hit(self, key: int) -> Hit:
        """The answer about the entry that has `key`."""
        return Hit(
            key=key,
            verdict=self._verdict(),
            distance_bits=None if self.bits is None else self.bits.distance_bits,
            similarity=self.similarity,
            orientation=0 if self.bits is None else self.bits.orientation,
            found_by=self._found_by(),
            clip=self.clip,
        )

    def _verdict(self) -> Verdict:
        if self.identical:
            return Verdict.IDENTICAL_FILE
        if self.bits is not None and self.bits.same:
            return Verdict.SAME_PICTURE
        return Verdict.EDITED_COPY

    def _found_by(self) -> str:
        if self.identical:
            return "sha256"
        if self.bits is not None:
            return self.bits.how
        return "sscd_view" if self.view else "sscd"


def of_picture(
    distance_bits: int, orientation: int, policy: Policy, *, inverted: bool, view: bool
) -> Bits:
    """A near hash of two pictures, or of parts of them."""
    turned = bool(orientation) or inverted
    how = "pdq_view" if view else "pdq_turned" if turned else "pdq"
    same = how == "pdq" and distance_bits <= policy.pdq_same_bits
    return Bits(same, distance_bits, orientation, how)


def best_first(hit: Hit) -> tuple[int, int, float, int]:
    """For sorting: the stronger verdict, fewer bits, more similar, the lower key."""
    bits = 257 if hit.distance_bits is None else hit.distance_bits
    return _RANK[hit.verdict], bits, -(hit.similarity or 0.0), hit.key
