"""Compare the rows of exhibits with the files, both ways. Looks only; what to do is the caller's."""

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction

from haechi import seal
from haechi.blobs import Source, Store
from haechi.errors import BlobMissing, CannotOpen
from haechi.server.audit import services as audit
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit
from haechi.server.reports import vault

CHUNK_BYTES = 256 * 1024
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Found:
    """One thing that was looked at.

    problem   "" where all is well, else "missing", "altered", "unreadable", "orphan", "unfinished"
    blob      its name in the storage, or what stands for an unfinished one
    exhibit   its row, or None
    since     when an orphan was stored or an unfinished one was last touched
    """

    blob: str
    exhibit: Exhibit | None = None
    problem: str = ""
    since: datetime | None = None


def check(
    store: Store, *, digests: bool, actor: str, now: datetime, opened: bool = False
) -> Iterator[Found]:
    """Look at every row and every file, by name, in constant memory.

    digests   read each file and compare its digest with the row's
    opened    also open it with the vault (logged) and compare the plaintext's; KeyMissing without

    Raises StorageUnavailable where the storage is away: then nothing is missing, it is away.
    """
    rows = ((name, True) for name in _named())
    files = ((name, False) for name in store.names())
    for name, group in groupby(heapq.merge(rows, files), key=lambda pair: pair[0]):
        sides = {side for _name, side in group}
        if sides == {False}:
            yield from _orphan(store, name)
        else:
            yield from _row(store, name, digests=digests, opened=opened, actor=actor, now=now)
    for token, since in store.unfinished():
        yield Found(token, problem="unfinished", since=since)


def remove(store: Store, found: Found, *, before: datetime, actor: str, now: datetime) -> bool:
    """Remove an orphan or an unfinished blob from before then; False where it is left.

    Its row may have come meanwhile, so that is looked up again. The act is logged with it.
    """
    if found.problem not in ("orphan", "unfinished") or found.since is None:
        return False
    if found.since >= before:
        return False
    with transaction.atomic():
        if found.problem == "orphan" and _is_named(found.blob):
            return False
        audit.record(
            f"blob:{found.problem}_removed",
            subject=f"blob:{found.blob[:32]}",
            actor=actor,
            at=now,
            detail={"since": found.since.isoformat()},
        )
        if found.problem == "orphan":
            store.delete(found.blob)
        else:
            store.drop_unfinished(found.blob)
    return True


def total() -> int:
    """How many rows name a blob."""
    return sum(model._default_manager.exclude(blob="").count() for model in _models())


def _row(
    store: Store, name: str, *, digests: bool, opened: bool, actor: str, now: datetime
) -> Iterator[Found]:
    exhibit = Exhibit.objects.select_related("report").filter(blob=name).first()
    try:
        if exhibit is None or not (digests or opened):
            store.size(name)
            problem = ""
        else:
            problem = _digested(store, exhibit)
            if opened and not problem:
                problem = _opened(store, exhibit, actor=actor, now=now)
    except BlobMissing:
        # A file that is still on its way is named by another table; or both were erased meanwhile.
        if exhibit is None or not _is_named(name):
            return
        problem = "missing"
    yield Found(name, exhibit, problem)


def _orphan(store: Store, name: str) -> Iterator[Found]:
    try:
        since = store.stored_at(name)
    except BlobMissing:
        return
    if not _is_named(name):
        yield Found(name, problem="orphan", since=since)


def _digested(store: Store, exhibit: Exhibit) -> str:
    with store.open(exhibit.blob) as source:
        same = _sha256(source) == bytes(exhibit.cipher_sha256)
    return "" if same else "altered"


def _opened(store: Store, exhibit: Exhibit, *, actor: str, now: datetime) -> str:
    identity = vault.identity_of(exhibit.report)
    custody.record(exhibit, custody.OPENED, actor=actor, why="check", now=now)
    try:
        with store.open(exhibit.blob) as source, seal.open_stream(source, identity) as plain:
            same = _sha256(plain) == bytes(exhibit.sha256)
    except CannotOpen:
        same = False
    return "" if same else "unreadable"


def _sha256(source: Source | seal.OpenStream) -> bytes:
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.digest()


def _models() -> list[type[models.Model]]:
    """Every table of this stage that names blobs in a column `blob`."""
    found = []
    for model in apps.get_app_config("evidence").get_models():
        try:
            model._meta.get_field("blob")
        except FieldDoesNotExist:
            continue
        found.append(model)
    return found


def _named() -> Iterator[str]:
    each = [
        model._default_manager.exclude(blob="")
        .order_by("blob")
        .values_list("blob", flat=True)
        .iterator(chunk_size=ROWS_AT_ONCE)
        for model in _models()
    ]
    yield from heapq.merge(*each)


def _is_named(name: str) -> bool:
    return any(model._default_manager.filter(blob=name).exists() for model in _models())
