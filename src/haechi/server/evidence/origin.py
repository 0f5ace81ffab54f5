"""How a picture was made: examined in processes of its own, sealed to the report, told by nobody else.

Only what is fingerprinted is examined, after it was compared and put before a person; nothing waits for
it. What an examination answers is in the envelope alone, so nothing can be ordered by it.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby

from django.conf import settings
from django.db import transaction
from django.db.models import Min, QuerySet

from haechi import forensics, media, seal
from haechi.errors import (
    BlobMissing,
    DecoderCrashed,
    DecodeTimeout,
    HaechiError,
    KeyMissing,
    StorageUnavailable,
    TooManyFiles,
)
from haechi.forensics.models import Registry
from haechi.server.audit import services as audit
from haechi.server.evidence.models import Exhibit, State
from haechi.server.evidence.origin_models import Donor, Origin, OriginState
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.services import open_exhibit
from haechi.server.evidence.storage import storage
from haechi.server.reports import holds, vault
from haechi.server.reports.models import Report

log = logging.getLogger(__name__)

MOST_DONORS = 5
# The worker was away that long, or nothing could be examined: they go unused.
DONORS_WAIT = timedelta(days=3)
# A report with its pictures is some hundred kilobytes; larger ones lose what is only to look at.
LARGEST_BYTES = 4 * 1024 * 1024
# How a long video is, is told at most this often.
TOLD_EVERY_PERCENT = 5
# An examination may take longer than a fingerprint: nobody waits for it.
LIMITS = replace(media.DEFAULT, seconds=60.0, video_job_s=600.0, jobs=200)

type Told = Callable[[str, float], None]


def ask(report: Report, *, now: datetime) -> list[Exhibit]:
    """Note that its pictures are to be examined, inside the caller's transaction; gives those to do.

    One that was examined is examined again where pictures to compare with came since.
    """
    wanted = []
    for exhibit in report.exhibits.filter(state=State.FINGERPRINTED).select_related("origin"):
        made = getattr(exhibit, "origin", None)
        if made is None or report.donors.filter(given_at__gt=made.asked_at).exists():
            again(exhibit, now=now)
            wanted.append(exhibit)
    return wanted


def ask_again(exhibit: Exhibit, *, actor: str, now: datetime) -> None:
    """Somebody wants it examined anew; logged, inside the caller's transaction."""
    again(exhibit, now=now)
    audit.record("origin:asked_again", subject=exhibit, actor=actor, at=now, detail={})


def again(exhibit: Exhibit, *, now: datetime) -> None:
    """Note that it is to be examined now; what an earlier examination said stays until then."""
    Origin.objects.update_or_create(
        exhibit=exhibit,
        defaults={
            "state": OriginState.WAITING, "asked_at": now, "step": "", "percent": 0, "problem": "",
        },
    )  # fmt: skip


def examine(exhibit: Exhibit, *, last_try: bool, now: datetime) -> None:
    """Examine one exhibit that waits for it and keep what was found; safe to repeat.

    A file that cannot be examined costs its own report. A decoder that died or was slow, or a file
    that is not there now, may be this machine's fault: unless it is the `last_try`, DecoderCrashed,
    DecodeTimeout and BlobMissing are raised. Raises KeyMissing and StorageUnavailable.
    """
    origin = Origin.objects.filter(exhibit=exhibit, state=OriginState.WAITING).first()
    if origin is None:
        return
    donors = list(exhibit.report.donors.order_by("given_at", "pk")[:MOST_DONORS])
    try:
        made = _examined(exhibit, donors, _teller(origin), now=now)
    except (KeyMissing, StorageUnavailable):
        raise
    except (DecoderCrashed, DecodeTimeout, BlobMissing) as error:
        if not last_try:
            raise
        _fail(origin, error, now=now)
    except HaechiError as error:
        _fail(origin, error, now=now)
    else:
        _keep(origin, made, compared=len(donors), now=now)


def report_of(origin: Origin, identity: str | None = None) -> forensics.Report | None:
    """What was found, or None where nothing was yet. Raises KeyMissing, CannotOpen.

    identity   of the report, where the vault is not at hand
    """
    if not origin.sealed:
        return None
    opened = seal.open_sealed(
        bytes(origin.sealed), identity or vault.identity_of(origin.exhibit.report)
    )
    return forensics.Report.from_json(json.loads(opened))


def give(report: Report, files: Sequence[SealedFile], *, now: datetime) -> None:
    """Take pictures to compare with, already sealed to the report, inside the caller's transaction.

    The caller holds the report's row, so of two that come at once the second is counted too. Raises
    TooManyFiles for more than MOST_DONORS.
    """
    if report.donors.count() + len(files) > MOST_DONORS:
        raise TooManyFiles
    for file in files:
        Donor.objects.create(report=report, blob=file.blob, size=file.size, given_at=now)
    audit.record(
        "donor:given", subject=report, actor="reporter", at=now, detail={"files": len(files)}
    )


@transaction.atomic
def forget_compared(report: Report, *, now: datetime) -> int:
    """Delete the pictures to compare with that nothing waits for any more; returns how many.

    Safe to repeat. Raises StorageUnavailable.
    """
    # Whoever gives more holds the same row, so none is deleted that was not looked at.
    holds.take_first(report.pk)
    examined = Origin.objects.filter(exhibit__report=report)
    if examined.filter(state=OriginState.WAITING).exists():
        return 0
    first = examined.aggregate(at=Min("asked_at"))["at"]
    return forget_donors(report.donors.filter(given_at__lte=first), now=now) if first else 0


def forget_donors(donors: QuerySet[Donor], *, now: datetime) -> int:
    """Delete pictures to compare with, files first; returns how many. Raises StorageUnavailable.

    A legal hold keeps what was reported, and these were not: she agreed to a comparison and to
    nothing after it. That there was a hold is in the log.
    """
    rows = list(donors.select_related("report"))
    delete_files(rows)
    with transaction.atomic():
        for report, mine in groupby(sorted(rows, key=_whose), key=lambda row: row.report):
            gone, _each = Donor.objects.filter(pk__in=[row.pk for row in mine]).delete()
            if gone:
                detail = {"files": gone, "hold": holds.in_force(report, now).exists()}
                audit.record("donor:deleted", subject=report, actor="worker", at=now, detail=detail)
    return len(rows)


def forget_old_donors(*, now: datetime) -> int:
    """Delete what no examination came for in all that time; returns how many."""
    return forget_donors(Donor.objects.filter(given_at__lte=now - DONORS_WAIT), now=now)


def delete_files(donors: Iterable[Donor]) -> None:
    """Delete their sealed files. Safe to repeat. Raises StorageUnavailable."""
    store = storage()
    for donor in donors:
        with suppress(BlobMissing):
            store.delete(donor.blob)


@cache
def sandbox() -> media.Sandbox:
    """Decoders of their own, so that no fingerprint waits behind an examination."""
    return media.Sandbox(workers=1, limits=LIMITS)


def _examined(
    exhibit: Exhibit, donors: Sequence[Donor], told: Told, *, now: datetime
) -> forensics.Report:
    identity = vault.identity_of(exhibit.report)
    compared = [_donor(donor, identity) for donor in donors]
    if compared:
        with transaction.atomic():
            detail = {"files": len(compared), "exhibit": exhibit.number}
            audit.record(
                "donor:opened", subject=exhibit.report, actor="worker", at=now, detail=detail
            )
    data = open_exhibit(exhibit, actor="worker", reason="origin", now=now)
    with Registry.of_home(settings.HAECHI.home).detectors() as (models, faults):
        for fault in faults:
            log.warning("a model of this installation does not work: %s", fault)
        return forensics.examine(
            data,
            donors=compared,
            models=models,
            trust_anchors=settings.HAECHI.c2pa_anchors,
            watermark_key=settings.HAECHI.watermark_key,
            progress=told,
            limits=LIMITS,
            sandbox=sandbox(),
        )


def _donor(donor: Donor, identity: str) -> bytes:
    with storage().open(donor.blob) as sealed, seal.open_stream(sealed, identity) as plain:
        return plain.read(donor.size + 1)


def _whose(donor: Donor) -> str:
    return str(donor.report_id)


def _teller(origin: Origin) -> Told:
    """Writes down how far it is, where that is news."""
    known = ("", -TOLD_EVERY_PERCENT)

    def tell(step: str, fraction: float) -> None:
        nonlocal known
        percent = min(99, int(fraction * 100))
        if step == known[0] and percent < known[1] + TOLD_EVERY_PERCENT:
            return
        known = (step, percent)
        Origin.objects.filter(pk=origin.pk, asked_at=origin.asked_at).update(
            step=step[:40], percent=percent
        )

    return tell


def _to_bytes(made: forensics.Report) -> bytes:
    written = json.dumps(made.to_json(), separators=(",", ":")).encode()
    if len(written) <= LARGEST_BYTES:
        return written
    plain = tuple(replace(signal, heat=None, picture=None) for signal in made.signals)
    return json.dumps(replace(made, signals=plain).to_json(), separators=(",", ":")).encode()


@transaction.atomic
def _keep(origin: Origin, made: forensics.Report, *, compared: int, now: datetime) -> None:
    exhibit = origin.exhibit
    envelope = seal.seal(_to_bytes(made), exhibit.report.recipient)
    if _won(origin, state=OriginState.MADE, sealed=envelope, donors=compared, made_at=now):
        # Not what it answers: the log is read by more people than the report.
        detail = {"compared": compared}
        audit.record("origin:made", subject=exhibit, actor="worker", at=now, detail=detail)


@transaction.atomic
def _fail(origin: Origin, error: HaechiError, *, now: datetime) -> None:
    if _won(origin, state=OriginState.FAILED, problem=error.code):
        detail = {"code": error.code}
        audit.record("origin:failed", subject=origin.exhibit, actor="worker", at=now, detail=detail)


def _won(origin: Origin, **changed: object) -> bool:
    """Write down how it ended, unless it was asked anew or its report ended meanwhile."""
    holds.take_first(origin.exhibit.report_id)
    waiting = Origin.objects.filter(
        pk=origin.pk, asked_at=origin.asked_at, state=OriginState.WAITING
    )
    return bool(waiting.update(step="", percent=100, **changed))
