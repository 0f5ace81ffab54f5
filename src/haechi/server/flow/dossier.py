"""What a package says of a case beside its files: gathered once, for programs and for the PDF.

Names and contacts of the person who reported, and the story in her words, are not in it: an authority
that needs them asks for them, and two people decide (B18).
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import override

from haechi import forensics, seal
from haechi.errors import CannotOpen, InvalidDocument
from haechi.formats.custody import Package as Writing
from haechi.server.audit import services as audit
from haechi.server.cases import citing, packages
from haechi.server.cases.models import Action, Clock, Decision, Package
from haechi.server.cases.packages import Purpose
from haechi.server.evidence import origin
from haechi.server.evidence.origin_models import Origin
from haechi.server.evidence.package import iso
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.notices.rechecks import services as rechecks
from haechi.server.notices.rechecks.models import Recheck
from haechi.server.reports import services as reports

type Row = dict[str, Any]

LANGUAGES = ("ko", "zh-hans", "en")


@dataclass(frozen=True)
class Made:
    """How one picture was made, as far as its examination says."""

    number: int
    made_at: str
    report: forensics.Report


@dataclass
class Dossier:
    """One case, as lists of plain facts; what is about exhibits is filled in while it is written."""

    case: int
    report: str
    package: int
    organisation: str
    public_url: str
    made_at: str
    purpose: Purpose
    recipients: list[str]
    minor: bool
    age: str
    harms: list[str]
    received_at: str | None
    locations: list[Row]
    decisions: list[Row]
    clocks: list[Row]
    actions: list[Row]
    notices: list[Row]
    exhibits: list[Row] = field(default_factory=list)
    fingerprints: list[Row] = field(default_factory=list)
    origins: list[Made] = field(default_factory=list)
    log: Row = field(default_factory=dict)

    def facts(self) -> dict[str, object]:
        """What the manifest says; the rest stands in files of its own."""
        whole = asdict(self)
        return {
            name: whole[name]
            for name in (
                "case", "report", "package", "organisation", "public_url", "made_at",
                "purpose", "recipients", "minor", "log",
            )
        }  # fmt: skip


def gather(package: Package, identity: str, *, now: datetime) -> Dossier:
    """Everything but the exhibits. Raises KeyMissing and CannotOpen."""
    case = package.case
    report = case.report
    return Dossier(
        case=case.pk,
        report=str(report.pk),
        package=package.pk,
        organisation=settings.HAECHI.organisation,
        public_url=settings.HAECHI.public_url,
        made_at=iso(now) or "",
        purpose=packages.purpose_of(package),
        recipients=list(package.keys),
        minor=case.minor,
        age=report.age,
        harms=list(report.harms),
        received_at=iso(report.received_at),
        locations=_locations(package, identity),
        decisions=[_decision(one, identity) for one in case.decisions.order_by("pk")],
        clocks=[_clock(one) for one in case.clocks.order_by("pk")],
        actions=[_action(one) for one in _actions(package)],
        notices=[_notice(one, identity) for one in _notices(package)],
    )


def add_messages(writing: Writing, package: Package, identity: str) -> None:
    """Each notice as it was sent, and what came back; what cannot be opened is left out."""
    for notice in _notices(package):
        with suppress(CannotOpen):
            message = notices.message_of(notice, identity)
            writing.add(f"notices/{notice.pk}.eml", bytes(message))
        for number, reply in enumerate(notice.replies.all(), start=1):
            with suppress(CannotOpen):
                came = seal.open_sealed(bytes(reply.sealed), identity)
                writing.add(f"notices/{notice.pk}.reply-{number}.eml", came)


def add_origins(writing: Writing, package: Package, identity: str) -> list[Made]:
    """The report on each picture that was examined, as JSON; what cannot be opened is left out."""
    rows = Origin.objects.filter(exhibit__report=package.case.report_id)
    found = []
    for row in rows.select_related("exhibit").order_by("exhibit__number"):
        with suppress(CannotOpen, InvalidDocument):
            report = origin.report_of(row, identity)
            if report is not None:
                told = json.dumps(report.to_json(), indent=2, ensure_ascii=False)
                writing.add(f"origin/{row.exhibit.number}.json", told.encode() + b"\n")
                found.append(Made(row.exhibit.number, iso(row.made_at) or "", report))
    return found


def add_captures(writing: Writing, package: Package, *, actor: str, now: datetime) -> None:
    """Pages as they were kept when places were looked at, sealed once more: they may show the picture."""
    for look in _looks(package).exclude(warc_sha256=None):
        page = rechecks.capture_of(look, actor=actor, now=now)
        writing.add(_capture_name(look), seal.seal(page, *package.keys))


def subjects(package: Package) -> Iterator[str]:
    """The names, in the log, of all rows that the case is made of."""
    case = package.case
    report = case.report
    rows: tuple[models.QuerySet[Any], ...] = (
        report.exhibits.all(),
        report.told.all(),
        case.clocks.all(),
        case.decisions.all(),
        _actions(package),
        _notices(package),
        _looks(package),
    )
    yield audit.name_of(report)
    yield audit.name_of(case)
    for found in rows:
        yield from (audit.name_of(row) for row in found.only("pk"))


def _actions(package: Package) -> models.QuerySet[Action]:
    return Action.objects.filter(decision__case=package.case).order_by("pk")


def _notices(package: Package) -> models.QuerySet[Notice]:
    return (
        Notice.objects.filter(decision__case=package.case)
        .prefetch_related("items", "replies")
        .order_by("created_at", "pk")
    )


def _looks(package: Package) -> models.QuerySet[Recheck]:
    return Recheck.objects.filter(location__report=package.case.report_id).order_by("at", "pk")


def _capture_name(look: Recheck) -> str:
    return f"captures/{look.pk}.warc.gz.age"


def _locations(package: Package, identity: str) -> list[Row]:
    looks: dict[int, list[Row]] = defaultdict(list)
    for look in _looks(package):
        digest = look.warc_sha256
        looks[look.location_id].append(
            {
                "at": iso(look.at),
                "seen": look.seen,
                "status": look.status,
                "capture": _capture_name(look) if digest else None,
                "capture_sha256": bytes(digest).hex() if digest else None,
            }
        )
    report = package.case.report
    addresses = reports.addresses_of(report, identity)
    return [
        {
            "number": one.number,
            "address": addresses[one.number],
            "named_at": iso(one.added_at),
            "looked_at": looks[one.pk],
        }
        for one in report.locations.order_by("number")
    ]


def _decision(decision: Decision, identity: str) -> Row:
    reason = bytes(decision.reason_sealed)
    return {
        "number": decision.pk,
        "verdict": decision.verdict,
        "ground": decision.ground,
        "ground_in_words": {language: _in(language, decision) for language in LANGUAGES},
        "reason": seal.open_sealed(reason, identity).decode() if reason else "",
        "label": decision.label,
        "cites": [asdict(one) for one in citing.cited_in(decision, identity)],
        "by": decision.actor.name_in_log,
        "made_at": iso(decision.made_at),
        "overturned_at": iso(decision.overturned_at),
    }


def _in(language: str, decision: Decision) -> str:
    with override(language):
        return str(decision.get_ground_display())


def _clock(clock: Clock) -> Row:
    return {
        "rule": clock.rule,
        "law": clock.law,
        "started_at": iso(clock.started_at),
        "due_at": iso(clock.due_at),
        "stopped_at": iso(clock.stopped_at),
    }


def _action(action: Action) -> Row:
    return {
        "platform": action.platform.name,
        "content": action.hosted.content_id,
        "asked_at": iso(action.decision.made_at),
        "done_at": iso(action.done_at),
    }


def _notice(notice: Notice, identity: str) -> Row:
    try:
        to = str(notices.message_of(notice, identity)["To"])
        answer = notices.answer_of(notice, identity)
    except CannotOpen:
        to = answer = ""
    return {
        "id": str(notice.pk),
        "to": to,
        "state": notice.state,
        "written_at": iso(notice.created_at),
        "sent_at": iso(notice.sent_at),
        "answer": answer,
        "items": [
            {"place": one.number, "outcome": one.outcome, "answered_at": iso(one.answered_at)}
            for one in notice.items.all()
        ],
        "replies": [
            {"kind": one.kind, "received_at": iso(one.received_at)} for one in notice.replies.all()
        ],
    }
