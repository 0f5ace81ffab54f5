"""Notes on a case: sealed to its report, added and never changed."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from haechi import seal
from haechi.errors import ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Note, Scope
from haechi.server.reports import holds, vault
from haechi.server.staff.models import User

LONGEST_NOTE = 5_000


@dataclass(frozen=True)
class Written:
    """One note, opened."""

    author: User
    text: str
    at: datetime


@transaction.atomic
def write(case: Case, text: str, *, actor: User, now: datetime) -> Note:
    """Keep what `actor` wrote. Raises GrantNeeded, ReasonRequired for an empty one, ReportErased."""
    if not text.strip():
        raise ReasonRequired(case.pk)
    grants.require(case, actor, Scope.CONTENT, now=now)
    report = holds.lock(case.report)
    sealed = seal.seal(text.strip().encode(), report.recipient)
    note = Note.objects.create(case=case, author=actor, sealed=sealed, at=now)
    audit.record("note:written", subject=note, actor=actor.name_in_log, at=now)
    return note


def of(case: Case) -> list[Written]:
    """All notes, the oldest first. Raises KeyMissing, CannotOpen; the caller logs the reading."""
    notes = list(case.notes.select_related("author"))
    if not notes:
        return []
    identity = vault.identity_of(case.report)
    return [
        Written(note.author, seal.open_sealed(bytes(note.sealed), identity).decode(), note.at)
        for note in notes
    ]
