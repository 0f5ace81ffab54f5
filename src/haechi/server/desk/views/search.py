"""Find a case again. Always sent as a form: what is searched for never stands in an address."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from haechi import fingerprint
from haechi.errors import MediaError
from haechi.server.cases import searching
from haechi.server.cases.models import Case
from haechi.server.desk import queue_page
from haechi.server.desk.access import actor_of, reviewers_only
from haechi.server.desk.queue_forms import SearchForm
from haechi.server.desk.time_left import PATTERNS
from haechi.server.evidence import services as evidence
from haechi.server.in_memory import InMemory
from haechi.server.matching import looking
from haechi.server.words import words_for


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """The check of the form's origin waits until it is said where a picture goes: to memory alone.

    Of strangers nothing is taken.
    """
    limit_bytes = settings.UPLOAD_LIMIT_BYTES if request.user.is_authenticated else 0
    request.upload_handlers = [InMemory(request, limit_bytes=limit_bytes)]
    return _search(request)


@csrf_protect
@reviewers_only
def _search(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, SearchForm(), None)
    form = SearchForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, None, status=422)
    try:
        return _page(request, form, _found(request, form))
    except MediaError as error:
        form.add_error("picture", str(words_for(error.code)))
        return _page(request, form, None, status=422)


def _found(request: HttpRequest, form: SearchForm) -> list[Case] | None:
    user, now, picture = actor_of(request), timezone.now(), form.cleaned_data["picture"]
    if picture:
        made = evidence.sandbox().run(fingerprint.image, picture.read())
        return searching.by_picture(looking.question(made), user, now=now)
    words = form.cleaned_data["words"]
    return searching.by_words(words, user, now=now) if words else None


def _page(
    request: HttpRequest, form: SearchForm, found: list[Case] | None, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    context = {
        "form": form,
        "searched": found is not None,
        "rows": queue_page.rows_of(found or [], now=now),
        "at_most": searching.AT_MOST,
        "now": now,
        "patterns": PATTERNS,
    }
    return render(request, "desk/search.html", context, status=status)
