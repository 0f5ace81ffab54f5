"""Keys and paces of the match service: what a key may do, when it stops, and how often it may ask."""

import asyncio
import hashlib
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.match_house import KEY, Database, code, running, until

from haechi import fingerprint
from haechi.cli import arguments
from haechi.errors import KeyRefused, MatchUnavailable
from haechi.match_service.keys import FRESH_S, KEPT, SCOPES, Keys
from haechi.match_service.pace import Pace, neighbourhood
from haechi.media import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

PDQ = {"pdq": "0f" * 32, "pdq_quality": 80}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def add_key(database: Database, key: str, *scopes: str, expires: str = "infinity") -> int:
    return database.number(
        "INSERT INTO matching_apikey (platform_id, key_digest, scopes, expires_at)"
        " SELECT id, %s, %s, %s FROM matching_platform WHERE name = 'board' RETURNING id",
        hashlib.sha256(key.encode()).digest(),
        list(scopes),
        expires,
    )


async def asks(client: httpx.AsyncClient, key: str) -> int:
    return (await client.post("/v1/match", json=PDQ, headers=bearer(key))).status_code


async def test_each_scope_opens_its_own_addresses_and_no_other(
    database: Database, sandbox: Sandbox
) -> None:
    for scope in SCOPES:
        add_key(database, f"only-{scope}", scope)
    content = {"url": "http://board.test/1", "account": "a", "fingerprint_of": 1}
    calls: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
        "match": [
            ("POST", "/v1/match", {"json": PDQ}),
            ("POST", "/v1/match/batch", {"json": {"items": [PDQ]}}),
            ("GET", "/v1/status", {}),
            ("GET", f"/m/lookup?signal_type=pdq&signal={'0' * 64}", {}),
            ("GET", "/c/banks", {}),
        ],
        "register": [
            ("PUT", "/v1/content/1", {"json": content}),
            ("DELETE", "/v1/content/1", {}),
        ],
        "curate": [("POST", "/c/banks", {"json": {"name": "NEW"}}), ("DELETE", "/c/bank/X", {})],
        "metrics": [("GET", "/metrics", {})],
    }
    async with running(database, sandbox) as client:
        for needed, requests in calls.items():
            for method, path, more in requests:
                for scope in SCOPES:
                    sent = await client.request(
                        method, path, headers=bearer(f"only-{scope}"), **more
                    )
                    assert (sent.status_code != 403) == (scope == needed), (method, path, scope)
        refused = await client.post("/v1/match", json=PDQ, headers=bearer("only-metrics"))
    assert code(refused) == (403, "matching.scope_missing")
    assert refused.json()["error"]["detail"] == "the scope match is missing"


async def test_the_key_a_platform_begins_with_may_not_curate_unless_told(
    database: Database, sandbox: Sandbox
) -> None:
    async with running(database, sandbox) as client:
        assert await asks(client, KEY) == 200
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.post("/c/banks", json={"name": "B"})).status_code == 403
    database.let_curate()
    async with running(database, sandbox) as client:
        assert (await client.post("/c/banks", json={"name": "B"})).status_code == 201


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE matching_apikey SET revoked_at = now()",
        "UPDATE matching_apikey SET expires_at = now()",
        "UPDATE matching_platform SET enabled = false",
    ],
)
async def test_a_key_stops_although_it_is_remembered(
    database: Database, sandbox: Sandbox, statement: str
) -> None:
    add_key(database, "second", "match")
    async with running(database, sandbox) as client:
        assert await asks(client, "second") == 200
        database.run(statement)

        async def refused() -> bool:
            return await asks(client, "second") == 401

        await until(refused)


async def test_a_key_that_has_expired_opens_nothing(database: Database, sandbox: Sandbox) -> None:
    add_key(database, "old", "match", expires="2020-01-01")
    async with running(database, sandbox) as client:
        assert await asks(client, "old") == 401


class Books:
    """A database that counts how often it is asked."""

    def __init__(self) -> None:
        self.now_s, self.asked, self.good = 0.0, 0, True

    async def rows(self, _statement: str, _values: object) -> list[tuple[object, ...]]:
        """What a statement answers."""
        self.asked += 1
        await asyncio.sleep(0)
        return [(7, "board", 3, ["match"])] if self.good else []

    def clock(self) -> float:
        """Seconds."""
        return self.now_s


async def test_a_remembered_key_costs_no_query_until_it_is_stale() -> None:
    books = Books()
    keys = Keys(books.rows, books.clock)
    for _ in range(100):
        assert (await keys.caller("Bearer k")).scopes == {"match"}
    assert books.asked == 1
    books.good, books.now_s = False, FRESH_S
    with pytest.raises(KeyRefused):
        await keys.caller("bearer k")
    assert books.asked == 2


async def test_all_who_wait_for_one_key_ask_once_and_leaving_disturbs_nobody() -> None:
    books = Books()
    keys = Keys(books.rows, books.clock)
    waiting = [asyncio.create_task(keys.caller("Bearer k")) for _ in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert {answer.id for answer in answers[1:]} == {7}  # type: ignore[union-attr]
    assert books.asked == 1


async def test_made_up_keys_are_not_remembered_without_end() -> None:
    books = Books()
    books.good = False
    keys = Keys(books.rows, books.clock)
    for number in range(KEPT + 10):
        with pytest.raises(KeyRefused):
            await keys.caller(f"Bearer {number}")
    assert len(keys._seen) <= KEPT


async def test_a_database_that_is_away_is_no_refusal_and_is_asked_again() -> None:
    async def away(_statement: str, _values: object) -> list[tuple[object, ...]]:
        raise MatchUnavailable

    keys = Keys(away, lambda: 0.0)
    for _ in range(2):
        with pytest.raises(MatchUnavailable):
            await keys.caller("Bearer k")
    assert not keys._seen
    assert not keys._asking


def test_the_command_line_offers_these_scopes() -> None:
    assert arguments._SCOPES == SCOPES


# --- paces


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    pace = Pace(10.0, 3.0, clock)
    assert [pace.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.1)]
    assert pace.take("b") == 0.0
    clock.now_s += 0.1
    assert [pace.take("a"), pace.take("a")] == [0.0, pytest.approx(0.1)]
    clock.now_s += 1_000
    assert [pace.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.1)]


def test_what_costs_more_than_the_whole_burst_waits_for_a_full_bucket() -> None:
    clock = Clock()
    pace = Pace(10.0, 3.0, clock)
    assert pace.take("a", 50.0) == 0.0
    assert pace.take("a", 50.0) == pytest.approx(0.3)


def test_no_pace_limits_nothing_and_remembers_nothing() -> None:
    pace = Pace(0.0, 1.0, Clock())
    assert not any(pace.take("a") for _ in range(1_000))
    assert not len(pace)


def test_names_are_forgotten_before_memory_ends_the_longest_unused_first() -> None:
    pace = Pace(1.0, 1.0, Clock(), kept=3)
    for name in "abcad":
        pace.charge(name)
    assert len(pace) == 3
    assert [name for name in "abcd" if pace.wait_s(name)] == ["a", "c", "d"]


@given(st.lists(st.floats(0.0, 2.0), max_size=60), st.floats(0.5, 20.0), st.floats(1.0, 20.0))
def test_never_more_than_the_burst_and_the_rate(
    pauses_s: list[float], per_s: float, burst: float
) -> None:
    clock = Clock()
    pace = Pace(per_s, burst, clock)
    passed, started_s = 0, clock.now_s
    for pause_s in pauses_s:
        clock.now_s += pause_s
        passed += pace.take("a") == 0.0
    assert passed <= burst + (clock.now_s - started_s) * per_s + 1e-6


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("a socket", "a socket"),
    ],
)
def test_what_counts_as_one_client(host: str, expected: str) -> None:
    assert neighbourhood(host) == expected


async def test_a_key_over_its_pace_is_told_when_to_come_back(
    database: Database, sandbox: Sandbox
) -> None:
    database.platform("another", "other")
    async with running(database, sandbox, key_per_s=0.5, key_burst=2.0) as client:
        assert [await asks(client, KEY) for _ in range(2)] == [200, 200]
        refused = await client.post("/v1/match", json=PDQ)
        assert code(refused) == (429, "matching.rate_limited")
        assert refused.headers["retry-after"] == "2"
        assert await asks(client, "another") == 200
        many = await client.post(
            "/v1/match/batch", json={"items": [PDQ] * 3}, headers=bearer("another")
        )
        assert code(many) == (429, "matching.rate_limited")
    assert database.number("SELECT count(*) FROM matching_check") == 3


async def test_wrong_keys_shut_an_address_out_before_they_are_looked_at(
    database: Database, sandbox: Sandbox
) -> None:
    async with running(database, sandbox, address_per_s=0.1, address_burst=3.0) as client:
        for number in range(3):
            assert await asks(client, f"guess {number}") == 401
        assert await asks(client, "guess 4") == 429
        # Also with the right key: a guess that is right must not be told from one that is wrong.
        assert await asks(client, KEY) == 429
        hma = await client.get("/c/banks")
        assert (hma.status_code, set(hma.json())) == (429, {"message"})


async def test_good_keys_use_up_nothing_of_their_address(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    database.member(database.bank(), fingerprinted)
    async with running(database, sandbox, address_per_s=0.001, address_burst=1.0) as client:
        assert [await asks(client, KEY) for _ in range(20)] == [200] * 20
