"""What a law or a court asks for stays until its order can arrive, when a second person agrees (B23, B32).

Who asks for it keeps it for three days by that, once: what its service wishes erased goes within
minutes, and the second person must have time to read why. Another such question adds nothing.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce

from haechi.errors import NotAllowed, OwnRequest
from haechi.server.audit import services as audit
from haechi.server.reports import vault
from haechi.server.staff.models import Role, User
from haechi.server.tracing.models import Finding, Generation, Inquiry, Purpose

READ = "trace:hold_read"
WAITS_FOR = timedelta(days=3)
"""How long records stay by the question of one person, and wait for a second one."""
HELD_FOR = timedelta(days=90)
"""How long they stay from when a second one agreed."""


def begin(generations: Collection[int], *, now: datetime) -> None:
    """Keep what a question met until a second person could answer; only what was never held."""
    fresh = Generation.objects.filter(pk__in=generations, held_until=None)
    fresh.update(held_until=now + WAITS_FOR)


def waiting(now: datetime) -> QuerySet[Inquiry]:
    """Questions because of a law or a court that met something, and to which nobody agreed yet."""
    asked = Inquiry.objects.filter(purpose=Purpose.LAW, held_at=None, asked_at__gt=now - WAITS_FOR)
    return asked.filter(Exists(Finding.objects.filter(inquiry=OuterRef("pk"))))


def until(inquiry: Inquiry, *, now: datetime) -> datetime:
    """When the first of what the question met goes, if nobody agrees; `now` where nothing holds it."""
    held = Generation.objects.filter(findings__inquiry=inquiry)
    first = held.aggregate(first=Min(Coalesce("held_until", Value(now))))["first"]
    return max(now, first or now)


def _has_read(inquiry: Inquiry, actor: User) -> bool:
    read = (one for one in audit.history(inquiry) if one.tag == READ)
    return any(one.actor == actor.name_in_log for one in read)


def read_reason(inquiry: Inquiry, *, actor: User, now: datetime) -> str:
    """Why somebody asked; the reading is logged first. Raises KeyMissing or CannotOpen."""
    with transaction.atomic():
        audit.record(READ, subject=inquiry, actor=actor.name_in_log, at=now, detail={})
    return vault.open_for_staff(bytes(inquiry.sealed)).decode()


@transaction.atomic
def agree(inquiry: Inquiry, *, actor: User, now: datetime) -> bool:
    """Hold what the question met for 90 days, whatever its service wishes. False if it waits no more.

    Raises OwnRequest for who asked, and NotAllowed for who is no reviewer or has not read why.
    """
    if inquiry.asked_by_id == actor.pk:
        raise OwnRequest(inquiry.pk)
    if actor.role != Role.REVIEWER:
        raise NotAllowed("a reviewer agrees")
    if not _has_read(inquiry, actor):
        raise NotAllowed("who agrees has read why")
    # As questions and erasures take them, so that neither waits for the other.
    met = Finding.objects.filter(inquiry=inquiry).values("generation")
    held = Generation.objects.select_for_update().filter(pk__in=met).order_by("pk")
    numbers = [one.pk for one in held]
    if not waiting(now).filter(pk=inquiry.pk).update(held_by=actor, held_at=now):
        return False
    Generation.objects.filter(pk__in=numbers).update(held_until=now + HELD_FOR)
    audit.record(
        "trace:held",
        subject=inquiry,
        actor=actor.name_in_log,
        at=now,
        detail={"generations": numbers, "days": HELD_FOR.days},
    )
    return True
