"""How often something was done lately, by whom nobody can tell (B30).

Counts are in the memory of this process alone. What they are kept by, a network, a visit or a case,
is there only as a digest with a key that is made anew every day and never leaves the memory.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock

# About 30 MB; beyond that what is over is forgotten first, then everything.
MOST_KEPT = 200_000
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `window`, for one value of `scope`."""

    scope: str
    most: int
    window: timedelta = HOUR


# Many people share one address: a school, a carrier's whole town. So the limits of a network are wide,
# and what is over them can be worked off (public.work). Reading and pages that only ask have none.
LIMITS: dict[str, tuple[Limit, ...]] = {
    "report": (Limit("session", 30), Limit("address", 120)),
    "code": (Limit("address", 60, timedelta(minutes=10)),),
    "upload": (Limit("session", 300), Limit("address", 1_200)),
    "message": (Limit("case", 30), Limit("address", 240)),
    "appeal": (Limit("case", 5), Limit("address", 60)),
    "inspect": (Limit("address", 60),),
    # Of the JSON API. A fleet of a platform asks with one key; of wrong keys there are few.
    "api": (Limit("key", 30_000, timedelta(minutes=10)),),
    "api_refused": (Limit("address", 300, timedelta(minutes=10)),),
    "api_open": (Limit("address", 600, timedelta(minutes=10)),),
}


@dataclass
class Counts:
    """Counters of one process; safe to use from its threads."""

    _lock: Lock = field(default_factory=Lock)
    _day: date | None = None
    _key: bytes = field(default=b"", repr=False)
    _seen: dict[bytes, tuple[datetime, int]] = field(default_factory=dict)

    def over(self, act: str, who: dict[str, str], *, factor: float, now: datetime) -> float:
        """Count one act; 0 within the limits, or else how many times the widest excess is over.

        `who` maps scopes to values; a limit whose scope is not there does not apply. `factor`
        widens every limit.
        """
        with self._lock:
            self._new_day(now)
            return max(
                (
                    self._count(act, limit, who[limit.scope], factor, now)
                    for limit in LIMITS[act]
                    if who.get(limit.scope)
                ),
                default=0.0,
            )

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._seen.clear()

    def _new_day(self, now: datetime) -> None:
        if self._day != now.date():
            self._day, self._key = now.date(), secrets.token_bytes(32)
            self._seen.clear()
        if len(self._seen) >= MOST_KEPT:
            self._seen = {key: kept for key, kept in self._seen.items() if kept[0] > now}
        if len(self._seen) >= MOST_KEPT:
            self._seen.clear()

    def _count(self, act: str, limit: Limit, value: str, factor: float, now: datetime) -> float:
        text = f"{act}\0{limit.scope}\0{value}".encode()
        key = hmac.digest(self._key, text, "sha256")[:16]
        ends, count = self._seen.get(key, (now + limit.window, 0))
        if ends <= now:
            ends, count = now + limit.window, 0
        self._seen[key] = (ends, count + 1)
        most = limit.most * factor
        return (count + 1) / most if count + 1 > most else 0.0
