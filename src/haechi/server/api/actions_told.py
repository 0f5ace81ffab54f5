"""What the document tells of actions: the pull side of docs/platforms.md."""

from collections.abc import Mapping

from haechi.server.api.told import MOMENT, TEXT, YES_NO, Json, Told, a_list, an_object, maybe, ref
from haechi.server.cases.delivery import NOTE_LIMIT
from haechi.server.cases.models import ActionKind, Outcome, Refusal, Restriction

TYPES = ["ping", *(f"content.{kind.value}" for kind in ActionKind)]
SCHEMAS: Mapping[str, Json] = {
    "Action": an_object(
        {
            "type": {"enum": TYPES},
            "idempotency_key": TEXT,
            "content_id": maybe(TEXT),
            "restriction": maybe({"enum": Restriction.values}),
            "asked_at": MOMENT,
            "reason": TEXT,
            "statement": maybe({"type": "object"}),
            "appeal_url": maybe(TEXT),
            "test": YES_NO,
            "state": {"enum": ["open", "done", "refused", "withdrawn", "given_up"]},
        }
    )
    | {"description": "What the webhook carries, and where it stands. Act once for each key."},
    "Actions": an_object({"actions": a_list(ref("Action")), "next": maybe(TEXT)})
    | {"description": "What waits, oldest first; `next` is the `after` of the next page."},
    "Answer": {
        "oneOf": [
            an_object({"outcome": {"const": Outcome.DONE.value}}),
            an_object(
                {
                    "outcome": {"const": Outcome.REFUSED.value},
                    "reason": {"enum": Refusal.values},
                },
                {"note": {"type": ["string", "null"], "maxLength": NOTE_LIMIT}},
            ),
        ],
        "description": "Done, or refused for a reason.",
    },
    "Taken": an_object({"idempotency_key": TEXT, "state": {"enum": Outcome.values}})
    | {"description": "What was understood."},
}
_ONE = "/api/v1/actions/{key}"
_PAGING: Mapping[str, Json] = {
    "after": {"type": "string", "pattern": "^[0-9]{0,18}$"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 1_000},
}
TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", "/api/v1/actions"): Told(
        "What waits for this platform.", {200: "Actions"}, (400,), scope="act", query=_PAGING
    ),
    ("GET", _ONE): Told("One action.", {200: "Action"}, (404,), scope="act"),
    ("POST", _ONE): Told(
        "Confirm or refuse it.",
        {200: "Taken"},
        (400, 404, 409, 413),
        scope="act",
        body="Answer",
    ),
}
