"""Proof of work: whoever is over a limit may work instead of waiting (B30).

The page carries a challenge that this server signed; a script finds a number with which its SHA-256
begins with enough zero bits. No third party, nothing to look at, nothing to solve by hand. Each
challenge passes once, and within ten minutes. Without scripts one waits.
"""

import hashlib
import math
import secrets
from datetime import datetime, timedelta
from threading import Lock

from django.core.signing import BadSignature, TimestampSigner

TTL = timedelta(minutes=10)
# 2**17 tries are under a second in a telephone's browser; 2**22 some twenty.
LEAST_BITS, MOST_BITS = 17, 22
LONGEST_NUMBER = 16
MOST_SPENT = 50_000


class _Spent:
    """Challenges that have passed, until they would be too old anyway."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until: dict[str, datetime] = {}

    def spend(self, challenge: str, *, now: datetime) -> bool:
        """True the first time."""
        with self._lock:
            if len(self._until) >= MOST_SPENT:
                self._until = {key: at for key, at in self._until.items() if at > now}
            if challenge in self._until or len(self._until) >= MOST_SPENT:
                return False
            self._until[challenge] = now + TTL
            return True


_SPENT = _Spent()


def challenge(act: str, *, over: float) -> str:
    """A challenge for one act; `over` is how many times the limit was exceeded, and makes it harder."""
    bits = min(MOST_BITS, LEAST_BITS + max(0, math.ceil(math.log2(max(1.0, over)))))
    return _signer().sign(f"{act}.{bits}.{secrets.token_urlsafe(16)}")


def bits_of(given: str) -> int:
    """How many zero bits a challenge of ours asks for."""
    return int(given.split(".")[1])


def passes(act: str, given: str, number: str, *, now: datetime) -> bool:
    """True where `number` solves a challenge of ours for this act that has not passed before."""
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER):
        return False
    try:
        asked = _signer().unsign(given, max_age=TTL)
    except BadSignature:
        return False
    if asked.split(".")[0] != act:
        return False
    digest = hashlib.sha256(f"{given}:{number}".encode()).digest()
    if int.from_bytes(digest, "big") >> (256 - bits_of(given)):
        return False
    return _SPENT.spend(given, now=now)


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="haechi work")
