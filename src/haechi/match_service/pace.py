"""How often somebody may ask: token buckets in the memory of one process."""

import ipaddress
import time
from collections.abc import Callable, Hashable

KEPT = 50_000
"""Buckets remembered, of some 250 bytes each. The one unused for longest goes first: it is the
likeliest to be full again, and a full bucket is the same as none."""

_ROUNDING = 1e-6


class Pace:
    """`per_s` requests a second for each name, and `burst` at once after a pause.

    Not thread-safe: one event loop. A pace of 0 limits nothing.
    """

    def __init__(
        self,
        per_s: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        kept: int = KEPT,
    ) -> None:
        """`clock` counts seconds; `per_s` at least 0, `burst` at least 1."""
        self._per_s, self._burst = per_s, burst
        self._clock = clock
        self._kept = kept
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._buckets)

    def take(self, name: Hashable, tokens: float = 1.0) -> float:
        """Take `tokens` (at most `burst`) for `name` and return 0, or take none.

        Then the answer is the number of seconds after which there will be enough.
        """
        wait_s = self.wait_s(name, tokens)
        if not wait_s:
            self.charge(name, tokens)
        return wait_s

    def wait_s(self, name: Hashable, tokens: float = 1.0) -> float:
        """Seconds until `tokens` could be taken for `name`; 0 if they could be now."""
        if not self._per_s:
            return 0.0
        lacking = min(tokens, self._burst) - self._level(name)
        return lacking / self._per_s if lacking > _ROUNDING else 0.0

    def charge(self, name: Hashable, tokens: float = 1.0) -> None:
        """Take `tokens` for `name`; the bucket ends empty if there are not so many."""
        if not self._per_s:
            return
        level = max(0.0, self._level(name) - tokens)
        self._buckets.pop(name, None)
        if len(self._buckets) >= self._kept:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[name] = (level, self._clock())

    def _level(self, name: Hashable) -> float:
        known = self._buckets.get(name)
        if known is None:
            return self._burst
        level, at_s = known
        return min(self._burst, level + (self._clock() - at_s) * self._per_s)


def neighbourhood(host: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 that an IPv6 client has to itself.

    Something that is no address (a socket's path, a test) stands for itself.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)
