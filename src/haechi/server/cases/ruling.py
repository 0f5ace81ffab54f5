"""What a reviewer concludes, before it is anything in the database."""

import json
from dataclasses import dataclass

from haechi import seal
from haechi.errors import CitationUnknown, GroundUnknown, ReasonRequired, StatementRefused
from haechi.formats import statement
from haechi.server.cases.models import ACTING, Case, Decision, Ground, Label, Restriction, Verdict
from haechi.server.cases.models.policy import Policy
from haechi.server.reports import vault

# The statement adds a sentence on automated means (transparency.services).
LONGEST_FACTS = statement.longest("decision_facts") - 200
LONGEST_EXPLANATION = statement.longest("illegal_content_explanation")


@dataclass(frozen=True)
class Said:
    """What statements of reasons say in the reviewer's words; "" where the fixed words are used.

    Published: no name, no address, no account.
    """

    facts: str = ""
    explanation: str = ""

    def __bool__(self) -> bool:
        """False where nothing was written."""
        return bool(self.facts or self.explanation)


@dataclass(frozen=True)
class Ruling:
    """A verdict and what belongs to it.

    ground       key of the catalogue, for what asks something of a platform; otherwise "none"
    restriction  what is asked for with `restrict`
    label        what is written beside it with the restriction "labelled"
    cites        keys of findings it rests on (cases.citing), for what asks something of a platform:
                 that nothing was found, or that a camera signed it, is no ground to refuse
    """

    verdict: Verdict
    ground: str = Ground.NONE
    reason: str = ""
    restriction: str = ""
    said: Said = Said()
    label: str = ""
    cites: tuple[str, ...] = ()

    def check(self, case: Case) -> None:
        """Raises ReasonRequired, GroundUnknown, CitationUnknown, StatementRefused: what does not fit."""
        acts = self.verdict in ACTING
        if not self.reason.strip() or acts != (self.ground != Ground.NONE):
            raise ReasonRequired(case.pk)
        if (self.verdict == Verdict.RESTRICT) != (self.restriction in Restriction.values):
            raise GroundUnknown(self.restriction)
        labelled = self.restriction == Restriction.LABELLED
        if self.label not in ("", *Label.values) or (self.label and not labelled):
            raise GroundUnknown(self.label)
        if self.cites and not acts:
            raise CitationUnknown(self.cites[0])
        if len(self.said.facts) > LONGEST_FACTS:
            raise StatementRefused("decision_facts", "is too long")
        if len(self.said.explanation) > LONGEST_EXPLANATION:
            raise StatementRefused("explanation", "is too long")

    def agrees_with(self, verdict: str, ground: str) -> bool:
        """True where two people concluded the same."""
        return (self.verdict, self.ground) == (verdict, ground)


def ground_version(policy: Policy | None) -> int:
    """What a decision keeps beside the key."""
    return policy.version if policy else 0


def seal_said(said: Said, case: Case) -> bytes:
    """The envelope of what was written, or b"" where nothing was."""
    if not said:
        return b""
    text = json.dumps({"facts": said.facts, "explanation": said.explanation})
    return seal.seal(text.encode(), case.report.recipient)


def said_in(decision: Decision) -> Said:
    """What was written for its statements. Raises KeyMissing in a process without the vault."""
    if not decision.said_sealed:
        return Said()
    identity = vault.identity_of(decision.case.report)
    return Said(**json.loads(seal.open_sealed(bytes(decision.said_sealed), identity)))
