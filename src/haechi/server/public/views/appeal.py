"""For whoever posted something that was refused or removed: why, and how to object."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from haechi.errors import AppealUnknown
from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.appeals.services import Appealable
from haechi.server.cases.models import Action
from haechi.server.matching.models import Check
from haechi.server.public.answers import calm
from haechi.server.public.forms import AppealForm


@dataclass(frozen=True)
class Reasons:
    """What was done, and why, without anything about the person depicted.

    removed    True for something that was online, False for a refused upload
    content    what the platform calls it
    ground     in words, or "" where the known picture came from elsewhere
    automated  True where a machine found it; a person decided in either case
    document   the EU statement of reasons, or None
    """

    removed: bool
    platform: str
    at: datetime
    content: str
    ground: str
    automated: bool
    document: dict[str, Any] | None

    @property
    def document_text(self) -> str:
        """The document as it is sent."""
        return json.dumps(self.document, indent=2, ensure_ascii=False)


@require_http_methods(["GET", "HEAD", "POST"])
@calm
def appeal(request: HttpRequest, token: str) -> HttpResponse:
    """Show the reasons and take one objection. Raises AppealUnknown, which reads as 404."""
    subject = appeals.find(token)
    form = AppealForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        flow.appeal(subject, form.cleaned_data["text"], now=timezone.now())
        return redirect("public:appeal", token=token)
    context = {"reasons": reasons(subject), "appeal": subject.appeal, "form": form}
    return render(request, "public/appeal.html", context, status=422 if form.is_bound else 200)


def reasons(subject: Appealable) -> Reasons:
    """The reasons for the one thing that `subject` names."""
    if subject.removed is not None:
        return _removal(subject.removed)
    if subject.refused is not None:
        return _refusal(subject.refused)
    raise AppealUnknown


def _removal(action: Action) -> Reasons:
    document: dict[str, Any] = action.statement.document
    return Reasons(
        removed=True,
        platform=action.platform.name,
        at=action.done_at or action.created_at,
        content=action.hosted.content_id,
        ground=action.decision.get_ground_display(),
        automated=document["automated_detection"] == "Yes",
        document=document,
    )


def _refusal(check: Check) -> Reasons:
    decision = appeals.decision_on(check.member) if check.member else None
    return Reasons(
        removed=False,
        platform=check.platform.name,
        at=check.at,
        content=check.label,
        ground=decision.get_ground_display() if decision else "",
        automated=True,
        document=None,
    )
