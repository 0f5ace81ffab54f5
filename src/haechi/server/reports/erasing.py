"""The first and the last step of an erasure: the keys, and the rows of this stage (B32).

What goes and what stays is said in docs/vault.md. Whatever points at a report with CASCADE is
content and goes with it; what points at it with PROTECT is dealt with by its own stage (flow.erase).
"""

import secrets
from datetime import datetime
from uuid import UUID, uuid4

from django.db import models, transaction

from haechi.server.audit import services as audit
from haechi.server.reports import holds
from haechi.server.reports.models import ErasureReason, Hold, Report, State, Tombstone, Visit

# Every other column of a report is emptied, also one that is added after this was written.
KEPT = frozenset({"id", "submission", "lookup", "received_at", "settled_at", "state"})


@transaction.atomic
def destroy_keys(
    report: Report, *, exhibits: int, actor: str, reason: ErasureReason, now: datetime
) -> Tombstone:
    """Destroy every wrap of the report's identity; once that is committed, nobody opens it.

    Leaves the tombstone that the rest of the erasure goes by. Done before, it returns that and
    changes nothing. Raises LegalHold.
    """
    known = Tombstone.objects.filter(report=report.pk).first()
    if known is not None:
        return known
    locked = holds.lock(report)
    holds.check(locked, now)
    stone = Tombstone.objects.create(
        report=locked.pk,
        reason=reason,
        actor=actor,
        received_at=locked.received_at,
        begun_at=now,
        exhibits=exhibits,
        locations=locked.locations.count(),
    )
    # The return code finds nothing any more, and no page that was sent leads here.
    Report.objects.filter(pk=locked.pk).update(
        state=State.ERASED,
        wrap_vault=b"",
        wrapped_to="",
        wrap_code=b"",
        lookup=secrets.token_bytes(32),
        submission=uuid4(),
    )
    Visit.objects.filter(report=locked).delete()
    audit.record(
        "report:keys_destroyed",
        subject=locked,
        actor=actor,
        at=now,
        detail={"reason": ErasureReason(reason).value},
    )
    return stone


def forget(report_id: UUID, *, keep_row: bool, actor: str, now: datetime) -> None:
    """Delete what the report said, inside the caller's transaction; the other stages were before.

    keep_row   its row stays, empty, since a case that counts in statistics points at it
    """
    report = Report.objects.select_for_update().filter(pk=report_id).first()
    if report is not None:
        Hold.objects.filter(report=report).delete()
        for relation in Report._meta.related_objects:
            if relation.on_delete is models.CASCADE:
                relation.related_model._default_manager.filter(
                    **{relation.field.name: report}
                ).delete()
        Report.objects.filter(pk=report_id).update(**_emptied())
        if not keep_row:
            report.delete()
    stone = Tombstone.objects.get(report=report_id)
    if Tombstone.objects.filter(report=report_id, finished_at=None).update(finished_at=now):
        audit.record(
            "report:erased",
            subject=stone,
            actor=actor,
            at=now,
            detail={"exhibits": stone.exhibits, "locations": stone.locations},
        )


def _emptied() -> dict[str, object]:
    return {
        field.name: field.get_default()
        for field in Report._meta.concrete_fields
        if field.name not in KEPT
    }
