"""Packages of evidence for police and courts: asked for by one person, agreed to by another (B23, B35)."""

from dataclasses import dataclass

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from haechi.errors import (
    BasisNeeded,
    CannotOpen,
    GrantNeeded,
    HaechiError,
    NotAllowed,
    OwnRequest,
    ReasonRequired,
    ReceiverRefused,
)
from haechi.server.cases import grants
from haechi.server.cases import packages as services
from haechi.server.cases.models import Case, Package, Scope
from haechi.server.cases.packages import Purpose
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.package_forms import PackageForm
from haechi.server.flow import packaging
from haechi.server.words import words_for


@dataclass(frozen=True)
class Row:
    """One package with what was written about it, or the code of why that cannot be read."""

    package: Package
    purpose: Purpose | None
    receipt: str
    problem: str
    problem_words: Promise | str
    own: bool


@require_http_methods(["GET", "HEAD", "POST"])
@reviewers_only
def packages(request: HttpRequest, case_id: int) -> HttpResponse:
    """The packages of a case, and the form to ask for one."""
    case = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    user, now = actor_of(request), timezone.now()
    if not grants.holds(case, user, Scope.CONTENT, now=now):
        return refusal(request, GrantNeeded.code, 403)
    form = PackageForm(request.POST if request.method == "POST" else None, minor=case.minor)
    error: HaechiError | None = None
    if form.is_bound and form.is_valid():
        try:
            services.ask(case, form.purpose(), form.keys(), actor=user, now=now)
        except (BasisNeeded, ReasonRequired, ReceiverRefused) as refused:
            error = refused
        else:
            return redirect("desk:packages", case.pk)
    context = {
        "case": case,
        "form": form,
        "rows": [_row(one, user.pk) for one in _of(case)],
        "problem": error.code if error else "",
        "problem_words": words_for(error) if error else "",
    }
    return render(request, "desk/packages.html", context, status=422 if form.is_bound else 200)


@require_POST
@reviewers_only
def act(request: HttpRequest, package_id: int, act: str) -> HttpResponse:
    """Agree, refuse, or record that it arrived; a press that came too late changes nothing."""
    package = get_object_or_404(Package.objects.select_related("case__report"), pk=package_id)
    try:
        _act(request, package, act)
    except (OwnRequest, NotAllowed, GrantNeeded) as error:
        return refusal(request, error.code, 403)
    except ReasonRequired as error:
        return refusal(request, error.code, 422)
    return redirect("desk:packages", package.case_id)


@require_safe
@reviewers_only
def file(request: HttpRequest, package_id: int) -> HttpResponse:
    """The package, sealed to its receiver; taking it is logged first."""
    package = get_object_or_404(Package.objects.select_related("case"), pk=package_id)
    user, now = actor_of(request), timezone.now()
    if not grants.holds(package.case, user, Scope.CONTENT, now=now):
        return refusal(request, GrantNeeded.code, 403)
    path = packaging.folder() / package.file
    if not package.file or not path.is_file():
        raise Http404
    services.handed(package, actor=user, now=now)
    return FileResponse(  # type: ignore[return-value]  # every response has headers and cookies
        path.open("rb"),
        as_attachment=True,
        filename=package.file,
        content_type="application/octet-stream",
    )


def _act(request: HttpRequest, package: Package, act: str) -> None:
    user, now = actor_of(request), timezone.now()
    if act == "agree":
        packaging.agree_to_package(package, actor=user, now=now)
    elif act == "refuse":
        services.refuse(package, actor=user, now=now)
    elif act == "received":
        receipt = request.POST.get("receipt", "")
        packaging.receive_package(package, receipt, actor=user.name_in_log, now=now)
    else:
        raise NotAllowed(act)


def _of(case: Case) -> list[Package]:
    found = case.packages.select_related("case__report", "asked_by", "given_by", "ended_by")
    return list(found.order_by("-pk"))


def _row(package: Package, user_id: int) -> Row:
    own = package.asked_by_id == user_id
    try:
        return Row(package, services.purpose_of(package), services.receipt_of(package), "", "", own)
    except CannotOpen as error:
        return Row(package, None, "", error.code, words_for(error), own)
