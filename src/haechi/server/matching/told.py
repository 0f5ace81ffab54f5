"""Fingerprints told by a reporter who kept the file: they find, and block nothing by themselves.

Whoever wants somebody silenced can send the fingerprint of her ordinary pictures. So a told
fingerprint only leads a reviewer to what is hosted. When the reviewer has looked at that and has it
removed, the part of the fingerprint that fits what was seen goes into the bank; what was told beside
it (another digest, further frames) does not, since nobody has seen what it stands for.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from haechi.fingerprint import frames, joined, pdq
from haechi.index import DEFAULT, Hit, Query
from haechi.server.audit import services as audit
from haechi.server.evidence.models import FingerprintFields, Flag, ToldFingerprint
from haechi.server.matching import floods
from haechi.server.matching.models import BankPolicy, Check, Hosted, Member

BY = "told_"
"""Before `found_by` of a hit that a told fingerprint made."""

MANY = 5
"""One picture has copies, which count once. More different ones than this are told to the desk."""

MOST_HITS = 200
"""Of one fingerprint, the best. Nobody looks at more; that there are more is what the flag says."""

RECENT = timedelta(days=1)

_COLUMNS = ("sha256", "md5", "pdq", "pdq_quality", "embedding", "views", "frames")

type Met = Sequence[tuple[type[Hosted] | type[Member], int, Hit]]


def query(told: ToldFingerprint) -> Query:
    """A told fingerprint as a question to the index."""
    return Query(
        sha256=bytes(told.sha256),
        turns=joined.hashes(bytes(told.turns)),
        pdq_quality=told.pdq_quality,
        embedding=None,
        frames=frames.unpack(bytes(told.frames)),
    )


def watch(told: ToldFingerprint, met: Met, *, now: datetime) -> None:
    """Flag a fingerprint that fits a harmless picture, or many that differ from each other.

    Counted are hosted pictures it met and recent uploads that were let pass. Runs inside the
    caller's transaction; a flag stays.
    """
    flag = _flag(told, met, now=now)
    unflagged = ToldFingerprint.objects.filter(pk=told.pk, flag=Flag.NO)
    if flag != Flag.NO and unflagged.update(flag=flag):
        detail = {"flag": flag.value}
        audit.record("told:flagged", subject=told, actor="worker", at=now, detail=detail)


def _flag(told: ToldFingerprint, met: Met, *, now: datetime) -> Flag:
    members = [key for table, key, _ in met if table is Member]
    if Member.objects.filter(pk__in=members, bank__policy=BankPolicy.BENIGN).exists():
        return Flag.HARMLESS
    hosted = [key for table, key, _ in met if table is Hosted][: floods.READ_AT_MOST]
    pictures = [_pair(row) for row in Hosted.objects.filter(pk__in=hosted).only("sha256", "pdq")]
    passed = Check.objects.filter(outcome="allow", at__gt=now - RECENT, at__lte=now)
    uploads = passed.exclude(pdq=None).order_by("-pk").only("sha256", "pdq", "pdq_quality")
    near = (_pair(row) for row in uploads[: floods.READ_AT_MOST] if _fits(told, [_hash(row)]))
    return Flag.MANY if floods.different([*pictures, *near], MANY) > MANY else Flag.NO


def verified(told: ToldFingerprint, seen: Hosted) -> dict[str, object] | None:
    """The columns of a member: what of `told` fits hosted content that a person looked at.

    Of the same file, all that the platform's own fingerprint says. Otherwise PDQ alone, and of a
    video the frames that were seen. None where they do not fit.
    """
    if bytes(told.sha256) == bytes(seen.sha256):
        return {name: getattr(seen, name) for name in _COLUMNS}
    looks = [_hash(seen), *((f.pdq.bits, f.pdq.quality) for f in frames.unpack(bytes(seen.frames)))]
    kept = [
        frame
        for frame in frames.unpack(bytes(told.frames))
        if _near([frame.pdq.bits], frame.pdq.quality, looks)
    ]
    if not _fits(told, looks) and not kept:
        return None
    whole = _fits(told, looks)
    return {
        "sha256": None,
        "md5": None,
        "pdq": bytes(told.pdq or b"") if whole else kept[0].pdq.bits,
        "pdq_quality": told.pdq_quality if whole else kept[0].pdq.quality,
        "embedding": None,
        "views": b"",
        "frames": frames.pack(kept),
    }


type Look = tuple[bytes | None, int]


def _hash(row: FingerprintFields) -> Look:
    return (bytes(row.pdq) if row.pdq is not None else None), row.pdq_quality


def _pair(row: Hosted | Check) -> tuple[bytes | None, bytes | None]:
    sha256: object = row.sha256  # of an upload that was asked about by PDQ alone, None
    return bytes(sha256) if isinstance(sha256, bytes | memoryview) else None, _hash(row)[0]


def _fits(told: ToldFingerprint, looks: Iterable[Look]) -> bool:
    return _near(joined.hashes(bytes(told.turns)), told.pdq_quality, looks)


def _near(turns: Iterable[bytes], quality: int, looks: Iterable[Look]) -> bool:
    """True where any of `turns` is an edited copy's distance or less from any of `looks`."""
    if quality < pdq.MIN_QUALITY:
        return False
    asked = [int.from_bytes(turn) for turn in turns]
    return any(
        bits is not None
        and sound >= pdq.MIN_QUALITY
        and any(
            (int.from_bytes(bits) ^ turn).bit_count() <= DEFAULT.pdq_edited_bits for turn in asked
        )
        for bits, sound in looks
    )
