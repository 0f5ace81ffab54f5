"""Ask a time stamp authority (RFC 3161); it sees a digest, nothing else."""

import httpx
import rfc3161_client as tsp

from haechi.errors import DeliveryFailed

TIMEOUT_S = 20.0
LONGEST_BYTES = 64 * 1024
REQUEST_TYPE = "application/timestamp-query"
_GRANTED = 0


def ask(address: str, data: bytes) -> bytes:
    """The authority's whole answer, as `openssl ts -verify` reads it. Raises DeliveryFailed."""
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
