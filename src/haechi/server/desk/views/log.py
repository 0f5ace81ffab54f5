"""The log, as it stands. It holds no content, so administrators may read it too."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.views.decorators.http import require_safe

from haechi.server.audit.models import Checkpoint, Entry
from haechi.server.cases import reviews
from haechi.server.desk.access import staff_only
from haechi.server.desk.vocabulary import TAGS, Names

PER_PAGE = 50
HASH_DIGITS = 12


@dataclass(frozen=True)
class Line:
    """One entry with the start of its hash, in hex digits."""

    entry: Entry
    words: Promise | str
    actor: str
    hash_start: str


@require_safe
@staff_only
def log(request: HttpRequest) -> HttpResponse:
    """Entries, newest first; `?before=` is the position where the next page begins."""
    before = request.GET.get("before", "")
    entries = Entry.objects.order_by("-position")
    if before.isdecimal() and len(before) < 19:
        entries = entries.filter(position__lt=int(before))
    found = list(entries[: PER_PAGE + 1])
    shown = found[:PER_PAGE]
    blind = reviews.hidden_among([entry.subject for entry in shown])
    names = Names(shown)
    checkpoint = Checkpoint.objects.order_by("-size").first()
    context = {
        "lines": [
            Line(
                entry,
                TAGS.get(entry.tag, ""),
                names.of(entry),
                bytes(entry.hash).hex()[:HASH_DIGITS],
            )
            for entry in shown
            if entry.subject not in blind
        ],
        "before": before,
        "next": shown[-1].position if len(found) > PER_PAGE else None,
        "checkpoint": checkpoint,
        "root": bytes(checkpoint.root).hex() if checkpoint else "",
    }
    return render(request, "desk/log.html", context)
