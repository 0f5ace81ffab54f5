"""The match service over HTTP, on a real PostgreSQL and with real decoders."""

import asyncio
import hashlib
import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest
from examples.board import settings as board_settings
from examples.board.app import create_app as create_board
from PIL import Image
from psycopg.conninfo import make_conninfo
from tests.unit.match_house import (
    DIGEST_KEY,
    KEY,
    TABLES,
    Database,
    answers,
    code,
    jpeg,
    numbers,
    running,
    shipped,
    until,
)

from haechi import fingerprint
from haechi.fingerprint.address import url_digest
from haechi.match_service import follow, verdicts
from haechi.match_service.app import create_app
from haechi.match_service.config import Settings
from haechi.media import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]


def hashes(made: fingerprint.ImageFingerprint) -> dict[str, object]:
    return {
        "sha256": made.digests.sha256.hex(),
        "pdq": made.pdq.hex,
        "pdq_quality": made.pdq.quality,
    }


async def outcome(client: httpx.AsyncClient, made: fingerprint.ImageFingerprint) -> str:
    response = await client.post("/v1/match", json=hashes(made))
    assert response.status_code == 200, response.text
    return str(response.json()["outcome"])


# --- a question and its answer


async def test_an_unknown_picture_is_published_and_recorded(
    database: Database, sandbox: Sandbox, photo: bytes
) -> None:
    async with running(database, sandbox) as client:
        response = await client.post(
            "/v1/match", content=photo, headers={"Haechi-Label": "%EA%B3%A0%EC%96%91%EC%9D%B4.jpg"}
        )
    body = response.json()
    assert (body["outcome"], body["verdict"], body["hits"]) == ("publish", "no_match", [])
    assert body["appeal_url"] is None
    assert body["fingerprint"]["sha256"] == hashlib.sha256(photo).hexdigest()
    [row] = database.run("SELECT id, outcome, label, appeal_token, md5, pdq FROM matching_check")
    assert row[:4] == (body["check"], "publish", "\uace0\uc591\uc774.jpg", None)
    assert row[4] == hashlib.md5(photo).digest()  # noqa: S324
    assert bytes(row[5]).hex() == body["fingerprint"]["pdq"]  # type: ignore[call-overload]


async def test_a_resaved_copy_is_blocked_with_a_way_to_appeal(
    database: Database,
    sandbox: Sandbox,
    photo: bytes,
    fingerprinted: fingerprint.ImageFingerprint,
) -> None:
    member = database.member(database.bank(), fingerprinted)
    smaller = jpeg(shipped("astronaut.png").resize((300, 300)), quality=60)
    mirrored = jpeg(shipped("astronaut.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    async with running(database, sandbox) as client:
        same = (await client.post("/v1/match", content=photo)).json()
        copy = (await client.post("/v1/match", content=smaller)).json()
        turned = (await client.post("/v1/match", content=mirrored)).json()
        other = (await client.post("/v1/match", content=jpeg(shipped("chelsea.png")))).json()
    assert (same["outcome"], same["verdict"]) == ("block", "identical_file")
    assert (copy["outcome"], copy["verdict"]) == ("block", "same_picture")
    assert (turned["outcome"], turned["verdict"]) == ("block", "edited_copy")
    assert turned["hits"][0]["orientation"] > 0
    assert other["outcome"] == "publish"
    assert copy["hits"][0]["member"] == member
    assert copy["reason"]["code"] == "match.same_picture"
    [(token,)] = database.run(
        "SELECT appeal_token FROM matching_check WHERE id = %s", copy["check"]
    )
    assert copy["appeal_url"] == f"https://haechi.example/appeal/{token}"
    assert len(str(token)) == 22
    assert same["appeal_url"] != copy["appeal_url"]


@pytest.mark.parametrize(
    ("policy", "status", "enabled", "expected"),
    [
        ("block", "confirmed", True, "block"),
        ("block", "pending", True, "publish"),
        ("block", "withdrawn", True, "publish"),
        ("block", "confirmed", False, "publish"),
        ("review", "confirmed", True, "review"),
        ("record", "confirmed", True, "publish"),
    ],
)
async def test_only_confirmed_members_of_enabled_blocking_banks_block(
    database: Database,
    sandbox: Sandbox,
    fingerprinted: fingerprint.ImageFingerprint,
    policy: str,
    status: str,
    enabled: bool,  # noqa: FBT001
    expected: str,
) -> None:
    database.member(database.bank(policy, enabled=enabled), fingerprinted, status)
    async with running(database, sandbox) as client:
        assert await outcome(client, fingerprinted) == expected
    [(recorded, token)] = database.run("SELECT outcome, appeal_token FROM matching_check")
    assert recorded == expected
    assert (token is not None) == (expected == "block")


# --- bad input


def png_bomb(side_px: int = 60_000) -> bytes:
    """A PNG of a few hundred kilobytes that claims 3.6 gigapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(50_000_000), 9)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


async def test_bad_pictures_get_a_stable_code_and_leave_no_row(
    database: Database, sandbox: Sandbox, photo: bytes
) -> None:
    async with running(database, sandbox) as client:

        async def refused(content: bytes) -> tuple[int, str]:
            return code(await client.post("/v1/match", content=content))

        assert await refused(b"") == (415, "media.not_media")
        assert await refused(b"this is a letter, not a picture" * 9) == (415, "media.not_media")
        assert await refused(photo[: len(photo) // 3]) == (422, "media.broken")
        # Made beside the event loop: the service is busy for whoever holds it up for a second.
        bomb = await asyncio.to_thread(png_bomb)
        assert await refused(bomb) == (413, "media.too_many_pixels")
        assert await refused(photo + bytes(60_000_000)) == (413, "media.too_many_bytes")
        assert await refused(b"\0\0\0\x18ftypisom" + bytes(500)) in [
            (415, "media.unsupported"),
            (422, "media.broken"),
        ]
        after = await client.post("/v1/match", content=photo)
    assert after.json()["outcome"] == "publish"
    assert database.number("SELECT count(*) FROM matching_check") == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (400, "format.invalid")),
        (b"{", (400, "format.invalid")),
        (b"[]", (400, "format.invalid")),
        (b"[" * 50_000, (400, "format.invalid")),
        (b"\xff\xfe", (400, "format.invalid")),
        (b'{"sha256": "00"}', (400, "format.invalid")),
        (b'{"sha256": "' + b"0" * 70_000 + b'"}', (413, "media.too_many_bytes")),
    ],
)
async def test_bad_json_is_refused(
    database: Database, sandbox: Sandbox, content: bytes, expected: tuple[int, str]
) -> None:
    async with running(database, sandbox) as client:
        response = await client.post(
            "/v1/match", content=content, headers={"Content-Type": "application/json"}
        )
    assert code(response) == expected


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic " + KEY, "Bearer " + "k" * 500]
)
async def test_without_the_key_nothing_is_answered(
    database: Database, sandbox: Sandbox, header: str
) -> None:
    async with running(database, sandbox) as client:
        response = await client.post("/v1/match", content=b"x", headers={"Authorization": header})
        assert code(response) == (401, "matching.key_refused")
        assert response.headers["www-authenticate"] == "Bearer"
        assert code(await client.get("/v1/status", headers={"Authorization": header})) == (
            401,
            "matching.key_refused",
        )
        database.run("UPDATE matching_platform SET enabled = false")
        assert code(await client.post("/v1/match", content=b"x")) == (401, "matching.key_refused")


async def test_a_pdq_alone_is_answered_but_registers_nothing(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    """As clients of hash lists ask; what is hosted needs the digest of a file."""
    database.member(database.bank(), fingerprinted)
    body = {"pdq": fingerprinted.pdq.hex, "pdq_quality": fingerprinted.pdq.quality}
    async with running(database, sandbox) as client:
        answer = (await client.post("/v1/match", json=body)).json()
        assert (answer["outcome"], answer["fingerprint"]["sha256"]) == ("block", None)
        assert answer["hits"][0]["distance_bits"] == 0
        register = {"url": "http://board.test/1", "account": "a", "fingerprint_of": answer["check"]}
        refused = await client.put("/v1/content/1", json=register)
    assert code(refused) == (404, "matching.check_unknown")


async def test_a_label_that_is_too_long_and_a_wrong_address_are_refused(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    async with running(database, sandbox) as client:
        for label in ("x" * 121, "a%00b", "a%0Ab"):
            response = await client.post(
                "/v1/match", json=hashes(fingerprinted), headers={"Haechi-Label": label}
            )
            assert code(response) == (400, "format.invalid")
        assert code(await client.get("/v1/nothing")) == (404, "http.404")
        assert code(await client.get("/v1/match")) == (405, "http.405")


async def sent_to(client: httpx.AsyncClient, body: AsyncIterator[bytes]) -> dict[str, object]:
    """First message of the answer to a body that the client of httpx could not send: it is endless."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": await anext(body), "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/match",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {KEY}".encode())],
    }
    await asyncio.wait_for(client._transport.app(scope, receive, send), 10)  # type: ignore[attr-defined]
    return sent[0]


async def test_a_body_that_does_not_arrive_is_given_up(
    database: Database, sandbox: Sandbox
) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        yield b"\xff\xd8"
        await asyncio.sleep(30)

    async with running(database, sandbox, read_s=0.2) as client:
        assert (await sent_to(client, trickle()))["status"] == 408


async def test_a_body_without_end_is_neither_kept_nor_read_to_its_end(
    database: Database, sandbox: Sandbox
) -> None:
    chunks = itertools.count()

    async def endless() -> AsyncIterator[bytes]:
        while next(chunks) < 1_000:
            yield bytes(1_000)

    async with running(database, sandbox, limit_bytes=10_000) as client:
        assert (await sent_to(client, endless()))["status"] == 413
    assert next(chunks) < 30


async def test_a_flood_is_told_to_come_back(
    database: Database, sandbox: Sandbox, photo: bytes
) -> None:
    async with running(database, sandbox, concurrency=1, queue=1) as client:
        responses = await asyncio.gather(
            *(client.post("/v1/match", content=photo) for _ in range(6))
        )
    statuses = sorted(response.status_code for response in responses)
    assert statuses[0] == 200
    assert statuses[-1] == 429
    busy = next(response for response in responses if response.status_code == 429)
    assert code(busy) == (429, "matching.busy")
    assert busy.headers["retry-after"] == "2"
    assert database.number("SELECT count(*) FROM matching_check") == statuses.count(200)


# --- what is hosted


async def test_content_is_registered_by_digest_once_and_removed_once(
    database: Database, sandbox: Sandbox, photo: bytes
) -> None:
    async with running(database, sandbox) as client:
        check = (await client.post("/v1/match", content=photo)).json()["check"]
        body = {"url": "http://board.test/post/7/", "account": "Mina", "fingerprint_of": check}
        first = (await client.put("/v1/content/post-7", json=body)).json()
        again = (await client.put("/v1/content/post-7", json=body)).json()
        assert first == again
        gone = (await client.delete("/v1/content/post-7")).json()
        assert gone == (await client.delete("/v1/content/post-7")).json()
        late = (await client.put("/v1/content/post-7", json=body)).json()
        assert late["removed_at"] == gone["removed_at"]
        fresh = (await client.post("/v1/match", content=photo)).json()["check"]
        back = (
            await client.put("/v1/content/post-7", json={**body, "fingerprint_of": fresh})
        ).json()
        assert back["removed_at"] is None
        status = (await client.get("/v1/status")).json()
    assert status["platform"] == {"hosted": 1, "checks": 2}
    [row] = database.run("SELECT url_digest, account_digest, sha256 FROM matching_hosted")
    assert row == (
        url_digest(DIGEST_KEY, "http://board.test/post/7"),
        url_digest(DIGEST_KEY, "mina"),
        hashlib.sha256(photo).digest(),
    )
    assert (
        b"board.test"
        not in json.dumps(database.run("SELECT h::text FROM matching_hosted h")).encode()
    )


async def test_content_of_unknown_checks_and_other_platforms_is_refused(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    database.platform("another-key-of-a-platform", "other")
    other = {"Authorization": "Bearer another-key-of-a-platform"}
    async with running(database, sandbox) as client:
        check = (await client.post("/v1/match", json=hashes(fingerprinted))).json()["check"]
        body = {"url": "http://board.test/1", "account": "a", "fingerprint_of": check}
        elsewhere = {**body, "url": "http://other.test/1"}
        assert code(await client.put("/v1/content/1", json=elsewhere)) == (400, "format.invalid")
        assert code(await client.put("/v1/content/1", json=elsewhere, headers=other)) == (
            404,
            "matching.check_unknown",
        )
        assert (await client.put("/v1/content/1", json=body)).status_code == 200
        assert code(await client.delete("/v1/content/1", headers=other)) == (
            404,
            "matching.content_unknown",
        )
        for wrong in (
            {**body, "fingerprint_of": check + 1},
            {**body, "fingerprint_of": "1"},
            {**body, "fingerprint_of": 2**70},
            {**body, "url": ""},
            {**body, "url": "a\0b"},
            {**body, "url": "http://board.test:81/1"},
            {**body, "url": "http://board.test@other.test/1"},
            {**body, "url": "http://board.test.other.test/1"},
            {**body, "url": "@board.test"},
            {**body, "account": None},
            {**body, "account": "a" * 2_001},
        ):
            response = await client.put("/v1/content/1", json=wrong)
            assert response.status_code in (400, 404), wrong
        assert (await client.put(f"/v1/content/{'i' * 201}", json=body)).status_code == 400
        assert (await client.put("/v1/content/a%00b", json=body)).status_code == 400
        for empty in ("/v1/content/", "/v1/content/%20"):
            assert (await client.put(empty, json=body)).status_code == 400
    assert database.number("SELECT count(*) FROM matching_hosted") == 1


# --- what changes in the banks


async def test_changes_in_the_banks_are_in_force_by_notification(
    database: Database,
    sandbox: Sandbox,
    fingerprinted: fingerprint.ImageFingerprint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Adding, confirming, withdrawing, disabling and enabling; nobody looks without being told."""
    monkeypatch.setattr(follow, "LOOK_EVERY_S", 3600)
    bank = database.bank()
    async with running(database, sandbox, stale_after_s=3600) as client:

        async def becomes(expected: str) -> None:
            async def true() -> bool:
                return await outcome(client, fingerprinted) == expected

            await until(true)

        member = database.member(bank, fingerprinted, "pending")
        assert await outcome(client, fingerprinted) == "publish"
        for statement, row, expected in [
            ("UPDATE matching_member SET status = 'confirmed' WHERE id = %s", member, "block"),
            ("UPDATE matching_bank SET enabled = false WHERE id = %s", bank, "publish"),
            ("UPDATE matching_bank SET enabled = true WHERE id = %s", bank, "block"),
            ("UPDATE matching_bank SET policy = 'review' WHERE id = %s", bank, "review"),
            ("UPDATE matching_member SET status = 'withdrawn' WHERE id = %s", member, "publish"),
        ]:
            database.run(statement, row)
            await becomes(expected)


async def test_a_lost_notification_is_made_up_for(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    """Numbers are looked at every second, so silence of the channel delays but never loses."""
    bank = database.bank()
    database.run(
        "CREATE OR REPLACE FUNCTION matching_take_seq() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.seq := nextval('matching_seq'); RETURN NEW; END $$"
    )
    async with running(database, sandbox) as client:
        database.member(bank, fingerprinted)

        async def blocked() -> bool:
            return await outcome(client, fingerprinted) == "block"

        await until(blocked)


async def test_killed_connections_lose_no_change(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    """Every backend is terminated; a member is confirmed in that moment; nothing is restarted."""
    bank = database.bank()
    async with running(database, sandbox) as client:
        assert await outcome(client, fingerprinted) == "publish"
        for _ in range(3):
            database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        database.member(bank, fingerprinted)

        async def blocked() -> bool:
            response = await client.post("/v1/match", json=hashes(fingerprinted))
            assert response.status_code in (200, 503), response.text
            return response.status_code == 200 and response.json()["outcome"] == "block"

        await until(blocked)


async def test_a_request_does_not_notice_a_killed_connection(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    async with running(database, sandbox) as client:
        for _ in range(3):
            assert await outcome(client, fingerprinted) == "publish"
            database.run(
                "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
                " WHERE application_name = 'haechi-match' AND datname = current_database()"
            )
        assert await outcome(client, fingerprinted) == "publish"


async def test_without_the_database_nothing_is_published_and_it_recovers(
    database: Database, sandbox: Sandbox, server_uri: str, photo: bytes
) -> None:
    name = database.url.split("dbname=")[1].split()[0]

    def allow(allowed: str) -> None:
        with psycopg.connect(server_uri, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}".encode())
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )

    async with running(database, sandbox, stale_after_s=1.0, database_s=1.0) as client:
        allow("false")
        await until(lambda: answers(client, "/ready", 503))
        refused = await client.post("/v1/match", content=photo)
        assert code(refused) == (503, "matching.unavailable")
        assert refused.headers["retry-after"] == "2"
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/v1/status", headers={"Authorization": ""})).status_code == 401
        allow("true")
        await until(lambda: answers(client, "/ready", 200))
        assert (await client.post("/v1/match", content=photo)).json()["outcome"] == "publish"
    assert database.number("SELECT count(*) FROM matching_check") == 1


async def test_no_verdict_is_given_on_banks_that_cannot_be_read(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    """Rows could still be written, but what was withdrawn since is not known: fails closed."""
    async with running(database, sandbox, stale_after_s=1.0, database_s=1.0) as client:
        with psycopg.connect(database.url) as blocker:
            blocker.execute("LOCK TABLE matching_bank IN ACCESS EXCLUSIVE MODE")
            await until(lambda: answers(client, "/ready", 503))
            response = await client.post("/v1/match", json=hashes(fingerprinted))
            assert code(response) == (503, "matching.unavailable")
        await until(lambda: answers(client, "/ready", 200))
    assert database.number("SELECT count(*) FROM matching_check") == 0


async def test_it_starts_before_the_database_has_its_tables(
    server_uri: str, sandbox: Sandbox
) -> None:
    name = f"later_{next(numbers)}"
    with psycopg.connect(server_uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    late = Database(make_conninfo(server_uri, dbname=name))
    app = create_app(Settings(late.url, DIGEST_KEY), sandbox=sandbox)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://match.test") as client,
    ):
        assert code(await client.get("/ready")) == (503, "matching.unavailable")
        with psycopg.connect(late.url) as connection:
            connection.execute(TABLES.read_bytes())
        await until(lambda: answers(client, "/ready", 200))


async def test_a_restored_backup_is_noticed(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    """The numbers of a restored database start lower; what was known before must be forgotten."""
    bank = database.bank()
    member = database.member(bank, fingerprinted)
    async with running(database, sandbox) as client:
        assert await outcome(client, fingerprinted) == "block"
        with psycopg.connect(database.url) as connection:
            connection.execute("ALTER TABLE matching_member DISABLE TRIGGER ALL")
            connection.execute("DELETE FROM matching_check")
            connection.execute("DELETE FROM matching_member WHERE id = %s", [member])
        database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'haechi-match-follow' AND datname = current_database()"
        )

        async def forgotten() -> bool:
            response = await client.post("/v1/match", json=hashes(fingerprinted))
            return response.status_code == 200 and response.json()["outcome"] == "publish"

        await until(forgotten)


# --- with the sample board


async def test_the_board_and_the_service_together(
    database: Database,
    sandbox: Sandbox,
    tmp_path: Path,
    photo: bytes,
    fingerprinted: fingerprint.ImageFingerprint,
) -> None:
    """Published and findable by address; once it is on the list, the same upload is refused."""
    bank = database.bank()
    async with running(database, sandbox) as match:
        settings = board_settings.Settings(
            tmp_path, "http://board.test", "http://m.test", KEY, b"s"
        )
        board = create_board(settings, transport=match._transport)
        transport = httpx.ASGITransport(board)
        async with (
            board.router.lifespan_context(board),
            httpx.AsyncClient(transport=transport, base_url="http://board.test") as http,
        ):

            async def upload(content: bytes, name: str) -> httpx.Response:
                form = {"account": "Mina", "caption": "a"}
                return await http.post("/api/posts", files={"file": (name, content)}, data=form)

            first = await upload(photo, "first.jpg")
            assert first.status_code == 201
            digest = url_digest(DIGEST_KEY, first.json()["url"] + "/#comments")
            [(content_id,)] = database.run(
                "SELECT content_id FROM matching_hosted WHERE url_digest = %s", digest
            )
            assert content_id == first.json()["id"]

            database.member(bank, fingerprinted)

            async def refused() -> bool:
                return (await upload(photo, "again.jpg")).status_code == 409

            await until(refused)
            smaller = jpeg(shipped("astronaut.png").resize((300, 300)), 60)
            answer = await upload(smaller, "smaller.jpg")
            assert answer.json()["reason"]["code"] == "match.same_picture"
            assert (await upload(b"GIF89a, or so it says", "x.gif")).status_code == 422
    [(verdict,)] = database.run("SELECT verdict FROM matching_check WHERE label = 'smaller.jpg'")
    assert verdict == "same_picture"


# --- looking at it from outside


async def test_status_and_metrics_tell_what_is_loaded(
    database: Database, sandbox: Sandbox, fingerprinted: fingerprint.ImageFingerprint
) -> None:
    database.member(database.bank(), fingerprinted)
    database.bank(enabled=False)
    async with running(database, sandbox) as client:
        await outcome(client, fingerprinted)
        status = (await client.get("/v1/status")).json()
        text = (await client.get("/metrics")).text
    assert (status["members"], status["banks"], status["banks_enabled"]) == (1, 2, 1)
    assert status["seq"] == database.number("SELECT max(seq) FROM matching_bank")
    assert status["sscd"] is (fingerprinted.embedding is not None)
    assert 'haechi_match_outcomes_total{outcome="block"} 1' in text
    assert 'haechi_match_requests_total{route="match",status="200"} 1' in text
    assert "haechi_match_members 1" in text


@pytest.mark.slow
def test_kill_9_after_the_answer_loses_nothing(database: Database, photo: bytes) -> None:
    """Under Granian as in production: what was answered is in the database, and it starts again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        **os.environ,
        "HAECHI_DATABASE_URL": database.url,
        "HAECHI_DIGEST_KEY": DIGEST_KEY.hex(),
        "HAECHI_MATCH_DECODERS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port)]
    for round_number in (1, 2):
        with subprocess.Popen(  # noqa: S603
            [*command, "haechi.match_service.asgi:app"],
            env=environ,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as granian:
            try:
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                    wait_ready(client, granian)
                    headers = {"Authorization": f"Bearer {KEY}"}
                    refused = client.post("/v1/match", content=bytes(60_000_000), headers=headers)
                    assert code(refused) == (413, "media.too_many_bytes")
                    answer = client.post("/v1/match", content=photo, headers=headers)
            finally:
                os.killpg(granian.pid, signal.SIGKILL)
        assert answer.json()["outcome"] == "publish"
        checks = database.run("SELECT id FROM matching_check ORDER BY id")
        assert len(checks) == round_number
        assert checks[-1] == (answer.json()["check"],)


def wait_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "granian ended"
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("not ready after two minutes")


async def test_whoever_is_refused_unread_is_told_that_the_connection_ends(
    database: Database, sandbox: Sandbox, photo: bytes
) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    async with running(database, sandbox) as client:
        unread = await client.post("/v1/match", content=photo, headers=wrong)
        elsewhere = await client.post("/nowhere", content=photo)
        short = await client.post("/v1/match", content=b"{}", headers=wrong)
        read = await client.post("/v1/match", content=photo[: len(photo) // 3])
    assert [one.headers.get("connection") for one in (unread, elsewhere, short, read)] == [
        "close",
        "close",
        None,
        None,
    ]


async def test_an_answer_tells_so_many_hits_and_that_there_are_more(
    database: Database,
    sandbox: Sandbox,
    fingerprinted: fingerprint.ImageFingerprint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The best ones, and the one that decided wherever it stands; alone and in a batch."""
    monkeypatch.setattr(verdicts, "MOST_TOLD", 2)
    for _ in range(3):
        database.member(database.bank("record"), fingerprinted)
    async with running(database, sandbox) as client:
        asked = hashes(fingerprinted)
        one = (await client.post("/v1/match", json=asked)).json()
        last = database.member(database.bank("block"), fingerprinted)

        async def blocked() -> bool:
            return await outcome(client, fingerprinted) == "block"

        await until(blocked)
        both = (await client.post("/v1/match/batch", json={"items": [asked]})).json()["answers"][0]
    assert (len(one["hits"]), one["truncated"], one["outcome"]) == (2, True, "publish")
    assert (len(both["hits"]), both["truncated"]) == (3, True)
    assert both["hits"][-1]["member"] == last
    assert "source" in both["hits"][-1], "what is kept beside it is told too"
