"""`haechi audit`: prove the log whole, or name the entry that is not."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from haechi.cli.progress import Progress
from haechi.errors import KeyMissing, LedgerBroken

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(asked: argparse.Namespace) -> int:
    """Recompute every hash and every checkpoint. 0 when whole, 1 naming the broken entry."""
    from haechi.cli import installation

    installation.enter()
    from haechi.server.audit import services as audit

    notes = [Path(name).read_text(encoding="utf-8") for name in asked.note]
    known = range(audit.size())
    with Progress("checked", lambda: known, unit="entries") as shown:
        try:
            count = audit.verify(_public_key(), notes=notes, seen=shown.reach)
        except LedgerBroken as broken:
            shown.clear()
            print(f"The log is broken at entry {broken.position}: {broken.why}.")
            return 1
    print(f"The log is whole. Entries: {count}.")
    return 0


def checkpoint(_asked: argparse.Namespace) -> int:
    """Sign the log as it stands, and print the signed note."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.server.audit import services as audit

    print(audit.checkpoint(audit.signing_key(), now=timezone.now()).note)
    return 0


def _public_key() -> "Ed25519PublicKey | None":
    from haechi.server.audit import services as audit

    try:
        return audit.signing_key().public_key()
    except KeyMissing:
        print("No signing key here: signatures of checkpoints are not checked.", file=sys.stderr)
        return None
