"""What a file says about how it was made: marks, and what is odd about them.

A mark is a claim by whoever wrote it. Only a C2PA mark whose trust is TRUSTED is more than that; every
other one can be written by anybody with a text editor, and its absence says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Says(StrEnum):
    """What a mark claims. The first four are about machines that make pictures, sounds or films."""

    MADE = "made_by_ai"
    EDITED = "edited_by_ai"
    MAY_BE = "may_be_ai"
    SUSPECTED = "suspected_ai"
    CAMERA = "camera"
    HUMAN = "edited_by_hand"
    NOTHING = "nothing"

    @property
    def of_ai(self) -> bool:
        """True where a machine is named as maker or editor, for certain or perhaps."""
        return self in _OF_AI


_OF_AI = frozenset({Says.MADE, Says.EDITED, Says.MAY_BE, Says.SUSPECTED})


class Trust(StrEnum):
    """What a signature is worth.

    TRUSTED   it fits, and its certificate leads to an anchor the reader was given
    VALID     it fits, but anybody can make such a certificate
    INVALID   it does not fit: the file or the mark was changed afterwards
    UNSIGNED  there is none
    """

    TRUSTED = "trusted"
    VALID = "valid"
    INVALID = "invalid"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class Mark:
    """One claim found in a file.

    kind     c2pa, iptc, aigc, generator, exif, watermark or visible
    carrier  where it stands, from the outside in: "png:tEXt:parameters", "jpeg:APP1:xmp"
    tool     who or what is named as the maker, "" if nobody is
    detail   more of what it says, clipped and without control characters; keys are stable
    """

    kind: str
    carrier: str
    says: Says
    trust: Trust = Trust.UNSIGNED
    tool: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "kind": self.kind,
            "carrier": self.carrier,
            "says": self.says.value,
            "trust": self.trust.value,
            "tool": self.tool,
            "detail": dict(self.detail),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """What `to_json` gave. Raises KeyError or ValueError for anything else."""
        return cls(
            kind=str(told["kind"]),
            carrier=str(told["carrier"]),
            says=Says(told["says"]),
            trust=Trust(told["trust"]),
            tool=str(told["tool"]),
            detail={str(key): str(value) for key, value in told["detail"].items()},
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd: marks that contradict each other, were taken out, or are broken or hostile.

    `code` is a key of `haechi.labels.words.FINDINGS`; `params` fill its template.
    """

    code: str
    params: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"code": self.code, "params": dict(self.params)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """What `to_json` gave. Raises KeyError for anything else."""
        params = {str(key): str(value) for key, value in told["params"].items()}
        return cls(str(told["code"]), params)


@dataclass(frozen=True, slots=True)
class Reading:
    """All marks of one file. `media_type` is told from the content."""

    sha256: str
    media_type: str
    marks: tuple[Mark, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON values, the same for the same file, anchors and key."""
        return {
            "sha256": self.sha256,
            "media_type": self.media_type,
            "marks": [mark.to_json() for mark in self.marks],
            "findings": [finding.to_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """What `to_json` gave. Raises KeyError or ValueError for anything else."""
        return cls(
            sha256=str(told["sha256"]),
            media_type=str(told["media_type"]),
            marks=tuple(Mark.from_json(mark) for mark in told["marks"]),
            findings=tuple(Finding.from_json(finding) for finding in told["findings"]),
        )
