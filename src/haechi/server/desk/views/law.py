"""The rules of law: everybody at the desk reads them, an administrator confirms and ends them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from haechi import law
from haechi.errors import (
    CannotOpen,
    GrantNeeded,
    KeyMissing,
    NotAllowed,
    NothingMissing,
    RuleChanged,
)
from haechi.server import flow
from haechi.server.cases import clocks, grants, rules
from haechi.server.cases.models import Case, Clock, Rule, Scope
from haechi.server.desk import rule_words
from haechi.server.desk.access import actor_of, refusal, reviewers_only, staff_only
from haechi.server.desk.aside import without
from haechi.server.desk.law_forms import RuleForm
from haechi.server.desk.time_left import Reading, read
from haechi.server.staff.models import Role, User
from haechi.server.words import words_for

AT_MOST = 200
LATE_SHOWN = timedelta(days=30)


@dataclass(frozen=True)
class Line:
    """One thing that a new version says otherwise."""

    name: Promise | str
    before: str
    after: str

    @property
    def changed(self) -> bool:
        """True where it says something else."""
        return self.before != self.after


@require_safe
@staff_only
def law_page(request: HttpRequest) -> HttpResponse:
    """What runs here, then every other rule by place, each with why it does not run."""
    known = [rule_words.Told(rule) for rule in rules.current().values()]
    here = frozenset(settings.HAECHI.jurisdictions)
    runs = [one for one in known if one.rule.enabled and one.rule.jurisdiction in here]
    others = sorted(
        (one for one in known if one not in runs),
        key=lambda one: (one.rule.jurisdiction not in here, one.rule.jurisdiction),
    )
    context = {
        "runs": runs,
        "places": [
            (rule_words.PLACES[place], place in here, list(group))
            for place, group in groupby(others, key=lambda one: one.rule.jurisdiction)
        ],
        "bound": [rule_words.ROLES[role] for role in sorted(settings.HAECHI.bound)],
    }
    return render(request, "desk/law.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """One rule, its versions, and for an administrator the form: looked at, then confirmed."""
    found = rules.current().get(rule_id)
    if found is None:
        raise Http404
    actor = actor_of(request)
    if request.method != "POST":
        return _rule_page(request, found, _form(found) if _may(actor) else None)
    if not _may(actor):
        return refusal(request, NotAllowed.code, 403)
    form = RuleForm(found, version=found.version + 1, data=request.POST)
    if not form.is_valid():
        return _rule_page(request, found, form, status=422)
    if request.POST.get("step") != "save":
        return _look_page(request, found, form)
    try:
        rules.confirm(
            form.said(), reason=form.cleaned_data["reason"], actor=actor, now=timezone.now()
        )
    except RuleChanged as error:
        return _rule_page(request, found, _form(found), problem=error.code, status=409)
    return redirect("desk:rule", rule_id)


@require_safe
@staff_only
def missed(request: HttpRequest) -> HttpResponse:
    """Deadlines that ran out: those still open, the longest first, then those met too late."""
    now, user = timezone.now(), actor_of(request)
    late = Clock.objects.filter(stopped_at__gte=now - LATE_SHOWN, missed_at__isnull=False)
    context = {
        "open": _readings(
            without(clocks.overdue(now), user, "case").order_by("due_at")[:AT_MOST], now
        ),
        "late": _readings(without(late, user, "case").order_by("-stopped_at")[:AT_MOST], now),
        "now": now,
    }
    return render(request, "desk/missed.html", context)


@require_POST
@reviewers_only
def ask_missing(request: HttpRequest, case_id: int) -> HttpResponse:
    """Write to the reporter what her request lacks; pressed twice, she is asked once."""
    found = Case.objects.select_related("report").filter(pk=case_id).first()
    if found is None:
        raise Http404
    actor, now = actor_of(request), timezone.now()
    if not grants.holds(found, actor, Scope.CONTENT, now=now):
        return refusal(request, GrantNeeded.code, 403)
    try:
        flow.ask_for_missing(found, actor=actor, now=now)
    except (NothingMissing, KeyMissing, CannotOpen) as error:
        return refusal(request, error.code, 409)
    return redirect("desk:case", case_id)


def _may(user: User) -> bool:
    return user.role == Role.ADMINISTRATOR


def _form(found: law.Rule) -> RuleForm:
    return RuleForm(found, version=found.version + 1)


def _readings(rows: QuerySet[Clock], now: datetime) -> list[Reading]:
    return [read(clock, now) for clock in rows]


def _rule_page(
    request: HttpRequest,
    found: law.Rule,
    form: RuleForm | None,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    versions = list(rules.versions_of(found.id))
    keys = {int(row.made_by.partition(":")[2]) for row in versions}
    names = {user.name_in_log: str(user) for user in User.objects.filter(pk__in=keys)}
    context = {
        "told": rule_words.Told(found),
        "form": form,
        "versions": [(row, rule_words.Told(_as(row)), names.get(row.made_by, row.made_by))
                     for row in versions],
        "shipped": rule_words.Told(law.rule(found.id)),
        "running": Clock.objects.filter(clocks.RUNNING, rule=found.id).count(),
        "problem": problem,
        "problem_words": words_for(problem) if problem else "",
    }  # fmt: skip
    return render(request, "desk/rule.html", context, status=status)


def _as(row: Rule) -> law.Rule:
    return law.current([row.as_version()])[row.rule]


def _look_page(request: HttpRequest, found: law.Rule, form: RuleForm) -> HttpResponse:
    """What was typed beside what holds now; nothing is written yet."""
    before, after = rule_words.Told(found), rule_words.Told(law.confirmed(form.said()))
    context = {
        "told": before,
        "typed": [(field.html_name, field.value()) for field in form],
        "lines": [
            Line(name, old, new)
            for (name, old), (_same, new) in zip(before.lines(), after.lines(), strict=True)
        ],
        "reason": form.cleaned_data["reason"],
        "running": Clock.objects.filter(clocks.RUNNING, rule=found.id).count(),
    }
    return render(request, "desk/rule_look.html", context)
