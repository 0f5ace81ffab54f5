"""Objections by whoever posted what was refused or removed, and by whoever reported."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from haechi.errors import CaseClosed, GrantNeeded, HaechiError, NotAllowed, ReasonRequired
from haechi.server import flow
from haechi.server.appeals import services
from haechi.server.appeals.models import Appeal, Outcome
from haechi.server.audit import services as audit
from haechi.server.cases import grants
from haechi.server.cases.models import Scope
from haechi.server.desk import vocabulary
from haechi.server.desk.access import actor_of, reviewers_only
from haechi.server.desk.aside import without
from haechi.server.desk.forms import AppealForm
from haechi.server.staff.models import User
from haechi.server.words import words_for

ANSWERED_AT_MOST = 50
STATUS = {
    CaseClosed.code: 409,
    NotAllowed.code: 403,
    ReasonRequired.code: 422,
    GrantNeeded.code: 403,
}
RELATED = (
    "check_refused__platform",
    "action__platform",
    "action__hosted",
    "action__decision__actor",
    "kept__actor",
    "kept__case__report",
    "silent__case__report",
    "answered_by",
)


@require_safe
@reviewers_only
def appeals(request: HttpRequest) -> HttpResponse:
    """Those that wait, oldest first; below, the newest answers."""
    everything = without(
        Appeal.objects.select_related(*RELATED),
        actor_of(request),
        "kept__case",
        "silent__case",
        "action__decision__case",
    )
    answered = everything.exclude(outcome=Outcome.WAITING).order_by("-answered_at")
    context = {
        "waiting": everything.filter(outcome=Outcome.WAITING),
        "answered": answered[:ANSWERED_AT_MOST],
        "now": timezone.now(),
    }
    return render(request, "desk/appeals.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@reviewers_only
def appeal(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """Read one appeal and answer it."""
    appealed = get_object_or_404(Appeal.objects.select_related(*RELATED), pk=appeal_id)
    if request.method != "POST":
        return _page(request, appealed)
    form = AppealForm(request.POST)
    if not form.is_valid():
        error = ReasonRequired() if form.has_error("reason", "required") else None
        return _page(request, appealed, form=form, error=error, status=422)
    if not _may_read(appealed, actor_of(request)):
        return _page(request, appealed, form=form, error=GrantNeeded(appeal_id))
    try:
        flow.answer_appeal(
            appealed,
            grant=form.cleaned_data["outcome"] == Outcome.GRANTED,
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
    except (CaseClosed, NotAllowed, ReasonRequired) as error:
        appealed.refresh_from_db()
        return _page(request, appealed, form=form, error=error)
    return redirect("desk:appeal", appealed.pk)


def _page(
    request: HttpRequest,
    appealed: Appeal,
    *,
    form: AppealForm | None = None,
    error: HaechiError | None = None,
    status: int = 200,
) -> HttpResponse:
    code = error.code if error else ""
    text, answer, sealed = _read(appealed, actor_of(request))
    decision = services.decision_of(appealed)
    refused = appealed.check_refused
    context = {
        "appeal": appealed,
        "text": text,
        "answer": answer,
        "sealed_code": sealed,
        "sealed_words": words_for(sealed) if sealed else "",
        "decision": decision,
        "verdict": vocabulary.VERDICTS.get(refused.verdict, refused.verdict) if refused else "",
        "members": len(services.members_behind(appealed)),
        "mine": services.concerns(appealed, actor_of(request)),
        "form": form or AppealForm(),
        "problem": code,
        "problem_words": words_for(code) if code else "",
    }
    return render(request, "desk/appeal.html", context, status=STATUS.get(code, status))


def _may_read(appealed: Appeal, actor: User) -> bool:
    """What a reporter wrote is content of her case: it opens for who said why (B17)."""
    case = appealed.case
    return case is None or grants.holds(case, actor, Scope.CONTENT, now=timezone.now())


def _read(appealed: Appeal, actor: User) -> tuple[str, str, str]:
    """The text and the answer, or the code that says why it cannot be opened. The reading is logged first."""
    if not _may_read(appealed, actor):
        return "", "", GrantNeeded.code
    with transaction.atomic():
        audit.record("appeal:opened", subject=appealed, actor=actor.name_in_log, at=timezone.now())
    try:
        return services.text_of(appealed), services.answer_of(appealed), ""
    except HaechiError as error:
        return "", "", error.code
