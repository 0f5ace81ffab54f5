"""Thresholds of one bank or source: laid over the default, searched loosest first, judged apart.

A catalog is searched once, with the loosest of all policies; each hit is then seen as its own
policy sees it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from haechi.errors import InvalidDocument
from haechi.index.entry import Hit, Verdict
from haechi.index.policy import DEFAULT, Policy

MOST_BITS = 40
"""As far as the Hamming index searches."""

LEAST_SIMILARITY = 0.3
"""Beneath it unrelated photographs meet (index.policy), whatever a bank wishes for."""

type Overrides = Mapping[str, int | float]

NAMES = tuple(
    field.name
    for field in fields(Policy)
    if field.name.endswith("_bits") or field.name.startswith("sscd_")
)
"""What of a Policy a bank or a source may set. Not the quality: a hit does not tell it."""


def checked(overrides: Mapping[str, object]) -> dict[str, int | float]:
    """`overrides` if they are thresholds in range: bits 0..40, cosines 0.3..1.

    Raises InvalidDocument, naming the first that is not.
    """
    return {name: _checked(name, value) for name, value in overrides.items()}


def policy(*layers: Overrides) -> Policy:
    """DEFAULT with `layers` laid over it, the last on top. Raises InvalidDocument."""
    made = DEFAULT
    for layer in layers:
        made = replace(made, **checked(layer))  # type: ignore[arg-type]
    return made


def loosest(policies: Iterable[Policy]) -> Policy:
    """The policy that finds whatever any of `policies`, or DEFAULT, finds."""
    made = DEFAULT
    for one in policies:
        for name in NAMES:
            widest = max if name.endswith("_bits") else min
            made = replace(made, **{name: widest(getattr(made, name), getattr(one, name))})
    return made


def judged(hit: Hit, own: Policy) -> Hit | None:
    """`hit`, found with a looser policy, as `own` sees it; None if it is no match there.

    Evidence that `own` does not admit is taken away, so that it can neither make the verdict nor
    make it certain. What a hit says of similarity may come from a part: without other evidence it
    must reach the threshold for parts, unless it was found whole.
    """
    if hit.verdict is Verdict.IDENTICAL_FILE:
        return hit
    bits = hit.distance_bits
    if bits is not None and bits > own.pdq_edited_bits:
        bits = None
    whole = hit.found_by == "sscd"
    least = own.sscd_similarity if whole else own.sscd_view_similarity
    similarity = hit.similarity
    if similarity is not None and similarity < least:
        similarity = None
    if bits is None and similarity is None:
        return None
    if bits is None:
        found_by = hit.found_by if hit.distance_bits is None else "sscd_view"
        return replace(
            hit,
            verdict=Verdict.EDITED_COPY,
            distance_bits=None,
            similarity=similarity,
            found_by=found_by,
        )
    same = hit.verdict is Verdict.SAME_PICTURE and bits <= own.pdq_same_bits
    verdict = Verdict.SAME_PICTURE if same else Verdict.EDITED_COPY
    return replace(hit, verdict=verdict, distance_bits=bits, similarity=similarity)


def span(name: str) -> tuple[float, float]:
    """The least and the largest value that the threshold `name` may have."""
    return (LEAST_SIMILARITY, 1.0) if name.startswith("sscd_") else (0, MOST_BITS)


def _checked(name: str, value: object) -> int | float:
    if name not in NAMES:
        raise InvalidDocument(f"{name} is no threshold; there are {', '.join(NAMES)}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidDocument(f"{name} must be a number")
    low, high = span(name)
    if name.endswith("_bits"):
        if value != int(value):
            raise InvalidDocument(f"{name} must be a whole number")
        value = int(value)
    if not low <= value <= high:
        raise InvalidDocument(f"{name} must be from {low} to {high}")
    return value
