"""What a reporter says once she has come back: messages, additions, corrections, objections."""

from collections.abc import Mapping
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from haechi.errors import (
    BlobError,
    CodeInMessage,
    IntakeClosed,
    NothingReported,
    NothingToAppeal,
    ReportClosed,
    ReportErased,
    SealError,
)
from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.away import AWAY
from haechi.server.evidence.sealing import SealedUpload, SealingUploadHandler
from haechi.server.notices import news
from haechi.server.public import kept
from haechi.server.public.limits import limited
from haechi.server.public.visit_forms import (
    AddForm,
    InactionForm,
    MailForm,
    MessageForm,
    StoryForm,
    VisitForm,
    sealed_in,
    storage_failed,
)
from haechi.server.public.visiting import visiting
from haechi.server.reports import messages, nudges
from haechi.server.reports import services as reports
from haechi.server.reports.models import Nudge, Sender
from haechi.server.reports.visits import Visiting

METHODS = ["GET", "HEAD", "POST"]
OVER = 429
REFUSALS = (CodeInMessage, NothingReported, NothingToAppeal, ReportClosed, ReportErased)


@require_http_methods(METHODS)
@visiting
def talk(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """Messages both ways. Reading them here counts as read."""
    form = MessageForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            flow.write_message(visit, form.cleaned_data["text"], now=timezone.now())
        except REFUSALS as error:
            form.refuse(error)
        else:
            return redirect("public:talk")
    said = messages.thread(visit.report, visit.identity)
    messages.mark_read(visit.report, Sender.STAFF, actor="reporter", now=timezone.now())
    return _page(request, "talk", form, {"said": said})


@csrf_exempt
@require_http_methods(METHODS)
def add(request: HttpRequest) -> HttpResponse:
    """More places and files. The check of the form's origin waits until the files have a key."""
    return _choose_key(request)


@visiting
def _choose_key(request: HttpRequest, visit: Visiting) -> HttpResponse:
    handler = SealingUploadHandler(request, recipient=visit.report.recipient)
    request.upload_handlers = [handler]
    # Counting reads the form, and with it the files: not before they have a handler.
    answer = csrf_protect(limited("upload")(lambda asked: _add(asked, visit)))(request)
    if answer.status_code == OVER:
        kept.forget(sealed_in(cast("list[SealedUpload]", request.FILES.getlist("files"))))
    return answer


def _add(request: HttpRequest, visit: Visiting) -> HttpResponse:
    if request.method != "POST":
        return _page(request, "add", AddForm(), _limits())
    uploads = cast("list[SealedUpload]", request.FILES.getlist("files"))
    form, files = AddForm(request.POST, request.FILES), sealed_in(uploads)
    away = storage_failed(uploads)
    if away:
        form.refuse(IntakeClosed())
    if form.is_valid():
        try:
            places = form.cleaned_data["locations"]
            flow.add_to_report(visit, places, files, now=timezone.now())
        except REFUSALS as error:
            form.refuse(error)
        except (*AWAY, BlobError, SealError):
            away = True
            form.refuse(IntakeClosed())
        else:
            return redirect("public:status")
    kept.forget(files)
    more = _limits() | {"files_again": bool(uploads)}
    return _page(request, "add", form, more, failed=503 if away else 422)


@require_http_methods(METHODS)
@visiting
def correct(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """Put right what was written. The words before are kept, sealed."""
    story = reports.story_of(visit.report, visit.identity)
    before = {name: getattr(story, name) for name in StoryForm.base_fields}
    form = StoryForm(request.POST if request.method == "POST" else None, initial=before)
    if form.is_valid():
        try:
            flow.correct_report(visit, form.story(story), now=timezone.now())
        except REFUSALS as error:
            form.refuse(error)
        else:
            return redirect("public:status")
    return _page(request, "correct", form, {})


@require_http_methods(METHODS)
@visiting
def object_to(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """Object to a refusal, or to a deadline that passed in silence; read the answers."""
    form = InactionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            flow.appeal_inaction(visit, form.cleaned_data["text"], now=timezone.now())
        except REFUSALS as error:
            form.refuse(error)
        else:
            return redirect("public:object")
    made = [
        (one, appeals.text_of(one, visit.identity), appeals.answer_of(one, visit.identity))
        for one in appeals.by_reporter(visit.report)
    ]
    return _page(request, "object", form, {"made": made, "subject": _subject(visit)})


@require_http_methods(METHODS)
@visiting
def mail(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """An e-mail without content when something changed: off until she asks for it."""
    now = timezone.now()
    if request.method == "POST" and request.POST.get("stop"):
        nudges.stop(visit.report, now=now)
        return redirect("public:mail")
    form = MailForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            flow.want_news(visit, form.cleaned_data["address"], now=now)
        except REFUSALS as error:
            form.refuse(error)
        else:
            return redirect("public:mail")
    nudge = Nudge.objects.filter(report=visit.report).first()
    context = {
        "address": nudges.address_of(nudge, visit.identity) if nudge else "",
        "sender": settings.HAECHI.news_from,
        "subject": news.subject(),
        "body": news.body(),
    }
    return _page(request, "mail", form, context)


def _subject(visit: Visiting) -> appeals.Appealable | None:
    """What she can object to now and has not yet."""
    try:
        subject = appeals.of_report(visit.report, now=timezone.now())
    except NothingToAppeal:
        return None
    return None if subject.appeal else subject


def _limits() -> dict[str, object]:
    return {
        "limit_bytes": settings.UPLOAD_LIMIT_BYTES,
        "limit_files": settings.UPLOADS_PER_REPORT,
    }


def _page(
    request: HttpRequest,
    name: str,
    form: VisitForm,
    more: Mapping[str, object],
    *,
    failed: int = 422,
) -> HttpResponse:
    status = failed if form.is_bound else 200
    return render(request, f"public/visit/{name}.html", {**more, "form": form}, status=status)
