"""The exhibits of a package of evidence: originals sealed anew to the receiver, and what is known of them.

What else goes into a package, and who may have one, is above (flow.packaging, cases.packages).
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from haechi import seal
from haechi.errors import CannotOpen, HaechiError
from haechi.formats.custody import Package
from haechi.media import preview
from haechi.server.audit.models import Entry
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit, Fingerprint, State
from haechi.server.evidence.services import WORKING_COPY_SIDE_PX, sandbox
from haechi.server.evidence.storage import storage

# A working copy is made of what fits in memory; of longer ones there is the original alone.
LARGEST_WORKED_BYTES = 64 * 1024 * 1024

type Step = Callable[[int], None]


def add_exhibit(
    package: Package,
    exhibit: Exhibit,
    identity: str,
    recipients: tuple[str, ...],
    *,
    why: str,
    actor: str,
    now: datetime,
    step: Step,
) -> dict[str, object]:
    """Put one exhibit into the package and say what is in it. The export is logged first.

    The original is sealed to its receiver while it is read: no plaintext touches the disk. `step` is
    told how many bytes more are done. Raises CannotOpen, BlobMissing, StorageUnavailable.
    """
    custody.record(
        exhibit, custody.EXPORTED, actor=actor, why=why, to=" ".join(recipients), now=now
    )
    name = f"exhibits/{exhibit.number}.age"
    kept = _original(package, name, exhibit, identity, recipients, step)
    package.original(exhibit.number, bytes(exhibit.sha256).hex())
    history = custody.of(exhibit)
    told: dict[str, object] = {
        "id": str(exhibit.pk),
        "number": exhibit.number,
        "file": name,
        "sha256": bytes(exhibit.sha256).hex(),
        "cipher_sha256_as_received": bytes(exhibit.cipher_sha256).hex(),
        "size": exhibit.size,
        "kind": exhibit.kind,
        "sealed": history.receipt.detail.get("way"),
        "received_at": iso(exhibit.sealed_at),
        "receipt": history.receipt.position,
        "handled": [_handled(entry) for entry in history.handled],
        "stamp": None,
        "working_copy": _working_copy(package, exhibit, kept),
    }
    if history.stamped:
        told["stamp"] = stamp = f"exhibits/{exhibit.number}.tsr"
        package.add(stamp, bytes(exhibit.stamp.token))
    return told


def fingerprint_of(exhibit: Exhibit) -> dict[str, object] | None:
    """The fingerprint in published forms, or None where there is none."""
    made = Fingerprint.objects.filter(exhibit=exhibit).first()
    if made is None:
        return None
    return {
        "number": exhibit.number,
        "sha256": bytes(made.sha256).hex(),
        "md5": bytes(made.md5).hex() if made.md5 else None,
        "pdq": bytes(made.pdq).hex() if made.pdq else None,
        "pdq_quality": made.pdq_quality,
        "width": made.width,
        "height": made.height,
    }


def iso(at: datetime | None) -> str | None:
    """A moment in UTC, as ISO 8601."""
    return at.astimezone(UTC).isoformat() if at else None


def _original(
    package: Package,
    name: str,
    exhibit: Exhibit,
    identity: str,
    recipients: tuple[str, ...],
    step: Step,
) -> bytes | None:
    """Write it; gives it back where a working copy can be made of it."""
    digest = hashlib.sha256()
    worked = exhibit.state == State.FINGERPRINTED and exhibit.size <= LARGEST_WORKED_BYTES
    kept = bytearray()
    with (
        storage().open(exhibit.blob) as source,
        seal.open_stream(source, identity) as plain,
        package.open(name) as entry,
        seal.StreamSealer(entry, *recipients) as sealer,
    ):
        for chunk in plain:
            digest.update(chunk)
            sealer.write(chunk)
            step(len(chunk))
            if worked:
                kept += chunk
    if digest.digest() != bytes(exhibit.sha256):
        raise CannotOpen(f"{exhibit} is not the file that was received")
    return bytes(kept) if worked else None


def _working_copy(package: Package, exhibit: Exhibit, data: bytes | None) -> str | None:
    """A JPEG without metadata (B15); None where none can be made."""
    if data is None:
        return None
    try:
        made = sandbox().run(preview.as_jpeg, data, WORKING_COPY_SIDE_PX)
    except HaechiError:
        return None
    name = f"working/{exhibit.number}.jpg"
    package.add(name, made)
    return name


def _handled(entry: Entry) -> dict[str, object]:
    return {
        "entry": entry.position,
        "at": iso(entry.at),
        "act": entry.tag,
        "by": entry.actor,
        **entry.detail,
    }
