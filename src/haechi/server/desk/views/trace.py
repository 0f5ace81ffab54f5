"""Which service and account made a file: asked with a reason, named by two people (B17, B18, B23)."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from haechi.errors import (
    DecodeTimeout,
    GrantNeeded,
    HaechiError,
    MediaError,
    NotAllowed,
    OwnRequest,
    SealError,
)
from haechi.server import flow
from haechi.server.desk import queue_page
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.time_left import PATTERNS
from haechi.server.desk.trace_forms import NameForm, TraceForm
from haechi.server.desk.views import trace_hold
from haechi.server.in_memory import InMemory
from haechi.server.staff.models import User
from haechi.server.tracing import asking
from haechi.server.tracing import naming as services
from haechi.server.tracing.models import (
    Finding,
    Generation,
    Inquiry,
    Naming,
    NamingQuerySet,
    Strength,
)
from haechi.server.words import words_for

AT_MOST = 100
STATUS = {NotAllowed.code: 403, OwnRequest.code: 403, GrantNeeded.code: 403}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def trace(request: HttpRequest) -> HttpResponse:
    """The check of the form's origin waits until it is said where the file goes: to memory alone."""
    limit_bytes = settings.UPLOAD_LIMIT_BYTES if request.user.is_authenticated else 0
    request.upload_handlers = [InMemory(request, limit_bytes=limit_bytes)]
    return _trace(request)


@csrf_protect
@reviewers_only
def _trace(request: HttpRequest) -> HttpResponse:
    """Ask; below it what this person asked before, and who waits for a second person."""
    if request.method != "POST":
        return _page(request, TraceForm(initial={"case": request.GET.get("case", "")[:15]}))
    form = TraceForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    data, now = form.cleaned_data["file"].read(), timezone.now()
    try:
        asked = asking.ask(data, form.question(), actor=actor_of(request), now=now)
    except MediaError as error:
        form.add_error("file", str(words_for(error.code)))
        return _page(request, form, status=503 if isinstance(error, DecodeTimeout) else 422)
    return redirect("desk:inquiry", asked.pk)


def _page(request: HttpRequest, form: TraceForm, *, status: int = 200) -> HttpResponse:
    user = actor_of(request)
    waiting = _namings(user).waiting()
    context = {
        "form": form,
        "asked": _inquiries(user).prefetch_related("findings")[:AT_MOST],
        "waiting": waiting.exclude(asked_by=user)[:AT_MOST],
        "holds": trace_hold.waiting(user, now=timezone.now())[:AT_MOST],
        "operator": _("The operator"),
    }
    return render(request, "desk/trace.html", context, status=status)


@dataclass(frozen=True, slots=True)
class Row:
    """One record that a question met, and what this person may know of its account."""

    finding: Finding
    naming: Naming | None
    in_force: bool


@require_safe
@reviewers_only
def inquiry(request: HttpRequest, inquiry_id: int) -> HttpResponse:
    """What was found: service, model and time, by which mark, and how far that goes."""
    return _answer(request, _visible(request, inquiry_id), NameForm())


@require_POST
@reviewers_only
def ask_name(request: HttpRequest, inquiry_id: int) -> HttpResponse:
    """Ask a second person for the account behind one record."""
    asked, form = _visible(request, inquiry_id), NameForm(request.POST)
    if not form.is_valid():
        return _answer(request, asked, form, status=422)
    finding = get_object_or_404(asked.findings, pk=form.cleaned_data["finding"])
    try:
        services.ask(
            finding, form.cleaned_data["reason"], actor=actor_of(request), now=timezone.now()
        )
    except HaechiError as error:
        return refusal(request, error.code, STATUS.get(error.code, 400))
    return redirect("desk:inquiry", asked.pk)


@require_POST
@reviewers_only
def hangs(request: HttpRequest, inquiry_id: int) -> HttpResponse:
    """Where what was found hangs."""
    asked, number = _visible(request, inquiry_id), request.POST.get("finding", "")
    actor, now = actor_of(request), timezone.now()
    try:
        found = asking.open_finding(asked, _number(number), actor=actor, now=now)
    except NotAllowed as error:
        return refusal(request, error.code, 403)
    return _hanging(request, found, asked)


@require_safe
@reviewers_only
def naming(request: HttpRequest, naming_id: int) -> HttpResponse:
    """For a second person: why the file was asked about, and why the account must be named."""
    found = get_object_or_404(_namings(actor_of(request)), pk=naming_id)
    actor, now = actor_of(request), timezone.now()
    if found.ended_at is not None or (found.given_at is not None and found.asked_by_id != actor.pk):
        raise Http404
    reasons, problem = ("", ""), ""
    try:
        reasons = services.read_reasons(found, actor=actor, now=now)
    except SealError as error:
        problem = error.code
    met = list(found.inquiry.findings.filter(generation__account=found.account_id))
    context = {
        "naming": found,
        "reasons": reasons,
        "problem": problem,
        "problem_words": words_for(problem) if problem else "",
        "own": found.asked_by_id == actor.pk,
        "met": met,
        "only_weak": all(one.strength == Strength.WEAK for one in met),
    }
    return render(request, "desk/naming.html", context)


@require_POST
@reviewers_only
def act(request: HttpRequest, naming_id: int, act: str) -> HttpResponse:
    """Agree, end, or open the account; a press that came too late changes nothing."""
    found = get_object_or_404(_namings(actor_of(request)), pk=naming_id)
    try:
        return _act(request, found, act, actor_of(request))
    except HaechiError as error:
        return refusal(request, error.code, STATUS.get(error.code, 409))


def _act(request: HttpRequest, found: Naming, act: str, actor: User) -> HttpResponse:
    now = timezone.now()
    if act == "approve":
        services.approve(found, actor=actor, now=now)
        return redirect("desk:trace")
    if act == "end":
        services.end(found, actor=actor, now=now)
        return redirect("desk:trace")
    if act == "open":
        before = _number(request.POST.get("before", "")) or None
        opened = services.open_account(found, before=before, actor=actor, now=now)
        return render(request, "desk/account.html", {"naming": found, "opened": opened})
    if act == "hangs":
        number = _number(request.POST.get("generation", ""))
        one = services.open_generation(found, number, actor=actor, now=now)
        return _hanging(request, one, found.inquiry)
    raise NotAllowed(act)


def _visible(request: HttpRequest, number: int) -> Inquiry:
    """Somebody else's question is not there."""
    return get_object_or_404(_inquiries(actor_of(request)), pk=number)


def _inquiries(user: User) -> QuerySet[Inquiry]:
    """The person's own questions, but for cases that they asked not to see."""
    hidden = user.recusals.values("case_id")
    return asking.visible(user).exclude(case_number__isnull=False, case_number__in=hidden)


def _namings(user: User) -> NamingQuerySet:
    hidden = user.recusals.values("case_id")
    shown = Naming.objects.exclude(
        inquiry__case_number__isnull=False, inquiry__case_number__in=hidden
    )
    return shown.select_related("inquiry", "asked_by", "account")


def _answer(
    request: HttpRequest, asked: Inquiry, form: NameForm, *, status: int = 200
) -> HttpResponse:
    now, user = timezone.now(), actor_of(request)
    findings = asked.findings.select_related("generation__platform")
    own = {one.account_id: one for one in asked.namings.filter(asked_by=user, ended_at=None)}
    in_force = set(Naming.objects.in_force(now).filter(inquiry=asked).values_list("pk", flat=True))
    rows = []
    for finding in findings:
        mine = own.get(finding.generation.account_id)
        mine = mine if mine and (mine.given_at is None or mine.pk in in_force) else None
        rows.append(Row(finding, mine, mine is not None and mine.pk in in_force))
    context = {
        "asked": asked,
        "rows": rows,
        "form": form,
        "now": now,
        "accounts": len({row.finding.generation.account_id for row in rows}),
    }
    return render(request, "desk/inquiry.html", context, status=status)


def _hanging(request: HttpRequest, found: Generation, asked: Inquiry) -> HttpResponse:
    now, user = timezone.now(), actor_of(request)
    hanging = flow.where_it_hangs(found, actor=user, now=now)
    context = {
        "generation": found,
        "asked": asked,
        "hanging": hanging,
        "rows": queue_page.rows_of(hanging.cases, now=now) if hanging else [],
        "now": now,
        "patterns": PATTERNS,
    }
    return render(request, "desk/hangs.html", context)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
