"""What tests of the match service share: its database, the service, a client, pictures."""

import asyncio
import hashlib
import importlib.util
import io
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from PIL import Image

from haechi import fingerprint
from haechi.match_service.app import create_app
from haechi.match_service.config import Settings
from haechi.match_service.mirror import join_views
from haechi.media import Sandbox

TABLES = Path(__file__).with_name("match_tables.sql")
KEY = "platform-key-of-the-board"
DIGEST_KEY = bytes(range(32))
numbers = itertools.count()


def shipped(name: str) -> Image.Image:
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    with Image.open(Path(spec.origin).parent / "data" / name) as picture:  # noqa: TID251
        return picture.convert("RGB")


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


@dataclass
class Database:
    """One test's own database, and what a server would write into it."""

    url: str

    def run(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Run one statement; its rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def number(self, statement: str, *values: object) -> int:
        """Run one statement; its one number."""
        value = self.run(statement, *values)[0][0]
        assert isinstance(value, int)
        return value

    def bank(self, policy: str = "block", *, enabled: bool = True) -> int:
        """A new bank; its id."""
        return self.number(
            "INSERT INTO matching_bank (name, policy, enabled) VALUES (%s, %s, %s) RETURNING id",
            f"bank {next(numbers)}",
            policy,
            enabled,
        )

    def member(
        self, bank: int, made: fingerprint.ImageFingerprint, status: str = "confirmed"
    ) -> int:
        """A new member with that fingerprint; its id."""
        return self.number(
            "INSERT INTO matching_member (bank_id, status, sha256, md5, pdq, pdq_quality, embedding,"
            " views) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            bank,
            status,
            made.digests.sha256,
            made.digests.md5,
            made.pdq.bits,
            made.pdq.quality,
            made.embedding,
            join_views(made.views),
        )

    def platform(self, key: str, name: str) -> int:
        """A new platform with that key, at http://NAME.test; its id."""
        made = self.number(
            "INSERT INTO matching_platform (name, base_url) VALUES (%s, %s) RETURNING id",
            name,
            f"http://{name}.test/",
        )
        self.run(
            "INSERT INTO matching_apikey (platform_id, key_digest, scopes)"
            " VALUES (%s, %s, '{match,register,metrics}')",
            made,
            hashlib.sha256(key.encode()).digest(),
        )
        return made

    def let_curate(self) -> None:
        """Every key may change banks too."""
        self.run("UPDATE matching_apikey SET scopes = scopes || '{curate}'")


@asynccontextmanager
async def running(
    database: Database, sandbox: Sandbox, **changes: object
) -> AsyncIterator[httpx.AsyncClient]:
    """The service, started, with the banks loaded, and a client that holds the board's key."""
    changes = {"hma": True, "stale_after_s": 60.0, "database_s": 60.0} | changes
    settings = Settings(database.url, DIGEST_KEY, "https://haechi.example", **changes)  # type: ignore[arg-type]
    app = create_app(settings, sandbox=sandbox)
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient(
        transport=transport,
        base_url="http://match.test",
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=120,
    )
    async with app.router.lifespan_context(app), client:
        await until(lambda: answers(client, "/ready", 200))
        yield client


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition; fails after a minute. How fast it comes true is for `make bench`."""
    end = time.monotonic() + 60
    while not await true():
        assert time.monotonic() < end, "it did not become so"
        await asyncio.sleep(0.02)


async def answers(client: httpx.AsyncClient, path: str, status: int) -> bool:
    return (await client.get(path)).status_code == status


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]
