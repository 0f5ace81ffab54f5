"""The report: one page that asks, one answer that shows the return code once."""

from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import cast

from django.conf import settings
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from haechi import law
from haechi.errors import BlobError, IntakeClosed, SealError, UploadUnknown
from haechi.server import flow
from haechi.server.away import AWAY
from haechi.server.cases import rules
from haechi.server.contacts import nearest, serving
from haechi.server.evidence.sealing import SealedFile, SealedUpload, identity_of
from haechi.server.evidence.way import Way
from haechi.server.law_words import shown
from haechi.server.public import gathered, kept, page_token
from haechi.server.public.forms import ReportForm, sealed_in, storage_failed
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

# Reports that are taken in at once. Each holds a connection to the database while its code is derived,
# and more of them than cores are no faster: the other connections are for who looks, reads or returns.
AT_WORK = BoundedSemaphore(16)


@dataclass(frozen=True)
class Stored:
    """What of a report the receipt speaks of: its words, places, exhibits, told fingerprints."""

    story: Story
    places: tuple[str, ...]
    ways: tuple[Way, ...]
    told: int
    more: bool = False  # the same page came again with more, which was not taken


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Ask, or take the report in and show its code."""
    if request.method != "POST":
        return _page(request, ReportForm(), Kept("", ()))
    sent = cast("list[SealedUpload]", request.FILES.getlist("files"))
    with AT_WORK:
        return _sent(request, sent)


def _sent(request: HttpRequest, sent: list[SealedUpload]) -> HttpResponse:
    """The receipt, or the page again with what is wrong. The whole body has arrived."""
    form = ReportForm(request.POST, request.FILES)
    new = Kept(identity_of(request), tuple(sealed_in(sent)))
    earlier = kept.read(request.POST.get("kept", ""))
    held = new
    try:
        held = gathered.together(form, earlier, new, now=timezone.now())
        if _came_before(form):
            return _again(request, form, held, earlier)
    except (*AWAY, BlobError, SealError):
        return _closed(request, form, earlier or held)
    if storage_failed(sent):
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
        return _again(request, form, held, earlier)
    except UploadUnknown as error:
        gathered.note(form, error)
        return _page(request, form, Kept("", ()), status=422)
    except (*AWAY, BlobError, SealError):
        return _closed(request, form, held)
    told = len(form.cleaned_data["fingerprints"])
    ways = tuple(file.way for file in held.files)
    stored = Stored(submission.story, submission.locations, ways, told)
    return _receipt(request, submission.token, taken, stored)


def _came_before(form: ReportForm) -> bool:
    """Of the same page sent twice, the second finds its uploads taken over by the first."""
    if not form.has_error("files", UploadUnknown.code) or set(form.errors) != {"files"}:
        return False
    return reports.received(form.cleaned_data["submission"]) is not None


def _again(
    request: HttpRequest, form: ReportForm, held: Kept, earlier: Kept | None
) -> HttpResponse:
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
            tuple(Way(exhibit.way) for exhibit in first.exhibits.all()),
            first.told.count(),
        )
        stored = replace(stored, more=_more(form, held, stored, first))
    except (*AWAY, SealError):
        return _closed(request, form, held)
    before = earlier.files if earlier else ()
    kept.forget(file for file in held.files if file.way is Way.SERVER and file not in before)
    return _receipt(request, token, first, stored)


def _more(form: ReportForm, held: Kept, stored: Stored, first: Report) -> bool:
    """Whether a page that came again brought a place or a file that the first time did not."""
    known = {bytes(digest) for digest in first.exhibits.values_list("sha256", flat=True)}
    refused = {error.code for error in form.errors.as_data().get("files", ())}
    return (
        not set(form.cleaned_data["locations"]) <= set(stored.places)
        or not {file.sha256 for file in held.files} <= known
        or bool(refused - {UploadUnknown.code})
        or len(form.cleaned_data["fingerprints"]) > stored.told
    )


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
    known = rules.last_known() if closed else rules.fresh(now=timezone.now())
    context = {
        "form": form,
        "submission": sent if page_token.valid(sent) else page_token.issue(),
        "places": form.block(),
        "limit_places": MOST_PLACES,
        "checked": checked,
        "regimes": shown(law.standings(facts, frozenset(settings.HAECHI.jurisdictions)), known),
        "for_children": serving("child", language),
        "urgent": serving("urgent", language),
        "kept": _names(held.files),
        "kept_token": held.token() if held.files else "",
        "recipient": held.recipient,
        "limit_bytes": settings.UPLOAD_LIMIT_BYTES,
        "sealed_limit_bytes": settings.SEALED_LIMIT_BYTES,
        "limit_files": settings.UPLOADS_PER_REPORT,
        "fingerprints": fingerprints,
        "limit_fingerprints": settings.FINGERPRINTS_PER_REPORT,
        "room": settings.UPLOADS_PER_REPORT - len(held.files),
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
        taken, stored.story, places=stored.places, pictures=len(stored.ways) + stored.told
    )
    starting = law.Facts(
        jurisdictions=frozenset(settings.HAECHI.jurisdictions),
        minor=taken.maybe_minor,
        event="report",
        valid=frozenset(each.clock.id for each in standings if each.complete),
        bound=settings.HAECHI.bound,
    )
    known = rules.last_known()
    whom = "child" if taken.minor else "urgent" if taken.danger else ""
    context = {
        "received_at": taken.received_at,
        "more": stored.more,
        "files": len(stored.ways),
        "on_device": stored.ways.count(Way.BROWSER),
        "on_arrival": stored.ways.count(Way.SERVER),
        "places": len(stored.places),
        "understood": [understand(place) for place in stored.places],
        "told": stored.told,
        "clocks": [
            (law_name(running.rule.id, running.rule.law), running.due_at)
            for running in law.clocks_for(starting, at=taken.received_at, table=known.values())
        ],
        "regimes": shown(standings, known),
        "report": taken,
        "contacts": serving(whom, language) if whom else [],
    }
    return render(request, "public/receipt.html", context | panel(token))
