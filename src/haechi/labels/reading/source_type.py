"""Marks by IPTC: the property DigitalSourceType in XMP."""

from collections.abc import Iterator

from haechi.labels import source_types
from haechi.labels.mark import Mark
from haechi.labels.reading.haul import Haul
from haechi.labels.text import clean

_PROPERTY = "xmp:Iptc4xmpExt:DigitalSourceType"
# Elder or mistaken namespaces under which the same word is written.
_LOCAL = ":digitalsourcetype"
_BESIDE = {
    "credit": ("xmp:photoshop:Credit", "iim:2:110"),
    "creator_tool": ("xmp:xmp:CreatorTool",),
}


def marks(haul: Haul) -> Iterator[Mark]:
    """One for each value that differs."""
    seen: set[tuple[str, str]] = set()
    for found in haul.fields:
        named = found.name == _PROPERTY or (
            found.name.startswith("xmp:") and found.name.casefold().endswith(_LOCAL)
        )
        word = clean(source_types.short(found.value), longest=80)
        if not named or (found.carrier, word) in seen:
            continue
        seen.add((found.carrier, word))
        beside = _beside(haul)
        tool = beside.get("credit") or beside.get("creator_tool") or ""
        says = source_types.says(found.value)
        yield Mark(
            "iptc", found.carrier, says, tool=tool, detail={"digital_source_type": word, **beside}
        )


def _beside(haul: Haul) -> dict[str, str]:
    told = {}
    for key, names in _BESIDE.items():
        value = next((found.value for name in names for found in haul.named(name)), "")
        if value:
            told[key] = clean(value)
    return told
