"""What this installation says of itself to other Haechis, so that they can put it in their directory."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from haechi.errors import KeyMissing
from haechi.formats import notice as wire
from haechi.server.audit import services as audit
from haechi.server.notices.models import Standing

FORMAT = "haechi-standing/1"


@transaction.atomic
def keep(*, now: datetime) -> None:
    """Write the public key down for the public site; nothing in a process that holds no key."""
    try:
        key = wire.key_text(audit.signing_key().public_key())
    except KeyMissing:
        return
    if not Standing.objects.filter(key=key).exists():
        Standing.objects.create(key=key, since=now)


def told() -> dict[str, str | None]:
    """Name, addresses, and the newest public key, or None for it before the worker has run."""
    base = settings.HAECHI.public_url
    newest = Standing.objects.order_by("-since").first()
    return {
        "format": FORMAT,
        "name": settings.HAECHI.organisation,
        "address": base,
        "key": newest.key if newest else None,
        "notices": base + wire.PATH,
        "notice_format": wire.FORMAT,
        "log": f"{base}/.well-known/haechi-log",
    }
