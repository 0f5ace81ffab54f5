"""Many questions in one request, and many requests in one commit."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import psycopg
import pytest
from tests.unit.match_house import KEY, Database, code, running

from haechi import fingerprint
from haechi.errors import MatchBusy, MatchUnavailable
from haechi.match_service import service
from haechi.match_service.checks import AT_ONCE, TYPES, WAITING, Checks
from haechi.match_service.gate import Room
from haechi.media import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

PDQ = {"pdq": "0f" * 32, "pdq_quality": 80}
ROW: dict[str, object] = dict.fromkeys(TYPES)


async def ask(client: httpx.AsyncClient, items: object) -> list[dict[str, object]]:
    response = await client.post("/v1/match/batch", content=json.dumps({"items": items}))
    assert response.status_code == 200, response.text
    return list(response.json()["answers"])


async def test_each_item_is_answered_in_order_as_if_it_came_alone(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    database.member(database.bank(), fingerprinted)
    known = {"pdq": fingerprinted.pdq.hex, "pdq_quality": 100}
    async with running(database, sandbox) as client:
        answers = await ask(client, [PDQ, known | {"label": "second"}, PDQ, known])
        alone = (await client.post("/v1/match", json=known)).json()
    assert [answer["outcome"] for answer in answers] == ["publish", "block", "publish", "block"]
    for answer in (answers[1], answers[3]):
        assert answer["appeal_url"] != alone["appeal_url"]
        assert answer | {"check": 0, "appeal_url": 0} == alone | {"check": 0, "appeal_url": 0}
    rows = database.run(
        "SELECT id, outcome, label, appeal_token, pdq FROM matching_check ORDER BY id"
    )
    assert len(rows) == 5
    by_number = {row[0]: row for row in rows}
    for answer, label in zip(answers, ["", "second", "", ""], strict=True):
        row = by_number[answer["check"]]
        assert row[1:3] == (answer["outcome"], label)
        url = answer["appeal_url"]
        assert url == (f"https://haechi.example/appeal/{row[3]}" if row[3] else None)
        assert bytes(row[4]).hex() == answer["fingerprint"]["pdq"]  # type: ignore[index, call-overload]


async def test_one_bad_item_costs_its_own_answer_only(database: Database, sandbox: Sandbox) -> None:
    bad: list[object] = [
        None,
        7,
        [],
        {},
        {"pdq": "0"},
        {"pdq": "0" * 64},
        {"pdq": "0" * 64, "pdq_quality": 101},
        {"pdq": "0" * 64, "pdq_quality": True},
        PDQ | {"label": 7},
        PDQ | {"label": "x" * 121},
        PDQ | {"label": "a\0b"},
        PDQ | {"label": "\ud800"},
    ]
    async with running(database, sandbox) as client:
        answers = await ask(client, [PDQ, *bad, PDQ])
    assert [answer.get("outcome") for answer in answers] == [
        "publish",
        *[None] * len(bad),
        "publish",
    ]
    for answer in answers[1:-1]:
        assert answer["error"]["code"] == "format.invalid"  # type: ignore[index, call-overload]
        assert answer["error"]["detail"]  # type: ignore[index, call-overload]
    assert database.number("SELECT count(*) FROM matching_check") == 2


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '{"items": []}',
        '{"items": {}}',
        '{"items": [NaN]}',
        '{"items": [1], "items": [2]}',
        '{"items": [{"pdq": "a", "pdq": "b"}]}',
        '{"items": ' + "[" * 20_000,
        '{"items": [' + "{}," * 10 + "{}]}",
    ],
)
async def test_a_batch_of_another_form_is_refused_whole(
    database: Database, sandbox: Sandbox, body: str
) -> None:
    async with running(database, sandbox, batch=10) as client:
        response = await client.post("/v1/match/batch", content=body)
    assert code(response) == (400, "format.invalid")


async def test_only_bad_items_write_nothing(database: Database, sandbox: Sandbox) -> None:
    async with running(database, sandbox) as client:
        assert "error" in (await ask(client, [None]))[0]
    assert database.number("SELECT count(*) FROM matching_check") == 0


async def test_a_full_batch_fits_however_its_labels_are_escaped(
    database: Database, sandbox: Sandbox
) -> None:
    item = {"pdq": "0f" * 32, "sha256": "0e" * 32, "pdq_quality": 80, "label": "\U0001f600" * 60}
    body = json.dumps({"items": [item] * 100})
    async with running(database, sandbox, batch=100) as client:
        response = await client.post("/v1/match/batch", content=body)
    assert response.status_code == 200


async def test_requests_at_once_share_commits_and_get_their_own_numbers(
    database: Database, sandbox: Sandbox
) -> None:
    hashes = [f"{number:064x}" for number in range(60)]
    async with running(database, sandbox) as client:
        own = client._transport.app.state.service  # type: ignore[attr-defined]
        statements = 0
        rows = own.store._checks._rows

        async def counted(statement: str, values: object) -> object:
            nonlocal statements
            statements += 1
            return await rows(statement, values)

        own.store._checks._rows = counted
        responses = await asyncio.gather(
            *(client.post("/v1/match", json={"pdq": one, "pdq_quality": 90}) for one in hashes)
        )
    kept = dict(database.run("SELECT id, encode(pdq, 'hex') FROM matching_check"))  # type: ignore[arg-type]
    assert [kept[response.json()["check"]] for response in responses] == hashes
    assert statements < len(hashes) / 2


# --- the writer itself


class Table:
    """Takes rows as PostgreSQL would; `refuse` is a label that it does not take."""

    def __init__(self, refuse: str = "") -> None:
        self.statements: list[list[object]] = []
        self.refuse, self.away = refuse, False

    async def rows(self, _statement: str, values: dict[str, list[object]]) -> list[tuple[int]]:
        """Numbers for the rows of one statement."""
        await asyncio.sleep(0)
        labels = values["label"]
        self.statements.append(labels)
        if self.away:
            raise MatchUnavailable from psycopg.OperationalError("away")
        if self.refuse in labels:
            raise MatchUnavailable from psycopg.DataError("no")
        return [(int(str(label)),) for label in labels]


def rows(*labels: object) -> Sequence[dict[str, object]]:
    return [ROW | {"label": str(label)} for label in labels]


async def test_what_comes_while_one_statement_runs_is_the_next_statement() -> None:
    table = Table()
    checks = Checks(table.rows)
    answers = await asyncio.gather(*(checks.write(rows(n, n + 1_000)) for n in range(30)))
    assert answers == [[n, n + 1_000] for n in range(30)]
    assert len(table.statements) == 1
    assert await checks.write(rows(5)) == [5]


async def test_statements_have_an_end_and_groups_are_not_cut() -> None:
    table = Table()
    checks = Checks(table.rows)
    size = AT_ONCE // 2 + 1
    answers = await asyncio.gather(*(checks.write(rows(*[n] * size)) for n in range(5)))
    assert answers == [[n] * size for n in range(5)]
    assert [len(each) for each in table.statements] == [2 * size, 2 * size, size]


async def test_a_row_that_is_refused_costs_its_own_request_only() -> None:
    checks = Checks(Table(refuse="13").rows)
    answers = await asyncio.gather(
        *(checks.write(rows(n)) for n in range(20)), return_exceptions=True
    )
    assert [n for n, answer in enumerate(answers) if isinstance(answer, MatchUnavailable)] == [13]
    assert answers[14] == [14]


async def test_without_the_database_all_who_wait_are_told_at_once() -> None:
    table = Table()
    table.away = True
    checks = Checks(table.rows)
    answers = await asyncio.gather(
        *(checks.write(rows(*range(AT_ONCE))) for _ in range(4)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [MatchUnavailable] * 4
    assert len(table.statements) == 1
    table.away = False
    assert await checks.write(rows(1)) == [1]


async def test_the_queue_has_an_end_and_leaving_it_takes_nothing_back() -> None:
    table = Table()
    checks = Checks(table.rows)
    gone = asyncio.create_task(checks.write(rows(1)))
    stays = asyncio.create_task(checks.write(rows(2)))
    await asyncio.sleep(0)
    with pytest.raises(MatchBusy):
        await checks.write(rows(*range(WAITING)))
    gone.cancel()
    assert await stays == [2]
    assert "1" in table.statements[0]


# --- room for what arrives


async def test_slow_uploads_hold_no_place_that_others_need(
    database: Database, sandbox: Sandbox, photo: bytes
) -> None:
    done = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield photo[:100]
        await done.wait()
        yield photo[100:]

    async with running(database, sandbox, concurrency=1, queue=1) as client:
        waiting = [asyncio.create_task(trickled(client, slow())) for _ in range(5)]
        await asyncio.sleep(0.1)
        assert (await client.post("/v1/match", content=photo)).status_code == 200
        form = {"photo": photo}
        assert (await client.post("/h/hash", files=form)).status_code == 200
        room = client._transport.app.state.service.room  # type: ignore[attr-defined]
        assert (room.bodies, room.bytes) == (5, 500)
        done.set()
        statuses = await asyncio.gather(*waiting)
        assert {200} <= set(statuses) <= {200, 429}
        assert (room.bodies, room.bytes) == (0, 0)


async def trickled(client: httpx.AsyncClient, body: AsyncIterator[bytes]) -> object:
    """The status of a request whose body comes piece by piece; httpx's transport gathers it first."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        piece = await anext(body, b"")
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/match",
        "query_string": b"fingerprints=pdq",
        "headers": [(b"authorization", f"Bearer {KEY}".encode())],
    }
    await client._transport.app(scope, receive, send)  # type: ignore[attr-defined]
    return sent[0]["status"]


def test_room_has_an_end_in_bytes_and_in_bodies_and_is_given_back() -> None:
    room = Room(10, 2)
    with room.share() as one, room.share() as two:
        one(6)
        two(4)
        with pytest.raises(MatchBusy):
            one(1)
        with pytest.raises(MatchBusy), room.share():
            pass
    assert (room.bodies, room.bytes) == (0, 0)
    with room.share() as one:
        one(10)


async def test_a_process_that_falls_behind_refuses_at_once_and_recovers(
    database: Database, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(database, sandbox) as client:
        await asyncio.sleep(0)  # it has looked at the clock once
        with monkeypatch.context() as patch:
            patch.setattr(service, "BEHIND_S", -1.0)
            busy = await client.post("/v1/match", json=PDQ)
        assert code(busy) == (429, "matching.busy")
        assert "retry-after" in busy.headers
        assert (await client.post("/v1/match", json=PDQ)).status_code == 200
