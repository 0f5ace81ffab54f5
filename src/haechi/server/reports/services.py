"""Take a report in, and open what was written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from django.conf import settings

from haechi import seal
from haechi.fingerprint.address import url_digest
from haechi.server.audit import services as audit
from haechi.server.reports import places, vault
from haechi.server.reports.models import Age, Filer, Harm, Location, Report
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


def receive(
    submission: Submission,
    code: ReturnCode,
    *,
    now: datetime,
    number: UUID | None = None,
    actor: str = "reporter",
) -> Report:
    """Write the report, sealed, inside the caller's transaction.

    number   the one it was given before, as a notice; else it gets one

    The code can be shown once the transaction has committed. It is stored nowhere (B05). Raises
    IntegrityError where the same page was sent before.
    """
    recipient = seal.recipient_of(submission.identity)
    identity = submission.identity.encode()
    unlock = seal.identity_from_key(code.unlock_key(settings.HAECHI.pepper_unlock))
    report = Report.objects.create(
        id=number or uuid4(),
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
    add_locations(report, submission.locations, now=now)
    audit.record(
        "report:received",
        subject=report,
        actor=actor,
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


def add_location(report: Report, number: int, address: str, *, now: datetime) -> None:
    """Seal one place and keep its keyed digest beside it."""
    _location(report, number, address, now).save(force_insert=True)


def add_locations(report: Report, addresses: Sequence[str], *, now: datetime) -> None:
    """Seal the first places of a report, up to ten thousand, each with its keyed digest beside it."""
    Location.objects.bulk_create(
        (_location(report, number, each, now) for number, each in enumerate(addresses, start=1)),
        batch_size=1_000,
    )


def _location(report: Report, number: int, address: str, now: datetime) -> Location:
    return Location(
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


def reseal(report: Report, story: Story) -> None:
    """Seal what was written anew, inside the caller's transaction that holds the row."""
    Report.objects.filter(pk=report.pk).update(sealed=seal.seal(story.to_bytes(), report.recipient))


def addresses_of(report: Report, identity: str | None = None) -> dict[int, str]:
    """Location number to address, opened with `identity` or, at the desk, with the vault's."""
    opened = identity or vault.identity_of(report)
    return {
        location.number: seal.open_sealed(bytes(location.sealed), opened).decode()
        for location in report.locations.all()
    }


def address_of(location: Location) -> str:
    """One address, opened with the vault. Raises KeyMissing in a process without it."""
    identity = vault.identity_of(location.report)
    return seal.open_sealed(bytes(location.sealed), identity).decode()


def identity_by(code: ReturnCode, report: Report) -> str:
    """The report's identity, unwrapped with its return code. Raises CannotOpen for another code."""
    unlock = seal.identity_from_key(code.unlock_key(settings.HAECHI.pepper_unlock))
    return seal.open_sealed(bytes(report.wrap_code), unlock).decode()
