"""A verdict as a platform reads it; one form for single questions and for batches."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Self, cast

from starlette.requests import Request

from haechi.match_service.config import Settings
from haechi.match_service.decide import Decision, Found, Matches
from haechi.match_service.keys import Caller
from haechi.match_service.service import Service
from haechi.match_service.store import Told, Verdict, Written

MOST_TOLD = 1_000
"""Hits in one answer: 400 kB of JSON. Nobody reads more; the outcome weighs all of them."""


def service_of(request: Request) -> Service:
    """What the routes of this process share."""
    return cast("Service", request.app.state.service)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads answers, and what is kept beside the members that they name.

    staff   may know the case that a member came from
    """

    settings: Settings
    told: Mapping[int, Told]
    staff: bool = False

    @classmethod
    async def of(
        cls, service: Service, caller: Caller, answers: Iterable[tuple[Decision, Matches]]
    ) -> Self:
        """One question to the database for all that is told, and none where nothing was found."""
        named = {
            one.member
            for decision, found in answers
            for one in (*_shown(decision, found), decision.veto)
            if one is not None
        }
        told = await service.store.told(sorted(named))
        return cls(service.settings, told, "staff-metadata" in caller.scopes)


def verdict(reader: Reader, given: Verdict, found: Matches, written: Written) -> dict[str, object]:
    """As JSON; `found` best first, and MOST_TOLD of them."""
    token, decision = written.appeal_token, given.decision
    return {
        "outcome": decision.outcome,
        "verdict": decision.verdict.value,
        "check": written.check,
        "fingerprint": given.asked.answer(),
        "hits": [_hit(reader, one) for one in _shown(decision, found)],
        "truncated": found.truncated or len(found) > MOST_TOLD,
        "veto": _hit(reader, decision.veto) if decision.veto else None,
        "reason": decision.reason,
        "appeal_url": f"{reader.settings.public_url}/appeal/{token}" if token else None,
    }


def _shown(decision: Decision, found: Matches) -> list[Found]:
    """The best hits, and the one that decided, wherever it stands."""
    shown = found[:MOST_TOLD]
    more = decision.deciding
    return shown if more is None or more in shown else [*shown, more]


def _hit(reader: Reader, found: Found) -> dict[str, object]:
    hit, told = found.hit, reader.told.get(found.member)
    return {
        "member": found.member,
        "bank": found.bank.name,
        "policy": found.bank.policy,
        "verdict": hit.verdict.value,
        "found_by": hit.found_by,
        "distance_bits": hit.distance_bits,
        "similarity": None if hit.similarity is None else round(float(hit.similarity), 4),
        "orientation": hit.orientation,
        "clip": asdict(hit.clip) if hit.clip else None,
        "held": found.held or None,
        **(told.answer(staff=reader.staff) if told else {}),
    }
