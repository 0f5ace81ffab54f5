"""The return code on its page: shown once, kept, printed or saved, and handed to its owner.

The page holds the token that the code follows from, so asking whether it was kept, and saving it
without scripts, store nothing: the same code is made anew from what the page sends back.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from haechi.errors import HandedOver
from haechi.server.public import page_token
from haechi.server.public.answers import calm
from haechi.server.public.visiting import forget, visiting
from haechi.server.reports import visits
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.visits import Visiting
from haechi.server.words import words_for

FILE_NAME = "note.txt"


def panel(token: str) -> dict[str, object]:
    """What the part "code_panel.html" of a page shows."""
    code = ReturnCode.from_seed(token.encode())
    return {
        "words": code.words(get_language() or "en"),
        "digits": code.digits(),
        "page": token,
        "file_name": FILE_NAME,
    }


@require_POST
@calm
def keep(request: HttpRequest) -> HttpResponse:
    """She says that she has kept the code. Without that it is shown once more; nothing is lost."""
    token = _token(request)
    if not token or request.POST.get("kept"):
        return redirect("public:return")
    return render(request, "public/code.html", panel(token) | {"asked": True}, status=422)


@require_POST
@calm
def file(request: HttpRequest) -> HttpResponse:
    """The code as a small text file with a name that says nothing; it is kept nowhere here."""
    token = _token(request)
    if not token:
        return redirect("public:return")
    code = ReturnCode.from_seed(token.encode())
    lines = [_("Keep this to yourself."), "", " ".join(code.words(get_language() or "en"))]
    text = "\ufeff" + "\r\n".join([*lines, code.digits(), ""])
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@calm
def own(request: HttpRequest) -> HttpResponse:
    """The person depicted takes over from who filed for her, and gets a code of her own (B07)."""
    token = request.POST.get("page", "")
    # Pressed twice, or an answer lost on the way: the visit is over, and its code is shown again.
    if request.method == "POST" and page_token.valid(token) and visits.handed_over(token):
        return forget(render(request, "public/code.html", panel(token)))
    return _own(request)


@visiting
def _own(request: HttpRequest, visit: Visiting) -> HttpResponse:
    if not visit.report.waits_for_owner:
        return redirect("public:status")
    token = request.POST.get("page", "")
    if request.method != "POST" or not page_token.valid(token):
        return render(request, "public/own.html", {"page": page_token.issue()})
    try:
        visits.hand_over(visit, token, now=timezone.now())
    except HandedOver as error:
        context = {"refused": words_for(error), "code": error.code}
        return forget(render(request, "public/own.html", context, status=409))
    return forget(render(request, "public/code.html", panel(token)))


def _token(request: HttpRequest) -> str:
    """The token of the page, or "" where it is too old or its code opens nothing any more."""
    token = request.POST.get("page", "")
    return token if page_token.valid(token) and visits.issued(token) is not None else ""
