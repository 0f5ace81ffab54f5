"""What the log says of one report, for its reporter: in words, and as files that prove it."""

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from haechi.formats import log_proofs
from haechi.server.appeals import services as appeals
from haechi.server.audit import proofs
from haechi.server.audit import services as audit
from haechi.server.audit.models import Checkpoint, Entry
from haechi.server.cases.models import Action, Case, Clock, Decision
from haechi.server.notices.models import Notice
from haechi.server.reports.models import Report

# In the order of config/grants.TOLD.
WORDS: dict[str, Promise] = {
    "report:received": _("Your report arrived"),
    "report:handed_over": _("You got a code of your own"),
    "report:places_added": _("You named more places"),
    "report:corrected": _("You changed what you wrote"),
    "report:withdrawn": _("You took the report back"),
    "exhibit:sealed": _("A file was locked"),
    "exhibit:stamped": _("An authority outside confirmed when a file arrived"),
    "told:received": _("The fingerprint of a file arrived"),
    "case:opened": _("Your report came before a person"),
    "case:decided": _("A person decided"),
    "case:reopened": _("It is looked at once more"),
    "clock:started": _("A deadline of the law began"),
    "clock:stopped": _("A deadline ended in time or was stopped"),
    "clock:missed": _("A deadline ran out"),
    "action:asked": _("A platform was told to remove a copy"),
    "action:done": _("A platform removed a copy"),
    "notice:queued": _("A notice to another site was written"),
    "notice:sent": _("A notice to another site was sent"),
    "notice:withdrawn": _("A notice was held back, because you took the report back"),
    "appeal:received": _("A second look was asked for"),
    "appeal:answered": _("The second look was answered"),
}
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Line:
    """One entry. `signed` once a checkpoint covers it, at the latest within the hour."""

    number: int
    at: datetime
    words: Promise
    signed: bool


@dataclass(frozen=True)
class OwnLog:
    """The entries about one report, and the checkpoint that they are proved against."""

    entries: list[Entry]
    checkpoint: Checkpoint | None

    @property
    def lines(self) -> list[Line]:
        """In words, the oldest first."""
        size = self.checkpoint.size if self.checkpoint else 0
        return [
            Line(one.position, one.at, WORDS[one.tag], one.position <= size) for one in self.entries
        ]

    @property
    def signed(self) -> bool:
        """True when there is something to prove."""
        return any(line.signed for line in self.lines)

    def pack(self) -> bytes:
        """The entries with their proofs and the recipe, as a ZIP. Small: no picture is in it."""
        if self.checkpoint is None:
            return b""
        found = proofs.prove(self.entries, self.checkpoint)
        parts = [(one.position, one.payload, one.text) for one in found]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr(_named("README.md"), _readme(settings.HAECHI.public_url))
            for name, data in log_proofs.members(
                parts, self.checkpoint.note, self.checkpoint.verifier
            ):
                out.writestr(_named(name), data)
        return packed.getvalue()


def of(report: Report) -> OwnLog:
    """What the log tells the reporter of this report."""
    return OwnLog(proofs.told(map(audit.name_of, _subjects(report))), proofs.latest())


def _subjects(report: Report) -> list[models.Model]:
    of_case: list[models.QuerySet[models.Model]] = [
        Case.objects.filter(report=report),
        Clock.objects.filter(case__report=report),
        Decision.objects.filter(case__report=report),
        Action.objects.filter(decision__case__report=report),
        Notice.objects.filter(decision__case__report=report),
    ]
    rows: list[models.Model] = [report, *report.exhibits.all(), *report.told.all()]
    rows += appeals.by_reporter(report)
    return rows + [row for found in of_case for row in found.only("pk")]


def _named(name: str) -> zipfile.ZipInfo:
    # Without the time it was made: the proofs say when what happened.
    return zipfile.ZipInfo(name, date_time=_ZIP_EPOCH)


def _readme(address: str) -> str:
    return (
        "# What the log says of one report\n\n"
        f"Compare `log/key.txt` with {address}/.well-known/haechi-log/key and ask somebody else for "
        "it too. Unpack this file, open a terminal in the folder, and run:\n\n"
        f"{log_proofs.recipe()}\n"
        "That the log was never rewritten since, the proof under\n"
        f"{address}/.well-known/haechi-log/OLD/NEW shows (c2sp.org/tlog-witness; RFC 9162, 2.1.4.2).\n"
    )
