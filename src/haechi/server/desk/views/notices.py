"""Notices to others: what was sent, what came back, what waits for a person; the directory."""

from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from haechi.errors import GrantNeeded, HaechiError, InvalidDocument
from haechi.server import flow
from haechi.server.cases import grants
from haechi.server.cases.models import Scope
from haechi.server.desk.access import actor_of, refusal, reviewers_only, staff_only
from haechi.server.desk.aside import without
from haechi.server.desk.case_page.notices import shown
from haechi.server.desk.notice_forms import DirectoryForm, OutcomeForm, SentForm
from haechi.server.notices import directory as rows
from haechi.server.notices import services as notices
from haechi.server.notices import written
from haechi.server.notices.letter import Item, letter_of
from haechi.server.notices.models import Channel, Notice, State
from haechi.server.words import words_for

PAGE = 50
OPEN = Q(settled_at=None)
# What the page can be narrowed to, in the order in which somebody has to act.
LISTS = {
    "hand": (_("Waiting for a person"), Q(state=State.HELD)),
    "dead": (_("Refused or came back"), Q(state__in=(State.REFUSED, State.BOUNCED))),
    "answered": (_("Answered, to be read"), OPEN & Q(state=State.SENT, answered_at__isnull=False)),
    "silent": (_("No answer yet"), OPEN & Q(state=State.SENT, answered_at=None)),
    "queued": (_("On their way"), Q(state=State.QUEUED)),
    "settled": (_("Settled"), Q(settled_at__isnull=False)),
    "ended": (_("Not sent"), Q(state__in=(State.WITHDRAWN, State.DROPPED))),
}


@require_safe
@reviewers_only
def listed(request: HttpRequest) -> HttpResponse:
    """One list of notices; to whom they went is sealed, and told on the page of the notice."""
    chosen = request.GET.get("list", "hand")
    chosen = chosen if chosen in LISTS else "hand"
    seen = without(Notice.objects.all(), actor_of(request), "decision__case")
    counts = seen.aggregate(
        **{name: Count("pk", filter=which) for name, (_words, which) in LISTS.items()}
    )
    page = Paginator(_rows(seen.filter(LISTS[chosen][1])), PAGE).get_page(request.GET.get("page"))
    context = {
        "lists": [(name, words, counts[name]) for name, (words, _which) in LISTS.items()],
        "chosen": chosen,
        "page": page,
        "now": timezone.now(),
    }
    return render(request, "desk/notices.html", context)


def _rows(found: QuerySet[Notice]) -> QuerySet[Notice]:
    return (
        found.select_related("decision")
        .annotate(places=Count("items"))
        .order_by("next_at", "created_at")
    )


@require_safe
@reviewers_only
def one(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """The whole notice: its words, the fields to copy, what came back. Logged, by grant (B17)."""
    return _page(request, _found(notice_id))


@require_POST
@reviewers_only
def act(request: HttpRequest, notice_id: UUID, act: str) -> HttpResponse:
    """Send, hurry, stop, record as sent by hand, write down an answer."""
    notice, user, now = _found(notice_id), actor_of(request), timezone.now()
    if act == "send":
        flow.replay_notice(notice, actor=user, now=now)
    elif act == "hurry":
        flow.hurry_notice(notice, actor=user, now=now)
    elif act == "stop":
        notices.stop(notice, actor=user.name_in_log, now=now)
    elif act in ("sent", "answer"):
        return _typed(request, notice, act)
    else:
        return refusal(request, "staff.not_allowed", 403)
    return redirect("desk:case", notice.decision.case_id)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def directory(request: HttpRequest) -> HttpResponse:
    """Who answers for what, where that was read; a row may be added, which is logged."""
    problem = ""
    form = DirectoryForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            rows.add(form.row(), actor=actor_of(request).name_in_log, now=timezone.now())
        except InvalidDocument as error:
            problem = error.code
        else:
            return redirect("desk:directory")
    context = {
        "rows": rows.everybody(),
        "form": form,
        "code": problem,
        "words": words_for(problem) if problem else "",
    }
    return render(request, "desk/directory.html", context, status=422 if form.is_bound else 200)


def _typed(request: HttpRequest, notice: Notice, act: str) -> HttpResponse:
    user, now = actor_of(request), timezone.now()
    if not grants.holds(notice.decision.case, user, Scope.CONTENT, now=now):
        return refusal(request, GrantNeeded.code, 403)
    if act == "sent":
        form = SentForm(request.POST)
        if form.is_valid():
            reference = form.cleaned_data["reference"]
            notices.record_sent(notice, reference, actor=user.name_in_log, now=now)
            return redirect("desk:case", notice.decision.case_id)
        return _page(request, notice, sent=form)
    answer = OutcomeForm(notice, request.POST)
    if not answer.is_valid():
        return _page(request, notice, answer=answer)
    notices.read_answer(notice, answer.outcomes(), actor=user.name_in_log, now=now)
    return redirect("desk:case", notice.decision.case_id)


def _page(
    request: HttpRequest,
    notice: Notice,
    *,
    sent: SentForm | None = None,
    answer: OutcomeForm | None = None,
) -> HttpResponse:
    user, now = actor_of(request), timezone.now()
    if not grants.holds(notice.decision.case, user, Scope.CONTENT, now=now):
        return refusal(request, GrantNeeded.code, 403)
    notices.opened(notice, actor=user.name_in_log, now=now)
    try:
        letter = letter_of(notice)
        fields = written.fields(letter, notice)
    except HaechiError as error:
        return refusal(request, error.code, 409)
    context = {
        "shown": shown(notice, opened=True),
        "letter": letter,
        "fields": fields,
        "places": _places(notice, letter.items),
        "by_hand": notice.state == State.HELD and notice.channel == Channel.FORM,
        "sent_form": sent or SentForm(),
        "answer_form": answer or OutcomeForm(notice),
        "tries": notice.tries.all(),
    }
    return render(request, "desk/notice.html", context, status=422 if sent or answer else 200)


def _places(notice: Notice, items: tuple[Item, ...]) -> list[tuple[Item, str]]:
    said = {item.number: str(item.get_outcome_display()) for item in notice.items.all()}
    return [(item, said.get(item.number, "")) for item in items[:PAGE]]


def _found(notice_id: UUID) -> Notice:
    found = Notice.objects.select_related("decision__case__report")
    return get_object_or_404(found, pk=notice_id)
