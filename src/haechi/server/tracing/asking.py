"""Who made this file? Asked with a reason, answered from marks and looks, and written down.

The order: that very file, the watermark, C2PA, the AIGC label, and last what it looks like. A mark can
be copied from one picture into another, and anybody can write a label; so each answer says how strong
it is, and whether the file looks like what was recorded. No answer names an account (naming).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from haechi import fingerprint, seal
from haechi.errors import (
    DecoderCrashed,
    DecodeTimeout,
    MediaError,
    NotAllowed,
    ReasonRequired,
)
from haechi.index import Hit, Query
from haechi.labels import watermark
from haechi.server.audit import services as audit
from haechi.server.evidence import services as evidence
from haechi.server.matching.known import usual
from haechi.server.reports import vault
from haechi.server.staff.models import User
from haechi.server.tracing import digests, holding, known, marks
from haechi.server.tracing.models import Finding, Generation, Inquiry, Purpose, Strength, Way

MOST = 20
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Question:
    """Why somebody asks. `case_number` of one of ours, if it is about one."""

    purpose: Purpose
    reason: str
    case_number: int | None = None


@dataclass(frozen=True, slots=True)
class Met:
    """One record, and every way that leads to it."""

    generation: Generation
    ways: tuple[Way, ...]
    strength: Strength
    alike: bool | None


def ask(data: bytes, question: Question, *, actor: User | None, now: datetime) -> Inquiry:
    """Look for the records of a file; the question and what was found are one transaction.

    `actor` is None for the operator on the command line. Raises ReasonRequired, MediaError.
    """
    if not question.reason.strip():
        raise ReasonRequired
    read = _read(data)
    return _write(question, read, find(read, _query(data, read)), actor=actor, now=now)


def _read(data: bytes) -> marks.Marks:
    """Every mark; without those in pixels and sound where nobody can look at them in time."""
    told = data, settings.HAECHI.watermark_key, settings.HAECHI.c2pa_chain()
    try:
        return evidence.sandbox().run(marks.read, *told)
    except (DecoderCrashed, DecodeTimeout):
        return evidence.sandbox().run(marks.read, *told, hidden=False)


def visible(user: User) -> QuerySet[Inquiry]:
    """The questions whose answers `user` reads: their own, and the operator's."""
    return Inquiry.objects.filter(Q(asked_by=user) | Q(asked_by=None))


@transaction.atomic
def open_finding(inquiry: Inquiry, number: int, *, actor: User, now: datetime) -> Generation:
    """One record that the question met, to look where else it is; logged.

    Raises NotAllowed where it met no such record, or where somebody else asked.
    """
    found = inquiry.findings.select_related("generation").filter(pk=number).first()
    if found is None or not visible(actor).filter(pk=inquiry.pk).exists():
        raise NotAllowed("that question met no such record")
    audit.record(
        "trace:generation_opened",
        subject=inquiry,
        actor=actor.name_in_log,
        at=now,
        detail={"generation": found.generation_id},
    )
    return found.generation


def find(read: marks.Marks, query: Query) -> list[Met]:
    """The records that marks and looks lead to, the strongest first."""
    ways: dict[int, set[tuple[Way, bool]]] = {}
    for way, signed, numbers in (*_by_file(read), *_by_marks(read.claims)):
        for number in numbers:
            ways.setdefault(number, set()).add((way, signed))
    hits = {hit.key: hit for hit in known.search(query)}
    for number in hits:
        ways.setdefault(number, set()).add((Way.FINGERPRINT, False))
    rows = Generation.objects.filter(pk__in=ways).select_related("platform")
    met = [_met(row, ways[row.pk], hits.get(row.pk), query) for row in rows]
    order = list(Strength)
    return sorted(met, key=lambda one: (order.index(one.strength), one.generation.pk))[:MOST]


def _by_file(read: marks.Marks) -> Iterable[tuple[Way, bool, list[int]]]:
    for column in ("sha256", "source_sha256"):
        rows = Generation.objects.filter(**{column: read.sha256})
        yield Way.FILE, True, list(rows.values_list("pk", flat=True)[:MOST])


def _by_marks(claims: Iterable[marks.Claim]) -> Iterable[tuple[Way, bool, list[int]]]:
    for claim in claims:
        rows = Generation.objects.filter(**_where(claim)).values_list("pk", flat=True)
        yield Way(claim.carrier), claim.signed, list(rows[:MOST])


def _where(claim: marks.Claim) -> dict[str, object]:
    if claim.kind == "trace":
        return {"trace_id": _payload(claim.value)}
    if claim.kind == "manifest":
        return {"manifest_digest": digests.manifest(claim.value)}
    return {"produce_digest": digests.produce_id(claim.value)}


def _payload(text: str) -> int:
    """The id as a number: however it is spelled, it is the same record; -1 for what is none."""
    try:
        return watermark.payload_of(text)
    except ValueError:
        return -1


def _met(row: Generation, ways: set[tuple[Way, bool]], hit: Hit | None, query: Query) -> Met:
    looks = True if hit is not None else known.alike(row, query)
    ordered = tuple(way for way in Way if any(way == one for one, _ in ways))
    return Met(row, ordered, _strength(ways, hit, alike=looks), looks)


def _strength(ways: set[tuple[Way, bool]], hit: Hit | None, *, alike: bool | None) -> Strength:
    """How far it goes that this record is of this file.

    Strong: the file itself, a match as sure as a removal by machine needs, or a mark that only we can
    write in a picture that looks like the recorded one. Weak: a label that anybody can write, in a
    picture that does not.
    """
    ours = any(signed for _way, signed in ways)
    if any(way == Way.FILE for way, _signed in ways) or (hit is not None and usual().certain(hit)):
        return Strength.STRONG
    if ours and alike:
        return Strength.STRONG
    return Strength.FAIR if ours or alike else Strength.WEAK


def _query(data: bytes, read: marks.Marks) -> Query:
    """The file as a question to the register; of what cannot be decoded only its digest."""
    try:
        return Query.of(evidence.sandbox().run(fingerprint.image, data))
    except MediaError:
        return Query(read.sha256, (), 0, None)


@transaction.atomic
def _write(
    question: Question,
    read: marks.Marks,
    met: list[Met],
    *,
    actor: User | None,
    now: datetime,
) -> Inquiry:
    recipients = settings.HAECHI.vault_recipients
    numbers = [one.generation.pk for one in met]
    # What is erased meanwhile is taken in the same order, so that neither waits for the other.
    there = Generation.objects.select_for_update().filter(pk__in=numbers).order_by("pk")
    still = {one.pk for one in there}
    met = [one for one in met if one.generation.pk in still]
    inquiry = Inquiry.objects.create(
        sealed=seal.seal(question.reason.strip().encode(), *recipients),
        sealed_to=vault.recipients_mark(),
        asked_by=actor,
        asked_at=now,
        purpose=question.purpose,
        case_number=question.case_number,
        file_digest=digests.file(read.sha256),
    )
    Finding.objects.bulk_create(
        Finding(
            inquiry=inquiry,
            generation=one.generation,
            ways=" ".join(one.ways),
            strength=one.strength,
            alike=one.alike,
        )
        for one in met
    )
    if question.purpose == Purpose.LAW:
        holding.begin(still, now=now)
    audit.record(
        "trace:asked",
        subject=inquiry,
        actor=actor.name_in_log if actor else OPERATOR,
        at=now,
        detail={
            "purpose": question.purpose.value,
            "case": question.case_number,
            "generations": [one.generation.pk for one in met],
            "ways": sorted({way.value for one in met for way in one.ways}),
        },
    )
    return inquiry


def forget(cases: Sequence[int]) -> int:
    """Delete what was asked about these cases, reasons and all, since their reports are erased.

    That somebody asked stays in the log. Returns how many questions.
    """
    asked = Inquiry.objects.filter(case_number__in=cases)
    count = asked.count()
    asked.delete()
    return count
