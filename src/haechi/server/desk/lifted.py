"""What somebody has chosen to look at in this session, for five minutes (B25)."""

from datetime import datetime, timedelta

from django.http import HttpRequest

# Long enough to look and to reload, too short for a forgotten screen.
LIFTED_FOR = timedelta(minutes=5)
KEY = "lifted"


def lift(request: HttpRequest, what: str, *, now: datetime) -> None:
    """Remember it in the session; what was lifted long ago is forgotten."""
    known: dict[str, float] = request.session.get(KEY, {})
    current = {key: at for key, at in known.items() if _recent(at, now)}
    request.session[KEY] = {**current, what: now.timestamp()}


def is_lifted(request: HttpRequest, what: str, *, now: datetime) -> bool:
    """True where it was lifted a moment ago."""
    at = request.session.get(KEY, {}).get(what)
    return at is not None and _recent(at, now)


def _recent(at: float, now: datetime) -> bool:
    return 0 <= now.timestamp() - at <= LIFTED_FOR.total_seconds()
