"""Take a notice in: sealed as it arrives, folded where it came before, kept item by item."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from haechi import seal
from haechi.fingerprint.address import url_digest
from haechi.server.audit import services as audit
from haechi.server.cases.models import State as CaseState
from haechi.server.notices.incoming.reading import Reading
from haechi.server.notices.incoming_models import (
    Incoming,
    IncomingItem,
    NoticeSender,
    Proof,
    Stage,
    Way,
)
from haechi.server.reports import vault
from haechi.server.reports.models import Report
from haechi.server.staff.models import User

# The same items again while the first is still being looked at are one notice.
FOLD_WITHIN = timedelta(days=14)


def number_of(way: Way, delivery: str | bytes) -> UUID:
    """The number of what was delivered under this name: the same twice, and nobody else's guess."""
    return UUID(bytes=digest(f"{way.value}\0".encode(), _bytes(delivery))[:16], version=4)


def digest(*parts: bytes) -> bytes:
    """Keyed digest of several parts."""
    whole = b"".join(len(part).to_bytes(8) + part for part in parts)
    return hmac.digest(settings.HAECHI.digest_key, b"notice-in\0" + whole, hashlib.sha256)


def keep(
    raw: bytes,
    way: Way,
    number: UUID,
    *,
    now: datetime,
    sender: NoticeSender | None = None,
    proof: Proof = Proof.NONE,
) -> None:
    """Seal what arrived to the vault and write its row, inside the caller's transaction.

    Needs no right but to add a row: what came before is left as it is.
    """
    row = Incoming(
        id=number,
        way=way,
        received_at=now,
        raw=seal.seal(raw, *settings.HAECHI.vault_recipients),
        sender=sender,
        proof=proof,
    )
    Incoming.objects.bulk_create([row], ignore_conflicts=True)


def raw_of(incoming: Incoming) -> bytes:
    """What arrived, opened by the worker or the desk. Raises KeyMissing or CannotOpen."""
    sealed = bytes(incoming.raw)
    if incoming.report_id is not None and incoming.report is not None:
        return seal.open_sealed(sealed, vault.identity_of(incoming.report))
    if incoming.same_as is not None and incoming.same_as.report is not None:
        return seal.open_sealed(sealed, vault.identity_of(incoming.same_as.report))
    return vault.open_for_staff(sealed)


def signed_raw(headers: Mapping[str, str], body: bytes) -> bytes:
    """A signed document with the headers it came with, as it is kept."""
    return json.dumps(dict(headers)).encode() + b"\n" + body


def signed_parts(raw: bytes) -> tuple[dict[str, str], bytes]:
    """The reverse of signed_raw."""
    head, _line, body = raw.partition(b"\n")
    return json.loads(head), body


def marks(reading: Reading, who: str) -> tuple[bytes | None, bytes | None]:
    """The digests by which the same message, and the same items, are known again."""
    owner = who.encode()
    named = digest(owner, b"message", reading.name.encode()) if reading.name and who else None
    key = settings.HAECHI.digest_key
    places = sorted({url_digest(key, item.address) for item in reading.items})
    listed = digest(owner, b"items", *places) if places and who else None
    return named, listed


def earlier(
    incoming: Incoming, named: bytes | None, listed: bytes | None, *, now: datetime
) -> Incoming | None:
    """The notice that this one repeats, or None.

    The same message of the same sender at any time; the same items while their case is open.
    """
    others = Incoming.objects.exclude(pk=incoming.pk).filter(stage__in=(Stage.TAKEN, Stage.WAITING))
    if named is not None and (found := others.filter(reading=named).first()):
        return found
    if listed is None:
        return None
    lately = others.filter(items_digest=listed, received_at__gte=now - FOLD_WITHIN)
    return lately.exclude(report__case__state__in=_over()).first()


def _over() -> tuple[str, ...]:
    return (CaseState.DECIDED, CaseState.CLOSED, CaseState.WITHDRAWN)


def fold(incoming: Incoming, into: Incoming, *, now: datetime) -> None:
    """Say that it is the same as `into`, inside the caller's transaction."""
    raw = raw_of(incoming)
    sealed = seal.seal(raw, into.report.recipient) if into.report else bytes(incoming.raw)
    Incoming.objects.filter(pk=incoming.pk).update(
        stage=Stage.FOLDED, same_as=into, raw=sealed, taken_at=now
    )
    audit.record(
        "incoming:folded",
        subject=into.report or into,
        actor="worker",
        at=now,
        detail={"again": str(incoming.pk)},
    )


def keep_items(incoming: Incoming, report: Report, reading: Reading) -> None:
    """One row for each item; location n is the n-th item. Inside the caller's transaction."""
    numbers = dict(report.locations.values_list("number", "pk"))
    IncomingItem.objects.bulk_create(
        (
            IncomingItem(incoming=incoming, location_id=numbers[place], number=item.number)
            for place, item in enumerate(reading.items, start=1)
        ),
        batch_size=2_000,
    )


def waiting() -> QuerySet[Incoming]:
    """Notices that no machine understood, the oldest first."""
    return Incoming.objects.filter(stage=Stage.WAITING).select_related("sender", "claimed")


def set_aside(incoming: Incoming, *, actor: User, now: datetime) -> bool:
    """A person has read it and found no notice in it. What arrived is forgotten.

    Runs inside the caller's transaction. False where it was dealt with before.
    """
    won = Incoming.objects.filter(pk=incoming.pk, stage=Stage.WAITING).update(
        stage=Stage.ASIDE, raw=b"", taken_at=now
    )
    if won:
        audit.record("incoming:aside", subject=incoming, actor=actor.name_in_log, at=now)
    return bool(won)


def hash_of(key: str) -> bytes:
    """What is kept of an API key."""
    return hashlib.sha256(key.encode()).digest()


def by_key(key: str) -> NoticeSender | None:
    """The known sender that was given this API key."""
    return NoticeSender.objects.filter(enabled=True, key_digest=hash_of(key)).first()


def by_public_key(text: str) -> NoticeSender | None:
    """The known sender with this Ed25519 key (Base64)."""
    return NoticeSender.objects.filter(enabled=True, public_key=text).first() if text else None


def change_sender(sender: NoticeSender, *, actor: User, now: datetime) -> None:
    """Write a known sender that a person made or changed, inside the caller's transaction."""
    new = sender.pk is None
    sender.save()
    audit.record(
        "sender:added" if new else "sender:changed",
        subject=sender,
        actor=actor.name_in_log,
        at=now,
        detail={
            "kind": str(sender.kind),
            "event": str(sender.event),
            "enabled": sender.enabled,
            "within_h": sender.within_h,
        },
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
