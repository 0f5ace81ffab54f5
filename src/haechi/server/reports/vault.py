"""The vault identity, which opens every report, and the processes that hold it.

Desk and worker read it from a file, which a passphrase may guard, or from a command such as a
secret service's. The public process never has it: what it has sealed, it cannot open. While an
identity is being replaced there are two: the newest first.
"""

import hashlib
from functools import cache

from django.conf import settings

from haechi import seal
from haechi.errors import KeyMissing, ReportErased
from haechi.server.reports import vault_keys
from haechi.server.reports.models import Report, State


def identity_of(report: Report) -> str:
    """The age identity of one report.

    Raises KeyMissing, ReportErased, or CannotOpen for a damaged wrap.
    """
    if report.state == State.ERASED:
        raise ReportErased(report.short)
    # The key first: where there is none, the wrap was not even read.
    known = identities()
    return seal.open_sealed(bytes(report.wrap_vault), *known).decode()


def open_for_staff(sealed: bytes) -> bytes:
    """What was sealed to the vault itself. Raises KeyMissing or CannotOpen."""
    return seal.open_sealed(sealed, *identities())


def identities() -> tuple[str, ...]:
    """The vault's identities, the newest first. Raises KeyMissing."""
    told = settings.HAECHI
    guard = told.vault_passphrase_file
    if told.vault_identity_command is not None:
        return _commanded(told.vault_identity_command, guard and vault_keys.signature(guard))
    if told.vault_identity_file is None:
        raise KeyMissing("this process holds no vault identity")
    # A file that was replaced is read again: a rotation needs no restart here.
    return _read(
        vault_keys.signature(told.vault_identity_file), guard and vault_keys.signature(guard)
    )


def recipients_mark(recipients: tuple[str, ...] | None = None) -> str:
    """16 hex digits that stand for a set of vault recipients; those in force, unless told."""
    told = settings.HAECHI.vault_recipients if recipients is None else recipients
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()[:16]


def passphrase() -> str:
    """What guards the vault identity. Raises KeyMissing where no file of it was named."""
    path = settings.HAECHI.vault_passphrase_file
    if path is None:
        raise KeyMissing(
            "the vault identity is guarded by a passphrase; HAECHI_VAULT_PASSPHRASE_FILE names none"
        )
    return vault_keys.read_passphrase(path)


@cache
def _read(file: vault_keys.Signature, _guard: vault_keys.Signature | None) -> tuple[str, ...]:
    return vault_keys.read(vault_keys.bytes_of(file.path), passphrase)


@cache
def _commanded(command: tuple[str, ...], _guard: vault_keys.Signature | None) -> tuple[str, ...]:
    return vault_keys.read(vault_keys.output_of(command), passphrase)
