"""Change how a platform is reached."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from haechi.server.audit import services as audit
from haechi.server.matching.models import Platform

CHANGEABLE = frozenset({"testing", "enabled", "webhook_url"})


@transaction.atomic
def change(platform: Platform, changes: Mapping[str, object], *, actor: str, now: datetime) -> None:
    """Set some of CHANGEABLE; the log says which."""
    wanted = {name: value for name, value in changes.items() if name in CHANGEABLE}
    Platform.objects.filter(pk=platform.pk).update(**wanted)
    detail = {"changed": sorted(wanted)}
    audit.record("platform:changed", subject=platform, actor=actor, at=now, detail=detail)


@transaction.atomic
def rotate_secret(
    platform: Platform, secret: bytes, *, old_until: datetime, actor: str, now: datetime
) -> None:
    """Sign with `secret` from now on, and with the one before too until `old_until`."""
    locked = Platform.objects.select_for_update().get(pk=platform.pk)
    Platform.objects.filter(pk=platform.pk).update(
        webhook_secret=secret,
        previous_secret=bytes(locked.webhook_secret),
        previous_until=old_until,
    )
    audit.record("platform:secret_rotated", subject=platform, actor=actor, at=now)
