"""Banks, and the pictures in them by fingerprint: no page here shows a picture."""

from datetime import UTC
from functools import partial

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from haechi.errors import NotAllowed, ReasonRequired
from haechi.index import thresholds
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.desk import vocabulary
from haechi.server.desk.access import actor_of, refusal, reviewers_only, staff_only
from haechi.server.desk.bank_forms import NUMBERS, YES_NO, BankForm, EndForm, MemberForm
from haechi.server.desk.vocabulary import TAGS, Names
from haechi.server.matching import backwards, floods
from haechi.server.matching import banks as services
from haechi.server.matching.models import Bank, BankPolicy, Held, Member, Sighting, Surge
from haechi.server.staff.models import Role, User

PER_PAGE = 50
AT_MOST = 100
KINDS = {
    "": _("all"),
    "pending": _("pending"),
    "confirmed": _("confirmed"),
    "held": _("held"),
    "withdrawn": _("withdrawn"),
}


@require_safe
@staff_only
def banks(request: HttpRequest) -> HttpResponse:
    """What waits for a reviewer, then every bank."""
    reviews = actor_of(request).role == Role.REVIEWER
    counted = Bank.objects.filter(deleted_at=None).annotate(
        confirmed=Count("members", filter=Q(members__status="confirmed")),
        pending=Count("members", filter=Q(members__status="pending")),
    )
    surges = Surge.objects.filter(settled_at=None).select_related("member__bank")
    found = Sighting.objects.filter(settled_at=None, hosted__removed_at=None).select_related(
        "hosted__platform"
    )
    context = {
        "banks": counted.order_by("name"),
        "surges": surges.order_by("at")[:AT_MOST] if reviews else (),
        "sightings": found.order_by("pk")[:AT_MOST] if reviews else (),
    }
    return render(request, "desk/banks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def bank(request: HttpRequest, bank_id: int) -> HttpResponse:
    """One bank: its members, and its settings for administrators to change."""
    found = get_object_or_404(Bank, pk=bank_id, deleted_at=None)
    if request.method != "POST":
        return _bank_page(request, found, BankForm(found))
    if actor_of(request).role != Role.ADMINISTRATOR:
        return refusal(request, NotAllowed.code, 403)
    form = BankForm(found, request.POST)
    if not form.is_valid():
        return _bank_page(request, found, form, status=422)
    typed = form.cleaned_data
    try:
        services.change(
            found,
            policy=BankPolicy(typed["policy"]),
            enabled=typed["enabled"] == "yes",
            trusted=typed["trusted"] == "yes",
            limits=form.given(thresholds.NAMES),
            flood=form.given(tuple(floods.RANGES)),
            reason=typed["reason"],
            actor=actor_of(request).name_in_log,
            now=timezone.now(),
        )
    except ReasonRequired:
        return _bank_page(request, found, form, status=422)
    return redirect("desk:bank", found.pk)


@require_safe
@reviewers_only
def member(request: HttpRequest, member_id: int) -> HttpResponse:
    """One member: facts, opinions, what was found of it, its history."""
    return _member_page(request, member_id, MemberForm())


@require_POST
@reviewers_only
def judge(request: HttpRequest, member_id: int) -> HttpResponse:
    """Confirm, withdraw, dispute, hold or release it."""
    found = get_object_or_404(Member.objects.select_related("bank"), pk=member_id)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _member_page(request, member_id, form, status=422)
    note = form.cleaned_data["note"]
    acts = {
        "confirm": partial(flow.confirm_member, note=note),
        "withdraw": partial(services.withdraw, note=note),
        "dispute": partial(services.dispute, note=note),
        "hold": partial(services.hold, why=Held.STAFF, reason=note),
        "release": partial(services.release, reason=note),
    }
    actor: User = actor_of(request)
    acts[form.cleaned_data["act"]](found, actor=actor.name_in_log, now=timezone.now())
    return redirect("desk:member", found.pk)


@require_POST
@reviewers_only
def end(request: HttpRequest, member_id: int) -> HttpResponse:
    """Say when it ends, or that it does not."""
    found, now = get_object_or_404(Member, pk=member_id), timezone.now()
    form = EndForm(request.POST, ends=found.expires_at, today=now.astimezone(UTC).date())
    if not form.is_valid():
        return _member_page(request, member_id, MemberForm(), form, status=422)
    reason = form.cleaned_data["reason"]
    services.expire(found, form.at, reason=reason, actor=actor_of(request).name_in_log, now=now)
    return redirect("desk:member", found.pk)


@require_POST
@reviewers_only
def settle(request: HttpRequest, sighting_id: int) -> HttpResponse:
    """A person has dealt with one find."""
    found = get_object_or_404(Sighting, pk=sighting_id)
    flow.settle_sighting(found, actor=actor_of(request).name_in_log, now=timezone.now())
    return redirect("desk:banks")


def _bank_page(
    request: HttpRequest, found: Bank, form: BankForm, *, status: int = 200
) -> HttpResponse:
    kind = request.GET.get("status", "")
    members = found.members.order_by("-pk")
    if kind == "held":
        members = members.exclude(held="").filter(status="confirmed")
    elif kind and kind in KINDS:
        members = members.filter(status=kind)
    context = {
        "bank": found,
        "form": form,
        "kind": kind if kind in KINDS else "",
        "kinds": KINDS.items(),
        "page": Paginator(members, PER_PAGE).get_page(request.GET.get("page")),
        "sources": found.sources.order_by("name"),
        "may_change": actor_of(request).role == Role.ADMINISTRATOR,
        "unseen": dict(YES_NO)["yes" if found.trusted else "no"],
        "settings": [
            (NUMBERS.get(name, name), value)
            for name, value in {**found.thresholds, **found.flood}.items()
        ],
    }
    return render(request, "desk/bank.html", context, status=status)


def _member_page(
    request: HttpRequest,
    member_id: int,
    form: MemberForm,
    ends: EndForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    found = get_object_or_404(Member.objects.select_related("bank"), pk=member_id)
    entries = list(audit.history(found))
    names = Names([*entries])
    context = {
        "member": found,
        "form": form,
        "ends": ends or EndForm(ends=found.expires_at, today=timezone.now().astimezone(UTC).date()),
        "hashes": [
            (name, bytes(value).hex())
            for name, value in (("SHA-256", found.sha256), ("MD5", found.md5), ("PDQ", found.pdq))
            if value is not None
        ],
        "surge": found.surges.filter(settled_at=None).first(),
        "opinions": found.opinions.all(),
        "sightings": [
            (one, vocabulary.VERDICTS.get(one.verdict, one.verdict))
            for one in backwards.waiting(found)[:AT_MOST]
        ],
        "history": [(entry, TAGS.get(entry.tag, entry.tag), names.of(entry)) for entry in entries],
    }
    return render(request, "desk/member.html", context, status=status)
