"""When silence has a consequence, and which: data/chase.json."""

import functools
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from django.db.models import QuerySet

from haechi.server.audit import services as audit
from haechi.server.notices.models import Notice, NoticeItem, Outcome, Step

ANY = "any"
# What needs nobody else: it is down, or nobody finds it there.
DONE = (Outcome.REMOVED, Outcome.NOT_FOUND)


@dataclass(frozen=True)
class Rule:
    """One row of chase.json."""

    kind: str
    step: str
    on: str
    hours: int
    urgent_hours: int
    act: str

    def fits(self, notice: Notice, event: str) -> bool:
        """True where this rule says what follows."""
        return (
            self.on == event and self.kind in (notice.kind, ANY) and self.step in (notice.step, ANY)
        )


def chain() -> tuple[Step, ...]:
    """Who is asked, one after the other."""
    return tuple(Step(step) for step in _data()["chain"])


def waits_for_person(step: str) -> bool:
    """True for steps whose notices go only when a person says so."""
    return step in _data()["by_hand"]


def rules() -> tuple[Rule, ...]:
    """In the order in which they count."""
    return tuple(Rule(**row) for row in _data()["rules"])


def start(notice: Notice, event: str, *, now: datetime) -> None:
    """Set what happens to a notice after `event`, and when: "silence" or "undeliverable"."""
    rule = next((rule for rule in rules() if rule.fits(notice, event)), None)
    if rule is None or rule.act == "stop":
        _set(notice, None, "")
        return
    urgent = notice.decision.case.report.maybe_minor
    hours = rule.urgent_hours if urgent else rule.hours
    _set(notice, now + timedelta(hours=hours), rule.act)


def stop(notice: Notice, *, actor: str, now: datetime, settled: bool = False) -> bool:
    """Nothing follows from silence any more; False where nothing did. Inside a transaction."""
    found = Notice.objects.filter(pk=notice.pk, settled_at=None)
    changed = found.update(next_at=None, next_act="", **({"settled_at": now} if settled else {}))
    if changed:
        tag = "notice:settled" if settled else "notice:chase_stopped"
        audit.record(tag, subject=notice, actor=actor, at=now)
    return bool(changed)


def outstanding(notice: Notice) -> QuerySet[NoticeItem]:
    """Its places that no receiver of any notice of this decision said were down."""
    down = NoticeItem.objects.filter(notice__decision=notice.decision_id, outcome__in=DONE)
    open_items = notice.items.exclude(location=None).exclude(outcome__in=DONE)
    return open_items.exclude(location__in=down.values("location"))


def _set(notice: Notice, at: datetime | None, act: str) -> None:
    Notice.objects.filter(pk=notice.pk).update(next_at=at, next_act=act)
    notice.next_at, notice.next_act = at, act


@functools.cache
def _data() -> dict[str, Any]:
    file = resources.files("haechi.server.notices") / "data" / "chase.json"
    read: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return read
