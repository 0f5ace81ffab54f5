"""POST /v1/match/batch: many fingerprints in one request, each answered on its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi.errors import HaechiError, InvalidDocument, MatchUnavailable
from haechi.match_service import intake
from haechi.match_service.decide import decide
from haechi.match_service.intake import Asked
from haechi.match_service.keys import Caller
from haechi.match_service.refusals import told
from haechi.match_service.service import Service
from haechi.match_service.store import Verdict
from haechi.match_service.verdicts import Reader, service_of, verdict

ITEM_BYTES = 1_000
"""Room for one item: two hashes, a quality, and a label of 120 characters, however escaped."""


@dataclass(frozen=True, slots=True)
class _Item:
    asked: Asked
    label: str


async def match_many(request: Request) -> Response:
    """POST /v1/match/batch: {"items": [fingerprint, ...]} to {"answers": [...]}, in the same order.

    An item is what /v1/match takes as JSON, and may carry a `label`. An item that makes no sense
    has an `error` in its place, and the others their verdicts. All checks are one statement, which
    is committed before the answer: either every verdict is on record, or none is given.
    """
    service = service_of(request)
    caller = await service.caller(request, "match")
    if not service.follower.fresh:
        raise MatchUnavailable
    given = await _given(request, service)
    service.charge(caller, len(given) - 1)
    items = [_read(one) for one in given]
    good = [one for one in items if isinstance(one, _Item)]
    answers = iter(await _answered(service, caller, good))
    return JSONResponse(
        {
            "answers": [
                next(answers) if isinstance(one, _Item) else {"error": told(one)} for one in items
            ]
        }
    )


async def _given(request: Request, service: Service) -> list[object]:
    settings = service.settings
    limit_bytes = max(intake.JSON_LIMIT_BYTES, settings.batch * ITEM_BYTES)
    body = await intake.read_json(request, settings.read_s, limit_bytes)
    items = body.get("items")
    if not isinstance(items, list) or not items:
        raise InvalidDocument("items must be a list that is not empty")
    if len(items) > settings.batch:
        raise InvalidDocument(f"items are more than {settings.batch}")
    return items


def _read(item: object) -> _Item | HaechiError:
    try:
        if not isinstance(item, dict):
            raise InvalidDocument("the item is not a JSON object")
        label = item.get("label") or ""
        if not isinstance(label, str):
            raise InvalidDocument("label must be a string")
        label = intake.printable(label.strip(), "label", intake.LABEL_LIMIT)
        return _Item(Asked.hashes(item), label)
    except HaechiError as error:
        return error


async def _answered(
    service: Service, caller: Caller, items: Sequence[_Item]
) -> list[dict[str, object]]:
    if not items:
        return []
    found = await service.found_many([one.asked.query for one in items])
    verdicts = [
        Verdict(one.asked, decide(hits), one.label) for one, hits in zip(items, found, strict=True)
    ]
    written = await service.store.write_checks(caller.id, verdicts)
    for one in verdicts:
        service.metrics.outcome(one.decision.outcome)
    answers = zip((one.decision for one in verdicts), found, strict=True)
    reader = await Reader.of(service, caller, answers)
    return [verdict(reader, *one) for one in zip(verdicts, found, written, strict=True)]
