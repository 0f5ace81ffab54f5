"""Which account it was: told to one person, with a reason, when a second one agreed (B18, B23).

The same yes opens what else that account made. Each opening is an entry in the log of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from haechi import seal
from haechi.errors import GrantNeeded, NotAllowed, OwnRequest, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.audit.services import Detail
from haechi.server.reports import vault
from haechi.server.staff.models import Role, User
from haechi.server.tracing import asking
from haechi.server.tracing.models import Finding, Generation, Inquiry, Naming

# As for who reported something (cases.grants).
NAMED_FOR = timedelta(hours=1)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Opened:
    """An account as its service names it, and a page of what it made, the newest first.

    following   number to go on before, None at the end
    """

    account: str
    count: int
    generations: list[Generation]
    following: int | None


@transaction.atomic
def ask(finding: Finding, reason: str, *, actor: User, now: datetime) -> Naming:
    """Ask a second person for the account behind one record; asked twice, once.

    Raises ReasonRequired, or NotAllowed for somebody else's question.
    """
    if not reason.strip():
        raise ReasonRequired
    inquiry = Inquiry.objects.select_for_update().get(pk=finding.inquiry_id)
    if not asking.visible(actor).filter(pk=inquiry.pk).exists():
        raise NotAllowed("somebody else asked this")
    account = finding.generation.account
    mine = Naming.objects.filter(inquiry=inquiry, account=account, asked_by=actor)
    waiting = mine.waiting().first()
    if waiting is not None:
        return waiting
    naming = Naming.objects.create(
        sealed=seal.seal(reason.strip().encode(), *settings.HAECHI.vault_recipients),
        sealed_to=vault.recipients_mark(),
        inquiry=inquiry,
        account=account,
        asked_by=actor,
        asked_at=now,
    )
    _log("trace:naming_asked", naming, actor=actor, now=now)
    return naming


def read_reasons(naming: Naming, *, actor: User, now: datetime) -> tuple[str, str]:
    """Why the file was asked about, and why the account must be named; the reading is logged first.

    Raises KeyMissing or CannotOpen.
    """
    with transaction.atomic():
        _log("trace:reasons_read", naming, actor=actor, now=now)
    sealed = (naming.inquiry.sealed, naming.sealed)
    first, second = (vault.open_for_staff(bytes(each)).decode() for each in sealed)
    return first, second


@transaction.atomic
def approve(naming: Naming, *, actor: User, now: datetime) -> bool:
    """A second reviewer says yes. False if it waits no more. Raises OwnRequest, NotAllowed."""
    if naming.asked_by_id == actor.pk:
        raise OwnRequest(naming.pk)
    if actor.role != Role.REVIEWER:
        raise NotAllowed("a reviewer agrees")
    won = Naming.objects.waiting().filter(pk=naming.pk)
    if not won.update(given_by=actor, given_at=now, until=now + NAMED_FOR):
        return False
    _log("trace:naming_given", naming, actor=actor, now=now)
    return True


@transaction.atomic
def end(naming: Naming, *, actor: User, now: datetime) -> bool:
    """Refuse it, take it back or take it away; the next request finds it gone (B17)."""
    if not Naming.objects.filter(pk=naming.pk, ended_at=None).update(ended_at=now, ended_by=actor):
        return False
    _log("trace:naming_ended", naming, actor=actor, now=now)
    return True


def open_account(
    naming: Naming, *, before: int | None = None, actor: User, now: datetime
) -> Opened:
    """The account, and what else it made; logged before it is read.

    Raises GrantNeeded unless this is the person's own, given and in force; KeyMissing, CannotOpen.
    """
    made = Generation.objects.filter(account=naming.account_id).order_by("-pk")
    count = made.count()
    with transaction.atomic():
        _require(naming, actor, now=now)
        _log("trace:account_opened", naming, actor=actor, now=now, more={"generations": count})
    page = made.select_related("platform")
    shown = list((page.filter(pk__lt=before) if before else page)[: PAGE + 1])
    following = shown[PAGE - 1].pk if len(shown) > PAGE else None
    account = vault.open_for_staff(bytes(naming.account.sealed)).decode()
    return Opened(account, count, shown[:PAGE], following)


@transaction.atomic
def open_generation(naming: Naming, number: int, *, actor: User, now: datetime) -> Generation:
    """One record of the same account; logged. Raises GrantNeeded, or NotAllowed for another's."""
    _require(naming, actor, now=now)
    found = Generation.objects.filter(account=naming.account_id, pk=number).first()
    if found is None:
        raise NotAllowed("that account has no such record")
    _log("trace:generation_opened", naming, actor=actor, now=now, more={"generation": number})
    return found


def _require(naming: Naming, actor: User, *, now: datetime) -> None:
    mine = Naming.objects.in_force(now).filter(pk=naming.pk, asked_by=actor)
    if not mine.exists():
        raise GrantNeeded(naming.pk)


def _log(
    tag: str, naming: Naming, *, actor: User, now: datetime, more: Detail | None = None
) -> None:
    audit.record(
        tag,
        subject=naming.inquiry,
        actor=actor.name_in_log,
        at=now,
        detail={"naming": naming.pk, "account": naming.account_id, **(more or {})},
    )
