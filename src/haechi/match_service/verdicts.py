"""A verdict as a platform reads it; one form for single questions and for batches."""

from collections.abc import Sequence
from typing import cast

from starlette.requests import Request

from haechi.match_service.config import Settings
from haechi.match_service.decide import Found
from haechi.match_service.service import Service
from haechi.match_service.store import Verdict, Written


def service_of(request: Request) -> Service:
    """What the routes of this process share."""
    return cast("Service", request.app.state.service)


def verdict(
    settings: Settings, given: Verdict, found: Sequence[Found], written: Written
) -> dict[str, object]:
    """As JSON; `found` best first."""
    token, decision = written.appeal_token, given.decision
    return {
        "outcome": decision.outcome,
        "verdict": decision.verdict.value,
        "check": written.check,
        "fingerprint": given.asked.answer(),
        "hits": [_hit(one) for one in found],
        "reason": decision.reason,
        "appeal_url": f"{settings.public_url}/appeal/{token}" if token else None,
    }


def _hit(found: Found) -> dict[str, object]:
    hit = found.hit
    return {
        "member": found.member,
        "bank": found.bank.name,
        "policy": found.bank.policy,
        "verdict": hit.verdict.value,
        "found_by": hit.found_by,
        "distance_bits": hit.distance_bits,
        "similarity": None if hit.similarity is None else round(float(hit.similarity), 4),
        "orientation": hit.orientation,
    }
