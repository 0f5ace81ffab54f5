"""Cases for tests of the queue: a row each, without the walk."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from tests.conftest import NOON

from haechi import seal
from haechi.server.cases import queue
from haechi.server.cases.models import Case, Clock
from haechi.server.reports.models import Age, Report
from haechi.server.staff.models import Role, User

RECIPIENT = seal.recipient_of(seal.new_identity())


def waits(
    due: datetime | None = None,
    *,
    at: datetime = NOON,
    age: Age = Age.ADULT,
    harms: tuple[str, ...] = (),
    danger: bool = False,
) -> Case:
    """A case that waits, with one running clock or none, where it belongs in the queue."""
    report = Report.objects.create(
        submission=uuid4(),
        received_at=at,
        language="en",
        age=age,
        harms=list(harms),
        danger=danger,
        recipient=RECIPIENT,
        wrap_vault=b"w",
        wrap_code=b"w",
        lookup=uuid4().bytes * 2,
        sealed=b"s",
    )
    case = Case.objects.create(report=report, opened_at=at, minor=report.minor)
    if due is not None:
        clock(case, due)
    queue.refresh_some([case.pk])
    case.refresh_from_db()
    return case


def clock(case: Case, due: datetime, *, rule: str = "us_tida_remove") -> Clock:
    """A running clock of 48 hours that ends at `due`."""
    return Clock.objects.create(
        case=case,
        rule=rule,
        law="An Act",
        jurisdiction="US",
        stopped_by="removal",
        started_at=due - timedelta(hours=48),
        due_at=due,
    )


def somebody(name: str, role: Role = Role.REVIEWER) -> User:
    """A person who works here and never logs in."""
    return User.objects.create(
        username=name,
        display_name=name.title(),
        role=role,
        password=make_password(None),
        totp_secret=b"t",
        created_at=NOON,
    )
