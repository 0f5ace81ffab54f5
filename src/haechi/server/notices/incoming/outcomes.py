"""What became of each item, read from the decision and from what platforms confirmed."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from haechi.server.cases.models import Decision
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted
from haechi.server.notices.incoming_models import Incoming, IncomingItem, Outcome
from haechi.server.notices.models import NoticeItem
from haechi.server.reports import places
from haechi.server.reports import services as reports

# Verdicts that say the same of every item, and those that are done at each place.
_OF_ALL: Mapping[str, Outcome] = {
    "keep": Outcome.KEPT,
    "not_ours": Outcome.KEPT,
    "refer": Outcome.REFERRED,
    "need_more": Outcome.NEED_MORE,
}
_DONE: Mapping[str, Outcome] = {"remove": Outcome.REMOVED, "restrict": Outcome.RESTRICTED}
AT_ONCE = 1_000


def settle(incoming: Incoming, decision: Decision, *, now: datetime) -> list[IncomingItem]:
    """Write what is known of each item under this decision; returns those that changed.

    Runs inside the caller's transaction. An item whose removal no platform has confirmed stays as
    it was.
    """
    items = list(incoming.items.select_related("location"))
    said = _of_each(items, decision)
    changed = []
    for item in items:
        outcome = said.get(item.pk)
        if outcome is not None and outcome != item.outcome:
            item.outcome, item.settled_at = outcome, now
            changed.append(item)
    IncomingItem.objects.bulk_update(changed, ["outcome", "settled_at"], batch_size=AT_ONCE)
    return changed


def _of_each(items: Iterable[IncomingItem], decision: Decision) -> dict[int, Outcome]:
    if decision.verdict in _OF_ALL:
        return {item.pk: _OF_ALL[decision.verdict] for item in items}
    report = decision.case.report
    digests = {
        number: matching.digests(places.link_in(address))
        for number, address in reports.addresses_of(report).items()
    }
    hosted = _hosted_at({one for each in digests.values() for one in each})
    done = _DONE.get(decision.verdict, Outcome.REMOVED)
    actions = {
        key: done if done_at else (Outcome.KEPT if given_up_at else None)
        for key, done_at, given_up_at in decision.actions.values_list(
            "hosted_id", "done_at", "given_up_at"
        )
    }
    asked = NoticeItem.objects.filter(notice__decision=decision)
    written = set(asked.values_list("location_id", flat=True))
    found = {}
    for item in items:
        here = [
            one for each in digests.get(item.location.number, ()) for one in hosted.get(each, ())
        ]
        outcome = _of_one(here, actions)
        if not here:
            outcome = Outcome.REFERRED if item.location_id in written else Outcome.NOT_FOUND
        if outcome is not None:
            found[item.pk] = outcome
    return found


def _of_one(here: list[Hosted], actions: Mapping[int, Outcome | None]) -> Outcome | None:
    """What became of the content at one place; None while a platform has not answered."""
    asked = [actions[one.pk] for one in here if one.pk in actions]
    if asked:
        return None if None in asked else (Outcome.KEPT if Outcome.KEPT in asked else asked[0])
    return Outcome.REMOVED if all(one.removed_at for one in here) else Outcome.KEPT


def _hosted_at(digests: set[bytes]) -> dict[bytes, list[Hosted]]:
    found: dict[bytes, list[Hosted]] = {}
    wanted = sorted(digests)
    for start in range(0, len(wanted), AT_ONCE):
        rows = Hosted.objects.filter(url_digest__in=wanted[start : start + AT_ONCE])
        for row in rows.only("pk", "url_digest", "removed_at"):
            found.setdefault(bytes(row.url_digest), []).append(row)
    return found
