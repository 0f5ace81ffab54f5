"""Ask for a package of evidence, agree to it, and record that it arrived (B23, B35).

It shows what was reported to people outside, so at the desk one person asks and another agrees. What
they write is sealed to the report; the log has the numbers, the receiver's keys and the digest.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from haechi import seal
from haechi.errors import BasisNeeded, OwnRequest, ReasonRequired, ReceiverRefused, SealError
from haechi.server.audit import services as audit
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Package, Scope
from haechi.server.reports import vault
from haechi.server.reports.models import Report
from haechi.server.staff.models import User

OPERATOR = "operator"


@dataclass(frozen=True)
class Purpose:
    """What somebody wrote who wants a package.

    receiver    the office, in words
    authority   the proceeding: a file number, an order
    basis       the law that allows to hand it over; needed where a person under 18 is shown
    """

    receiver: str
    reason: str
    authority: str
    basis: str = ""


@transaction.atomic
def ask(
    case: Case, purpose: Purpose, recipients: Sequence[str], *, actor: User, now: datetime
) -> Package:
    """A reviewer who may read the case asks. Raises GrantNeeded, and what `_new` raises."""
    grants.require(case, actor, Scope.CONTENT, now=now)
    package = _new(case, purpose, recipients, now=now)
    package.asked_by = actor
    package.save()
    _log("package:asked", package, actor=actor.name_in_log, now=now)
    return package


@transaction.atomic
def order(case: Case, purpose: Purpose, recipients: Sequence[str], *, now: datetime) -> Package:
    """The operator, who holds all keys, makes one; nobody is asked. Raises what `_new` raises."""
    package = _new(case, purpose, recipients, now=now)
    package.given_at = now
    package.save()
    _log("package:asked", package, actor=OPERATOR, now=now)
    return package


@transaction.atomic
def agree(package: Package, *, actor: User, now: datetime) -> bool:
    """A second person says yes. False if it waits no more. Raises OwnRequest, GrantNeeded."""
    if package.asked_by_id == actor.pk:
        raise OwnRequest(package.pk)
    grants.require(package.case, actor, Scope.CONTENT, now=now)
    won = Package.objects.waiting().filter(pk=package.pk).update(given_by=actor, given_at=now)
    if won:
        _log("package:agreed", package, actor=actor.name_in_log, now=now)
    return bool(won)


@transaction.atomic
def refuse(package: Package, *, actor: User, now: datetime) -> bool:
    """Somebody says no, or the one who asked thinks better of it. False if it waits no more."""
    won = Package.objects.waiting().filter(pk=package.pk).update(ended_by=actor, ended_at=now)
    if won:
        _log("package:refused", package, actor=actor.name_in_log, now=now)
    return bool(won)


@transaction.atomic
def made(package: Package, *, sha256: bytes, size: int, file: str, now: datetime) -> bool:
    """It is written; the log has its digest and who can open it. False if it was before."""
    waiting = Package.objects.filter(pk=package.pk, made_at=None)
    if not waiting.update(sha256=sha256, size=size, file=file, made_at=now, error=""):
        return False
    detail: dict[str, str | int | list[str]] = {"sha256": sha256.hex(), "size": size}
    _log("package:made", package, actor="worker", now=now, **detail)
    return True


def handed(package: Package, *, actor: User, now: datetime) -> None:
    """Somebody takes the file from the desk; logged before the first byte."""
    with transaction.atomic():
        _log("package:taken", package, actor=actor.name_in_log, now=now)


@transaction.atomic
def received(package: Package, receipt: str, *, actor: str, now: datetime) -> bool:
    """It arrived: who says so, and how. False where it was not made yet, or is recorded already.

    Raises ReasonRequired for an empty receipt.
    """
    if not receipt.strip():
        raise ReasonRequired(package.case_id)
    sealed = seal.seal(receipt.strip().encode(), package.case.report.recipient)
    waiting = Package.objects.filter(pk=package.pk, received_at=None, made_at__isnull=False)
    if not waiting.update(received_at=now, receipt=sealed, file=""):
        return False
    _log("package:received", package, actor=actor, now=now)
    return True


def purpose_of(package: Package) -> Purpose:
    """What was written. Raises KeyMissing and CannotOpen, also once the report is erased."""
    identity = vault.identity_of(package.case.report)
    return Purpose(**json.loads(seal.open_sealed(bytes(package.sealed), identity)))


def receipt_of(package: Package) -> str:
    """Who says that it arrived; "" before. Raises as `purpose_of`."""
    if not package.receipt:
        return ""
    identity = vault.identity_of(package.case.report)
    return seal.open_sealed(bytes(package.receipt), identity).decode()


def files_of(report: Report) -> list[str]:
    """Names of packages of this report that lie here."""
    found = Package.objects.filter(case__report=report).exclude(file="")
    return list(found.values_list("file", flat=True))


def forget(report: Report, *, now: datetime) -> None:
    """The report is erased: what was written goes, inside the caller's transaction; files are gone.

    That a package went out, to which key and with which digest, stays.
    """
    packages = Package.objects.filter(case__report=report)
    packages.waiting().update(ended_at=now)
    packages.update(sealed=b"", receipt=b"", file="")


def _new(case: Case, purpose: Purpose, recipients: Sequence[str], *, now: datetime) -> Package:
    """Raises ReasonRequired, ReceiverRefused (no age recipient), BasisNeeded (somebody under 18)."""
    if not (purpose.reason.strip() and purpose.receiver.strip() and purpose.authority.strip()):
        raise ReasonRequired(case.pk)
    if case.minor and not purpose.basis.strip():
        raise BasisNeeded(case.pk)
    try:
        seal.seal(b"", *recipients)
    except SealError as error:
        raise ReceiverRefused("this is no age recipient (age1...)") from error
    written = json.dumps(asdict(purpose)).encode()
    return Package(
        case=case,
        recipients=" ".join(recipients),
        sealed=seal.seal(written, case.report.recipient),
        asked_at=now,
    )


def _log(
    tag: str, package: Package, *, actor: str, now: datetime, **detail: str | int | list[str]
) -> None:
    told: dict[str, str | int | list[str]] = {"package": package.pk, "to": list(package.keys)}
    audit.record(tag, subject=package.case, actor=actor, at=now, detail={**told, **detail})
