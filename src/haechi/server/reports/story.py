"""What a reporter wrote, as it is sealed."""

import json
from dataclasses import asdict, dataclass, field
from typing import Self


@dataclass(frozen=True)
class Story:
    """The free text of a report.

    told       what happened, in her words
    contact    an address she gave, or ""
    declared   True when she (or the person she acts for) stated that this is her likeness, that
               there was no consent, and that it is told in good faith: elements of a valid
               request under several laws (law/data/removal_request_elements.json)
    signature  name or sign she wrote under the declaration, or ""
    files      names of the uploaded files, by exhibit number as text, "1" first (B13: they stand
               nowhere else)
    """

    told: str = ""
    contact: str = ""
    declared: bool = False
    signature: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The plaintext of `Report.sealed`."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The reverse of to_bytes."""
        return cls(**json.loads(data))
