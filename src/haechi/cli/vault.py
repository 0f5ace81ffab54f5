"""`haechi vault`: the keys that open every report. docs/vault.md says when to use which."""

import argparse
import getpass
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from haechi.errors import KeyMissing, SealError, SettingRefused

if TYPE_CHECKING:
    from datetime import datetime

ACTOR = "operator"
FIRST, FURTHER = "HAECHI_VAULT_RECIPIENT", "HAECHI_VAULT_RECIPIENTS"


def status(_asked: argparse.Namespace) -> int:
    """Say what opens the vault, and which reports are not sealed to what is in force. 1 if any."""
    _enter()
    from django.conf import settings

    from haechi import seal
    from haechi.server.appeals import services as appeals
    from haechi.server.reports import rewrapping, vault, vault_keys
    from haechi.server.reports.models import Report, State

    told = settings.HAECHI
    recipients = told.vault_recipients
    for number, recipient in enumerate(recipients):
        print(f"{'recipient' if not number else '       and'}  {recipient}")
    try:
        own = [seal.recipient_of(identity) for identity in vault.identities()]
    except KeyMissing as error:
        print(f"identity   cannot be read: {error}")
        return 1
    if told.vault_identity_command:
        print(f"identity   printed by {told.vault_identity_command[0]}")
    else:
        file = _file()
        guarded = seal.guarded(vault_keys.bytes_of(file))
        print(f"identity   {file} ({'guarded by a passphrase' if guarded else 'NOT guarded'})")
    if len(own) > 1:
        print(f"           and {len(own) - 1} older, which `haechi vault retire` sets aside")
    stale = rewrapping.stale(recipients).count()
    waiting = appeals.stale(recipients).count()
    total = Report.objects.exclude(state=State.ERASED).count()
    print(f"reports    {total - stale} of {total} sealed to these recipients")
    if stale or waiting:
        print(f"           {stale} reports, {waiting} appeals to do: `haechi vault rewrap`")
    if recipients[0] not in own:
        print(f"The identity here opens nothing that is sealed to {recipients[0]} alone.")
        return 1
    return int(bool(stale or waiting))


def protect(asked: argparse.Namespace) -> int:
    """Guard the identity file with a passphrase, or with another one."""
    _enter()
    from haechi.server.config import home as homes
    from haechi.server.reports import vault, vault_keys

    file = _file()
    identities = vault.identities()
    passphrase = _new_passphrase(asked.passphrase_file)
    from haechi import seal

    data = seal.guard(vault_keys.text(identities), passphrase)
    if vault_keys.read(data, lambda: passphrase) != identities:
        raise SealError("what was guarded does not open again; nothing was changed")
    homes.replace_key(file, data)
    print(f"{file} opens with this passphrase alone now; `age -d` opens it too.")
    print("Keep the passphrase elsewhere: without it no report opens.")
    print("Desk and worker need it: HAECHI_VAULT_PASSPHRASE_FILE, or the systemd credential")
    print("haechi-vault-passphrase. See docs/vault.md.")
    return 0


def rotate(_asked: argparse.Namespace) -> int:
    """Make a new identity and seal every report to it; run again, it goes on where it was."""
    _enter()
    from django.conf import settings

    from haechi import seal
    from haechi.server.reports import vault

    recipients = settings.HAECHI.vault_recipients
    file, identities = _file(), vault.identities()
    if len(identities) == 1 and seal.recipient_of(identities[0]) == recipients[0]:
        identities = (seal.new_identity(), *identities)
        _write_identities(file, identities)
    new = seal.recipient_of(identities[0])
    _remember(FIRST, new)
    done = _rewrap((new, *recipients[1:]))
    print("The old identity stays in the file until `haechi vault retire` sets it aside.")
    print(f"Before that, restart every process; whoever sets it elsewhere: {FIRST}={new}")
    return done


def rewrap(_asked: argparse.Namespace) -> int:
    """Seal what is not yet sealed to the recipients in force."""
    _enter()
    from django.conf import settings

    return _rewrap(settings.HAECHI.vault_recipients)


def retire(asked: argparse.Namespace) -> int:
    """Set older identities aside once the newest alone opens every report. 1 if it does not.

    Reports named with --except may stay closed: no identity here opens them any more.
    """
    excepted = tuple(_number_of(typed) for typed in asked.excepted)
    _enter()
    from django.conf import settings

    from haechi.cli.progress import Progress
    from haechi.server.reports import rewrapping, vault
    from haechi.server.reports.models import Report

    file, identities = _file(), vault.identities()
    if len(identities) == 1:
        print("There is no older identity here.")
        return 0
    _rewrap(settings.HAECHI.vault_recipients)
    left = 0
    with Progress("checked", lambda: range(Report.objects.count()), unit="reports") as shown:
        for report, closed in rewrapping.unopened_by(identities[0]):
            shown.step()
            if closed:
                shown.clear()
                left += not report.pk.hex.startswith(excepted)
                print(f"report {report.short} does not open with the newest identity")
    if left:
        print("Nothing was set aside: `haechi vault rewrap` first, or name them with --except.")
        return 1
    aside = file.with_name(f"{file.name}.before-{_now():%Y%m%d-%H%M%S}")
    _write_identities(aside, identities[1:])
    _write_identities(file, identities[:1])
    print(f"{aside} holds the old identity. It opens old backups of the database: keep it as long")
    print("as those are kept, off this machine; then destroy it.")
    return 0


def add_recipient(asked: argparse.Namespace) -> int:
    """Seal every report to one more recipient, whose identity is kept off-line."""
    _enter()
    from django.conf import settings

    from haechi import seal

    recipient = str(asked.recipient).strip()
    seal.seal(b"", recipient)
    recipients = settings.HAECHI.vault_recipients
    if recipient not in recipients:
        recipients = (*recipients, recipient)
    further = ",".join(recipients[1:])
    _remember(FURTHER, further)
    done = _rewrap(recipients)
    print(f"Restart every process; whoever sets it elsewhere: {FURTHER}={further}")
    return done


def remove_recipient(asked: argparse.Namespace) -> int:
    """Seal every report without that recipient. What was copied before opens for it still."""
    _enter()
    from django.conf import settings

    recipients = settings.HAECHI.vault_recipients
    if asked.recipient not in recipients[1:]:
        raise SettingRefused(asked.recipient, "is none of the further recipients")
    kept = tuple(one for one in recipients if one != asked.recipient)
    _remember(FURTHER, ",".join(kept[1:]))
    done = _rewrap(kept)
    print(f"Restart every process; whoever sets it elsewhere: {FURTHER}={','.join(kept[1:])}")
    return done


def _rewrap(recipients: Sequence[str]) -> int:
    from haechi.cli.progress import Progress
    from haechi.server.appeals import services as appeals
    from haechi.server.reports import rewrapping
    from haechi.server.tracing import resealing

    now, done, closed = _now(), 0, 0
    total = rewrapping.stale(recipients).count() + appeals.stale(recipients).count()
    total += resealing.stale(recipients)

    def each() -> Iterator[str]:
        for report, opened in rewrapping.rewrap_all(recipients, actor=ACTOR, now=now):
            yield "" if opened else report.short
        for _appeal in appeals.reseal_all(recipients, now=now):
            yield ""
        for _number in resealing.reseal_all(recipients, actor=ACTOR, now=now):
            yield ""

    try:
        with Progress("sealed", lambda: range(total), unit="reports") as shown:
            for left in each():
                shown.step()
                done += not left
                if left:
                    shown.clear()
                    closed += 1
                    print(f"report {left} does not open; it was left as it was")
    except KeyboardInterrupt:
        print(f"\nInterrupted: {done} of {total} are done and stay so; run it again for the rest.")
        raise
    print(
        f"{done} reports, appeals and records sealed to {len(recipients)} recipients; no exhibit was opened."
    )
    return int(bool(closed))


def _number_of(typed: str) -> str:
    """The first digits of a report's number, as hexadecimal digits alone. Raises SettingRefused."""
    digits = typed.strip().replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{8,32}", digits):
        raise SettingRefused("--except", "takes eight digits or more of a report's number")
    return digits


def _enter() -> None:
    from haechi.cli import installation

    installation.enter()


def _file() -> Path:
    from django.conf import settings

    told = settings.HAECHI
    if told.vault_identity_command or told.vault_identity_file is None:
        raise KeyMissing(
            "the vault identity is in no file here: put the new one first where it is kept, the old "
            "one below it, set HAECHI_VAULT_RECIPIENT, and run `haechi vault rewrap`"
        )
    return Path(told.vault_identity_file)


def _write_identities(file: Path, identities: Sequence[str]) -> None:
    """Guarded as the vault's file is."""
    from haechi import seal
    from haechi.server.config import home as homes
    from haechi.server.reports import vault, vault_keys

    data = vault_keys.text(identities)
    if seal.guarded(vault_keys.bytes_of(_file())):
        data = seal.guard(data, vault.passphrase())
    homes.replace_key(file, data)


def _remember(name: str, value: str) -> None:
    """In the home's environment file, for the next start of every process."""
    from haechi.cli import installation, setup
    from haechi.server.config import home as homes

    file = installation.home() / homes.ENVIRONMENT_FILE
    if file.exists():
        setup.remember(file, name, value)


def _new_passphrase(file: str | None) -> str:
    from haechi.server.reports import vault_keys

    if file:
        return vault_keys.read_passphrase(Path(file))
    if not sys.stdin.isatty():
        raise SettingRefused("--passphrase-file", "is needed where nobody can be asked")
    first = getpass.getpass("New passphrase of the vault: ")
    if first != getpass.getpass("Once more: "):
        raise SettingRefused("the passphrase", "was typed differently; nothing was changed")
    return first


def _now() -> "datetime":
    from django.utils import timezone

    return timezone.now()
