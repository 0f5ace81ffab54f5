"""The keys with which a platform asks the match service, beside the one it was registered with."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from haechi.server.audit import services as audit
from haechi.server.matching.models import ApiKey, Platform


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
        key_digest=hashlib.sha256(key.encode()).digest(),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        created_at=now,
    )
    detail = {"scopes": " ".join(made.scopes)}
    audit.record("key:added", subject=made, actor=actor, at=now, detail=detail)
    return made


@transaction.atomic
def revoke(key: ApiKey, *, actor: str, now: datetime) -> bool:
    """Stop a key; False if it was stopped before. Every match process refuses it within a second."""
    won = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
    if won:
        audit.record("key:revoked", subject=key, actor=actor, at=now)
    return bool(won)
