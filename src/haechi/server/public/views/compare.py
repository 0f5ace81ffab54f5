"""Pictures that a reporter gives only to be compared with what she reported; deleted after."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from haechi.errors import (
    BlobError,
    IntakeClosed,
    NothingReported,
    ReportClosed,
    ReportErased,
    SealError,
    TooManyFiles,
)
from haechi.server import flow
from haechi.server.away import AWAY
from haechi.server.evidence.origin import MOST_DONORS
from haechi.server.evidence.sealing import SealedUpload, SealingUploadHandler
from haechi.server.public import kept
from haechi.server.public.limits import limited
from haechi.server.public.progress import Progress
from haechi.server.public.visit_forms import CompareForm, sealed_in, storage_failed
from haechi.server.public.visiting import visiting
from haechi.server.reports.visits import Visiting

OVER = 429


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def compare(request: HttpRequest) -> HttpResponse:
    """Give some, with a consent of its own. The check of the form's origin waits as in `say.add`."""
    return _choose_key(request)


@visiting
def _choose_key(request: HttpRequest, visit: Visiting) -> HttpResponse:
    request.upload_handlers = [SealingUploadHandler(request, recipient=visit.report.recipient)]
    answer = csrf_protect(limited("upload")(lambda asked: _give(asked, visit)))(request)
    if answer.status_code == OVER:
        kept.forget(sealed_in(cast("list[SealedUpload]", request.FILES.getlist("files"))))
    return answer


def _give(request: HttpRequest, visit: Visiting) -> HttpResponse:
    progress = Progress(visit.report, visit.identity, now=timezone.now())
    if request.method != "POST":
        return _page(request, CompareForm(), progress)
    uploads = cast("list[SealedUpload]", request.FILES.getlist("files"))
    form, files = CompareForm(request.POST, request.FILES), sealed_in(uploads)
    away = storage_failed(uploads)
    if away or not progress.comparable:
        form.refuse(IntakeClosed())
    if form.is_valid():
        try:
            flow.give_pictures(visit, files, now=timezone.now())
        except (NothingReported, ReportClosed, ReportErased) as error:
            form.refuse(error)
        except TooManyFiles:
            form.add_error("files", _("No more than {limit} at once.").format(limit=MOST_DONORS))
        except (*AWAY, BlobError, SealError):
            away = True
            form.refuse(IntakeClosed())
        else:
            return redirect("public:compare")
    kept.forget(files)
    return _page(request, form, progress, 503 if away else 422, again=bool(uploads))


def _page(
    request: HttpRequest,
    form: CompareForm,
    progress: Progress,
    status: int = 200,
    *,
    again: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "progress": progress,
        "files_again": again,
        "limit_bytes": settings.UPLOAD_LIMIT_BYTES,
        "limit_files": settings.UPLOADS_PER_REPORT,
    }
    return render(request, "public/visit/compare.html", context, status=status)
