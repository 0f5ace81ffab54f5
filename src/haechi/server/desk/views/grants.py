"""Who may open what now, and who asks for a second person's yes (B17, B18)."""

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import HaechiError, NotAllowed, OwnRequest
from haechi.server.cases import grants as services
from haechi.server.cases.models import Grant, GrantQuerySet, Package
from haechi.server.desk import undoing_page
from haechi.server.desk.access import actor_of, refusal, staff_only
from haechi.server.desk.forms import AnswerUndoingForm, UndoForm
from haechi.server.staff.models import Role, User

AT_MOST = 200


@require_safe
@staff_only
def grants(request: HttpRequest) -> HttpResponse:
    """Requests that wait, rights in force, rights taken away, cases set aside."""
    return page(request)


def page(
    request: HttpRequest,
    *,
    undo: UndoForm | None = None,
    answer: AnswerUndoingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of rights, with a form as it was sent where something was missing."""
    now, user = timezone.now(), actor_of(request)
    rows = Grant.objects.select_related("case__report", "user", "ended_by").order_by("pk")
    rows = rows.exclude(Exists(user.recusals.filter(case=OuterRef("case"))))
    context: dict[str, object] = {
        "waiting": [(grant, *_note(grant, user)) for grant in rows.waiting()[:AT_MOST]],
        "in_force": _seen_by(user, rows.in_force(now))[:AT_MOST],
        "taken_away": rows.taken_away()[:AT_MOST],
        "packages": Package.objects.waiting().select_related("asked_by")[:AT_MOST],
    }
    context |= undoing_page.context(user, now=now, undo=undo, answer=answer)
    return render(request, "desk/grants.html", context, status=status)


@require_POST
@staff_only
def act(request: HttpRequest, grant_id: int, act: str) -> HttpResponse:
    """Approve, end or give again; a press that came too late changes nothing."""
    grant, user = get_object_or_404(Grant, pk=grant_id), actor_of(request)
    try:
        _act(grant, act, user)
    except (OwnRequest, NotAllowed) as error:
        return refusal(request, error.code, 403)
    return redirect("desk:grants")


def _act(grant: Grant, act: str, user: User) -> None:
    now = timezone.now()
    if act == "approve" and user.role == Role.REVIEWER:
        services.approve(grant, actor=user, now=now)
    elif act == "end" and (grant.user_id == user.pk or _decides(grant, user)):
        services.end(grant, actor=user, now=now)
    elif act == "again" and user.role == Role.ADMINISTRATOR:
        services.give_again(grant, actor=user, now=now)
    else:
        raise NotAllowed(act)


def _decides(grant: Grant, user: User) -> bool:
    """A reviewer refuses requests; an administrator takes away what is in force."""
    waits = grant.given_at is None
    return user.role == (Role.REVIEWER if waits else Role.ADMINISTRATOR)


def _seen_by(user: User, rows: GrantQuerySet) -> GrantQuerySet:
    """An administrator sees all that is in force, a reviewer the own ones."""
    return rows if user.role == Role.ADMINISTRATOR else rows.filter(user=user)


def _note(grant: Grant, user: User) -> tuple[str, str]:
    """The sealed note, or the code that says why not. Administrators read no content (B11)."""
    if user.role != Role.REVIEWER or not grant.note:
        return "", ""
    try:
        return services.read_note(grant, actor=user, now=timezone.now()), ""
    except HaechiError as error:
        return "", error.code
