"""What marks say of each other: that they do not agree, or that some were taken out."""

from collections.abc import Sequence

from haechi.labels.mark import Mark, Says, Trust
from haechi.labels.reading.haul import Haul

_NATIVE = frozenset({"aigc", "c2pa", "iptc", "generator"})


def note(marks: Sequence[Mark], haul: Haul) -> None:
    """Add what follows from the marks together."""
    _camera_and_machine(marks, haul)
    _taken_out(marks, haul)


def _camera_and_machine(marks: Sequence[Mark], haul: Haul) -> None:
    """A photograph may have been changed by a machine; it cannot have been made by one."""
    made = next((mark for mark in marks if mark.says is Says.MADE), None)
    taken = next((mark for mark in marks if mark.says is Says.CAMERA), None)
    if made is None or taken is None:
        return
    # An ingredient is another picture: a photograph may well be part of what a machine made.
    if "ingredient" in {made.detail.get("role"), taken.detail.get("role")}:
        return
    haul.find(
        "contradiction.camera",
        made=made.carrier,
        made_by=made.tool or made.kind,
        taken=taken.carrier,
        taken_by=taken.tool or taken.kind,
    )


def _taken_out(marks: Sequence[Mark], haul: Haul) -> None:
    kinds = {mark.kind for mark in marks}
    provenance = next(iter(haul.named("xmp:dcterms:provenance")), None)
    if provenance is not None and "c2pa" not in kinds and not _remote(haul):
        haul.find("removed.c2pa", carrier=provenance.carrier)
    if "watermark" in kinds and not any(
        mark.kind in _NATIVE and mark.says.of_ai
        for mark in marks
        if mark.trust is not Trust.INVALID
    ):
        haul.find("removed.labels")
    # Programs that hide their settings in the pixels write them into a text chunk too.
    hidden = [mark for mark in marks if mark.carrier.startswith("pixels:alpha")]
    if hidden and not any(found.name.startswith("text:") for found in haul.fields):
        haul.find("removed.settings", tool=hidden[0].tool)


def _remote(haul: Haul) -> bool:
    return any(finding.code in {"c2pa.remote", "broken.c2pa"} for finding in haul.findings)
