"""The environment, read once into a value that never changes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from haechi.errors import SettingRefused

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
    concurrency    Pictures held in memory at once: this many times `limit_bytes` at the worst.
    queue          Requests that may wait for such a place; the next one is told to come back.
    database_s     Longest wait for the database in one request.
    hma            HMA's API is served too. Off by default: what it changes in banks is not in the
                   audit log yet (docs/hma.md).
    hma_open       HMA's API answers callers on this machine without a key (docs/hma.md).
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
    database_s: float = 3.0
    stale_after_s: float = 3.0
    hma: bool = False
    hma_open: bool = False

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
            hma=_yes(environ, "HAECHI_HMA") or _yes(environ, "HAECHI_HMA_OPEN"),
            hma_open=_yes(environ, "HAECHI_HMA_OPEN"),
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
