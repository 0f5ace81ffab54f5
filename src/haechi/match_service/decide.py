"""From hits to an outcome: what a platform should do with an upload, and why. Pure.

Every hit that could refuse the upload is ruled on by itself, and the strictest ruling counts. So
one more member of a bank that blocks never makes an outcome milder; only a harmless member, a hold
or an expiry does. docs/banks.md gives the rules with their reasons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from haechi.index import DEFAULT, Hit, Policy, Verdict

type Outcome = Literal["publish", "review", "block"]
type BankPolicy = Literal["block", "review", "record", "benign"]
type Held = Literal["", "flood", "disputed", "staff"]

_OUTCOME: dict[BankPolicy, Outcome] = {"block": "block", "review": "review", "record": "publish"}
_WEIGHT: dict[Outcome, int] = {"block": 0, "review": 1, "publish": 2}
_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}

_SEEN = {
    Verdict.IDENTICAL_FILE: "This is the same file as a picture on the list.",
    Verdict.SAME_PICTURE: "This is the same picture as one on the list, saved again.",
    Verdict.EDITED_COPY: "This is an edited copy of a picture on the list.",
    Verdict.NO_MATCH: "This picture is on no list.",
}
_SO = {
    "block": "By the rules of that list it must not be published.",
    "review": "A person should look at it before it is published.",
    "publish": "It may be published.",
}
_BIT_BY_BIT = ("sha256", "md5", "pdq", "pdq_turned")
_VETOED = "It is at least as near to a picture that a person marked as harmless."


@dataclass(frozen=True)
class Bank:
    """A list of pictures with one policy: block, send to review, only record, or take back.

    ratio        0 to 1; the share of questions in HMA's form that it answers (hma.matching)
    thresholds   where it differs from index.DEFAULT (index.thresholds)
    trusted      its pending members count as confirmed
    """

    name: str
    policy: BankPolicy
    enabled: bool
    ratio: float = 1.0
    thresholds: Mapping[str, int | float] = field(default_factory=dict)
    trusted: bool = False


@dataclass(frozen=True)
class Found:
    """One member in force of one enabled bank that an upload matches, as its own policy sees it.

    held       why it does not block for now; "" if it does
    likeness   the policy that judged the hit
    """

    member: int
    bank: Bank
    hit: Hit
    held: Held = ""
    likeness: Policy = DEFAULT

    @property
    def benign(self) -> bool:
        """True for a picture that a person marked as harmless."""
        return self.bank.policy == "benign"


class Matches(list[Found]):
    """Members that an upload matches, the best first.

    truncated   it is near to more members than one question looks at (mirror.MOST_HITS)
    """

    truncated = False


@dataclass(frozen=True)
class Decision:
    """What to do, and the one hit that decided it (None where nothing was found).

    veto   the harmless member that took the deciding hit back, wholly or to a review
    """

    outcome: Outcome
    deciding: Found | None
    veto: Found | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict of the deciding hit."""
        return self.deciding.hit.verdict if self.deciding else Verdict.NO_MATCH

    @property
    def reason(self) -> dict[str, str]:
        """A stable code and plain words, for the person whose upload it is."""
        parts = [_SEEN[self.verdict], *([_VETOED] if self.veto else []), _SO[self.outcome]]
        return {"code": f"match.{self.verdict.value}", "words": " ".join(parts)}


class _Ruling(NamedTuple):
    outcome: Outcome
    one: Found
    veto: Found | None


def decide(found: Sequence[Found]) -> Decision:
    """The strictest ruling among `found` (best first) decides; within it, the best hit.

    A likeness that a machine must not act on alone (Policy.certain), and a member that is held,
    are sent to review where the bank would block. Of Matches that were truncated nothing is
    published: what was left out might have blocked.
    """
    decision = _strictest(found)
    if decision.outcome == "publish" and isinstance(found, Matches) and found.truncated:
        return replace(decision, outcome="review")
    return decision


def _strictest(found: Sequence[Found]) -> Decision:
    vetoes = [one for one in found if one.benign and not one.held]
    rulings = [_rule(one, vetoes) for one in found if not one.benign]
    if not rulings:
        return Decision("publish", None)
    strictest = min(rulings, key=lambda ruling: _WEIGHT[ruling.outcome])
    return Decision(*strictest)


def nearness(hit: Hit) -> tuple[int, int, float]:
    """Less is nearer: the stronger verdict, then fewer bits, then more similar."""
    bits = 257 if hit.distance_bits is None else hit.distance_bits
    return _RANK[hit.verdict], bits, -(hit.similarity or 0.0)


def _rule(one: Found, vetoes: Sequence[Found]) -> _Ruling:
    outcome = _alone(one)
    near = [veto for veto in vetoes if nearness(veto.hit) <= nearness(one.hit)]
    if outcome == "publish" or not near:
        return _Ruling(outcome, one, None)
    milder = [(_vetoed(outcome, one, veto), veto) for veto in near]
    mildest, veto = max(milder, key=lambda pair: _WEIGHT[pair[0]])
    return _Ruling(mildest, one, None if mildest == outcome else veto)


def _alone(one: Found) -> Outcome:
    outcome = _OUTCOME[one.bank.policy]
    if outcome != "block":
        return outcome
    # A flood of edited copies says nothing against the picture itself, which goes on blocking.
    doubted = one.held and (one.held != "flood" or one.hit.verdict is Verdict.EDITED_COPY)
    return "review" if doubted or not one.likeness.certain(one.hit) else "block"


def _vetoed(outcome: Outcome, one: Found, veto: Found) -> Outcome:
    """What a harmless picture that is at least as near makes of `outcome`."""
    if _contradicts(one, veto) or _in_part(one.hit) or _in_part(veto.hit):
        return "review"
    if _whole(veto.hit):
        return "publish"
    # A likeness frees from a review, never from a block: an upload can be like two pictures.
    return "publish" if outcome == "review" and veto.likeness.certain(veto.hit) else "review"


def _contradicts(one: Found, veto: Found) -> bool:
    """Two people decided differently about one picture: a third looks."""
    if one.hit.verdict is Verdict.IDENTICAL_FILE:
        return True
    same = one.hit.verdict is Verdict.SAME_PICTURE and veto.hit.verdict is Verdict.SAME_PICTURE
    return same and one.hit.distance_bits == veto.hit.distance_bits


def _whole(hit: Hit) -> bool:
    """True if the whole upload was compared bit by bit: nothing else can be in a corner of it."""
    return hit.found_by in _BIT_BY_BIT


def _in_part(hit: Hit) -> bool:
    """True if only a part of the upload or of the member matched; another part may show more."""
    return not _whole(hit) and hit.found_by != "sscd"
