"""Who is known to send notices: everybody at the desk reads it, administrators change it."""

import secrets

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from haechi.errors import NotAllowed
from haechi.server.desk.access import actor_of, refusal, staff_only
from haechi.server.desk.sender_forms import SenderForm
from haechi.server.notices.incoming import services
from haechi.server.notices.incoming_models import NoticeSender
from haechi.server.staff.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def senders(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for a new one."""
    may_change = actor_of(request).role == Role.ADMINISTRATOR
    form = SenderForm(request.POST or None, initial={"kind": "regulator"})
    if request.method == "POST":
        if not may_change:
            return refusal(request, NotAllowed.code, 403)
        if form.is_valid():
            return _saved(request, form, new=True)
    context = {"senders": NoticeSender.objects.all(), "form": form, "may_change": may_change}
    return render(request, "desk/senders.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def sender(request: HttpRequest, sender_id: int) -> HttpResponse:
    """One of them, for administrators to change."""
    found = get_object_or_404(NoticeSender, pk=sender_id)
    if actor_of(request).role != Role.ADMINISTRATOR:
        return refusal(request, NotAllowed.code, 403)
    form = SenderForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        return _saved(request, form)
    return _page(request, found, form, status=422 if form.errors else 200)


@require_POST
@staff_only
def sender_key(request: HttpRequest, sender_id: int) -> HttpResponse:
    """Make an API key, shown once; the one before it stops."""
    found = get_object_or_404(NoticeSender, pk=sender_id)
    if actor_of(request).role != Role.ADMINISTRATOR:
        return refusal(request, NotAllowed.code, 403)
    key = f"haechi_notices_{secrets.token_urlsafe(32)}"
    found.key_digest = services.hash_of(key)
    with transaction.atomic():
        services.change_sender(found, actor=actor_of(request), now=timezone.now())
    return _page(request, found, SenderForm(instance=found), key=key)


def _saved(request: HttpRequest, form: SenderForm, *, new: bool = False) -> HttpResponse:
    made: NoticeSender = form.save(commit=False)
    now = timezone.now()
    if new:
        made.created_at = now
    with transaction.atomic():
        services.change_sender(made, actor=actor_of(request), now=now)
    return redirect("desk:senders")


def _page(
    request: HttpRequest, found: NoticeSender, form: SenderForm, *, key: str = "", status: int = 200
) -> HttpResponse:
    context = {"sender": found, "form": form, "key": key, "has_key": bool(found.key_digest)}
    return render(request, "desk/sender.html", context, status=status)
