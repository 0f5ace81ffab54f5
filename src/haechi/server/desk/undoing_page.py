"""Cases that somebody set aside, on the page of rights: one's own, and what administrators answer.

Nobody else's recusals are listed for anybody; the number of a case is all that is shown of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.http import QueryDict

from haechi.errors import HaechiError
from haechi.server.cases import undoing as services
from haechi.server.cases.models import Recusal, Undoing
from haechi.server.desk import aside
from haechi.server.desk.forms import AnswerUndoingForm, UndoForm
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import Role, User

AT_MOST = 200
# So long an answer stays on the page.
ANSWERED_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Own:
    """A case that who looks set aside; `waiting` where they asked to have that undone."""

    recusal: Recusal
    waiting: Undoing | None
    form: UndoForm


@dataclass(frozen=True)
class Line:
    """A request with its words, or with the code that says why they cannot be read."""

    undoing: Undoing
    words: services.Words | None
    code: str
    form: AnswerUndoingForm | None = None


def context(
    user: User,
    *,
    now: datetime,
    undo: UndoForm | None = None,
    answer: AnswerUndoingForm | None = None,
) -> dict[str, object]:
    """`undo` and `answer` are forms as they were sent, where something was missing."""
    return {
        "undo_answers": _answers(user, now),
        "set_aside": _own(user, undo),
        "undo_waiting": _waiting(user, now, answer),
    }


def answered(user: User) -> bool:
    """True while an answer waits that `user` has not seen."""
    return user.undoings.exclude(settled_at=None).filter(seen_at=None).exists()


def undo_form(number: int, data: QueryDict | None = None) -> UndoForm:
    """The form of one recusal; its fields have names of their own on the page."""
    return UndoForm(data, auto_id=f"undo_{number}_%s")


def answer_form(number: int, data: QueryDict | None = None) -> AnswerUndoingForm:
    """The form of one request."""
    return AnswerUndoingForm(data, auto_id=f"answer_{number}_%s")


def _own(user: User, sent: UndoForm | None) -> list[Own]:
    if user.role != Role.REVIEWER:
        return []
    rows = user.recusals.exclude(case__report__state=ReportState.ERASED).order_by("-at", "-pk")
    asked = {each.case_id: each for each in user.undoings.filter(settled_at=None)}
    forms = ((row, undo_form(row.pk)) for row in rows[:AT_MOST])
    return [
        Own(row, asked.get(row.case_id), sent if sent and sent.auto_id == form.auto_id else form)
        for row, form in forms
    ]


def _waiting(user: User, now: datetime, sent: AnswerUndoingForm | None) -> list[Line]:
    if user.role != Role.ADMINISTRATOR:
        return []
    rows = aside.without(Undoing.objects.filter(settled_at=None), user, "case").exclude(user=user)
    rows = rows.filter(user__is_active=True, user__role=Role.REVIEWER)
    rows = rows.exclude(case__report__state=ReportState.ERASED)
    lines = []
    for row in rows.select_related("case__report", "user")[:AT_MOST]:
        form = answer_form(row.pk)
        kept = sent if sent and sent.auto_id == form.auto_id else form
        lines.append(_line(row, user, now, kept))
    return lines


def _answers(user: User, now: datetime) -> list[Line]:
    """What came of one's own requests lately; seeing it is written down."""
    rows = user.undoings.filter(Q(settled_at__gt=now - ANSWERED_FOR) | Q(seen_at=None))
    rows = rows.exclude(settled_at=None).select_related("case__report", "settled_by")
    shown = list(rows.order_by("-settled_at")[:AT_MOST])
    user.undoings.filter(pk__in=[row.pk for row in shown], seen_at=None).update(seen_at=now)
    return [_line(row, user, now) for row in shown]


def _line(row: Undoing, user: User, now: datetime, form: AnswerUndoingForm | None = None) -> Line:
    if not row.reason:
        return Line(row, None, "", form)
    try:
        return Line(row, services.read(row, actor=user, now=now), "", form)
    except HaechiError as error:
        return Line(row, None, error.code, form)
