"""Banks that processes share by a file: it answers as the database would, or is not used."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.unit.match_house import Database, numbers, running

from haechi.fingerprint import ImageFingerprint
from haechi.match_service.decide import Bank
from haechi.match_service.mirror import Mirror
from haechi.match_service.saved import Saved, identity
from haechi.media import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

LOADED = "loading the banks from the database"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "match" / "banks.snapshot"


@pytest.fixture(autouse=True)
def _told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="haechi.match_service.follow")


def loads(caplog: pytest.LogCaptureFixture) -> int:
    """How often the banks were loaded from the database, since the last time this was asked."""
    count = sum(LOADED in message for message in caplog.messages)
    caplog.clear()
    return count


def only_ours(kept: Path) -> bool:
    return not kept.stat().st_mode & 0o077


def left(kept: Path) -> list[str]:
    return sorted(one.name for one in kept.parent.iterdir())


def killed(kept: Path) -> None:
    """As a process leaves the folder that was killed while it wrote."""
    kept.parent.mkdir()
    (kept.parent / f".{kept.name}.half").write_bytes(b"half")


def hashed(database: Database, bank: int, pdq: bytes, **more: object) -> int:
    """A confirmed member of which only the PDQ, and what else is given, is known; its id."""
    row = {"bank_id": bank, "status": "confirmed", "pdq": pdq, "pdq_quality": 100, **more}
    values = ", ".join(["%s"] * len(row))
    statement = f"INSERT INTO matching_member ({', '.join(row)}) VALUES ({values}) RETURNING id"
    return database.number(statement, *row.values())


def filled(database: Database, made: ImageFingerprint) -> dict[str, int]:
    """Banks and members of every kind that the file has to keep; their ids."""
    block, review, off = database.bank(), database.bank("review"), database.bank(enabled=False)
    database.run(
        "UPDATE matching_bank SET thresholds = '{\"pdq_edited_bits\": 4}' WHERE id = %s", review
    )
    ids = {"block": block, "review": review, "off": off, "photo": database.member(block, made)}
    for number, bank in enumerate([block, review, off, block, block, block]):
        ids[f"m{number}"] = hashed(database, bank, bytes([number + 1]) * 32)
    database.run(
        "UPDATE matching_member SET paused_until = now() + interval '1 day' WHERE id = %s",
        ids["m3"],
    )
    database.run(
        "UPDATE matching_member SET expires_at = now() - interval '1 day' WHERE id = %s", ids["m4"]
    )
    database.run("UPDATE matching_member SET held = 'disputed' WHERE id = %s", ids["m5"])
    database.run(
        "INSERT INTO matching_member (bank_id, status, md5) VALUES (%s, 'confirmed', %s)",
        block,
        b"m" * 16,
    )
    return ids


async def answers(client: httpx.AsyncClient, photo: bytes) -> list[Mapping[str, Any]]:
    """What the service says to questions of every kind, without what is new in each answer."""
    said: list[Mapping[str, Any]] = []
    asked = [bytes([number]) * 32 for number in range(1, 12)]
    asked += [bytes([0xFE]) + one[1:] for one in asked] + [one[:30] + b"\xff\x0f" for one in asked]
    for one in asked:
        body = {"pdq": one.hex(), "pdq_quality": 100}
        said.append((await client.post("/v1/match", json=body)).json())
        place = f"/m/lookup?signal_type=pdq&signal={one.hex()}&seed=1"
        said.append((await client.get(place)).json())
    said.append((await client.post("/v1/match?fingerprints=pdq", content=photo)).json())
    place = f"/m/lookup?signal_type=video_md5&signal={(b'm' * 16).hex()}"
    said.append((await client.get(place)).json())
    told = (await client.get("/v1/status")).json()
    said.append({name: told[name] for name in ("members", "banks", "banks_enabled", "seq")})
    fresh = {"check", "appeal_url"}
    return [{name: value for name, value in one.items() if name not in fresh} for one in said]


async def test_a_restart_with_the_file_answers_exactly_as_one_without(
    database: Database,
    sandbox: Sandbox,
    kept: Path,
    photo: bytes,
    fingerprinted: ImageFingerprint,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also what changed while nothing ran: added, withdrawn, held, banks switched on and off."""
    ids = filled(database, fingerprinted)
    async with running(database, sandbox, snapshot=kept) as client:
        first = await answers(client, photo)
    assert loads(caplog) == 1
    assert only_ours(kept)
    assert sum(bool(one.get("hits")) for one in first) >= 5

    async with running(database, sandbox, snapshot=kept) as client:
        assert await answers(client, photo) == first
    assert loads(caplog) == 0

    hashed(database, ids["block"], bytes([9]) * 32)
    database.run("UPDATE matching_member SET status = 'withdrawn' WHERE id = %s", ids["m0"])
    database.run("UPDATE matching_member SET held = '' WHERE id = %s", ids["m5"])
    database.run("UPDATE matching_bank SET enabled = true WHERE id = %s", ids["off"])
    database.run("UPDATE matching_bank SET enabled = false WHERE id = %s", ids["review"])
    async with running(database, sandbox, snapshot=kept) as client:
        with_file = await answers(client, photo)
    assert loads(caplog) == 0
    async with running(database, sandbox) as client:
        assert await answers(client, photo) == with_file
    assert with_file != first


async def test_several_processes_load_once(
    database: Database,
    sandbox: Sandbox,
    kept: Path,
    fingerprinted: ImageFingerprint,
    caplog: pytest.LogCaptureFixture,
) -> None:
    filled(database, fingerprinted)

    async def one() -> object:
        async with running(database, sandbox, snapshot=kept) as client:
            return (await client.get("/v1/status")).json()["members"]

    counted = await asyncio.gather(*(one() for _ in range(3)))
    assert len(set(counted)) == 1
    assert loads(caplog) == 1


@pytest.mark.parametrize("harm", ["damaged", "cut", "nothing", "foreign", "ahead", "log", "folder"])
async def test_a_file_that_does_not_fit_is_refused_and_replaced(
    harm: str,
    database: Database,
    server_uri: str,
    sandbox: Sandbox,
    kept: Path,
    fingerprinted: ImageFingerprint,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What the service then knows comes from the database, and the next start has a good file."""
    member = database.member(database.bank(), fingerprinted)
    async with running(database, sandbox, snapshot=kept):
        pass
    await _harm(harm, kept, database, server_uri, sandbox)
    caplog.clear()

    for expected in (1, 1 if harm == "folder" else 0):
        async with running(database, sandbox, snapshot=kept) as client:
            body = {"pdq": fingerprinted.pdq.hex, "pdq_quality": 100}
            said = (await client.post("/v1/match", json=body)).json()
            told = (await client.get("/v1/status")).json()
        assert [hit["member"] for hit in said["hits"]] == [member]
        assert told["members"] == 1
        assert loads(caplog) == expected


async def _harm(
    harm: str, kept: Path, database: Database, server_uri: str, sandbox: Sandbox
) -> None:
    if harm == "foreign":
        _spoil("absent", kept)
        async with running(_other(server_uri), sandbox, snapshot=kept):
            pass
    elif harm in ("ahead", "log"):
        await _of_another_past(database, kept, log=harm == "log")
    else:
        _spoil(harm, kept)


def _spoil(harm: str, kept: Path) -> None:
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.unlink()
    if harm == "folder":
        kept.mkdir()
    elif harm != "absent":
        kept.write_bytes({"damaged": content, "cut": content[:-64], "nothing": b""}[harm])


def _other(server_uri: str) -> Database:
    """Another database of the same server, as empty as ours was."""
    name = f"test_{next(numbers)}"
    with psycopg.connect(server_uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE match_template".encode())
    made = Database(psycopg.conninfo.make_conninfo(server_uri, dbname=name))
    made.bank()
    return made


async def _of_another_past(database: Database, kept: Path, *, log: bool) -> None:
    """As left by a time after which a backup was put back: by its numbers, or by its log alone."""
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        known = await identity(connection)
    assert known is not None
    mirror = Mirror()
    mirror.finish({1: Bank("gone", "block", enabled=True)}, 1 if log else 1_000_000)
    Saved(kept).write(mirror, known | ({"written": known["written"] + 2**40} if log else {}))


async def test_what_a_killed_writer_left_is_taken_away(
    database: Database, sandbox: Sandbox, kept: Path, fingerprinted: ImageFingerprint
) -> None:
    database.member(database.bank(), fingerprinted)
    killed(kept)
    async with running(database, sandbox, snapshot=kept):
        pass
    assert left(kept) == [kept.name, f"{kept.name}.lock"]
