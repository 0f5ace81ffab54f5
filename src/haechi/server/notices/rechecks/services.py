"""Write down what was seen; say what is due, what was seen last, and what counts as removed."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.db import IntegrityError, transaction

from haechi import fingerprint, seal
from haechi.errors import HaechiError
from haechi.index import Query, Verdict
from haechi.index.catalog import Catalog
from haechi.server.audit import services as audit
from haechi.server.evidence import services as evidence
from haechi.server.evidence.models import Fingerprint
from haechi.server.matching import known
from haechi.server.notices.rechecks import warc
from haechi.server.notices.rechecks.looking import Compare, Look
from haechi.server.notices.rechecks.models import Basis, Recheck, Seen
from haechi.server.reports import vault
from haechi.server.reports.models import Location, Report


@dataclass(frozen=True)
class Schedule:
    """When a place is looked at after somebody was asked, and how far apart two looks count."""

    after: tuple[timedelta, ...]
    apart: timedelta


@cache
def schedule() -> Schedule:
    """As data/schedule.json says."""
    told = json.loads((Path(__file__).parent / "data" / "schedule.json").read_text("utf-8"))
    after = tuple(timedelta(hours=hours) for hours in told["after_h"])
    return Schedule(after, timedelta(hours=told["confirm_after_h"]))


def due_step(asked_at: datetime, looks: Sequence[Recheck], *, now: datetime) -> int | None:
    """Which look of the schedule is due, or None. Looks that were missed are one look, the last."""
    passed = [n for n, after in enumerate(schedule().after) if asked_at + after <= now]
    done = {look.step for look in looks}
    if passed and passed[-1] not in done:
        return passed[-1]
    return None


def confirms(looks: Sequence[Recheck], *, now: datetime) -> bool:
    """True where the last look saw it gone, and it is time to look whether that is so."""
    if not looks or looks[-1].seen != Seen.GONE or removed(looks):
        return False
    return first_gone(looks) + schedule().apart <= now


def first_gone(looks: Sequence[Recheck]) -> datetime:
    """When the unbroken row of looks began that saw it gone; the last one is such a look."""
    began = looks[-1].at
    for look in reversed(looks):
        if look.seen == Seen.UNREACHABLE:
            continue
        if look.seen != Seen.GONE:
            break
        began = look.at
    return began


def removed(looks: Sequence[Recheck]) -> bool:
    """Seen to be gone, twice, apart in time, and nothing else in between or after."""
    told = [look for look in looks if look.seen != Seen.UNREACHABLE]
    if not told or told[-1].seen != Seen.GONE:
        return False
    return told[-1].at - first_gone(told) >= schedule().apart


def seen_before(looks: Iterable[Recheck]) -> bool:
    """A look has met the picture itself here."""
    return any(
        look.basis == Basis.PICTURE and look.seen in (Seen.THERE, Seen.EDITED) for look in looks
    )


def latest(report: Report) -> dict[int, Recheck]:
    """By location, what was seen last."""
    looks = Recheck.objects.filter(location__report=report).order_by("at", "pk")
    return {look.location_id: look for look in looks}


def comparing(report: Report) -> Compare:
    """Compare a file with what was reported; the decoding happens in the sandbox."""
    catalog, policy = Catalog(), known.usual()
    rows = [*Fingerprint.objects.filter(exhibit__report=report), *report.told.all()]
    for number, row in enumerate(rows):
        catalog.put(known.entry(number, row))

    def compare(file: bytes) -> Verdict | None:
        try:
            made = evidence.sandbox().run(fingerprint.image, file)
        except HaechiError:
            return None
        hits = catalog.search(Query.of(made), policy)
        return hits[0].verdict if hits else Verdict.NO_MATCH

    return compare


def write(
    location: Location, look: Look, *, step: int | None, keep: bool, actor: str, now: datetime
) -> Recheck | None:
    """Write one look down, sealed, with the page where `keep`; None where that step is written."""
    recipient = location.report.recipient
    detail = json.dumps({"url": look.url, "why": look.why}).encode()
    file, digest = warc.of(look.reply, at=now) if keep and look.reply else (None, None)
    try:
        with transaction.atomic():
            made = Recheck.objects.create(
                location=location,
                at=now,
                step=step,
                seen=look.seen,
                basis=look.basis,
                status=look.status,
                sealed=seal.seal(detail, recipient),
                warc_sealed=seal.seal(file, recipient) if file else None,
                warc_sha256=digest,
            )
            told: dict[str, str] = {"seen": look.seen, "basis": look.basis}
            if digest:
                told["warc_sha256"] = digest.hex()
            audit.record("recheck:seen", subject=made, actor=actor, at=now, detail=told)
    except IntegrityError:
        return None
    return made


def detail_of(look: Recheck) -> dict[str, str]:
    """The address it ended at, and why. Raises KeyMissing without the vault."""
    identity = vault.identity_of(look.location.report)
    return dict(json.loads(seal.open_sealed(bytes(look.sealed), identity)))


@transaction.atomic
def capture_of(look: Recheck, *, actor: str, now: datetime) -> bytes:
    """The page as a WARC file; taking it is in the log. Raises KeyMissing without the vault."""
    identity = vault.identity_of(look.location.report)
    audit.record("recheck:opened", subject=look, actor=actor, at=now)
    return seal.open_sealed(bytes(look.warc_sealed or b""), identity)
