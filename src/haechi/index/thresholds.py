"""Thresholds of one bank or source: laid over the default, searched loosest first, judged apart.

A catalog is searched with the loosest of all policies; what it finds is then looked up again with
its own policy.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace

from haechi.errors import InvalidDocument
from haechi.index.entry import Hit
from haechi.index.evidence import best_first
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
    if not isinstance(overrides, Mapping):
        raise InvalidDocument("thresholds are no object of names and numbers")
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


def found(
    search: Callable[[Policy], Iterable[Hit]], loosest: Policy, own: Callable[[int], Policy | None]
) -> list[tuple[Hit, Policy]]:
    """Every hit as the policy of its entry sees it, with that policy; the best first.

    `own` gives the policy of a key, or None for what must not be found. What no policy finds is
    searched for once. Only where something was found, and its policy is another than `loosest`, it
    is searched for with that policy too: an entry has one hit, the strongest by the thresholds it
    was searched with, and what another bank admits must not hide evidence that its own admits.
    """
    seen: dict[Policy, dict[int, Hit]] = {loosest: {hit.key: hit for hit in search(loosest)}}
    made = []
    for key in seen[loosest]:
        policy = own(key)
        if policy is None:
            continue
        if policy not in seen:
            seen[policy] = {hit.key: hit for hit in search(policy)}
        if key in seen[policy]:
            made.append((seen[policy][key], policy))
    return sorted(made, key=lambda pair: best_first(pair[0]))


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
