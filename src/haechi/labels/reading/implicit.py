"""Marks of GB 45438: the label AIGC, wherever it stands."""

import json
from collections.abc import Iterator

from haechi.labels import aigc
from haechi.labels.aigc import KEYWORD, Aigc, Level
from haechi.labels.mark import Mark, Says
from haechi.labels.reading.haul import Field, Haul

SAYS = {Level.IS: Says.MADE, Level.MAY_BE: Says.MAY_BE, Level.SUSPECTED: Says.SUSPECTED}
_PARTS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)


def marks(haul: Haul) -> Iterator[Mark]:
    """One for each label found; what is wrong with one is a finding."""
    seen: set[tuple[str, Aigc]] = set()
    for found in (*filter(_is_label, haul.fields), *_apart(haul)):
        parsed = aigc.parse(found.value)
        for fault in parsed.faults:
            haul.find(f"aigc.{fault}", carrier=found.carrier)
        label = parsed.aigc
        if label is None or (found.carrier, label) in seen:
            continue
        seen.add((found.carrier, label))
        yield Mark(
            "aigc", found.carrier, SAYS[label.label], tool=label.producer, detail=_detail(label)
        )
    labels = {label for _, label in seen}
    if len(labels) > 1:
        # Clause 6.1 c): a file keeps one label; whoever spreads it changes that one.
        haul.find("aigc.several", count=str(len(labels)))


def _is_label(found: Field) -> bool:
    """By its key, or because it wraps itself."""
    kind, _, name = found.name.partition(":")
    if kind in {"text", "xmp"} and KEYWORD in name.rpartition(":")[2]:
        return True
    head = found.value[:64]
    return head.lstrip("\ufeff \r\n\t").startswith("{") and f'"{KEYWORD}"' in head


def _apart(haul: Haul) -> Iterator[Field]:
    """XMP written as a structure: each field a property of its own."""
    values: dict[str, Field] = {}
    for found in haul.fields:
        prefix, _, local = found.name.removeprefix("xmp:").rpartition(":")
        if (
            found.name.startswith("xmp:")
            and local in _PARTS
            and ("260" in prefix or KEYWORD in prefix)
        ):
            values.setdefault(local, found)
    if "Label" in values:
        told = {key: found.value for key, found in values.items()}
        yield Field(values["Label"].carrier, "xmp:TC260:AIGC", json.dumps(told))


def _detail(label: Aigc) -> dict[str, str]:
    told = {
        "label": str(int(label.label)),
        "producer": label.producer,
        "produce_id": label.produce_id,
        "propagator": label.propagator,
        "propagate_id": label.propagate_id,
        "reserved1": label.reserved1,
        "reserved2": label.reserved2,
    }
    return {key: value for key, value in told.items() if value}
