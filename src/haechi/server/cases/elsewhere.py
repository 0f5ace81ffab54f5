"""Who and what ties a case to others: accounts, places and known pictures found in several of them.

Built from what matching found and from keyed digests alone, so nothing sealed is opened: an account
or a place of another case has a short name here that says nothing, and is the same wherever it turns
up.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import Q

from haechi.server.cases.models import Case
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hit, Hosted, Member, Sighting
from haechi.server.reports.models import Location

AT_MOST = 60


class Kind(StrEnum):
    """What ties cases together."""

    ACCOUNT = "account"
    PLACE = "place"
    PICTURE = "picture"


@dataclass(frozen=True)
class Source:
    """An account, a place or a known picture.

    key     tells it from others of its kind; for a place of this case its number, as a string
    on      the platform of an account, the bank of a picture, or ""
    copies  pieces of it that were found, over all cases here; 0 for what has none
    up      how many of them are still up
    """

    kind: Kind
    key: str
    on: str
    copies: int = 0
    up: int = 0

    @property
    def short(self) -> str:
        """A name that people can say to each other and that tells nothing."""
        return self.key[:6]


@dataclass(frozen=True)
class Tie:
    """A source that was found in a case, `copies` times."""

    source: Source
    case_id: int
    copies: int


@dataclass(frozen=True)
class Elsewhere:
    """The sources of a case and of those that share its picture, and the cases they lead to.

    cases   the others, the newest first; the case itself is not among them
    more    how many further cases there are beyond AT_MOST
    """

    sources: list[Source]
    ties: list[Tie]
    cases: list[Case]
    more: int = 0


def of(case: Case) -> Elsewhere:
    """Everything that a case shares with others. A dozen queries, however large the database."""
    members = _members(case)
    same_picture = _reports_with(members, but=case.report_id)
    copies = _copies([case.report_id, *same_picture], members)
    accounts = {(row.platform_id, bytes(row.account_digest)) for row in copies}
    places = list(case.report.locations.order_by("number")[:AT_MOST])
    reports = same_picture | _reports_of_accounts(accounts) | _reports_at(places)
    reports.discard(case.report_id)
    others = Case.objects.filter(report__in=reports).order_by("-pk")
    shown = list(others[:AT_MOST])
    numbers = {one.report_id: one.pk for one in (case, *shown)}
    ties = [
        *_account_ties(accounts, members, case.report_id, numbers),
        *_place_ties(places, numbers),
        *_picture_ties(members, numbers),
    ]
    sources = list(dict.fromkeys(tie.source for tie in ties))
    return Elsewhere(sources, ties, shown, max(0, len(reports) - len(shown)))


def _members(case: Case) -> list[Member]:
    """Known pictures that this case's are, or became."""
    met = Hit.objects.filter(report=case.report_id, member__isnull=False).values("member")
    own = matching.members_of(case.report, case.pk).values("pk")
    rows = Member.objects.filter(Q(pk__in=met) | Q(pk__in=own))
    return list(rows.select_related("bank", "exhibit").order_by("pk")[:AT_MOST])


def _reports_with(members: list[Member], *, but: UUID) -> set[UUID]:
    met = Hit.objects.filter(member__in=members).order_by("-pk")
    found = set(met.values_list("report_id", flat=True)[: 4 * AT_MOST])
    found |= {member.exhibit.report_id for member in members if member.exhibit is not None}
    return found - {but}


def _copies(reports: Iterable[UUID], members: list[Member]) -> list[Hosted]:
    """What the reports met on platforms, and what was found there of these pictures."""
    hit = Hit.objects.filter(report__in=list(reports), hosted__isnull=False).values("hosted")
    seen = Sighting.objects.filter(member__in=members).values("hosted")
    rows = Hosted.objects.filter(Q(pk__in=hit) | Q(pk__in=seen))
    return list(rows.order_by("-pk")[: 4 * AT_MOST])


def _of_accounts(accounts: Iterable[tuple[int, bytes]]) -> Q:
    wanted = Q(pk=None)
    for platform, digest in list(accounts)[:AT_MOST]:
        wanted |= Q(hosted__platform=platform, hosted__account_digest=digest)
    return wanted


def _reports_of_accounts(accounts: set[tuple[int, bytes]]) -> set[UUID]:
    hits = Hit.objects.filter(_of_accounts(accounts)).order_by("-pk")
    return set(hits.values_list("report_id", flat=True)[: 4 * AT_MOST])


def _reports_at(places: list[Location]) -> set[UUID]:
    rows = Location.objects.filter(digest__in=[place.digest for place in places]).order_by("-pk")
    return set(rows.values_list("report_id", flat=True)[: 4 * AT_MOST])


def _account_ties(
    accounts: set[tuple[int, bytes]],
    members: list[Member],
    mine: UUID,
    numbers: dict[UUID, int],
) -> Iterator[Tie]:
    """What was met counts where it was met; a find of a known picture counts for this case."""
    hits = Hit.objects.filter(_of_accounts(accounts), report__in=numbers).order_by("pk")
    met = [(hit.hosted, hit.report_id) for hit in hits.select_related("hosted__platform")]
    seen = Sighting.objects.filter(member__in=members).select_related("hosted__platform")
    met += [(sighting.hosted, mine) for sighting in seen[: 4 * AT_MOST]]
    pieces: dict[tuple[str, str], dict[int, Hosted]] = defaultdict(dict)
    found: dict[tuple[tuple[str, str], UUID], set[int]] = defaultdict(set)
    for hosted, report in met:
        if hosted is not None:
            account = str(hosted.platform), bytes(hosted.account_digest).hex()
            pieces[account][hosted.pk] = hosted
            found[account, report].add(hosted.pk)
    for (account, report), copies in found.items():
        platform, key = account
        up = sum(1 for hosted in pieces[account].values() if hosted.removed_at is None)
        source = Source(Kind.ACCOUNT, key, platform, len(pieces[account]), up)
        yield Tie(source, numbers[report], len(copies))


def _place_ties(places: list[Location], numbers: dict[UUID, int]) -> Iterator[Tie]:
    """Places by their number in this case: which they are is told only to who may read it."""
    named = {bytes(place.digest): str(place.number) for place in places}
    rows = Location.objects.filter(digest__in=named, report__in=numbers).order_by("pk")
    for report, digest in dict.fromkeys((row.report_id, bytes(row.digest)) for row in rows):
        yield Tie(Source(Kind.PLACE, named[digest], ""), numbers[report], 1)


def _picture_ties(members: list[Member], numbers: dict[UUID, int]) -> Iterator[Tie]:
    sources = {
        member.pk: Source(Kind.PICTURE, str(member.pk), str(member.bank)) for member in members
    }
    hits = Hit.objects.filter(member__in=members, report__in=numbers).order_by("pk")
    met = [(hit.member_id or 0, hit.report_id) for hit in hits]
    met += [
        (member.pk, member.exhibit.report_id)
        for member in members
        if member.exhibit is not None and member.exhibit.report_id in numbers
    ]
    for member_id, report in dict.fromkeys(met):
        yield Tie(sources[member_id], numbers[report], 1)
