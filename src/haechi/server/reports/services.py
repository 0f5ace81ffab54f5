"""Take a report in, and let its reporter come back."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction

from haechi import seal
from haechi.errors import CodeUnknown
from haechi.fingerprint.address import url_digest
from haechi.server.audit import services as audit
from haechi.server.reports import places, vault
from haechi.server.reports.models import Age, Filer, Harm, Location, Report, Visit
from haechi.server.reports.return_code import ReturnCode, submission_of
from haechi.server.reports.story import Story


@dataclass(frozen=True)
class Submission:
    """A filled-in form, checked by the form that read it.

    token      secret of the page that was sent; the same page sent twice carries the same one
    identity   the report's own age identity; exists only in memory, here
    locations  places as typed, in order, without doubles (reports.places.read)
    """

    token: str = field(repr=False)
    identity: str
    language: str
    age: Age
    harms: tuple[Harm, ...]
    story: Story
    locations: tuple[str, ...]
    danger: bool = False
    filer: Filer = Filer.SELF


def receive(submission: Submission, code: ReturnCode, *, now: datetime) -> Report:
    """Write the report, sealed, inside the caller's transaction.

    The code can be shown once the transaction has committed. It is stored nowhere (B05). Raises
    IntegrityError where the same page was sent before.
    """
    recipient = seal.recipient_of(submission.identity)
    identity = submission.identity.encode()
    unlock = seal.identity_from_key(code.unlock_key(settings.HAECHI.pepper_unlock))
    report = Report.objects.create(
        submission=submission_of(submission.token),
        received_at=now,
        language=submission.language,
        age=submission.age,
        harms=[harm.value for harm in submission.harms],
        danger=submission.danger,
        filer=submission.filer,
        recipient=recipient,
        wrap_vault=seal.seal(identity, *settings.HAECHI.vault_recipients),
        wrapped_to=vault.recipients_mark(),
        wrap_code=seal.seal(identity, seal.recipient_of(unlock)),
        lookup=code.lookup(settings.HAECHI.pepper_lookup),
        sealed=seal.seal(submission.story.to_bytes(), recipient),
    )
    for number, address in enumerate(submission.locations, start=1):
        _add_location(report, number, address, now=now)
    audit.record(
        "report:received",
        subject=report,
        actor="reporter",
        at=now,
        detail={
            "locations": len(submission.locations),
            "age": submission.age.value,
            "danger": submission.danger,
        },
    )
    return report


def received(token: str) -> Report | None:
    """The report that came from the page with this token, or None."""
    return Report.objects.filter(submission=submission_of(token)).first()


def _add_location(report: Report, number: int, address: str, *, now: datetime) -> None:
    Location.objects.create(
        report=report,
        number=number,
        sealed=seal.seal(address.encode(), report.recipient),
        digest=url_digest(settings.HAECHI.digest_key, places.understand(address).address),
        added_at=now,
    )


def story_of(report: Report, identity: str | None = None) -> Story:
    """What was written, opened with `identity` or, at the desk, with the vault's."""
    return Story.from_bytes(
        seal.open_sealed(bytes(report.sealed), identity or vault.identity_of(report))
    )


def addresses_of(report: Report, identity: str | None = None) -> dict[int, str]:
    """Location number to address, opened with `identity` or, at the desk, with the vault's."""
    opened = identity or vault.identity_of(report)
    return {
        location.number: seal.open_sealed(bytes(location.sealed), opened).decode()
        for location in report.locations.all()
    }


def identity_by(code: ReturnCode, report: Report) -> str:
    """The report's identity, unwrapped with its return code. Raises CannotOpen for another code."""
    unlock = seal.identity_from_key(code.unlock_key(settings.HAECHI.pepper_unlock))
    return seal.open_sealed(bytes(report.wrap_code), unlock).decode()


def enter(typed: str, *, now: datetime) -> tuple[Visit, str]:
    """Start a visit with a return code; return it with the token for the cookie.

    Raises CodeUnknown. Wrong, unknown and malformed codes take the same path and time (B04).
    """
    try:
        code = ReturnCode.parse(typed)
    except CodeUnknown:
        code = ReturnCode.new()
    lookup = code.lookup(settings.HAECHI.pepper_lookup)
    unlock = seal.identity_from_key(code.unlock_key(settings.HAECHI.pepper_unlock))
    report = Report.objects.filter(lookup=lookup).first()
    if report is None:
        raise CodeUnknown
    identity = seal.open_sealed(bytes(report.wrap_code), unlock)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        visit = Visit.objects.create(
            token_digest=_token_digest(token),
            report=report,
            sealed=seal.seal(identity, seal.recipient_of(_token_identity(token))),
            started_at=now,
            seen_at=now,
        )
        audit.record("report:visited", subject=report, actor="reporter", at=now)
    return visit, token


def resume(token: str, *, now: datetime) -> tuple[Report, str] | None:
    """The report and its identity for a visit's token, or None when the visit is over (B08)."""
    visit = Visit.objects.filter(
        token_digest=_token_digest(token),
        seen_at__gt=now - settings.VISIT_IDLE,
        started_at__gt=now - settings.VISIT_ABSOLUTE,
    ).first()
    if visit is None:
        return None
    Visit.objects.filter(pk=visit.pk).update(seen_at=now)
    identity = seal.open_sealed(bytes(visit.sealed), _token_identity(token)).decode()
    return visit.report, identity


def leave(token: str) -> None:
    """End a visit and forget its key."""
    Visit.objects.filter(token_digest=_token_digest(token)).delete()


def forget_visits(*, now: datetime) -> int:
    """Delete visits that ended by time; returns how many."""
    over = Visit.objects.filter(seen_at__lte=now - settings.VISIT_IDLE) | Visit.objects.filter(
        started_at__lte=now - settings.VISIT_ABSOLUTE
    )
    return over.delete()[0]


def _token_digest(token: str) -> bytes:
    return hashlib.sha256(b"visit" + token.encode()).digest()


def _token_identity(token: str) -> str:
    return seal.identity_from_key(hashlib.sha256(b"unlock" + token.encode()).digest())
