"""Open what a reporter sealed, as somebody at the desk reads it. Every reading is logged first."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext

from haechi.errors import HaechiError
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.cases import grants, rules
from haechi.server.cases.models import UNDECIDED, Case, Scope
from haechi.server.desk import vocabulary
from haechi.server.law_words import Shown, shown
from haechi.server.matching.models import Hosted
from haechi.server.notices.services import host_of, sent_about
from haechi.server.reports import additions, messages
from haechi.server.reports import services as reports
from haechi.server.reports.messages import Said
from haechi.server.reports.models import Filer, Sender
from haechi.server.reports.places import understand
from haechi.server.reports.requirements import elements_of
from haechi.server.reports.story import Circulating, Relation, Shows, Story
from haechi.server.staff.models import User


@dataclass(frozen=True)
class Place:
    """One reported location. `tone` is the badge's: "", "ok", "info" or "warn"."""

    number: int
    address: str
    kind: str
    state: str
    tone: str


@dataclass(frozen=True)
class Request:
    """What she told us, or the code that says why it cannot be opened.

    regimes  how far it is a valid request, law by law
    lacking  what the reporter can be asked for, law by law
    hosts    hosts outside that a removal sends a notice to
    named    True where a name or an address of the reporter was given; `story` holds them only
             for who was granted to see them (B18)
    said     messages both ways
    late     places added after the decision about which nobody is asked yet
    """

    story: Story = field(default_factory=Story)
    places: list[Place] = field(default_factory=list)
    regimes: list[Shown] = field(default_factory=list)
    lacking: list[flow.Lacking] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    problem: str = ""
    named: bool = False
    filer: str = ""
    acts_for_another: bool = False
    authority_stated: bool = False

    @property
    def shows(self) -> list[str]:
        """What can be seen, in words."""
        return _labels(Shows, self.story.shows)

    @property
    def circulating(self) -> list[str]:
        """What goes round with it, in words."""
        return _labels(Circulating, self.story.circulating)

    @property
    def relation(self) -> str:
        """Who may have done it, in words, or ""."""
        return ", ".join(_labels(Relation, [self.story.relation] if self.story.relation else []))


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
        said = messages.thread(case.report)
    except HaechiError as error:
        return Request(problem=error.code)
    # Opened: what she wrote and added counts as read, by whom is in the log.
    messages.mark_read(case.report, Sender.REPORTER, actor=actor.name_in_log, now=now)
    additions.news_opened(case.report, now=now)
    waiting = {location.number for location, _address in outside}
    return Request(
        story=story if knows else replace(story, contact="", signature="", authority=""),
        named=bool(story.contact or story.signature or story.authority),
        authority_stated=bool(story.authority),
        places=_places(case, addresses, waiting),
        regimes=shown(
            elements_of(
                case.report,
                story,
                places=addresses.values(),
                pictures=case.report.exhibits.count() + case.report.told.count(),
            ),
            rules.current(),
        ),
        lacking=flow.lacking(case) if case.state in UNDECIDED else [],
        filer=str(vocabulary.FILERS[Filer(case.report.filer)]),
        acts_for_another=case.report.filer != Filer.SELF,
        hosts=[host_of(address) or address for _location, address in outside],
        said=said,
        late=[addresses[location.number] for location in flow.added_since(case)],
    )


def _places(case: Case, addresses: dict[int, str], waiting: set[int]) -> list[Place]:
    hosted = {
        bytes(row.url_digest): row
        for row in Hosted.objects.filter(
            url_digest__in=case.report.locations.values("digest")
        ).select_related("platform")
    }
    decision = case.decision
    sent = sent_about(case.report.locations.all()) if decision is not None else {}
    places = []
    for location in case.report.locations.all():
        address = addresses[location.number]
        row = hosted.get(bytes(location.digest))
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
        kind = str(understand(address).kind.label)
        places.append(Place(location.number, address, kind, state, tone))
    return places


def _hosted_state(row: Hosted) -> tuple[str, str]:
    if row.removed_at is not None:
        return gettext("removed from {platform}").format(platform=row.platform), "ok"
    return gettext("up on {platform}").format(platform=row.platform), "info"


def _labels(choices: type[TextChoices], values: list[str]) -> list[str]:
    # A later version may have sealed a value this one does not know: it is shown as it is.
    return [str(dict(choices.choices).get(value, value)) for value in values]
