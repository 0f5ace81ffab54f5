"""Marks by programs that make pictures: the settings they leave, told by the rules in data/generators.json."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from haechi.labels.mark import Mark, Says
from haechi.labels.reading.haul import Field, Haul
from haechi.labels.text import clean


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which one program signs.

    tool     what it is called; "" if the value itself says so
    fields   where it does, in lower case
    pattern  what is found there
    edits    found there too if something existing was changed; None if that cannot be told
    keeps    what of it is told, by key: the first group
    finding  a code to note as well; "" for none
    """

    name: str
    tool: str
    says: Says
    fields: frozenset[str]
    pattern: re.Pattern[str]
    edits: re.Pattern[str] | None
    keeps: Mapping[str, re.Pattern[str]]
    finding: str
    source: tuple[str, ...]


@cache
def rules() -> tuple[Rule, ...]:
    """The rules that ship with Haechi. Every pattern runs in linear time over 64 Ki characters."""
    told = json.loads(
        resources.files("haechi.labels").joinpath("data/generators.json").read_bytes()
    )
    return tuple(
        Rule(
            name=row["id"],
            tool=row["tool"],
            says=Says(row["says"]),
            fields=frozenset(field.casefold() for field in row["fields"]),
            pattern=re.compile(row["pattern"]),
            edits=re.compile(row["edits"]) if "edits" in row else None,
            keeps={key: re.compile(pattern) for key, pattern in row["keeps"].items()},
            finding=row.get("finding", ""),
            source=tuple(row["source"]),
        )
        for row in told["rules"]
    )


def marks(haul: Haul) -> Iterator[Mark]:
    """One for each program that signed; what several of its fields say is put together."""
    made: dict[str, Mark] = {}
    for found in haul.fields:
        known = False
        for rule in rules():
            # Names by themselves come last, and only for a program that no rule knows better.
            if found.name.casefold() not in rule.fields or (known and not rule.tool):
                continue
            mark = _mark(rule, found)
            if mark is None:
                continue
            known = True
            if rule.finding:
                haul.find(rule.finding, tool=mark.tool, carrier=found.carrier)
            made[mark.tool] = _joined(made.get(mark.tool), mark)
    yield from made.values()


def _mark(rule: Rule, found: Field) -> Mark | None:
    hit = rule.pattern.search(found.value)
    if hit is None:
        return None
    changed = rule.edits is not None and rule.edits.search(found.value) is not None
    kept = {key: pattern.search(found.value) for key, pattern in rule.keeps.items()}
    detail = {key: clean(match[1]) for key, match in kept.items() if match}
    says = Says.EDITED if changed else rule.says
    # A name by itself is told as the whole of what the field says.
    tool = rule.tool or clean(found.value, longest=80)
    return Mark("generator", found.carrier, says, tool=tool, detail={"rule": rule.name, **detail})


def _joined(first: Mark | None, second: Mark) -> Mark:
    if first is None:
        return second
    says = Says.EDITED if Says.EDITED in {first.says, second.says} else first.says
    detail = {**second.detail, **first.detail}
    return Mark("generator", first.carrier, says, tool=first.tool, detail=detail)
