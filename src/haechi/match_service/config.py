"""The environment, read once into a value that never changes."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from haechi.errors import PolicyRefused, SettingRefused
from haechi.index import DEFAULT, Policy, policy_file
from haechi.reach import Network

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,3})?", re.ASCII)
_HEX_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Settings:
    """What this process was told, with a reason for every limit.

    database_url   PostgreSQL; also read by the server, which owns the tables.
    digest_key     32 bytes; the same in the server, or reported addresses never meet hosted ones.
    public_url     where a refused account finds its appeal.
    limit_bytes    Longest picture read. Phones make pictures of up to about 25 MB.
    read_s         Longest time to send one. 50 MB in 30 s is 13 Mbit/s; slower is held against it.
    answer_s       Longest wait for a decoder and its result, all together.
    decoders       Child processes that decode; one a core.
    concurrency    Pictures worked on at once; and bodies may fill this many times `limit_bytes`.
    queue          Requests that may wait for such a place; the next one is told to come back.
    bodies         Pictures that may be arriving at once. One that arrives slowly holds what it has
                   sent and no place; 512 of them are what a few hundred bad phone lines need.
    database_s     Longest wait for the database in one request.
    hma            HMA's API is served too. Off by default: a key that may curate makes members that
                   no person here has looked at (docs/hma.md).
    hma_open       HMA's API answers callers on this machine without a key (docs/hma.md).
    key_per_s      Requests a second of one key in one process, a picture counting as PICTURE_COSTS.
                   5,000 is about what a process answers at all on one core: it stops a client that
                   loops, and hinders nobody. Lower it to share one installation. 0: no limit.
    key_burst      Requests at once after a pause: two seconds' worth.
    address_per_s  Requests a second without a good key from one address, before any key is looked
                   at. A platform's own mistakes are few; 20 wrong keys a second guess nothing, and
                   cost the database 20 statements. 0: no limit, for where all come through one
                   proxy.
    address_burst  As many at once: a fleet that restarts with an old key still gets answers.
    metrics_open   /metrics asks for no key. By default it wants one with the scope `metrics`.
    several        Several processes answer at one address, so each names itself in its metrics;
                   `haechi match-service --workers` says so by HAECHI_MATCH_SEVERAL.
    batch          Most fingerprints in one batch: 1,000 are 0.2 MB of JSON and 0.2 s of search.
    fetch          HMA's API fetches addresses (`url=`). Off by default: what a service fetches for
                   others, it fetches from where it stands (docs/match-service.md).
    fetch_allow    Networks that may be fetched from although they are inner ones, with any port.
    fetch_ports    Ports that may be fetched from elsewhere.
    fetch_s        Longest time for one address, redirects and all.
    load_s         Longest wait for the banks before the first request is taken, where the database
                   answers. A million members take about 20 s.
    snapshot       Where processes share what they loaded (saved). None: each has its own copy.
    policy         The usual thresholds: those of HAECHI_POLICY_FILE (index.policy_file) or the
                   built-in ones. Banks and sources lay theirs over them.
    stale_after_s  Age of the last look at the banks after which no verdict is given. Above the
                   one second between looks, so that one slow look is no outage.
    """

    database_url: str
    digest_key: bytes
    public_url: str = "http://127.0.0.1:8410"
    limit_bytes: int = 50_000_000
    read_s: float = 30.0
    answer_s: float = 30.0
    decoders: int = 2
    concurrency: int = 8
    queue: int = 64
    bodies: int = 512
    database_s: float = 3.0
    load_s: float = 120.0
    stale_after_s: float = 3.0
    hma: bool = False
    hma_open: bool = False
    key_per_s: float = 5_000.0
    key_burst: float = 10_000.0
    address_per_s: float = 20.0
    address_burst: float = 200.0
    metrics_open: bool = False
    several: bool = False
    batch: int = 1_000
    fetch: bool = False
    fetch_allow: tuple[Network, ...] = ()
    fetch_ports: frozenset[int] = frozenset({80, 443})
    fetch_s: float = 10.0
    snapshot: Path | None = None
    policy: Policy = DEFAULT

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read HAECHI_* variables. Raises SettingRefused, naming the variable."""
        return cls(
            database_url=_needed(environ, "HAECHI_DATABASE_URL"),
            digest_key=_key(environ, "HAECHI_DIGEST_KEY"),
            public_url=environ.get("HAECHI_PUBLIC_URL", cls.public_url).rstrip("/"),
            limit_bytes=_count(environ, "HAECHI_MATCH_LIMIT_BYTES", cls.limit_bytes),
            decoders=_count(environ, "HAECHI_MATCH_DECODERS", cls.decoders),
            concurrency=_count(environ, "HAECHI_MATCH_CONCURRENCY", cls.concurrency),
            queue=_count(environ, "HAECHI_MATCH_QUEUE", cls.queue),
            bodies=_count(environ, "HAECHI_MATCH_BODIES", cls.bodies),
            hma=_yes(environ, "HAECHI_HMA") or _yes(environ, "HAECHI_HMA_OPEN"),
            hma_open=_yes(environ, "HAECHI_HMA_OPEN"),
            key_per_s=_number(environ, "HAECHI_MATCH_KEY_PER_S", cls.key_per_s),
            key_burst=max(1.0, _number(environ, "HAECHI_MATCH_KEY_BURST", cls.key_burst)),
            address_per_s=_number(environ, "HAECHI_MATCH_ADDRESS_PER_S", cls.address_per_s),
            address_burst=max(
                1.0, _number(environ, "HAECHI_MATCH_ADDRESS_BURST", cls.address_burst)
            ),
            metrics_open=_yes(environ, "HAECHI_METRICS_OPEN"),
            several=_yes(environ, "HAECHI_MATCH_SEVERAL"),
            batch=_count(environ, "HAECHI_MATCH_BATCH", cls.batch),
            fetch=_yes(environ, "HAECHI_FETCH"),
            fetch_allow=_networks(environ, "HAECHI_FETCH_ALLOW"),
            fetch_ports=_ports(environ, "HAECHI_FETCH_PORTS", cls.fetch_ports),
            snapshot=_place(environ, "HAECHI_MATCH_SNAPSHOT"),
            policy=_policy(environ),
        )


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingRefused(name, "is not set")
    return value


def _key(environ: Mapping[str, str], name: str) -> bytes:
    text = _needed(environ, name)
    if not _HEX_KEY.fullmatch(text):
        raise SettingRefused(name, "must be 32 bytes written as 64 lower-case hex digits")
    return bytes.fromhex(text)


def _policy(environ: Mapping[str, str]) -> Policy:
    named = environ.get(policy_file.VARIABLE, "")
    try:
        return policy_file.calibrated(named) if named else DEFAULT
    except PolicyRefused as error:
        raise SettingRefused(policy_file.VARIABLE, f"is not fit: {error}") from error


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingRefused(name, "must be a whole number above 0")
    return int(text)


def _yes(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name, "")
    if text not in ("", "0", "1"):
        raise SettingRefused(name, "must be 0 or 1")
    return text == "1"


def _place(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "")
    if text in ("", "0"):
        return None
    if not Path(text).is_absolute():
        raise SettingRefused(name, "must be an absolute path, or 0 for none")
    return Path(text)


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "")
    if not text:
        return default
    if not _NUMBER.fullmatch(text):
        raise SettingRefused(name, "must be a number, 0 or above")
    return float(text)


def _networks(environ: Mapping[str, str], name: str) -> tuple[Network, ...]:
    texts = [text.strip() for text in environ.get(name, "").split(",")]
    try:
        return tuple(ipaddress.ip_network(text) for text in texts if text)
    except ValueError as error:
        raise SettingRefused(name, f"must be networks such as 10.1.0.0/16: {error}") from error


def _ports(environ: Mapping[str, str], name: str, default: frozenset[int]) -> frozenset[int]:
    texts = [text.strip() for text in environ.get(name, "").split(",")]
    ports = [text for text in texts if text]
    if not all(text.isascii() and text.isdigit() and 0 < int(text) < 65_536 for text in ports):
        raise SettingRefused(name, "must be ports with commas, such as 80,443,8080")
    return frozenset(int(text) for text in ports) or default
