"""The register of what AI services made: write down, keep for a time, erase.

What is written down is not in the audit log row by row: a service may make a million pictures a day,
and the register is the record. Who reads it, and what is erased of it, is in the log.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from haechi import seal
from haechi.errors import GenerationKnown
from haechi.fingerprint import ImageFingerprint
from haechi.labels import watermark
from haechi.server.audit import services as audit
from haechi.server.evidence import services as evidence
from haechi.server.matching.models import Platform
from haechi.server.reports import vault
from haechi.server.tracing import digests, known
from haechi.server.tracing.models import Account, Erasure, Generation

SLICE = 1_000
TRIES = 3
_KNOWN = ("pk", "account__digest", "trace_id", "expires_at", "source_sha256")


@dataclass(frozen=True, slots=True)
class Made:
    """What a service tells of one file it made.

    account     as the service names it; sealed here
    produce_id  its number in the AIGC label, "" for one of ours
    prompt_sha256  SHA-256 of the prompt, if it is told
    """

    account: str
    model: str
    made_at: datetime
    produce_id: str = ""
    prompt_sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """What stands in the file: the two numbers by which it is found again."""

    trace_id: int
    produce_id: str


@dataclass(frozen=True, slots=True)
class Look:
    """The file as far as it is known: what is kept of it to find copies.

    fingerprint     as the columns of FingerprintFields
    manifest        name of its C2PA manifest, "" without one
    source_sha256   of the file before it was labelled
    """

    fingerprint: dict[str, object] = field(default_factory=dict)
    media_type: str = ""
    manifest: str = ""
    source_sha256: bytes | None = None

    @classmethod
    def of(
        cls, made: ImageFingerprint, *, manifest: str = "", source: bytes | None = None
    ) -> "Look":
        """Of a picture or video that was decoded here."""
        columns = evidence.columns(made) | {"turns": b"".join(made.turns)}
        return cls(columns, made.kind.mime, manifest, source)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of the register. `new` is False where the service had told of it before.

    source_sha256   of the file before it was labelled, where that was told
    """

    number: int
    names: Names
    expires_at: datetime
    new: bool
    source_sha256: bytes | None


def names_for(platform: Platform, made: Made) -> Names:
    """The numbers for a file that is about to be made; those it has, where it was told before.

    Raises GenerationKnown where another account has that produce_id.
    """
    known = _find(platform, made)
    if known is not None:
        return known.names
    trace_id = secrets.randbits(watermark.BITS)
    return Names(trace_id, made.produce_id or f"haechi-{secrets.token_hex(12)}")


def record(
    platform: Platform, made: Made, look: Look, *, names: Names | None = None, now: datetime
) -> Recorded:
    """Write down what was made. The same produce_id of the same account again is the same row.

    Safe in the public process, which cannot open what it seals here. Raises GenerationKnown where
    another account of this service has that produce_id.
    """
    for last in range(TRIES):
        known = _find(platform, made)
        if known is not None:
            return known
        told = names or names_for(platform, made)
        try:
            with transaction.atomic():
                return _write(platform, made, look, told, now=now)
        except IntegrityError:
            # Told twice at once, a number drawn twice, or the account was erased just now.
            if last == TRIES - 1:
                raise
    raise AssertionError("unreachable")  # pragma: no cover


def _write(platform: Platform, made: Made, look: Look, names: Names, *, now: datetime) -> Recorded:
    row = Generation.objects.create(
        platform=platform,
        account=_account(platform, made.account, now=now),
        trace_id=names.trace_id,
        produce_digest=digests.produce_id(names.produce_id),
        manifest_digest=digests.manifest(look.manifest) if look.manifest else None,
        source_sha256=look.source_sha256,
        media_type=look.media_type,
        model=made.model,
        prompt_digest=digests.prompt(made.prompt_sha256) if made.prompt_sha256 else None,
        made_at=made.made_at,
        recorded_at=now,
        expires_at=now + timedelta(days=settings.HAECHI.trace_days),
        **look.fingerprint,
    )
    known.note(row)
    return Recorded(row.pk, names, row.expires_at, new=True, source_sha256=look.source_sha256)


def _find(platform: Platform, made: Made) -> Recorded | None:
    if not made.produce_id:
        return None
    rows = Generation.objects.filter(
        platform=platform, produce_digest=digests.produce_id(made.produce_id)
    )
    found = rows.values_list(*_KNOWN).first()
    if found is None:
        return None
    number, account, trace_id, expires_at, source = found
    if bytes(account) != digests.account(platform.pk, made.account):
        raise GenerationKnown(made.produce_id)
    return Recorded(
        number,
        Names(trace_id, made.produce_id),
        expires_at,
        new=False,
        source_sha256=bytes(source) if source is not None else None,
    )


def _account(platform: Platform, name: str, *, now: datetime) -> Account:
    digest = digests.account(platform.pk, name)
    known = Account.objects.filter(platform=platform, digest=digest)
    if not known.exists():
        recipients = settings.HAECHI.vault_recipients
        row = Account(
            platform=platform,
            digest=digest,
            sealed=seal.seal(name.encode(), *recipients),
            sealed_to=vault.recipients_mark(),
            first_at=now,
        )
        # Of two that come at once, one row stays.
        Account.objects.bulk_create([row], ignore_conflicts=True)
    return known.get()


def ask_erasure(platform: Platform, account: str, *, now: datetime) -> Erasure:
    """A service asks that all records of one account be erased; asked twice, once.

    The worker does it within minutes (`forget`).
    """
    digest = digests.account(platform.pk, account)
    row = Erasure(platform=platform, digest=digest, asked_at=now)
    Erasure.objects.bulk_create([row], ignore_conflicts=True)
    return Erasure.objects.filter(platform=platform, digest=digest).latest("pk")


def forget(*, now: datetime) -> int:
    """Erase what services asked to have erased and what is over; how many records that were.

    In slices, each in a transaction with its entry in the log; may stop anywhere, and goes on where
    it was. What a law keeps stays until that is over.
    """
    count = 0
    for wish in Erasure.objects.filter(done_at=None).order_by("pk"):
        while done := _erase_some(wish, now=now):
            count += done
        _finish(wish, now=now)
    while done := _expire_some(now=now):
        count += done
    return count


@transaction.atomic
def _erase_some(wish: Erasure, *, now: datetime) -> int:
    mine = Generation.objects.filter(
        account__platform=wish.platform_id,
        account__digest=bytes(wish.digest),
        recorded_at__lte=wish.asked_at,
    )
    done = _delete(mine.free(now))
    if done:
        Erasure.objects.filter(pk=wish.pk).update(erased=wish.erased + done)
        wish.erased += done
    return done


@transaction.atomic
def _finish(wish: Erasure, *, now: datetime) -> None:
    mine = Account.objects.filter(platform=wish.platform_id, digest=bytes(wish.digest))
    if Generation.objects.filter(account__in=mine, recorded_at__lte=wish.asked_at).exists():
        return
    # One that went on making pictures afterwards is there again.
    _without_records(mine).delete()
    # The digest was to find the account by, which is gone.
    Erasure.objects.filter(pk=wish.pk).update(done_at=now, digest=b"")
    audit.record(
        "trace:account_erased",
        subject=wish,
        actor=wish.platform.name_in_log,
        at=now,
        detail={"generations": wish.erased},
    )


@transaction.atomic
def _expire_some(*, now: datetime) -> int:
    done = _delete(Generation.objects.over(now))
    # An account without records is nobody's business any more; one that is being written just now stays.
    _without_records(Account.objects.filter(first_at__lte=now - timedelta(days=1))).delete()
    if done:
        audit.record(
            "trace:expired",
            subject="tracing.generation",
            actor="worker",
            at=now,
            detail={"generations": done},
        )
    return done


def _without_records(accounts: QuerySet[Account]) -> QuerySet[Account]:
    return accounts.exclude(Exists(Generation.objects.filter(account=OuterRef("pk"))))


def _delete(over: QuerySet[Generation]) -> int:
    """Delete the first SLICE of what is over. Taken in the order in which questions take them."""
    taken = over.order_by("pk").select_for_update(of=("self",))[:SLICE]
    some = [one.pk for one in taken]
    Generation.objects.filter(pk__in=some).delete()
    return len(some)
