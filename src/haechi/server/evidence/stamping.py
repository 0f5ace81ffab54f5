"""Time stamps after RFC 3161 over the receipt of an exhibit, where an authority is configured.

Without HAECHI_TSA_URL there is none, and nothing stands in for it.
"""

from datetime import datetime

import httpx
import rfc3161_client as tsp
from django.conf import settings
from django.db import transaction

from haechi.errors import DeliveryFailed
from haechi.server.audit import services as audit
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit, Stamp

TIMEOUT_S = 20.0
LONGEST_BYTES = 64 * 1024
REQUEST_TYPE = "application/timestamp-query"
_GRANTED = 0


def stamp(exhibit: Exhibit, *, now: datetime) -> Stamp | None:
    """Have the receipt stamped; the authority sees a digest of it, nothing else.

    Done before, it returns that stamp; without an authority, None. Raises DeliveryFailed.
    """
    known = Stamp.objects.filter(exhibit=exhibit).first()
    address = settings.HAECHI.tsa_url
    if known is not None or address is None:
        return known
    data = audit.payload(custody.of(exhibit).receipt)
    token = _ask(address, data)
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


def _ask(address: str, data: bytes) -> bytes:
    request = tsp.TimestampRequestBuilder().data(data).nonce(nonce=True).build()
    try:
        answer = httpx.post(
            address,
            content=request.as_bytes(),
            headers={"Content-Type": REQUEST_TYPE},
            timeout=TIMEOUT_S,
        ).raise_for_status()
        response = tsp.decode_timestamp_response(answer.content[:LONGEST_BYTES])
    except (httpx.HTTPError, ValueError) as error:
        raise DeliveryFailed(f"the time stamp authority: {type(error).__name__}") from error
    if response.status != _GRANTED:
        raise DeliveryFailed(f"the time stamp authority refused: status {response.status}")
    info = response.tst_info
    asked = request.message_imprint.message
    if info.message_imprint.message != asked or info.nonce != request.nonce:
        raise DeliveryFailed("the time stamp authority answered another question")
    return bytes(response.as_bytes())
