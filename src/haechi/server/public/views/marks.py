"""Anybody may have the marks of a file read. Nothing of it is kept, and nobody sees it."""

from dataclasses import replace
from functools import cache
from threading import BoundedSemaphore

from django import forms
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from haechi import labels
from haechi.errors import DecoderCrashed, DecodeTimeout, MediaError, NotMedia, TooManyBytes
from haechi.labels import Reading
from haechi.media import DEFAULT, Sandbox
from haechi.server.in_memory import InMemory
from haechi.server.label_words import shown
from haechi.server.public.forms import CalmForm
from haechi.server.public.limits import limited

MIB = 1024 * 1024
# Each holds a whole file and a thread of this process, which also takes reports: those come first.
AT_ONCE = BoundedSemaphore(8)
BUSY = "busy"
# Here somebody is curious; the usual words speak to who reports.
_REFUSALS: dict[str, Promise] = {
    NotMedia.code: _(
        "This is no kind of file we can read: a picture, a video, a sound, a PDF or a Word file."
    ),
    TooManyBytes.code: _("This file is larger than we take here."),
    BUSY: _("Many files are being read just now. Please try again in a minute."),
}
_BROKEN = _("This file could not be read safely, so we stopped. It may be damaged.")


class FileForm(CalmForm):
    """One file."""

    file = forms.FileField(
        label=_("A picture, video or sound"),
        allow_empty_file=True,
        error_messages={"required": _("Choose a file first.")},
    )


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def inspect(request: HttpRequest) -> HttpResponse:
    """Ask for a file, or say what it says. It goes to memory alone, before its form is checked."""
    if request.method != "POST":
        return _inspect(request)
    if not AT_ONCE.acquire(blocking=False):
        return _refused(request, BUSY, 503)
    try:
        return _take(request)
    finally:
        AT_ONCE.release()


def _take(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [InMemory(request, limit_bytes=settings.UPLOAD_LIMIT_BYTES)]
    try:
        given = request.FILES
    except BadRequest:
        return _refused(request, TooManyBytes.code, 413)
    del given
    return _inspect(request)


@csrf_protect
@limited("inspect")
def _inspect(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, FileForm())
    form = FileForm(QueryDict(), request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        reading, seen = _read(form.cleaned_data["file"].read())
    except MediaError as error:
        form.add_error("file", _refusal(error.code))
        return _page(request, form, status=422)
    return _page(request, FileForm(), {"reading": shown(reading), "unseen": not seen})


def _read(data: bytes) -> tuple[Reading, bool]:
    """Every mark; without those in the pixels, and False, where nobody can look at them."""
    anchors = settings.HAECHI.c2pa_anchors
    try:
        key = settings.HAECHI.watermark_key
        return sandbox().run(labels.read, data, trust_anchors=anchors, watermark_key=key), True
    except (DecoderCrashed, DecodeTimeout):
        # What is written in the file needs no picture to be read.
        return sandbox().run(labels.read, data, trust_anchors=anchors, watermark=False), False


@cache
def sandbox() -> Sandbox:
    """Where strangers' files are read: one at a time, and a film no longer than others can wait."""
    return Sandbox(workers=1, limits=replace(DEFAULT, video_job_s=20.0))


def _refused(request: HttpRequest, code: str, status: int) -> HttpResponse:
    """Nothing of what was sent is looked at."""
    form = FileForm(QueryDict(), MultiValueDict())
    form.errors.clear()
    form.add_error(None, _refusal(code))
    return _page(request, form, status=status)


def _refusal(code: str) -> forms.ValidationError:
    return forms.ValidationError(str(_REFUSALS.get(code, _BROKEN)), code=code)


def _page(
    request: HttpRequest,
    form: FileForm,
    context: dict[str, object] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    told = {"form": form, "most_mb": settings.UPLOAD_LIMIT_BYTES // MIB, **(context or {})}
    return render(request, "public/inspect.html", told, status=status)
