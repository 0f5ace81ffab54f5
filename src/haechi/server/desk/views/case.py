"""One case: read it, take it, write to its reporter. views.decide decides it."""

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import (
    AlreadyLooked,
    CaseClaimed,
    CaseClosed,
    GrantNeeded,
    GrantRevoked,
    GroundUnknown,
    HaechiError,
    NotAllowed,
    ReasonRequired,
    ReportErased,
    StatementRefused,
)
from haechi.server import flow
from haechi.server.cases import claims, grants, notes, reviews
from haechi.server.cases.models import Case, Purpose, Scope, Verdict
from haechi.server.desk import case_page
from haechi.server.desk.access import actor_of, reviewers_only
from haechi.server.desk.case_page.page import Typed
from haechi.server.desk.forms import IdentityForm, MessageForm, NoteForm, OpenForm
from haechi.server.reports.models import Sender

STATUS = {
    AlreadyLooked.code: 403,
    GroundUnknown.code: 422,
    StatementRefused.code: 422,
    CaseClosed.code: 409,
    CaseClaimed.code: 409,
    NotAllowed.code: 403,
    ReasonRequired.code: 422,
    GrantNeeded.code: 403,
    GrantRevoked.code: 403,
    ReportErased.code: 410,
}
NEWS_AT_MOST = 100
UNREAD = Count(
    "report__messages",
    filter=Q(report__messages__sender=Sender.REPORTER, report__messages__read_at=None),
)


@require_safe
@reviewers_only
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Everything one needs to decide, in that order."""
    return page(request, case_id)


@require_POST
@reviewers_only
def claim(request: HttpRequest, case_id: int) -> HttpResponse:
    """Take the case for twenty minutes; pressed again, for twenty more."""
    try:
        claims.claim(get_object_or_404(Case, pk=case_id), actor_of(request), now=timezone.now())
    except (AlreadyLooked, CaseClaimed, CaseClosed, GrantRevoked, NotAllowed) as error:
        return page(request, case_id, error=error)
    return redirect("desk:case", case_id)


@require_POST
@reviewers_only
def open_content(request: HttpRequest, case_id: int) -> HttpResponse:
    """Say why, and read it for two hours (B17)."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    form = OpenForm(request.POST)
    if not form.is_valid():
        return page(request, case_id, error=GrantNeeded(found.pk))
    purpose = Purpose(form.cleaned_data["purpose"])
    try:
        grants.open_content(found, actor_of(request), purpose, now=timezone.now())
    except GrantRevoked as error:
        return page(request, case_id, error=error)
    return redirect("desk:case", case_id)


@require_POST
@reviewers_only
def ask_identity(request: HttpRequest, case_id: int) -> HttpResponse:
    """Ask a second person for the reporter's name and contact (B18)."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    form = IdentityForm(request.POST)
    if not form.is_valid():
        return page(request, case_id, Typed(identity=form), status=422)
    purpose = Purpose(form.cleaned_data["purpose"])
    try:
        grants.ask_identity(
            found, actor_of(request), purpose, form.cleaned_data["note"], now=timezone.now()
        )
    except GrantNeeded as error:
        return page(request, case_id, error=error)
    return redirect("desk:case", case_id)


@require_POST
@reviewers_only
def release(request: HttpRequest, case_id: int) -> HttpResponse:
    """Give the case back; nobody asks why."""
    claims.release(get_object_or_404(Case, pk=case_id), actor_of(request), now=timezone.now())
    return redirect("desk:queue")


@require_POST
@reviewers_only
def write(request: HttpRequest, case_id: int) -> HttpResponse:
    """Write to the reporter."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return page(request, case_id, Typed(message=form), status=422)
    if not grants.holds(found, actor_of(request), Scope.CONTENT, now=timezone.now()):
        return page(request, case_id, Typed(message=form), error=GrantNeeded(found.pk))
    text = form.cleaned_data["text"]
    flow.write_to_reporter(found.report, text, actor=actor_of(request), now=timezone.now())
    return redirect("desk:case", case_id)


@require_POST
@reviewers_only
def note(request: HttpRequest, case_id: int) -> HttpResponse:
    """Add a note for those who work on the case."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return page(request, case_id, Typed(note=form), status=422)
    try:
        notes.write(found, form.cleaned_data["text"], actor=actor_of(request), now=timezone.now())
    except (GrantNeeded, ReportErased) as error:
        return page(request, case_id, Typed(note=form), error=error)
    return redirect(f"{reverse('desk:case', args=[case_id])}#notes")


@require_POST
@reviewers_only
def pursue(request: HttpRequest, case_id: int) -> HttpResponse:
    """Ask for removal at places that were added after the decision."""
    found = get_object_or_404(Case, pk=case_id)
    if not grants.holds(found, actor_of(request), Scope.CONTENT, now=timezone.now()):
        return page(request, case_id, error=GrantNeeded(found.pk))
    decision = found.decision
    if decision is None or decision.verdict != Verdict.REMOVE:
        return page(request, case_id, error=CaseClosed(case_id))
    flow.pursue_added(decision, actor=actor_of(request), now=timezone.now())
    return redirect("desk:case", case_id)


@require_safe
@reviewers_only
def news(request: HttpRequest) -> HttpResponse:
    """Cases whose reporter wrote or added something that nobody here has opened, oldest first."""
    waiting = (
        Case.objects.exclude(report__news_at=None)
        .shown_to(actor_of(request))
        .select_related("report")
        .annotate(unread=UNREAD)
        .order_by("report__news_at")
    )
    context = {"waiting": waiting[:NEWS_AT_MOST], "now": timezone.now()}
    return render(request, "desk/news.html", context)


def page(
    request: HttpRequest,
    case_id: int,
    typed: Typed | None = None,
    *,
    error: HaechiError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The case as whoever asks may see it, with what was typed and what went wrong."""
    found = get_object_or_404(
        Case.objects.select_related("report", "claimed_by", "kept_for"), pk=case_id
    )
    # Who sees a decision is no blind second look at it.
    reviews.stand_aside(found, actor_of(request), now=timezone.now())
    context = case_page.context(
        found, actor_of(request), now=timezone.now(), typed=typed, error=error
    )
    code = error.code if error else ""
    return render(request, "desk/case.html", context, status=STATUS.get(code, status))
