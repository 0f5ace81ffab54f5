"""HMA's API on the server's own tables, as its migrations make them."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from haechi.index import Query
from haechi.match_service.app import create_app
from haechi.match_service.config import Settings
from haechi.server.matching import services as matching
from haechi.server.matching.known import Known
from haechi.server.matching.models import Bank, Member, Platform

SAMPLE = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
KEY = "a key that may curate"


@pytest.fixture
def _committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Rows that another connection sees, and that are gone afterwards.

    Not pytest-django's `transaction=True`: it empties all tables, and the audit log refuses.
    """
    with django_db_blocker.unblock():
        yield
        for table in (Member, Bank, Platform):
            table.objects.all().delete()
        connection.close()


@pytest.mark.usefixtures("_committed")
def test_the_servers_tables_take_what_the_api_writes(astronaut: bytes) -> None:
    matching.register_platform(
        "curator",
        "https://c.example",
        "https://c.example/hook",
        api_key=KEY,
        webhook_secret=b"s" * 32,
        may_curate=True,
    )
    file, told = asyncio.run(_curate(astronaut))
    members = {member.pk: member for member in Member.objects.all()}
    assert set(members) == {file, told}
    assert members[told].sha256 is None
    assert (members[file].note, members[file].metadata) == ("a note", {"content_id": "1"})
    assert members[file].source == "hma-api:curator"
    bank = Bank.objects.get()
    assert (bank.policy, bank.enabled, bank.deleted_at is None) == ("review", False, False)
    asked = Query(sha256=b"", turns=(bytes.fromhex(SAMPLE),), pdq_quality=100, embedding=None)
    found = [(table, key) for table, key, _ in Known().search(asked)]
    assert found == [(Member, told)], "the server, too, reads a member without a file"


async def _curate(photo: bytes) -> tuple[int, int]:
    app = create_app(Settings(_url(), bytes(32), decoders=1, hma=True))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://match.test",
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=30,
    )
    async with app.router.lifespan_context(app), client:
        assert (await client.post("/c/banks", json={"name": "B"})).status_code == 201
        fields = {"note": "a note", "metadata": '{"content_id": "1"}'}
        ids = []
        for _ in range(2):
            added = await client.post("/c/bank/B/content", files={"photo": photo}, data=fields)
            told = await client.post("/c/bank/B/signal", json={"pdq": SAMPLE})
            ids.append((added.json()["id"], told.json()["id"]))
        assert ids[0] == ids[1]
        here = f"/c/bank/B/content/{ids[0][1]}"
        for until_ts in (0, 2_000_000_000 // 2, 1):
            assert (await client.put(here, json={"disable_until_ts": until_ts})).status_code == 200
        assert (await client.put("/c/bank/B", json={"enabled_ratio": 0.5})).status_code == 200
        assert (await client.get("/c/signal_type/index")).json()["pdq"]["db_size"] == 2
        assert (await client.delete("/c/bank/B")).status_code == 200
    return ids[0]


def _url() -> str:
    given = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    return " ".join(f"{name}='{given[name]}'" for name in names if given.get(name))
