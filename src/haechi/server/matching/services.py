"""Find what a report meets, and keep the banks."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from itertools import batched

from django.conf import settings
from django.db import models

from haechi import index
from haechi.fingerprint import frames, joined
from haechi.fingerprint.address import url_digest
from haechi.index import Query, Verdict
from haechi.server.audit import services as audit
from haechi.server.evidence.models import Exhibit, Fingerprint, Flag, ToldFingerprint
from haechi.server.matching import told
from haechi.server.matching.known import Known, usual
from haechi.server.matching.models import (
    Bank,
    BankPolicy,
    Hit,
    Hosted,
    Member,
    MemberStatus,
    Platform,
    Sighting,
)
from haechi.server.reports import places
from haechi.server.reports import services as reports
from haechi.server.reports.models import Report

# The bank that decisions of this installation fill.
OWN_BANK = "confirmed-by-us"
# Not the case: platforms are told the source.
OWN_SOURCE = "here"
AT_ONCE = 1_000


def forget(report: Report, *, actor: str, now: datetime) -> None:
    """The report is erased: no hit and no bank member leads to it any more.

    The members stay in force, as fingerprints: what was taken down stays down. Runs inside the
    caller's transaction.
    """
    with audit.acting(actor, at=now, reason="erased"):
        Member.objects.filter(exhibit__report=report).update(exhibit=None, case_number=None)
    Hit.objects.filter(report=report).delete()


def find(report: Report, *, now: datetime) -> list[Hit]:
    """Write one hit for everything hosted or known that the report's pictures and places meet.

    Runs inside the caller's transaction; safe to repeat.
    """
    for fingerprint in Fingerprint.objects.filter(exhibit__report=report):
        _write_met(report, known().search(query(fingerprint), now=now), by="", now=now)
    # After the exhibits: of a pair that both find, the row says what a person can see.
    for each in report.told.all():
        met = known().search(told.query(each), now=now)
        _write_met(report, met[: told.MOST_HITS], by=told.BY, now=now)
        told.watch(each, met, now=now)
    # What a fingerprint says is more than that somebody named the place: one row a pair.
    named = {
        digest
        for address in reports.addresses_of(report).values()
        for digest in digests(places.link_in(address))
    }
    # A notice may name ten thousand places: not a question for each.
    for some in batched(sorted(named), AT_ONCE):
        for hosted in Hosted.objects.filter(url_digest__in=some, removed_at=None).order_by("pk"):
            _write(report, hosted=hosted, verdict="named", found_by="location", now=now)
    return list(report.hits.select_related("hosted__platform", "member__bank"))


def _write_met(report: Report, met: told.Met, *, by: str, now: datetime) -> None:
    for table, key, hit in met:
        where = {"hosted_id": key} if table is Hosted else {"member_id": key}
        _write(
            report,
            verdict=hit.verdict.value,
            found_by=f"{by}{hit.found_by}",
            distance_bits=hit.distance_bits,
            similarity=hit.similarity,
            now=now,
            **where,
        )


def query(fingerprint: Fingerprint) -> Query:
    """A stored fingerprint as a question to the index."""
    return Query(
        sha256=bytes(fingerprint.sha256),
        turns=joined.hashes(bytes(fingerprint.turns)),
        pdq_quality=fingerprint.pdq_quality,
        embedding=bytes(fingerprint.embedding) if fingerprint.embedding is not None else None,
        views=joined.embeddings(bytes(fingerprint.views)),
        insets=fingerprint.insets,
        frames=frames.unpack(bytes(fingerprint.frames)),
    )


def copies_since(report: Report, moment: datetime) -> list[Hosted]:
    """Content that is still up, was found after `moment`, and that a machine may act on."""
    hits = report.hits.filter(found_at__gte=moment, hosted__removed_at=None)
    return [
        hit.hosted
        for hit in hits.select_related("hosted__platform")
        if hit.hosted is not None and certain(hit)
    ]


def digests(address: str) -> list[bytes]:
    """Keyed digests under which a named place may be registered: as typed, and without a query."""
    bare = address.partition("#")[0].partition("?")[0]
    return [url_digest(settings.HAECHI.digest_key, each) for each in {address, bare}]


def certain(hit: Hit | Sighting) -> bool:
    """True where a machine may act on `hit` alone, once a person has confirmed the picture."""
    # A place that was named, or a fingerprint that was told: nobody here has seen the picture.
    if hit.found_by == "location" or hit.found_by.startswith(told.BY):
        return False
    return usual().certain(
        index.Hit(
            key=0,
            verdict=Verdict(hit.verdict),
            distance_bits=hit.distance_bits,
            similarity=hit.similarity,
            orientation=0,
            found_by=hit.found_by,
        )
    )


@cache
def known() -> Known:
    """The process's catalog. Filled when first asked."""
    return Known()


def add_member(
    exhibit: Exhibit, *, seen: bool, case_number: int | None, actor: str, now: datetime
) -> Member | None:
    """Put a decided exhibit into our own bank, inside the caller's transaction.

    Confirmed, and so blocking, only where a person has seen it; otherwise pending. None where the
    exhibit has no fingerprint. A known member is confirmed again, never doubled, and stays with the
    exhibit it first came from.
    """
    fingerprint = Fingerprint.objects.filter(exhibit=exhibit).first()
    if fingerprint is None:
        return None
    status = MemberStatus.CONFIRMED if seen else MemberStatus.PENDING
    again = {"status": status, "paused_until": None, "expires_at": None}
    with audit.acting(actor, at=now):
        bank, _ = Bank.objects.get_or_create(name=OWN_BANK, defaults={"policy": BankPolicy.BLOCK})
        member, _ = Member.objects.update_or_create(
            bank=bank,
            sha256=bytes(fingerprint.sha256),
            defaults=again if seen else {},
            create_defaults={
                "status": status,
                "source": OWN_SOURCE,
                "case_number": case_number,
                "exhibit": exhibit,
                "md5": fingerprint.md5,
                "pdq": fingerprint.pdq,
                "pdq_quality": fingerprint.pdq_quality,
                "embedding": fingerprint.embedding,
                "views": fingerprint.views,
                "frames": fingerprint.frames,
                "created_at": now,
            },
        )
    return member


def confirm_told(
    report: Report, looked_at: Iterable[Hosted], *, case_number: int, actor: str, now: datetime
) -> list[Member]:
    """Put told fingerprints into our own bank as far as they fit content a reviewer looked at.

    `looked_at` is hosted content that was ticked for removal. Of it counts only what a told
    fingerprint found: that is never ticked beforehand. A flagged fingerprint stays pending.
    Runs inside the caller's transaction.
    """
    found = report.hits.filter(hosted__isnull=False, found_by__startswith=told.BY)
    keys = set(found.values_list("hosted_id", flat=True))
    seen = [hosted for hosted in looked_at if hosted.pk in keys]
    members = []
    for each in report.told.filter(flag=Flag.NO, confirmed_at=None):
        made = [columns for hosted in seen if (columns := told.verified(each, hosted)) is not None]
        members += [
            _put_told(columns, case_number=case_number, actor=actor, now=now) for columns in made
        ]
        if made:
            ToldFingerprint.objects.filter(pk=each.pk).update(confirmed_at=now)
            audit.record("told:confirmed", subject=each, actor=actor, at=now)
    return members


def _put_told(columns: dict[str, object], *, case_number: int, actor: str, now: datetime) -> Member:
    by_file = columns["sha256"] is not None
    names = ("sha256",) if by_file else ("sha256", "pdq", "md5")
    with audit.acting(actor, at=now):
        bank, _ = Bank.objects.get_or_create(name=OWN_BANK, defaults={"policy": BankPolicy.BLOCK})
        member, _ = Member.objects.update_or_create(
            bank=bank,
            **{name: columns[name] for name in names},
            defaults={
                "status": MemberStatus.CONFIRMED,
                "paused_until": None,
                "expires_at": None,
            },
            create_defaults={
                **columns,
                "status": MemberStatus.CONFIRMED,
                "source": OWN_SOURCE,
                "case_number": case_number,
                "created_at": now,
            },
        )
    return member


def members_of(report: Report, case_number: int | None) -> models.QuerySet[Member]:
    """Members that came from a report: from its exhibits, and from fingerprints it told."""
    told_here = models.Q(exhibit=None, source=OWN_SOURCE, case_number=case_number)
    own = models.Q(exhibit__report=report)
    return Member.objects.filter(own if case_number is None else own | told_here)


def register_platform(
    name: str,
    base_url: str,
    webhook_url: str,
    *,
    webhook_secret: bytes,
) -> Platform:
    """Make or update a platform. It asks with keys (matching.api_keys), and has none at first."""
    platform, _ = Platform.objects.update_or_create(
        name=name,
        defaults={
            "base_url": base_url,
            "webhook_url": webhook_url,
            "webhook_secret": webhook_secret,
        },
    )
    return platform


def _write(report: Report, *, now: datetime, **found: object) -> None:
    pair = {key: found.pop(key) for key in ("hosted", "hosted_id", "member_id") if key in found}
    Hit.objects.get_or_create(report=report, **pair, defaults={"found_at": now, **found})


def hosted_of(report: Report) -> models.QuerySet[Hosted]:
    """Hosted content that the report met and that is still up."""
    return Hosted.objects.filter(hit__report=report, removed_at=None).distinct()


def hosted_at(report: Report, locations: Collection[int]) -> models.QuerySet[Hosted]:
    """Hosted content that is up at these of the report's locations."""
    digests = report.locations.filter(pk__in=locations).values("digest")
    return Hosted.objects.filter(url_digest__in=digests, removed_at=None)


def platform_addresses() -> list[str]:
    """The web addresses of the platforms that obey our webhooks."""
    return list(Platform.objects.filter(enabled=True).values_list("base_url", flat=True))


def banks_of(members: Collection[int]) -> list[str]:
    """By name, the banks that hold these members, however many of them."""
    rows = Bank.objects.filter(members__in=members).order_by("name")
    return list(rows.values_list("name", flat=True).distinct())
