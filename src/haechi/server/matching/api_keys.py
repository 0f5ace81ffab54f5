"""The keys with which a platform asks the match service and the API."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from haechi.server.audit import services as audit
from haechi.server.matching.models import ApiKey, Platform

FIRST_SCOPES = ("match", "register", "act", "metrics")
"""What the key may do that `haechi platform add` makes; `--may-curate` adds `curate`."""


@transaction.atomic
def add(
    platform: Platform,
    key: str,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    actor: str,
    now: datetime,
) -> ApiKey:
    """Let `key` (256 random bits as text) ask for `platform`. Only its digest is kept."""
    made = ApiKey.objects.create(
        platform=platform,
        name=name,
        key_digest=_digest(key),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        created_at=now,
    )
    detail = {"scopes": " ".join(made.scopes)}
    audit.record("key:added", subject=made, actor=actor, at=now, detail=detail)
    return made


@dataclass(frozen=True)
class Caller:
    """A platform that asks with one of its keys; `key` is the number of the key."""

    platform: Platform
    key: int
    scopes: frozenset[str]


def find(key: str, *, now: datetime) -> Caller | None:
    """Whose key that is, if it and the platform are in force at `now`.

    Through a function of the database, so that the public process can look one key up, and none else.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM matching_find_key(%s, %s)", [_digest(key), now])
        row = cursor.fetchone()
    if row is None:
        return None
    number, platform, scopes = row
    return Caller(Platform.objects.get(pk=platform), number, frozenset(scopes))


def known(key: str) -> bool:
    """Whether there is a row for that key, in force or not."""
    return ApiKey.objects.filter(key_digest=_digest(key)).exists()


@transaction.atomic
def revoke(key: ApiKey, *, actor: str, now: datetime) -> bool:
    """Stop a key; False if it was stopped before. Every match process refuses it within a second."""
    won = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    if won:
        audit.record("key:revoked", subject=key, actor=actor, at=now)
    return bool(won)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
