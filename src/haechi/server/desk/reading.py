"""Open what a reporter sealed, as somebody at the desk reads it. Every reading is logged first."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from haechi.errors import HaechiError
from haechi.fingerprint.address import url_digest
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Scope
from haechi.server.matching.models import Hosted
from haechi.server.notices.services import host_of
from haechi.server.reports import services as reports
from haechi.server.reports.story import Story
from haechi.server.staff.models import User


@dataclass(frozen=True)
class Place:
    """One reported location. `tone` is the badge's: "", "ok", "info" or "warn"."""

    number: int
    address: str
    state: str
    tone: str


@dataclass(frozen=True)
class Request:
    """What she told us, or the code that says why it cannot be opened.

    missing  what a valid request would still need, in words
    hosts    hosts outside that a removal sends a notice to
    named    True where a name or an address of the reporter was given; `story` holds them only
             for who was granted to see them (B18)
    """

    story: Story = field(default_factory=Story)
    places: list[Place] = field(default_factory=list)
    missing: list[Promise] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    problem: str = ""
    named: bool = False


def read_request(case: Case, actor: User, now: datetime) -> Request:
    """Log the reading, then open the report. Raises GrantNeeded."""
    grants.require(case, actor, Scope.CONTENT, now=now)
    knows = grants.holds(case, actor, Scope.IDENTITY, now=now)
    with transaction.atomic():
        audit.record(
            "report:opened",
            subject=case.report,
            actor=actor.name_in_log,
            at=now,
            detail={"reason": "review", "identity": knows},
        )
    try:
        story = reports.story_of(case.report)
        addresses = reports.addresses_of(case.report)
        outside = flow.places_outside(case.report)
    except HaechiError as error:
        return Request(problem=error.code)
    waiting = {location.number for location, _address in outside}
    return Request(
        story=story if knows else replace(story, contact="", signature=""),
        named=bool(story.contact or story.signature),
        places=_places(case, addresses, waiting),
        missing=_missing(case, story, addresses),
        hosts=[host_of(address) or address for _location, address in outside],
    )


def _missing(case: Case, story: Story, addresses: dict[int, str]) -> list[Promise]:
    needed = [
        (story.declared, _("The statement that this shows the person named, without consent.")),
        (story.signature, _("A signature under that statement.")),
        (addresses, _("A place where it is: without one, no host can be asked.")),
        (case.report.exhibits.exists(), _("A picture: without one, copies cannot be found.")),
    ]
    return [words for there, words in needed if not there]


def _places(case: Case, addresses: dict[int, str], waiting: set[int]) -> list[Place]:
    hosted = {
        bytes(row.url_digest): row
        for row in Hosted.objects.filter(
            url_digest__in=case.report.locations.values("digest")
        ).select_related("platform")
    }
    sent = {
        notice.location_id: notice
        for decision in [getattr(case, "decision", None)]
        if decision is not None
        for notice in decision.notices.all()
    }
    places = []
    for location in case.report.locations.all():
        address = addresses[location.number]
        row = hosted.get(url_digest(settings.HAECHI.digest_key, address))
        if row is not None:
            state, tone = _hosted_state(row)
        elif location.pk in sent:
            state, tone = (
                gettext("notice: {state}").format(state=sent[location.pk].get_state_display()),
                "ok" if sent[location.pk].sent_at else "info",
            )
        elif location.number in waiting:
            state, tone = gettext("outside; a notice can go to its host"), "info"
        else:
            state, tone = gettext("nobody to write to at this address"), "warn"
        places.append(Place(location.number, address, state, tone))
    return places


def _hosted_state(row: Hosted) -> tuple[str, str]:
    if row.removed_at is not None:
        return gettext("removed from {platform}").format(platform=row.platform), "ok"
    return gettext("up on {platform}").format(platform=row.platform), "info"
