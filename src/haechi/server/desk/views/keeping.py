"""Keep a report for an authority, or have it erased before its time (B23, B32)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import HaechiError, LegalHold, NotAllowed, OwnRequest, ReportErased
from haechi.server import flow
from haechi.server.cases import erasures
from haechi.server.cases.models import Case, ErasureRequest
from haechi.server.desk import keeping_page
from haechi.server.desk.access import actor_of, refusal, staff_only
from haechi.server.desk.keeping_forms import ErasureForm, HoldForm, ReleaseForm
from haechi.server.reports import holds
from haechi.server.reports.holds import Grounds
from haechi.server.reports.models import ErasureReason, Hold
from haechi.server.staff.models import Role

AT_MOST = 200
STATUS = {LegalHold.code: 409, ReportErased.code: 410, OwnRequest.code: 403}


@require_safe
@staff_only
def keeping(request: HttpRequest) -> HttpResponse:
    """Erasures that wait for a second person, and holds in force; `case` leads to a case's page."""
    number = request.GET.get("case", "")
    if number.isdecimal() and Case.objects.filter(pk=int(number[:15])).exists():
        return redirect("desk:keep", int(number[:15]))
    rows = ErasureRequest.objects.waiting().select_related("case__report", "asked_by")
    kept = Hold.objects.filter(released_at=None, report__case__isnull=False)
    context = {
        "waiting": rows[:AT_MOST],
        "kept": kept.select_related("report__case").order_by("-pk")[:AT_MOST],
        "asked": number,
        "now": timezone.now(),
    }
    return render(request, "desk/keeping.html", context)


@require_safe
@staff_only
def keep(request: HttpRequest, case_id: int) -> HttpResponse:
    """One report: holds, and what erasing it would mean."""
    return _page(request, case_id)


@require_POST
@staff_only
def place(request: HttpRequest, case_id: int) -> HttpResponse:
    """Keep it, whatever the period says and whoever asks."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    form = HoldForm(request.POST, auto_id="hold_%s")
    if not form.is_valid():
        return _page(request, case_id, hold=form, status=422)
    grounds = Grounds(form.cleaned_data["why"], form.cleaned_data["authority"])
    now, actor = timezone.now(), actor_of(request).name_in_log
    try:
        holds.place(found.report, grounds, until=form.end(), actor=actor, now=now)
    except ReportErased as error:
        return _page(request, case_id, error=error)
    return redirect("desk:keep", case_id)


@require_POST
@staff_only
def end_hold(request: HttpRequest, hold_id: int) -> HttpResponse:
    """End a hold before its time."""
    found = get_object_or_404(Hold.objects.select_related("report__case"), pk=hold_id)
    case_id = found.report.case.pk
    form = ReleaseForm(request.POST, auto_id="release_%s")
    if not form.is_valid():
        return _page(request, case_id, release=form, status=422)
    actor = actor_of(request).name_in_log
    holds.release(found, why=form.cleaned_data["why"], actor=actor, now=timezone.now())
    return redirect("desk:keep", case_id)


@require_POST
@staff_only
def ask_erasure(request: HttpRequest, case_id: int) -> HttpResponse:
    """Ask a second person to have it erased."""
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    form = ErasureForm(request.POST, auto_id="erasure_%s")
    if not form.is_valid():
        return _page(request, case_id, erasure=form, status=422)
    reason, note = ErasureReason(form.cleaned_data["reason"]), form.cleaned_data["note"]
    try:
        erasures.ask(found, reason, note, actor=actor_of(request), now=timezone.now())
    except (LegalHold, ReportErased) as error:
        return _page(request, case_id, erasure=form, error=error)
    return redirect("desk:keep", case_id)


@require_POST
@staff_only
def settle_erasure(request: HttpRequest, request_id: int, act: str) -> HttpResponse:
    """Agree, as a second reviewer; refuse; or take the own request back."""
    wanted = get_object_or_404(ErasureRequest.objects.select_related("case__report"), pk=request_id)
    try:
        _settle(request, wanted, act)
    except (OwnRequest, NotAllowed) as error:
        return refusal(request, error.code, 403)
    except LegalHold as error:
        return _page(request, wanted.case_id, error=error)
    return redirect("desk:keep", wanted.case_id)


def _settle(request: HttpRequest, wanted: ErasureRequest, act: str) -> None:
    user, now = actor_of(request), timezone.now()
    reviews = user.role == Role.REVIEWER
    if act == "agree" and reviews:
        flow.agree_to_erasure(wanted, actor=user, now=now)
    elif act == "refuse" and (reviews or wanted.asked_by_id == user.pk):
        erasures.refuse(wanted, actor=user, now=now)
    else:
        raise NotAllowed(act)


def _page(
    request: HttpRequest,
    case_id: int,
    *,
    hold: HoldForm | None = None,
    erasure: ErasureForm | None = None,
    release: ReleaseForm | None = None,
    error: HaechiError | None = None,
    status: int = 200,
) -> HttpResponse:
    found = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    try:
        context = keeping_page.context(
            found,
            actor_of(request),
            now=timezone.now(),
            hold_form=hold,
            erasure_form=erasure,
            release_form=release,
            error=error,
        )
    except HaechiError as closed:
        return refusal(request, closed.code, 503)
    code = error.code if error else ""
    return render(request, "desk/keep.html", context, status=STATUS.get(code, status))
