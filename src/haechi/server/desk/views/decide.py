"""Decide a case: alone, with a second person, or by sending it to wait for somebody outside."""

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from haechi.errors import (
    AlreadyLooked,
    CaseClosed,
    CaseError,
    GrantNeeded,
    HaechiError,
    NotAllowed,
    ReasonRequired,
    StatementRefused,
)
from haechi.server import flow
from haechi.server.cases import grants, policies, reviews
from haechi.server.cases.models import WAITING, Case, For, Scope, Verdict
from haechi.server.cases.ruling import Ruling
from haechi.server.desk.access import actor_of, reviewers_only
from haechi.server.desk.case_page import deciding
from haechi.server.desk.case_page.page import Preview, Typed
from haechi.server.desk.deciding_form import DecisionForm
from haechi.server.desk.views.case import page
from haechi.server.matching.models import Hosted
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency

# What the EU calls a text, and in which of our fields it was written.
FIELDS = {
    "decision_facts": "facts",
    "illegal_content_explanation": "explanation",
    "incompatible_content_explanation": "explanation",
}


@require_POST
@reviewers_only
def decide(request: HttpRequest, case_id: int) -> HttpResponse:
    """Decide, with all that follows, or change nothing and keep what was typed."""
    found, form, refused = _typed(request, case_id)
    if refused is not None:
        return refused
    try:
        _conclude(found, form, actor_of(request))
    except StatementRefused as error:
        return _not_publishable(request, found, form, error)
    except (CaseError, NotAllowed) as error:
        return page(request, case_id, Typed(form), error=error)
    return redirect("desk:case", case_id)


@require_POST
@reviewers_only
def preview(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show the statements of reasons as they would be sent; nothing is written."""
    found, form, refused = _typed(request, case_id)
    if refused is not None:
        return refused
    try:
        shown = _statements(form.ruling, form.cleaned_data.get("remove", ()))
    except StatementRefused as error:
        return _not_publishable(request, found, form, error)
    except CaseError as error:
        return page(request, case_id, Typed(form), error=error)
    return page(request, case_id, Typed(form, preview=shown))


@require_POST
@reviewers_only
def go_on(request: HttpRequest, case_id: int) -> HttpResponse:
    """Work on a case again that waits for somebody outside."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    flow.go_on(found, actor=actor_of(request), now=timezone.now())
    return redirect("desk:case", case_id)


@require_POST
@reviewers_only
def decide_alike(request: HttpRequest, case_id: int) -> HttpResponse:
    """Decide exact copies in other cases as this one was decided."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    if found.decision is None or not grants.holds(
        found, actor_of(request), Scope.CONTENT, now=timezone.now()
    ):
        return page(request, case_id, error=GrantNeeded(case_id))
    numbers = [int(each) for each in request.POST.getlist("case") if each.isdecimal()]
    try:
        _made, lost = flow.decide_alike(
            found.decision,
            numbers,
            reason=gettext("The same picture, byte for byte, as in case {number}.").format(
                number=case_id
            ),
            actor=actor_of(request),
            now=timezone.now(),
        )
    except NotAllowed as error:
        return page(request, case_id, error=error)
    if lost:
        return page(request, case_id, error=CaseClosed(lost[0].pk))
    return redirect("desk:case", case_id)


def _typed(request: HttpRequest, case_id: int) -> tuple[Case, DecisionForm, HttpResponse | None]:
    """The case, the form as it was filled in, and the page that says why it cannot be used."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    may_read = grants.holds(found, actor_of(request), Scope.CONTENT, now=timezone.now())
    form = deciding.form_for(found, request.POST, now=timezone.now(), opened=may_read)
    error: HaechiError | None = None
    if found.state not in WAITING:
        error = CaseClosed(found.pk)
    elif reviews.heard(found, actor_of(request)):
        error = AlreadyLooked(found.pk)
    elif not may_read:
        error = GrantNeeded(found.pk)
    elif not form.is_valid():
        error = ReasonRequired() if form.has_error("reason", "required") else None
        return found, form, page(request, case_id, Typed(form), error=error, status=422)
    refused = page(request, case_id, Typed(form), error=error) if error else None
    return found, form, refused


def _conclude(found: Case, form: DecisionForm, actor: User) -> None:
    typed, now = form.cleaned_data, timezone.now()
    reason, follow_up = typed["reason"], form.follow_up_in
    if typed["verdict"] == Verdict.NEED_MORE:
        flow.ask_more(
            found, typed["missing"], reason=reason, follow_up=follow_up, actor=actor, now=now
        )
    elif typed["verdict"] == Verdict.REFER:
        flow.refer(
            found,
            For(typed["waits_for"]),
            to=typed["waits_for_name"],
            reason=reason,
            follow_up=follow_up,
            actor=actor,
            now=now,
        )
    else:
        flow.judge(
            found,
            form.ruling,
            remove=typed.get("remove", ()),
            place=typed["place"],
            actor=actor,
            now=now,
        )


def _statements(ruling: Ruling, hosted: Iterable[Hosted]) -> Preview:
    now = timezone.now()
    chosen: list[Hosted | None] = [*hosted] or [None]
    policy = policies.in_force(ruling.ground, ruling.verdict, now)
    return [
        (
            f"{each.platform}: {each.content_id}"
            if each is not None
            else gettext("A piece that is found"),
            transparency.document(
                policy,
                ruling.said,
                restriction=ruling.restriction,
                puid="haechi-0",
                hosted=each,
                cites=bool(ruling.cites),
                named=True,
                by_machine=False,
                now=now,
            ),
        )
        for each in chosen
    ]


def _not_publishable(
    request: HttpRequest, found: Case, form: DecisionForm, error: StatementRefused
) -> HttpResponse:
    """Say which text cannot be published, beside it."""
    if error.field in FIELDS:
        words = gettext(
            "This is published, so it holds no e-mail address and nothing that names a person."
        )
        form.add_error(FIELDS[error.field], words)
    return page(request, found.pk, Typed(form), error=error)
