"""The marks in a file as signals: what they say, and what that is worth."""

from collections import Counter

from haechi import labels
from haechi.forensics.report import BY_RULE, Signal, State, Toward
from haechi.labels import Mark, Reading, Says, Trust
from haechi.media import Limits, Sandbox

KIND = "marks"
_TOWARD = {
    Says.MADE: Toward.MADE,
    Says.EDITED: Toward.ALTERED,
    Says.MAY_BE: Toward.MADE,
    Says.SUSPECTED: Toward.MADE,
    Says.CAMERA: Toward.CAMERA,
}
OURS = "watermark"
"""The kind of the mark that is in the pixels and needs this installation's key to be made."""


def reading(
    data: bytes,
    trust_anchors: str | None,
    watermark_key: bytes | None,
    limits: Limits,
    sandbox: Sandbox | None,
) -> Reading:
    """The marks of a file, read in a process of `sandbox` where there is one. Raises as labels.read."""
    if sandbox is None:
        return labels.read(
            data, limits=limits, trust_anchors=trust_anchors, watermark_key=watermark_key
        )
    return sandbox.run(
        labels.read,
        data,
        limits=limits,
        trust_anchors=trust_anchors,
        watermark_key=watermark_key,
    )


def signals(reading: Reading) -> tuple[Signal, ...]:
    """One signal a mark, numbered within its kind; one silent signal where there is none."""
    if not reading.marks:
        silent = Signal(
            id=f"{KIND}.none",
            kind=KIND,
            state=State.SILENT,
            meaning="marks.none",
            calibration=BY_RULE,
            limits=("limit.marks_are_removed",),
        )
        return (silent,)
    count: Counter[str] = Counter()
    found: list[Signal] = []
    for mark in reading.marks:
        found.append(_signal(mark, f"{KIND}.{mark.kind}.{count[mark.kind]}"))
        count[mark.kind] += 1
    return tuple(found)


def _signal(mark: Mark, name: str) -> Signal:
    toward = _TOWARD.get(mark.says)
    broken = mark.trust is Trust.INVALID
    return Signal(
        id=name,
        kind=KIND,
        state=State.SILENT if mark.says is Says.NOTHING and not broken else State.SPEAKS,
        meaning="marks.broken" if broken else f"marks.{mark.says.value}.{_worth(mark)}",
        toward=None if broken else toward,
        calibration=BY_RULE,
        params={"carrier": mark.carrier, "tool": mark.tool or mark.kind.upper()},
        limits=_limits(mark),
    )


def _worth(mark: Mark) -> str:
    if mark.kind == OURS:
        return "ours"
    return {Trust.TRUSTED: "trusted", Trust.VALID: "valid"}.get(mark.trust, "unsigned")


def _limits(mark: Mark) -> tuple[str, ...]:
    if mark.kind == OURS:
        return ("limit.watermark_can_be_moved",)
    if mark.trust is Trust.TRUSTED:
        return ("limit.signer_trusted",)
    if mark.trust is Trust.VALID:
        return ("limit.signer_unknown",)
    if mark.trust is Trust.INVALID:
        return ("limit.broken_says_little",)
    return ("limit.forgeable",)
