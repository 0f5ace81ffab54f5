"""Who had an exhibit in hands, when, why and on what authority: told by the audit log (B17, B34)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from haechi.errors import LedgerBroken
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.evidence.models import Exhibit

SEALED = "exhibit:sealed"
CORRECTED = "exhibit:corrected"
OPENED = "exhibit:opened"
EXPORTED = "exhibit:exported"
TRANSFERRED = "exhibit:transferred"
LIFTED = "exhibit:lifted"
"""What somebody at the desk chose to look at."""
HANDLED = (OPENED, LIFTED, EXPORTED, TRANSFERRED)


@dataclass(frozen=True)
class Custody:
    """One exhibit's history.

    receipt   the entry that was written when it was received, and nobody can change
    handled   every opening, look, copy, export and transfer since, the oldest first
    stamped   True where a time stamp authority confirmed the receipt
    """

    exhibit: Exhibit
    receipt: Entry
    handled: tuple[Entry, ...]
    stamped: bool


@transaction.atomic
def record(
    exhibit: Exhibit,
    act: str,
    *,
    actor: str,
    why: str,
    now: datetime,
    authority: str = "",
    to: str = "",
) -> None:
    """Log an act before it happens.

    `why` and `authority` stay in the log for good, in clear: name a proceeding, never the person
    depicted. `to` is who gets it: an age recipient, an office.
    """
    told = {"reason": why, "authority": authority, "to": to}
    audit.record(
        act,
        subject=exhibit,
        actor=actor,
        at=now,
        detail={name: said for name, said in told.items() if said},
    )


def of(exhibit: Exhibit) -> Custody:
    """Its history. Raises LedgerBroken where the log has no receipt of it, or says another thing."""
    entries = list(audit.history(exhibit))
    receipt = next((entry for entry in entries if entry.tag == SEALED), None)
    if receipt is None:
        raise LedgerBroken(0, f"there is no receipt of {exhibit}")
    # What a browser said of a file it sealed may have been put right since.
    right = next((entry for entry in reversed(entries) if entry.tag == CORRECTED), receipt)
    said = (right.detail.get("sha256"), receipt.detail.get("cipher_sha256"))
    if said != (bytes(exhibit.sha256).hex(), bytes(exhibit.cipher_sha256).hex()):
        raise LedgerBroken(receipt.position, f"the receipt of {exhibit} names other digests")
    handled = tuple(entry for entry in entries if entry.tag in HANDLED)
    return Custody(exhibit, receipt, handled, hasattr(exhibit, "stamp"))
