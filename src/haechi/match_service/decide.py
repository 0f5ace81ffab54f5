"""From hits to an outcome: what a platform should do with an upload, and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from haechi.index import DEFAULT, Hit, Verdict

type Outcome = Literal["publish", "review", "block"]
type BankPolicy = Literal["block", "review", "record"]

_OUTCOME: dict[BankPolicy, Outcome] = {"block": "block", "review": "review", "record": "publish"}
_WEIGHT: dict[Outcome, int] = {"block": 0, "review": 1, "publish": 2}

_SEEN = {
    Verdict.IDENTICAL_FILE: "This is the same file as a picture on the list.",
    Verdict.SAME_PICTURE: "This is the same picture as one on the list, saved again.",
    Verdict.EDITED_COPY: "This is an edited copy of a picture on the list.",
    Verdict.NO_MATCH: "This picture is on no list.",
}
_SO = {
    "block": "A person decided, after a report, that it must not be published.",
    "review": "A person should look at it before it is published.",
    "publish": "It may be published.",
}


@dataclass(frozen=True)
class Bank:
    """A list of pictures with one policy: block, send to review, or only record.

    ratio   0 to 1; the share of questions in HMA's form that it answers (hma.matching)
    """

    name: str
    policy: BankPolicy
    enabled: bool
    ratio: float = 1.0


@dataclass(frozen=True)
class Found:
    """One confirmed member of one enabled bank that an upload matches."""

    member: int
    bank: Bank
    hit: Hit


@dataclass(frozen=True)
class Decision:
    """What to do, and the one hit that decided it (None where nothing was found)."""

    outcome: Outcome
    deciding: Found | None

    @property
    def verdict(self) -> Verdict:
        """The verdict of the deciding hit."""
        return self.deciding.hit.verdict if self.deciding else Verdict.NO_MATCH

    @property
    def reason(self) -> dict[str, str]:
        """A stable code and plain words, for the person whose upload it is."""
        words = f"{_SEEN[self.verdict]} {_SO[self.outcome]}"
        return {"code": f"match.{self.verdict.value}", "words": words}


def decide(found: Sequence[Found]) -> Decision:
    """The strictest outcome among `found` (best first) decides; within it, the best hit.

    A likeness that a machine must not act on alone (Policy.certain) is sent to review where the
    bank would block.
    """
    if not found:
        return Decision("publish", None)
    deciding = min(found, key=lambda one: _WEIGHT[_outcome(one)])
    return Decision(_outcome(deciding), deciding)


def _outcome(one: Found) -> Outcome:
    outcome = _OUTCOME[one.bank.policy]
    return "review" if outcome == "block" and not DEFAULT.certain(one.hit) else outcome
