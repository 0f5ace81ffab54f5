"""The rules of law as they hold here: the table, and what administrators confirmed since."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet

from haechi import law
from haechi.errors import NotAllowed, ReasonRequired, RuleChanged
from haechi.server.audit import services as audit
from haechi.server.cases.models import Rule
from haechi.server.staff.models import Role, User

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=1)


@dataclass
class _Memory:
    """What this process read last, for pages that must stand while the database is away."""

    rules: Mapping[str, law.Rule] | None = None
    asked_at: datetime | None = None


_memory = _Memory()


def current() -> Mapping[str, law.Rule]:
    """Every rule by its identifier, as its newest version has it."""
    newest = Rule.objects.order_by("rule", "-version").distinct("rule")
    _memory.rules = law.current(row.as_version() for row in newest)
    return _memory.rules


def last_known() -> Mapping[str, law.Rule]:
    """As `current` was when this process asked last, or the table; asks no database."""
    return _memory.rules or law.current(())


def fresh(*, now: datetime) -> Mapping[str, law.Rule]:
    """For the public form: asked of the database once a minute, and the last ones while it is away."""
    if _memory.asked_at is None or now - _memory.asked_at >= FRESH:
        _memory.asked_at = now
        try:
            with transaction.atomic():
                return current()
        except DatabaseError as error:
            log.warning("rules of law are as last read: %s", type(error).__name__)
    return last_known()


def forget() -> None:
    """Read them anew the next time."""
    _memory.rules = _memory.asked_at = None


def versions_of(rule_id: str) -> QuerySet[Rule]:
    """All versions of one rule, the newest first."""
    return Rule.objects.filter(rule=rule_id)


@transaction.atomic
def confirm(version: law.Version, *, reason: str, actor: User, now: datetime) -> Rule:
    """Write a new version of a rule. Clocks that run keep the one they started under.

    `version.version` is one more than what the administrator saw. Raises NotAllowed for anybody but
    an administrator, ReasonRequired, RuleRefused, UnknownRule, and RuleChanged where somebody else
    wrote that version first.
    """
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed("rules of law are an administrator's")
    if not reason.strip():
        raise ReasonRequired
    law.confirmed(version)
    newest = versions_of(version.rule).first()
    if version.version != (newest.version if newest else 0) + 1:
        raise RuleChanged(version.rule)
    try:
        with transaction.atomic():
            row = Rule.objects.create(
                **asdict(version), reason=reason.strip(), made_by=actor.name_in_log, made_at=now
            )
    except IntegrityError as error:
        raise RuleChanged(version.rule) from error
    audit.record(
        "rule:confirmed" if version.runs else "rule:ended",
        subject=row,
        actor=actor.name_in_log,
        at=now,
        detail={
            "rule": version.rule,
            "version": version.version,
            "limit": f"{version.amount} {version.unit}",
            "event": version.event,
            "from": version.in_force_from.isoformat(),
            "until": version.in_force_until.isoformat() if version.in_force_until else None,
            "source": version.source,
            "reason": reason.strip(),
        },
    )
    return row
