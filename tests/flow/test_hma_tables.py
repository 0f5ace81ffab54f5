"""HMA's API on the server's own tables, as its migrations make them."""

import asyncio

import httpx
import pytest
from django.db import connection
from tests.conftest import NOON

from haechi.index import Query
from haechi.match_service.app import create_app
from haechi.match_service.config import Settings
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.matching import api_keys
from haechi.server.matching import services as matching
from haechi.server.matching.known import Known
from haechi.server.matching.models import ApiKey, BackSearch, Bank, Member, Platform

SAMPLE = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
KEY = "a key that may curate"


def platform_that_curates() -> Platform:
    curator = matching.register_platform(
        "curator", "https://c.example", "https://c.example/hook", webhook_secret=b"s" * 32
    )
    scopes, who = [*api_keys.FIRST_SCOPES, "curate"], curator.name_in_log
    api_keys.add(curator, KEY, name="first", scopes=scopes, expires_at=None, actor=who, now=NOON)
    return curator


@pytest.mark.usefixtures("committed")
def test_the_servers_tables_take_what_the_api_writes(astronaut: bytes) -> None:
    platform_that_curates()
    file, told = asyncio.run(_curate(astronaut))
    members = {member.pk: member for member in Member.objects.all()}
    assert set(members) == {file, told}
    assert members[told].sha256 is None
    assert (members[file].note, members[file].metadata) == ("a note", {"content_id": "1"})
    assert members[file].source == "hma-api:curator"
    bank = Bank.objects.get()
    assert (bank.policy, bank.enabled, bank.deleted_at is None) == ("review", False, False)
    asked = Query(sha256=b"", turns=(bytes.fromhex(SAMPLE),), pdq_quality=100, embedding=None)
    assert Known().search(asked, now=NOON) == [], "its bank was deleted"
    Bank.objects.update(deleted_at=None, enabled=True)
    found = [(table, key) for table, key, _ in Known().search(asked, now=NOON)]
    assert found == [(Member, told)], "the server, too, reads a member without a file"


@pytest.mark.usefixtures("committed")
def test_what_a_client_changes_is_in_the_log_with_its_platform(astronaut: bytes) -> None:
    """Made, added, paused, changed, deleted: one chain, as if people had done it at the desk."""
    curator = platform_that_curates()
    file, told = asyncio.run(_curate(astronaut))
    bank = Bank.objects.get()
    entries = [(entry.tag, entry.subject) for entry in Entry.objects.all()]
    assert entries == [
        ("key:added", f"matching.apikey:{ApiKey.objects.get().pk}"),
        ("bank:made", f"matching.bank:{bank.pk}"),
        ("member:confirmed", f"matching.member:{file}"),
        ("member:confirmed", f"matching.member:{told}"),
        ("member:pending", f"matching.member:{told}"),
        ("member:confirmed", f"matching.member:{told}"),
        ("member:changed", f"matching.member:{told}"),
        ("bank:changed", f"matching.bank:{bank.pk}"),
        ("bank:deleted", f"matching.bank:{bank.pk}"),
    ]
    assert {entry.actor for entry in Entry.objects.all()} == {curator.name_in_log}
    assert audit.verify() == len(entries)
    due = set(BackSearch.objects.filter(done_at=None).values_list("member_id", flat=True))
    assert due == {file, told}, "and both are looked for in what is hosted"


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
