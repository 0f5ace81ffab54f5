"""Coming back: a visit opens with a return code, lasts at most two hours, and is forgotten."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from haechi import seal
from haechi.errors import CodeUnknown, HandedOver
from haechi.server.audit import services as audit
from haechi.server.reports.models import Filer, Nudge, Report, State, Visit
from haechi.server.reports.return_code import ReturnCode, codes_in, submission_of

# So many codes of other reports are looked for in one thing she sends.
AT_MOST = 8


@dataclass(frozen=True)
class Visiting:
    """A visit that is under way: its report, and the identity that opens it. Only in memory.

    mark   keyed digest of the return code; the key is the visit's token, which only the cookie has
    """

    report: Report
    identity: str = field(repr=False)
    token: str = field(repr=False)
    mark: bytes = field(repr=False)

    def says_code(self, *texts: str) -> bool:
        """True where this report's code stands in `texts`, or one is the code of another (B06)."""
        together = "\n".join(texts)
        marks = (_mark(self.token, code) for code in codes_in(together))
        if any(hmac.compare_digest(mark, self.mark) for mark in marks):
            return True
        # Looking up is slow on purpose: nobody types more codes than that by mistake.
        others = islice(_parsed(dict.fromkeys((together, *texts))), AT_MOST)
        pepper = settings.HAECHI.pepper_lookup
        return any(Report.objects.filter(lookup=code.lookup(pepper)).exists() for code in others)


def enter(typed: str, *, now: datetime) -> str:
    """Start a visit with a return code; the token for the cookie is returned and kept nowhere.

    Raises CodeUnknown. Wrong, unknown and malformed codes take the same path and time (B04).
    """
    try:
        code = ReturnCode.parse(typed)
    except CodeUnknown:
        code = ReturnCode.new()
    lookup = code.lookup(settings.HAECHI.pepper_lookup)
    unlock = seal.identity_from_key(code.unlock_key(settings.HAECHI.pepper_unlock))
    with transaction.atomic():
        # Locked: a code that a hand-over is replacing opens nothing once that has happened (B07).
        report = Report.objects.select_for_update().filter(lookup=lookup).first()
        if report is None:
            raise CodeUnknown
        identity = seal.open_sealed(bytes(report.wrap_code), unlock).decode()
        token = secrets.token_urlsafe(32)
        held = f"{identity}\n{_mark(token, code).hex()}"
        Visit.objects.create(
            token_digest=_token_digest(token),
            report=report,
            sealed=seal.seal(held.encode(), seal.recipient_of(_token_identity(token))),
            started_at=now,
            seen_at=now,
        )
        audit.record("report:visited", subject=report, actor="reporter", at=now)
    return token


def resume(token: str, *, now: datetime) -> Visiting | None:
    """The visit with this token, or None when it is over; then nothing of it is left (B08)."""
    visit = Visit.objects.filter(token_digest=_token_digest(token)).first()
    if visit is None:
        return None
    idle, whole = now - visit.seen_at, now - visit.started_at
    if idle >= settings.VISIT_IDLE or whole >= settings.VISIT_ABSOLUTE:
        visit.delete()
        return None
    Visit.objects.filter(pk=visit.pk).update(seen_at=now)
    held = seal.open_sealed(bytes(visit.sealed), _token_identity(token)).decode()
    identity, _line, mark = held.partition("\n")
    return Visiting(visit.report, identity, token, bytes.fromhex(mark))


def leave(token: str) -> None:
    """End a visit and forget its key."""
    Visit.objects.filter(token_digest=_token_digest(token)).delete()


def forget_visits(*, now: datetime) -> int:
    """Delete visits that ended by time; returns how many."""
    over = Visit.objects.filter(seen_at__lte=now - settings.VISIT_IDLE) | Visit.objects.filter(
        started_at__lte=now - settings.VISIT_ABSOLUTE
    )
    return over.delete()[0]


def hand_over(visit: Visiting, token: str, *, now: datetime) -> ReturnCode:
    """Give the person depicted a code of her own in place of the one her helper holds (B07).

    The code follows from `token`, as at the receipt: pressing twice shows the same one. From here
    on the helper's code opens nothing, every visit is over, and no e-mail goes where the helper
    wanted it. Raises HandedOver where that has happened before, with another token.
    """
    code = ReturnCode.from_seed(token.encode())
    unlock = seal.identity_from_key(code.unlock_key(settings.HAECHI.pepper_unlock))
    fresh = {
        "lookup": code.lookup(settings.HAECHI.pepper_lookup),
        "wrap_code": seal.seal(visit.identity.encode(), seal.recipient_of(unlock)),
        "handover": submission_of(token),
    }
    with transaction.atomic():
        waiting = Report.objects.filter(pk=visit.report.pk, handover=None)
        # After an erasure a new wrap would open again what nobody may open.
        waiting = waiting.exclude(filer=Filer.SELF).exclude(state=State.ERASED)
        if not waiting.update(**fresh):
            raise HandedOver(visit.report.short)
        Visit.objects.filter(report=visit.report).delete()
        Nudge.objects.filter(report=visit.report).delete()
        audit.record("report:handed_over", subject=visit.report, actor="reporter", at=now)
    return code


def handed_over(token: str) -> bool:
    """True where a hand-over was made with this token."""
    made = Report.objects.filter(handover=submission_of(token))
    return made.exclude(state=State.ERASED).exists()


def issued(token: str) -> Report | None:
    """The report that the code following from `token` opens now, or None."""
    mark = submission_of(token)
    made = Report.objects.filter(Q(submission=mark, handover=None) | Q(handover=mark))
    return made.exclude(state=State.ERASED).first()


def _parsed(texts: Iterable[str]) -> Iterator[ReturnCode]:
    for text in texts:
        with suppress(CodeUnknown):
            yield ReturnCode.parse(text)


def _mark(token: str, code: ReturnCode) -> bytes:
    return hmac.digest(b"code" + token.encode(), code.number.to_bytes(11, "big"), "sha256")


def _token_digest(token: str) -> bytes:
    return hashlib.sha256(b"visit" + token.encode()).digest()


def _token_identity(token: str) -> str:
    return seal.identity_from_key(hashlib.sha256(b"unlock" + token.encode()).digest())
