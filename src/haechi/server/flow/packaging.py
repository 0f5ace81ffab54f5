"""Evidence leaves the house: a package for police or a court, made while it is written (B35).

cases.packages.ask, agree    two people at the desk, or the operator's command
make_package                 the worker writes it, sealed to the receiver
cases.packages.received      somebody says that it arrived; the file here goes
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi import seal
from haechi.errors import HaechiError, StorageUnavailable
from haechi.formats import log_proofs
from haechi.formats.custody import Package as Writing
from haechi.server.audit import proofs
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import packages
from haechi.server.cases.models import Package
from haechi.server.evidence import custody
from haechi.server.evidence import package as exhibits
from haechi.server.flow import dossier, summary
from haechi.server.flow.dossier import Dossier
from haechi.server.flow.jobs import KeepTrying
from haechi.server.reports import vault
from haechi.server.staff.models import User

FOLDER = "packages"
# The page of a case is told at most this often how far it is.
TOLD_EVERY_BYTES = 4 * 1024 * 1024

type Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Written:
    """What a package came to, as it goes out."""

    sha256: bytes
    size: int


def write(package: Package, out: BinaryIO, *, now: datetime, told: Told) -> Written:
    """Write the package into `out`, sealed to its recipients; memory does not grow with the files.

    told   told how many bytes of originals are done, and of how many

    Each export of an exhibit is logged before it happens. Raises KeyMissing, CannotOpen, BlobMissing,
    StorageUnavailable and LedgerBroken; what `out` has then cannot be opened.
    """
    sealed = _Counted(out)
    with seal.StreamSealer(sealed, *package.keys) as sealer:
        writing = Writing(sealer, at=now)
        try:
            found = _fill(writing, package, now=now, told=told)
            writing.finish(found.facts(), audit.signing_key())
        except BaseException:
            writing.abort()
            raise
    return Written(sealed.digest.digest(), sealed.size)


def _fill(writing: Writing, package: Package, *, now: datetime, told: Told) -> Dossier:
    identity = vault.identity_of(package.case.report)
    found = dossier.gather(package, identity, now=now)
    _add_exhibits(writing, package, found, identity, now=now, told=told)
    found.origins = dossier.add_origins(writing, package, identity)
    dossier.add_messages(writing, package, identity)
    dossier.add_captures(writing, package, actor=_actor(package), now=now)
    _add_log(writing, package, found, now=now)
    for name, rows in (
        ("custody.json", found.exhibits),
        ("fingerprints.json", found.fingerprints),
        ("locations.json", found.locations),
        ("notices.json", found.notices),
        ("decisions.json", found.decisions),
        ("clocks.json", found.clocks),
        ("platforms.json", found.actions),
    ):
        writing.add(name, json.dumps(rows, indent=2, ensure_ascii=False).encode() + b"\n")
    for language, name in summary.LANGUAGES.items():
        writing.add(f"summary.{name}.pdf", summary.pdf(found, language))
    return found


def _add_exhibits(
    writing: Writing,
    package: Package,
    found: Dossier,
    identity: str,
    *,
    now: datetime,
    told: Told,
) -> None:
    rows = package.case.report.exhibits.order_by("number")
    total, done = rows.aggregate(all=Sum("size"))["all"] or 0, 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        told(done, total)

    for one in rows:
        # What was written to explain it is sealed in the row of the package; the log has its number.
        found.exhibits.append(
            exhibits.add_exhibit(
                writing, one, identity, package.keys,
                why=f"package {package.pk}", actor=_actor(package), now=now, step=step,
            )
        )  # fmt: skip
        made = exhibits.fingerprint_of(one)
        if made:
            found.fingerprints.append(made)


def _add_log(writing: Writing, package: Package, found: Dossier, *, now: datetime) -> None:
    """Every entry about the case up to now, with what proves it."""
    signed = audit.checkpoint(audit.signing_key(), now=now)
    entries = Entry.objects.filter(subject__in=list(dossier.subjects(package))).order_by("position")
    parts = [(one.position, one.payload, one.text) for one in proofs.prove(entries, signed)]
    for name, data in log_proofs.members(parts, signed.note, audit.verifier()):
        writing.add(name, data)
    found.log = {
        "origin": audit.ORIGIN,
        "size": signed.size,
        "root": bytes(signed.root).hex(),
        "entries": len(parts),
    }


@transaction.atomic
def agree_to_package(package: Package, *, actor: User, now: datetime) -> bool:
    """A second person agrees, and the worker begins. False if it waits no more; raises as `agree`."""
    if not packages.agree(package, actor=actor, now=now):
        return False
    make_package.configure(lock=f"package-{package.pk}").defer(package_id=package.pk)
    return True


@app.task(name="make_package", retry=KeepTrying())
def make_package(package_id: int) -> None:
    """Write one into the folder of packages; tried again until it is there, or the report is gone."""
    package = Package.objects.select_related("case__report").get(pk=package_id)
    if package.made_at is not None or package.given_at is None or not package.sealed:
        return
    now = timezone.now()
    name = f"haechi-{package.case_id}-{package.pk}.zip.age"
    try:
        made = _write_file(package, folder() / name, now=now)
    except HaechiError as error:
        Package.objects.filter(pk=package.pk).update(error=error.code)
        raise
    packages.made(package, sha256=made.sha256, size=made.size, file=name, now=now)


def _write_file(package: Package, path: Path, *, now: datetime) -> Written:
    last = 0

    def told(done: int, total: int) -> None:
        nonlocal last
        if done - last >= TOLD_EVERY_BYTES or done == total:
            last = done
            Package.objects.filter(pk=package.pk).update(done=done, total=total)

    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as out:
            made = write(package, out, now=now, told=told)
        part.rename(path)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {path.name}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return made


def folder() -> Path:
    """Where packages wait for whoever takes them, sealed to their receivers."""
    found: Path = settings.HAECHI.home / FOLDER
    found.mkdir(parents=True, exist_ok=True, mode=0o700)
    return found


def receive_package(package: Package, receipt: str, *, actor: str, now: datetime) -> bool:
    """It arrived: record who says so, and delete the copy here. False and raises as `received`."""
    with transaction.atomic():
        if not packages.received(package, receipt, actor=actor, now=now):
            return False
        for exhibit in package.case.report.exhibits.order_by("number"):
            custody.record(
                exhibit, custody.TRANSFERRED, actor=actor,
                why=f"package {package.pk}", to=package.recipients, now=now,
            )  # fmt: skip
    remove_files([package.file])
    return True


def remove_files(names: list[str]) -> None:
    """Delete packages that nobody needs here any more; those that are gone are gone."""
    for name in names:
        if name:
            (folder() / name).unlink(missing_ok=True)


def _actor(package: Package) -> str:
    return package.given_by.name_in_log if package.given_by else packages.OPERATOR


class _Counted:
    """A file that digests what is written to it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self._out.write(data)
        self.digest.update(data)
        self.size += len(data)
        return len(data)
