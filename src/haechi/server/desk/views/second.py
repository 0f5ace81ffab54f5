"""Second looks by lot, and how far people agree."""

from collections import defaultdict
from dataclasses import dataclass

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from haechi.errors import AlreadyLooked, CaseClosed, CaseError, HaechiError, NotAllowed
from haechi.server.cases import agreement, grants, policies, reviews
from haechi.server.cases.agreement import Agreement
from haechi.server.cases.models import Ground, Occasion, Purpose, Review, Scope
from haechi.server.desk import case_page
from haechi.server.desk.access import actor_of, refusal, reviewers_only, staff_only
from haechi.server.desk.case_page import deciding
from haechi.server.desk.case_page.page import Typed
from haechi.server.desk.deciding_form import DecisionForm
from haechi.server.desk.forms import reason_field
from haechi.server.staff.models import Role
from haechi.server.words import words_for

# Shown before the second opinion is given, these would tell the first.
TELLING: dict[str, object] = {
    "decision": None,
    "actions": [],
    "notices": [],
    "history": [],
    "clocks": [],
}
AT_MOST = 100


class RateForm(forms.Form):
    """How many of a hundred decisions are looked at again."""

    percent = forms.IntegerField(label=_("Of a hundred decisions"), min_value=0, max_value=100)
    reason = reason_field(_("It stands in the log."))


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: object
    found: Agreement


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def agree(request: HttpRequest) -> HttpResponse:
    """Percent and kappa, in all and by ground; administrators say how many are drawn."""
    now, actor = timezone.now(), actor_of(request)
    form = RateForm(request.POST or None, initial={"percent": reviews.percent(now)})
    if request.method == "POST" and form.is_valid():
        try:
            reviews.set_percent(actor=actor, now=now, number=form.cleaned_data["percent"],
                                reason=form.cleaned_data["reason"])  # fmt: skip
        except NotAllowed as error:
            return refusal(request, error.code, 403)
        return redirect("desk:agreement")
    both = agreement.looked_at()
    titles = {key: policy.title for key, policy in policies.catalogue(now).items()}
    titles[Ground.NONE] = gettext("No ground for removal")
    by_ground = defaultdict(list)
    by_occasion = defaultdict(list)
    for first, second in both:
        by_ground[titles.get(first.ground, first.ground)].append((first.verdict, second.verdict))
        by_occasion[Occasion(first.review.occasion).label].append((first.verdict, second.verdict))
    whole = agreement.of_pairs([(first.verdict, second.verdict) for first, second in both])
    context = {
        "rows": [
            Row(_("All"), whole),
            *(Row(name, agreement.of_pairs(pairs)) for name, pairs in by_occasion.items()),
        ],
        "grounds": [Row(name, agreement.of_pairs(pairs)) for name, pairs in by_ground.items()],
        "drawn": reviews.drawn_for(actor)[:AT_MOST] if actor.role == Role.REVIEWER else [],
        "percent": reviews.percent(now),
        "rate_form": form if actor.role == Role.ADMINISTRATOR else None,
    }
    return render(request, "desk/agreement.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@reviewers_only
def second(request: HttpRequest, review_id: int) -> HttpResponse:
    """Look at a case that was drawn, without what was decided, and say what one concludes."""
    now, actor = timezone.now(), actor_of(request)
    drawn = reviews.drawn_for(actor)
    found = get_object_or_404(drawn, pk=review_id) if request.method != "POST" else None
    review = found or get_object_or_404(Review.objects.select_related("case__report"), pk=review_id)
    if not drawn.filter(pk=review.pk).exists():
        return refusal(request, AlreadyLooked.code, 403)
    if "purpose" in request.POST:
        grants.open_content(review.case, actor, Purpose.REVIEW, now=now)
        return redirect("desk:second", review.pk)
    if request.method != "POST":
        return _page(request, review)
    form = deciding.form_for(review.case, request.POST, now=now, place=reviews.SECOND)
    if not form.is_valid() or not grants.holds(review.case, actor, Scope.CONTENT, now=now):
        return _page(request, review, form, status=422)
    try:
        reviews.look_again(review, form.ruling, actor=actor, now=now)
    except (CaseError, NotAllowed) as error:
        status = 409 if isinstance(error, CaseClosed) else 403
        return _page(request, review, form, error=error, status=status)
    return redirect("desk:agreement")


def _page(
    request: HttpRequest,
    review: Review,
    form: DecisionForm | None = None,
    *,
    error: HaechiError | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context = case_page.context(
        review.case, actor_of(request), now=now, typed=Typed(form), error=error
    )
    fresh = form or deciding.form_for(review.case, now=now, place=reviews.SECOND)
    context |= {**TELLING, "review": review, "form": fresh}
    if error is not None:
        context["problem_words"] = words_for(error.code)
    return render(request, "desk/second.html", context, status=status)
