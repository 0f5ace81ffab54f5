"""`haechi audit`: prove the log whole, or name the entry that is not."""

import argparse
import sys
import threading
from typing import TYPE_CHECKING

from haechi.errors import KeyMissing, LedgerBroken

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(_asked: argparse.Namespace) -> int:
    """Recompute every hash and every checkpoint. 0 when whole, 1 naming the broken entry."""
    from haechi.cli import installation

    installation.enter()
    from haechi.server.audit import services as audit

    with _Patience():
        try:
            count = audit.verify(_public_key())
        except LedgerBroken as broken:
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


class _Patience:
    """Says every few seconds that the work goes on, and how long the log is."""

    def __init__(self, every_s: float = 5.0) -> None:
        self._every_s = every_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _tell(self) -> None:
        waited_s = 0.0
        while not self._done.wait(self._every_s):
            waited_s += self._every_s
            print(f"... still reading the log after {waited_s:.0f} s", file=sys.stderr)
