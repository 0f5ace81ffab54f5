"""Seal anew to other vault recipients what is sealed to the vault itself: accounts, and reasons."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

from django.db import transaction

from haechi import seal
from haechi.errors import CannotOpen
from haechi.server.audit import services as audit
from haechi.server.reports import vault
from haechi.server.tracing.models import Account, Inquiry, Naming, SealedToVault

KINDS: tuple[type[SealedToVault], ...] = (Account, Inquiry, Naming)
SLICE = 500


def stale(recipients: Sequence[str]) -> int:
    """How many rows are not known to be sealed to exactly these recipients."""
    mark = vault.recipients_mark(tuple(recipients))
    return sum(kind._default_manager.exclude(sealed_to=mark).count() for kind in KINDS)


def reseal_all(recipients: Sequence[str], *, actor: str, now: datetime) -> Iterator[int]:
    """Seal stale rows anew, and yield each number once that is committed; may be stopped anywhere.

    What does not open is left as it was. The log has one entry for each slice. Raises KeyMissing.
    """
    return chain.from_iterable(
        _reseal_kind(kind, recipients, actor=actor, now=now) for kind in KINDS
    )


def _reseal_kind(
    kind: type[SealedToVault], recipients: Sequence[str], *, actor: str, now: datetime
) -> Iterator[int]:
    mark, last = vault.recipients_mark(tuple(recipients)), 0
    rows = kind._default_manager.exclude(sealed_to=mark).order_by("pk")
    while some := list(rows.filter(pk__gt=last)[:SLICE]):
        last = some[-1].pk
        with transaction.atomic():
            done = [row.pk for row in some if _reseal(row, recipients, mark)]
            audit.record(
                "trace:resealed",
                subject=kind._meta.label_lower,
                actor=actor,
                at=now,
                detail={"rows": len(done), "to": list(recipients)},
            )
        yield from done


def _reseal(row: SealedToVault, recipients: Sequence[str], mark: str) -> bool:
    try:
        plain = vault.open_for_staff(bytes(row.sealed))
    except CannotOpen:
        return False
    row.sealed, row.sealed_to = seal.seal(plain, *recipients), mark
    row.save(update_fields=["sealed", "sealed_to"])
    return True
