"""The secret of one report page: it makes two sendings of that page one report with one code.

Made and signed here when the page is shown, so that nobody can choose one whose code they know.
The page alone holds it; what is stored of it opens nothing (`reports.return_code`).
"""

import secrets
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner

TTL = timedelta(hours=24)
RANDOM_BYTES = 32


def issue() -> str:
    """A fresh token, signed together with the time."""
    return _signer().sign(secrets.token_urlsafe(RANDOM_BYTES))


def valid(token: str) -> bool:
    """True for a token that was issued here less than `TTL` ago."""
    try:
        _signer().unsign(token, max_age=TTL)
    except BadSignature:
        return False
    return True


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="haechi report page")
