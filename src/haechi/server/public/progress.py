"""What became of a report, gathered for its reporter. Opened with the identity of her visit."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db.models import Count, Max
from django.utils.functional import Promise

from haechi.errors import NothingToAppeal
from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.appeals.services import Appealable
from haechi.server.cases.models import (
    Action,
    ActionKind,
    Case,
    Clock,
    Decision,
    For,
    Pause,
    Verdict,
)
from haechi.server.evidence.models import Exhibit, ToldFingerprint
from haechi.server.evidence.models import State as ExhibitState
from haechi.server.evidence.way import Way
from haechi.server.matching import services as matching
from haechi.server.matching.models import Check
from haechi.server.notices import services as notices
from haechi.server.notices.letter import letter_of
from haechi.server.notices.models import Notice, NoticeItem
from haechi.server.notices.rechecks import services as rechecks
from haechi.server.notices.rechecks.models import Recheck
from haechi.server.reports import messages
from haechi.server.reports import services as reports
from haechi.server.reports.models import Location, Nudge, Report, Sender, State
from haechi.server.reports.places import understand
from haechi.server.words import words_for


@dataclass(frozen=True)
class Asked:
    """One notice about one place: whom, when, what came back.

    to       address it goes to
    outcome  what the receiver says became of the place, in words, or ""
    """

    notice: Notice
    to: str
    outcome: str

    @property
    def step(self) -> str:
        """What kind of receiver it is, in words."""
        return str(self.notice.get_step_display())


@dataclass(frozen=True)
class Place:
    """One reported location and what was done about it.

    address      as she typed it
    added_at     when she named it
    late         True where that was after the decision, so that a person has yet to look at it
    has_host     False where it names no web host that a notice could go to
    removed_nearby  True where a copy was found on the same platform under another address
    notice       the first notice about it; notice_to: the address it goes to, or ""
    asked        every notice about it, the first one first
    looked       what was seen there last, or None; gone: that counts as removed
    """

    address: str
    added_at: datetime
    late: bool
    has_host: bool
    removed_nearby: bool
    action: Action | None
    notice: Notice | None
    notice_to: str
    asked: list[Asked]
    looked: Recheck | None = None
    gone: bool = False


@dataclass(frozen=True)
class Refused:
    """Attempts to upload it again that one platform stopped."""

    platform: str
    times: int
    last: datetime


@dataclass(frozen=True)
class UnusableFile:
    """A file that could not be opened as a picture."""

    number: int
    code: str
    words: Promise


def _why(exhibit: Exhibit) -> str:
    return "exhibit.kept" if exhibit.state == ExhibitState.KEPT else exhibit.refusal


class Progress:
    """Everything the status page tells; each part is read when it is asked for."""

    def __init__(self, report: Report, identity: str, *, now: datetime) -> None:
        self.report = report
        self._identity = identity
        self._now = now

    @property
    def withdrawn(self) -> bool:
        """True when she took the report back."""
        return self.report.state == State.WITHDRAWN

    @cached_property
    def new_messages(self) -> int:
        """Messages to her that she has not opened."""
        return messages.unread(self.report, Sender.STAFF)

    @cached_property
    def objection(self) -> Appealable | None:
        """What she may object to now and has not: a refusal, or a deadline that was missed."""
        try:
            subject = appeals.of_report(self.report, now=self._now)
        except NothingToAppeal:
            return None
        return None if subject.appeal else subject

    @cached_property
    def objections(self) -> list[Appeal]:
        """The objections she made."""
        return list(appeals.by_reporter(self.report))

    @cached_property
    def mailed(self) -> bool:
        """True where she is told by e-mail that something changed."""
        return Nudge.objects.filter(report=self.report).exists()

    @property
    def next_clock(self) -> Clock | None:
        """The deadline that runs out next, or None."""
        running = (c for c in self.clocks if c.stopped_at is None and c.due_at > self._now)
        return next(running, None)

    @cached_property
    def exhibits(self) -> list[Exhibit]:
        """The files, in order."""
        return list(self.report.exhibits.select_related("fingerprint"))

    @property
    def comparable(self) -> bool:
        """True where pictures of hers can be compared with something that she sent."""
        opened = any(file.state == ExhibitState.FINGERPRINTED for file in self.exhibits)
        return settings.HAECHI.forensics and opened

    @cached_property
    def compared_with(self) -> int:
        """Pictures she gave to compare with that are not deleted yet."""
        return self.report.donors.count()

    @cached_property
    def told(self) -> list[ToldFingerprint]:
        """Fingerprints of files that stayed with her."""
        return list(self.report.told.all())

    @property
    def told_confirmed(self) -> bool:
        """True when a person has seen a copy that fits one of them, so that uploads are stopped."""
        return any(told.confirmed_at for told in self.told)

    @property
    def on_device(self) -> int:
        """How many of them were sealed before they left her device."""
        return sum(exhibit.way == Way.BROWSER for exhibit in self.exhibits)

    @property
    def on_arrival(self) -> int:
        """How many of them were sealed here, while they arrived."""
        return len(self.exhibits) - self.on_device

    @property
    def unusable(self) -> list[UnusableFile]:
        """Files that were refused, with the words for why."""
        return [
            UnusableFile(exhibit.number, exhibit.refusal, words_for(_why(exhibit)))
            for exhibit in self.exhibits
            if exhibit.refusal
        ]

    @cached_property
    def case(self) -> Case | None:
        """The case, or None until the worker has looked at the files."""
        return Case.objects.filter(report=self.report).first()

    @cached_property
    def decision(self) -> Decision | None:
        """The decision, or None until there is one."""
        return Decision.objects.standing().filter(case__report=self.report).first()

    @property
    def removes(self) -> bool:
        """True when it was decided that it must come down."""
        return self.decision is not None and self.decision.verdict == Verdict.REMOVE

    @property
    def restricts(self) -> bool:
        """True when platforms are asked to restrict who can see it."""
        return self.decision is not None and self.decision.verdict == Verdict.RESTRICT

    @property
    def not_ours(self) -> bool:
        """True when it is nothing that can be dealt with here."""
        return self.decision is not None and self.decision.verdict == Verdict.NOT_OURS

    @cached_property
    def pause(self) -> Pause | None:
        """Whom the case waits for, or None; by name it is staff's."""
        return Pause.objects.going_on().filter(case__report=self.report).first()

    @property
    def asked(self) -> bool:
        """True while her answer is waited for."""
        return self.pause is not None and self.pause.waits_for == For.REPORTER

    @cached_property
    def clocks(self) -> list[Clock]:
        """The clocks of law, the first to run out first."""
        return list(Clock.objects.filter(case__report=self.report))

    @cached_property
    def places(self) -> list[Place]:
        """The reported locations, each with what was done."""
        addresses = reports.addresses_of(self.report, self._identity)
        return [
            self._place(location, addresses[location.number])
            for location in self.report.locations.all()
        ]

    @property
    def elsewhere(self) -> list[Action]:
        """Copies that were found on a platform at places nobody had named."""
        named = {bytes(location.digest) for location in self.report.locations.all()}
        return [action for action in self._actions if bytes(action.hosted.url_digest) not in named]

    @cached_property
    def _hosts_elsewhere(self) -> set[str | None]:
        return {notices.host_of(action.platform.base_url) for action in self.elsewhere}

    @cached_property
    def refused(self) -> list[Refused]:
        """Uploads that were stopped since the decision because they match this report's pictures."""
        if self.decision is None:
            return []
        rows = (
            Check.objects.filter(
                outcome="block",
                member__in=matching.members_of(self.report, self.decision.case_id),
                at__gte=self.decision.made_at,
            )
            .values("platform__name")
            .annotate(times=Count("pk"), last=Max("at"))
            .order_by("platform__name")
        )
        return [Refused(row["platform__name"], row["times"], row["last"]) for row in rows]

    @property
    def refused_times(self) -> int:
        """All of them together."""
        return sum(row.times for row in self.refused)

    @cached_property
    def _actions(self) -> list[Action]:
        return list(
            Action.objects.filter(decision__case__report=self.report)
            .exclude(kind=ActionKind.RESTORE)
            .select_related("platform", "hosted")
            .order_by("pk")
        )

    @cached_property
    def _asked(self) -> dict[int, list[Asked]]:
        items = NoticeItem.objects.filter(notice__decision__case__report=self.report)
        found: dict[int, list[Asked]] = {}
        addresses: dict[object, str] = {}
        ordered = items.exclude(location=None).select_related("notice__decision__case__report")
        for item in ordered.order_by("notice__created_at", "notice"):
            if item.notice_id not in addresses:
                addresses[item.notice_id] = letter_of(item.notice, self._identity).to
            outcome = str(item.get_outcome_display()) if item.outcome else ""
            asked = Asked(item.notice, addresses[item.notice_id], outcome)
            found.setdefault(item.location_id or 0, []).append(asked)
        return found

    @cached_property
    def _looks(self) -> dict[int, list[Recheck]]:
        found: dict[int, list[Recheck]] = {}
        for look in Recheck.objects.filter(location__report=self.report).order_by("at", "pk"):
            found.setdefault(look.location_id, []).append(look)
        return found

    def _place(self, location: Location, address: str) -> Place:
        asked = self._asked.get(location.pk, [])
        digest = bytes(location.digest)
        here = (action for action in self._actions if bytes(action.hosted.url_digest) == digest)
        host = notices.host_of(understand(address).link or address)
        looks = self._looks.get(location.pk, [])
        return Place(
            address=address,
            added_at=location.added_at,
            late=self.decision is not None and location.added_at > self.decision.made_at,
            has_host=host is not None,
            removed_nearby=host is not None and host in self._hosts_elsewhere,
            action=next(here, None),
            notice=asked[0].notice if asked else None,
            notice_to=asked[0].to if asked else "",
            asked=asked,
            looked=looks[-1] if looks else None,
            gone=rechecks.removed(looks),
        )
