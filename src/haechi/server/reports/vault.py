"""The vault identity, which opens every report, and the processes that hold it.

Desk and worker read it from a file that the operator protects; the public process never has it:
what it has sealed, it cannot open.
"""

from functools import cache
from pathlib import Path

from django.conf import settings

from haechi import seal
from haechi.errors import KeyMissing
from haechi.server.reports.models import Report


def identity_of(report: Report) -> str:
    """The age identity of one report. Raises KeyMissing, or CannotOpen for a damaged wrap."""
    return seal.open_sealed(bytes(report.wrap_vault), _vault()).decode()


def open_for_staff(sealed: bytes) -> bytes:
    """What was sealed to the vault itself. Raises KeyMissing or CannotOpen."""
    return seal.open_sealed(sealed, _vault())


def _vault() -> str:
    path: Path | None = settings.HAECHI.vault_identity_file
    if path is None:
        raise KeyMissing("this process holds no vault identity")
    return _read(path)


@cache
def _read(path: Path) -> str:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyMissing(f"the vault identity cannot be read: {error}") from error
    for line in lines:
        if line.startswith("AGE-SECRET-KEY-"):
            return line.strip()
    raise KeyMissing("the vault identity file holds no age identity")
