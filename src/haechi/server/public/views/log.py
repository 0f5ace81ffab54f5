"""The signed log for everybody: checkpoints, the key, and proofs that it only grew (docs/log.md)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from haechi.server.audit import proofs
from haechi.server.audit.models import Checkpoint
from haechi.server.public.answers import calm

# What a column of the database can hold.
LARGEST = 2**63 - 1


@require_safe
@calm
def log(_request: HttpRequest) -> HttpResponse:
    """The latest signed checkpoint of the audit log, as a signed note; words until there is one."""
    latest = proofs.latest()
    if latest is None:
        words = _("The log has not been signed yet. That happens every hour; please come back.")
        return _plain(f"{words}\n")
    return _plain(latest.note)


@require_safe
@calm
def key(_request: HttpRequest) -> HttpResponse:
    """The public key that signs checkpoints, as tools for signed notes read it."""
    latest = proofs.latest()
    if latest is None or not latest.verifier:
        raise Http404
    return _plain(f"{latest.verifier}\n")


@require_safe
@calm
def log_at(_request: HttpRequest, size: int) -> HttpResponse:
    """The checkpoint that was signed over so many entries."""
    return _plain(_signed_over(size).note)


@require_safe
@calm
def log_grew(_request: HttpRequest, old: int, size: int) -> HttpResponse:
    """The proof that the log of one checkpoint begins with the log of an earlier one."""
    if old > size:
        raise Http404
    return _plain(proofs.consistency(_signed_over(old).size, _signed_over(size)))


def _signed_over(size: int) -> Checkpoint:
    if size > LARGEST:
        raise Http404
    return get_object_or_404(Checkpoint, size=size)


def _plain(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
