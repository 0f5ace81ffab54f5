"""The policy catalogue: everybody at the desk reads it, an administrator writes new versions."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from haechi.errors import NotAllowed, RuleChanged
from haechi.server.cases import policies
from haechi.server.cases.models import PolicyKind
from haechi.server.cases.models.policy import Policy
from haechi.server.desk.access import actor_of, refusal, staff_only
from haechi.server.desk.policy_forms import PolicyForm
from haechi.server.staff.models import Role, User
from haechi.server.words import words_for


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every ground, law first; for an administrator the form for one more."""
    actor = actor_of(request)
    form = PolicyForm(None, request.POST or None) if _may(actor) else None
    if request.method == "POST":
        if form is None:
            return refusal(request, NotAllowed.code, 403)
        if form.is_valid():
            if policies.history(form.cleaned_data["key"]):
                form.add_error("key", str(words_for(RuleChanged.code)))
            else:
                return _written(form.cleaned_data["key"], form, actor)
    known = policies.newest(timezone.now()).values()
    context = {
        "form": form,
        "kinds": [
            (kind.label, [each for each in known if each.kind == kind]) for kind in PolicyKind
        ],
    }
    return render(
        request, "desk/policies.html", context, status=422 if form and form.errors else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def policy(request: HttpRequest, key: str) -> HttpResponse:
    """One ground with its versions, and for an administrator the form for the next."""
    versions = policies.history(key)
    if not versions:
        raise Http404
    actor = actor_of(request)
    if request.method != "POST":
        return _page(request, versions, PolicyForm(versions[0]) if _may(actor) else None)
    if not _may(actor):
        return refusal(request, NotAllowed.code, 403)
    form = PolicyForm(versions[0], request.POST)
    if not form.is_valid():
        return _page(request, versions, form, status=422)
    if form.cleaned_data["version"] != versions[0].version + 1:
        return _page(
            request, versions, PolicyForm(versions[0]), problem=RuleChanged.code, status=409
        )
    return _written(key, form, actor)


def _may(user: User) -> bool:
    return user.role == Role.ADMINISTRATOR


def _written(key: str, form: PolicyForm, actor: User) -> HttpResponse:
    policies.add_version(
        key, reason=form.cleaned_data["reason"], actor=actor, now=timezone.now(), **form.said
    )
    return redirect("desk:policy", key)


def _page(
    request: HttpRequest,
    versions: list[Policy],
    form: PolicyForm | None,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "policy": versions[0],
        "versions": versions,
        "form": form,
        "problem": problem,
        "problem_words": words_for(problem) if problem else "",
    }
    return render(request, "desk/policy.html", context, status=status)
