"""The report: one page that asks, one answer that shows the return code once."""

from dataclasses import dataclass, replace
from typing import cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from haechi import law
from haechi.errors import BlobError, IntakeClosed, SealError
from haechi.server import flow
from haechi.server.contacts import nearest, serving
from haechi.server.evidence.sealing import SealedFile, SealedUpload, identity_of
from haechi.server.law_words import shown
from haechi.server.public import kept, page_token
from haechi.server.public.answers import AWAY
from haechi.server.public.forms import ReportForm, sealed_in, storage_failed, too_many_files
from haechi.server.public.kept import Kept
from haechi.server.public.limits import Slow, slow
from haechi.server.public.views.code import panel
from haechi.server.reports import services as reports
from haechi.server.reports.models import Harm, Report
from haechi.server.reports.places import MOST_PLACES, understand
from haechi.server.reports.requirements import elements_of
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.services import Submission
from haechi.server.reports.story import Story
from haechi.server.words import law_name, words_for


@dataclass(frozen=True)
class Stored:
    """What of a report the receipt speaks of: its words, places, exhibits, told fingerprints."""

    story: Story
    places: tuple[str, ...]
    files: int
    told: int


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Ask, or take the report in and show its code."""
    if request.method != "POST":
        return _page(request, ReportForm(), Kept("", ()))
    uploads = cast("list[SealedUpload]", request.FILES.getlist("files"))
    form = ReportForm(request.POST, request.FILES)
    new = sealed_in(uploads)
    held = Kept(identity_of(request), tuple(new))
    earlier = kept.read(request.POST.get("kept", ""))
    try:
        held = _with_earlier(form, request.POST, earlier, held)
    except (BlobError, SealError):
        return _closed(request, form, earlier or held)
    if storage_failed(uploads):
        return _closed(request, form, held)
    if form.is_valid() and "check" in request.POST:
        return _page(request, form, held, checked=True)
    if form.is_valid() and not (
        form.cleaned_data["locations"] or held.files or form.cleaned_data["fingerprints"]
    ):
        form.refuse_empty()
    if not form.is_valid():
        return _page(request, form, held, status=422)
    if found := slow(request, "report", session=form.cleaned_data["submission"]):
        return _page(request, form, held, status=429, over=found)
    submission = _submission(form, held)
    try:
        taken, _code = flow.submit_report(
            submission,
            held.files,
            told=form.cleaned_data["fingerprints"],
            now=timezone.now(),
        )
    except IntegrityError:
        return _again(request, form, held, len(new))
    except (*AWAY, BlobError, SealError):
        return _closed(request, form, held)
    told = len(form.cleaned_data["fingerprints"])
    stored = Stored(submission.story, submission.locations, len(held.files), told)
    return _receipt(request, submission.token, taken, stored)


def _again(request: HttpRequest, form: ReportForm, held: Kept, brought: int) -> HttpResponse:
    """The same page a second time: the receipt of the first; the files it brought are dropped."""
    token = form.cleaned_data["submission"]
    try:
        first = reports.received(token)
        if first is None:
            return _closed(request, form, held)
        code = ReturnCode.from_seed(token.encode())
        identity = reports.identity_by(code, first)
        stored = Stored(
            reports.story_of(first, identity),
            tuple(reports.addresses_of(first, identity).values()),
            first.exhibits.count(),
            first.told.count(),
        )
    except (*AWAY, SealError):
        return _closed(request, form, held)
    kept.forget(held.files[len(held.files) - brought :])
    return _receipt(request, token, first, stored)


def _with_earlier(form: ReportForm, sent: QueryDict, earlier: Kept | None, new: Kept) -> Kept:
    """The files of this request together with those the page kept from the last one."""
    if not sent.get("kept"):
        return new
    if earlier is None or not kept.complete(earlier):
        gone = _("Files you added before were held for two hours. Please add them again.")
        form.add_error("files", ValidationError(gone))
        return new
    dropped = sent.getlist("drop")
    left = tuple(file for n, file in enumerate(earlier.files) if str(n) not in dropped)
    room = settings.UPLOADS_PER_REPORT - len(left)
    if len(new.files) > room:
        form.add_error("files", ValidationError(too_many_files()))
        kept.forget(new.files[room:])
    return kept.join(replace(earlier, files=left), new.files[:room], new.identity)


def _submission(form: ReportForm, held: Kept) -> Submission:
    return Submission(
        token=form.cleaned_data["submission"],
        identity=held.identity,
        language=get_language() or "en",
        age=form.cleaned_data["age"],
        harms=tuple(Harm(harm) for harm in form.cleaned_data["harms"]),
        story=form.story(held.files),
        locations=form.cleaned_data["locations"],
        danger=form.cleaned_data["danger"],
        filer=form.cleaned_data["filer"],
    )


def _page(
    request: HttpRequest,
    form: ReportForm,
    held: Kept,
    *,
    status: int = 200,
    closed: bool = False,
    checked: bool = False,
    over: Slow | None = None,
) -> HttpResponse:
    """The form as it was filled in. `checked`: somebody asked what is still missing."""
    sent = request.POST.get("submission", "")
    language = get_language() or "en"
    fingerprints = _told_before(request, form)
    facts = form.facts(pictures=len(held.files) + bool(fingerprints))
    context = {
        "form": form,
        "submission": sent if page_token.valid(sent) else page_token.issue(),
        "places": form.block(),
        "limit_places": MOST_PLACES,
        "checked": checked,
        "regimes": shown(law.standings(facts, frozenset(settings.HAECHI.jurisdictions))),
        "for_children": serving("child", language),
        "urgent": serving("urgent", language),
        "kept": _names(held.files),
        "kept_token": held.token() if held.files else "",
        "limit_bytes": settings.UPLOAD_LIMIT_BYTES,
        "limit_files": settings.UPLOADS_PER_REPORT,
        "fingerprints": fingerprints,
        "limit_fingerprints": settings.FINGERPRINTS_PER_REPORT,
    }
    if over is not None:
        context |= {"slow": over, "contacts": nearest(get_language() or "en")}
    if closed:
        context |= {
            "closed": words_for(IntakeClosed.code),
            "code": IntakeClosed.code,
            "contacts": nearest(get_language() or "en"),
        }
    return render(request, "public/report.html", context, status=status)


def _told_before(request: HttpRequest, form: ReportForm) -> str:
    """The fingerprints that came with this request, for the page that asks again; never bad ones."""
    if not form.is_bound or form.has_error("fingerprints"):
        return ""
    return request.POST.get("fingerprints", "")


def _names(files: tuple[SealedFile, ...]) -> list[str]:
    return [file.name for file in files]


def _closed(request: HttpRequest, form: ReportForm, held: Kept) -> HttpResponse:
    """Nothing can be stored: say so, name others who help, keep what was typed (B31)."""
    return _page(request, form, held, status=503, closed=True)


def _receipt(request: HttpRequest, token: str, taken: Report, stored: Stored) -> HttpResponse:
    """What was stored, the code that opens it, and what the law makes of it. Reads no database."""
    language = get_language() or "en"
    standings = elements_of(
        taken, stored.story, places=stored.places, pictures=stored.files + stored.told
    )
    starting = law.Facts(
        jurisdictions=frozenset(settings.HAECHI.jurisdictions),
        minor=taken.maybe_minor,
        event="report",
        valid=frozenset(each.clock.id for each in standings if each.complete),
    )
    whom = "child" if taken.minor else "urgent" if taken.danger else ""
    context = {
        "received_at": taken.received_at,
        "files": stored.files,
        "places": len(stored.places),
        "understood": [understand(place) for place in stored.places],
        "told": stored.told,
        "clocks": [
            (law_name(running.rule.id, running.rule.law), running.due_at)
            for running in law.clocks_for(starting, at=taken.received_at)
        ],
        "regimes": shown(standings),
        "report": taken,
        "contacts": serving(whom, language) if whom else [],
    }
    return render(request, "public/receipt.html", context | panel(token))
