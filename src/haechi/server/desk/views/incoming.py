"""Notices that came in and that no machine understood, and every notice as it arrived."""

from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import CannotOpen, GrantNeeded, IncomingUnknown, KeyMissing
from haechi.formats.letter import open_letter
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Scope
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.sender_forms import OpenIncomingForm
from haechi.server.notices.incoming import services
from haechi.server.notices.incoming_models import Incoming, IncomingAnswer, Stage, Way
from haechi.server.reports import places
from haechi.server.staff.models import User

PER_PAGE = 50
AT_MOST = 100
SHOWN = 100_000


@require_safe
@reviewers_only
def incoming_list(request: HttpRequest) -> HttpResponse:
    """What waits for a person, and answers that have not gone out."""
    unsent = IncomingAnswer.objects.filter(sent_at=None, attempts__gt=0)
    context = {
        "page": Paginator(services.waiting(), PER_PAGE).get_page(request.GET.get("page")),
        "unsent": unsent.select_related("incoming__sender")[:AT_MOST],
    }
    return render(request, "desk/incoming_list.html", context)


@require_safe
@reviewers_only
def incoming(request: HttpRequest, number: UUID) -> HttpResponse:
    """One notice as it arrived. Reading it is logged (B17)."""
    return _page(request, number)


@require_POST
@reviewers_only
def open_incoming(request: HttpRequest, number: UUID) -> HttpResponse:
    """Make a case of it, with the places that a person found."""
    form = OpenIncomingForm(request.POST)
    if not form.is_valid():
        return _page(request, number, form, status=422)
    found = get_object_or_404(Incoming, pk=number)
    named = places.read(form.cleaned_data["places"].splitlines())
    try:
        case = flow.open_by_hand(
            found,
            [place.typed for place in named],
            actor=actor_of(request),
            now=timezone.now(),
        )
    except IncomingUnknown as error:
        return refusal(request, error.code, 409)
    return redirect("desk:case", case.pk)


@require_POST
@reviewers_only
def set_aside(request: HttpRequest, number: UUID) -> HttpResponse:
    """It is no notice; what arrived is forgotten."""
    with transaction.atomic():
        services.set_aside(
            get_object_or_404(Incoming, pk=number), actor=actor_of(request), now=timezone.now()
        )
    return redirect("desk:incoming_list")


def _page(
    request: HttpRequest, number: UUID, form: OpenIncomingForm | None = None, *, status: int = 200
) -> HttpResponse:
    rows = Incoming.objects.select_related("sender", "claimed", "report", "same_as__report")
    found = get_object_or_404(rows, pk=number)
    try:
        case = _case_of(found, actor_of(request))
        raw = services.raw_of(found) if bytes(found.raw) else b""
    except GrantNeeded as error:
        return refusal(request, error.code, 403)
    except (KeyMissing, CannotOpen) as error:
        return refusal(request, error.code, 503)
    with transaction.atomic():
        audit.record(
            "incoming:read",
            subject=found,
            actor=actor_of(request).name_in_log,
            at=timezone.now(),
        )
    letter = open_letter(raw) if found.way == Way.MAIL else None
    context = {
        "notice": found,
        "case": case,
        "waits": found.stage == Stage.WAITING,
        "form": form or OpenIncomingForm(),
        "author": letter.author if letter else "",
        "subject": letter.subject if letter else "",
        "words": (letter.words() if letter else raw.decode("utf-8", "replace"))[:SHOWN],
        "cut": letter is not None and not letter.whole,
    }
    return render(request, "desk/incoming.html", context, status=status)


def _case_of(found: Incoming, user: User) -> Case | None:
    """Its case, which `user` must have opened before. Raises GrantNeeded."""
    report = found.report or (found.same_as.report if found.same_as else None)
    case = Case.objects.filter(report=report).first() if report else None
    if case is not None:
        grants.require(case, user, Scope.CONTENT, now=timezone.now())
    return case
