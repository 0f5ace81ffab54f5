"""Write a package that leaves the house: originals for one recipient, with their custody."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from haechi import ledger, seal
from haechi.errors import CannotOpen, StorageUnavailable
from haechi.formats import custody as form
from haechi.server.audit import services as audit
from haechi.server.audit.models import Checkpoint, Entry
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.storage import storage
from haechi.server.reports import vault
from haechi.server.reports.models import Report

README = """This package was made by Haechi. To verify it with published tools alone:

1. sha256sum --check SHA256SUMS
2. age --decrypt --identity YOUR-KEY exhibits/1.age > original
   sha256sum original            compare with "sha256" in manifest.json
3. Each entry of the log: SHA-256 over the byte 02, "previous" (32 bytes) and the file log/N.json
   gives "hash". With "proof" it leads to the root in checkpoint.txt (RFC 9162, 2.1.3.2; leaf N-1).
4. checkpoint.txt is a signed note (c2sp.org/tlog-checkpoint); key.txt is the key that signed it.
   Compare that key, and the checkpoint, with what the sender publishes elsewhere.
5. Where there is a time stamp: openssl ts -verify -data log/N.json -in exhibits/1.tsr -CAfile CA.pem

`haechi evidence verify FOLDER` does 1, 3 and the names of 2.
"""


def write(
    report: Report,
    folder: Path,
    *,
    recipient: str,
    why: str,
    authority: str,
    actor: str,
    now: datetime,
) -> Path:
    """Export the report's exhibits into a new folder; each export is logged before it happens.

    Raises FileExistsError, KeyMissing, CannotOpen, BlobMissing, StorageUnavailable; then there is
    no folder.
    """
    exhibits = list(report.exhibits.all())
    seal.seal(b"", recipient)
    identity = vault.identity_of(report)
    part = folder.with_name(f".{folder.name}.part")
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    for exhibit in exhibits:
        custody.record(
            exhibit,
            custody.EXPORTED,
            actor=actor,
            why=why,
            authority=authority,
            to=recipient,
            now=now,
        )
    key = audit.signing_key()
    checkpoint = audit.checkpoint(key, now=now)
    try:
        (part / "exhibits").mkdir(parents=True, mode=0o700)
        (part / "log").mkdir()
        manifest = {
            "format": form.FORMAT,
            "made_at": now.astimezone(UTC).isoformat(),
            "organisation": settings.HAECHI.organisation,
            "report": str(report.pk),
            "recipient": recipient,
            "why": why,
            "authority": authority,
            "exhibits": [_exhibit(part, one, identity, recipient) for one in exhibits],
            "log": _log(part, exhibits, checkpoint),
        }
        (part / form.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        (part / form.CHECKPOINT).write_text(checkpoint.note, encoding="utf-8")
        verifier = ledger.verifier_key(audit.ORIGIN, key.public_key())
        (part / form.KEY).write_text(f"{verifier}\n", encoding="utf-8")
        (part / "README.txt").write_text(README, encoding="utf-8")
        (part / form.SUMS).write_text(form.sums(part), encoding="utf-8")
        part.rename(folder)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {folder.name}: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _exhibit(folder: Path, exhibit: Exhibit, identity: str, recipient: str) -> dict[str, object]:
    """Seal the original to its receiver while it is read: no plaintext touches the disk."""
    name = f"exhibits/{exhibit.number}.age"
    digest = hashlib.sha256()
    with (
        storage().open(exhibit.blob) as source,
        seal.open_stream(source, identity) as plain,
        (folder / name).open("wb") as out,
        seal.StreamSealer(out, recipient) as sealer,
    ):
        for chunk in plain:
            digest.update(chunk)
            sealer.write(chunk)
    if digest.digest() != bytes(exhibit.sha256):
        raise CannotOpen(f"{exhibit} is not the file that was received")
    history = custody.of(exhibit)
    told: dict[str, object] = {
        "id": str(exhibit.pk),
        "number": exhibit.number,
        "file": name,
        "file_sha256": form.sha256(folder / name),
        "sha256": bytes(exhibit.sha256).hex(),
        "cipher_sha256_as_received": bytes(exhibit.cipher_sha256).hex(),
        "size": exhibit.size,
        "kind": exhibit.kind,
        "sealed": history.receipt.detail.get("way"),
        "received_at": exhibit.sealed_at.astimezone(UTC).isoformat(),
        "receipt": history.receipt.position,
        "handled": [_handled(entry) for entry in history.handled],
        "stamp": None,
    }
    if history.stamped:
        told["stamp"] = stamp = f"exhibits/{exhibit.number}.tsr"
        (folder / stamp).write_bytes(bytes(exhibit.stamp.token))
    return told


def _handled(entry: Entry) -> dict[str, object]:
    return {
        "entry": entry.position,
        "at": entry.at.astimezone(UTC).isoformat(),
        "act": entry.tag,
        "by": entry.actor,
        **entry.detail,
    }


def _log(folder: Path, exhibits: list[Exhibit], checkpoint: Checkpoint) -> dict[str, object]:
    leaves = [
        bytes(hashed)
        for hashed in Entry.objects.filter(position__lte=checkpoint.size)
        .values_list("hash", flat=True)
        .iterator(chunk_size=10_000)
    ]
    told = []
    for entry in custody.entries(iter(exhibits)):
        if entry.position > checkpoint.size:
            continue
        name = f"log/{entry.position}.json"
        (folder / name).write_bytes(audit.payload(entry))
        told.append(
            {
                "position": entry.position,
                "file": name,
                "previous": bytes(entry.previous).hex(),
                "hash": bytes(entry.hash).hex(),
                "proof": [
                    step.hex()
                    for step in ledger.inclusion_proof(ledger.Leaves(leaves), entry.position - 1)
                ],
            }
        )
    return {"origin": audit.ORIGIN, "size": checkpoint.size, "entries": told}
