"""Time stamps after RFC 3161 over the receipt of an exhibit, where an authority is configured.

Without HAECHI_TSA_URL there is none, and nothing stands in for it.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from haechi.server.audit import services as audit
from haechi.server.audit import tsa
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit, Stamp


def stamp(exhibit: Exhibit, *, now: datetime) -> Stamp | None:
    """Have the receipt stamped; the authority sees a digest of it, nothing else.

    Done before, it returns that stamp; without an authority, None. Raises DeliveryFailed.
    """
    known = Stamp.objects.filter(exhibit=exhibit).first()
    address = settings.HAECHI.tsa_url
    if known is not None or address is None:
        return known
    data = audit.payload(custody.of(exhibit).receipt)
    token = tsa.ask(address, data)
    with transaction.atomic():
        made, new = Stamp.objects.get_or_create(
            exhibit=exhibit, defaults={"token": token, "authority": address, "at": now}
        )
        if new:
            audit.record(
                "exhibit:stamped",
                subject=exhibit,
                actor="worker",
                at=now,
                detail={"authority": address},
            )
    return made
