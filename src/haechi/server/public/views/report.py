"""The report: one page that asks, one answer that shows the return code once."""

from dataclasses import replace
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
from haechi.server.evidence.sealing import SealedFile, SealedUpload, identity_of
from haechi.server.public import kept, page_token
from haechi.server.public.answers import AWAY
from haechi.server.public.contacts import nearest
from haechi.server.public.forms import ReportForm, sealed_in, storage_failed, too_many_files
from haechi.server.public.kept import Kept
from haechi.server.reports import services as reports
from haechi.server.reports.models import Age, Harm, Report
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.services import Submission
from haechi.server.words import law_name, words_for


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
    if form.is_valid() and not (form.cleaned_data["locations"] or held.files):
        form.refuse_empty()
    if not form.is_valid():
        return _page(request, form, held, status=422)
    try:
        taken, code = flow.submit_report(_submission(form, held), held.files, now=timezone.now())
    except IntegrityError:
        return _again(request, form, held, len(new))
    except (*AWAY, BlobError, SealError):
        return _closed(request, form, held)
    files, places = len(held.files), len(form.cleaned_data["locations"])
    return _receipt(request, form, taken, code, files=files, places=places)


def _again(request: HttpRequest, form: ReportForm, held: Kept, brought: int) -> HttpResponse:
    """The same page a second time: the receipt of the first; the files it brought are dropped."""
    token = form.cleaned_data["submission"]
    try:
        first = reports.received(token)
        if first is None:
            return _closed(request, form, held)
        files, places = first.exhibits.count(), first.locations.count()
    except AWAY:
        return _closed(request, form, held)
    kept.forget(held.files[len(held.files) - brought :])
    code = ReturnCode.from_seed(token.encode())
    return _receipt(request, form, first, code, files=files, places=places)


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
    )


def _page(
    request: HttpRequest, form: ReportForm, held: Kept, *, status: int = 200, closed: bool = False
) -> HttpResponse:
    sent = request.POST.get("submission", "")
    context = {
        "form": form,
        "submission": sent if page_token.valid(sent) else page_token.issue(),
        "places": form.places_typed() or [""],
        "kept": _names(held.files),
        "kept_token": held.token() if held.files else "",
        "limit_bytes": settings.UPLOAD_LIMIT_BYTES,
        "limit_files": settings.UPLOADS_PER_REPORT,
    }
    if closed:
        context |= {
            "closed": words_for(IntakeClosed.code),
            "code": IntakeClosed.code,
            "contacts": nearest(get_language() or "en"),
        }
    return render(request, "public/report.html", context, status=status)


def _names(files: tuple[SealedFile, ...]) -> list[str]:
    return [file.name for file in files]


def _closed(request: HttpRequest, form: ReportForm, held: Kept) -> HttpResponse:
    """Nothing can be stored: say so, name others who help, keep what was typed (B31)."""
    return _page(request, form, held, status=503, closed=True)


def _receipt(
    request: HttpRequest,
    form: ReportForm,
    taken: Report,
    code: ReturnCode,
    *,
    files: int,
    places: int,
) -> HttpResponse:
    facts = law.Facts(
        jurisdictions=frozenset(settings.HAECHI.jurisdictions),
        minor=taken.age == Age.UNDER_18,
        event="report",
        valid=form.cleaned_data["declared"] and bool(form.cleaned_data["signature"]),
    )
    context = {
        "received_at": taken.received_at,
        "files": files,
        "places": places,
        "words": code.words(get_language() or "en"),
        "digits": code.digits(),
        "clocks": [
            (law_name(running.rule.id, running.rule.law), running.due_at)
            for running in law.clocks_for(facts, at=taken.received_at)
        ],
        "valid": facts.valid,
    }
    return render(request, "public/receipt.html", context)
