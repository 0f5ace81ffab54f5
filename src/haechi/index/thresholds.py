"""Thresholds of one bank or source: laid over the usual ones, searched loosest first, judged apart.

A catalog is searched with the loosest of all policies; what it finds is then looked up again with
its own policy.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from haechi.errors import PolicyRefused
from haechi.index import policy as policies
from haechi.index.entry import Hit
from haechi.index.evidence import best_first
from haechi.index.policy import DEFAULT, Policy

type Overrides = Mapping[str, int | float]

NAMES = tuple(name for name in policies.NAMES if name != "min_quality")
"""What of a Policy a bank or a source may set. Not the quality: a hit does not tell it."""


def checked(overrides: Mapping[str, object]) -> dict[str, int | float]:
    """`overrides` if they are thresholds of NAMES in range (index.policy.checked).

    Raises PolicyRefused, naming the first that is not.
    """
    if not isinstance(overrides, Mapping):
        raise PolicyRefused("thresholds are no object of names and numbers")
    for name in overrides:
        if name not in NAMES:
            raise PolicyRefused(f"{name} is no threshold of a bank; there are {', '.join(NAMES)}")
    return {name: policies.checked(name, value) for name, value in overrides.items()}


def policy(*layers: Overrides, usual: Policy = DEFAULT) -> Policy:
    """`usual` with `layers` laid over it, the last on top. Raises PolicyRefused."""
    made = usual
    for layer in layers:
        made = replace(made, **checked(layer))  # type: ignore[arg-type]
    return made


def loosest(given: Iterable[Policy], usual: Policy = DEFAULT) -> Policy:
    """The policy that finds whatever any of `given`, or `usual`, finds."""
    made = usual
    for one in given:
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
