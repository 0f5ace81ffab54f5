"""From the desk to the match service: what people decide about members is in force in a second."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from tests.flow.conftest import host
from tests.flow.test_hma_tables import KEY, _url

from haechi import fingerprint
from haechi.match_service.app import create_app
from haechi.match_service.config import Settings
from haechi.server.audit import services as audit
from haechi.server.evidence import services as evidence
from haechi.server.matching import api_keys, banks, listing
from haechi.server.matching import services as matching
from haechi.server.matching.models import (
    Bank,
    BankPolicy,
    Check,
    Held,
    Member,
    MemberStatus,
    Platform,
)
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.timeout(60)

ACT = {"actor": "staff:1"}


@asynccontextmanager
async def processes() -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two match processes, each with its own mirror."""
    apps = [create_app(Settings(_url(), bytes(32), decoders=1)) for _ in range(2)]
    async with (
        apps[0].router.lifespan_context(apps[0]),
        apps[1].router.lifespan_context(apps[1]),
        _client(apps[0]) as first,
        _client(apps[1]) as second,
    ):
        yield [first, second]


def _client(app: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),  # type: ignore[arg-type]
        base_url="http://match.test",
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=120,
    )


async def do[T](act: Callable[[], T]) -> T:
    """Something of Django's, committed, in a thread with a connection of its own."""

    def run() -> T:
        try:
            return act()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


async def becomes(
    clients: list[httpx.AsyncClient], made: fingerprint.ImageFingerprint, outcome: str
) -> None:
    """Every process comes to answer `outcome`."""
    body = {
        "sha256": made.digests.sha256.hex(),
        "pdq": made.pdq.hex,
        "pdq_quality": made.pdq.quality,
    }
    for client in clients:
        began = time.monotonic()
        while True:
            answer = (await client.post("/v1/match", json=body)).json()
            if answer.get("outcome") == outcome:
                break
            assert time.monotonic() - began < 60, (outcome, answer)
            await asyncio.sleep(0.01)


@pytest.fixture
def others(committed: None, astronaut: bytes) -> tuple[Bank, int]:
    """A bank of somebody else's, and one member that nobody here has seen."""
    board = matching.register_platform(
        "board", "https://b.example", "https://b.example/h", webhook_secret=b"s" * 32
    )
    scopes = api_keys.FIRST_SCOPES
    api_keys.add(
        board, KEY, name="first", scopes=scopes, expires_at=None, now=timezone.now(), **ACT
    )
    bank = banks.make("others", BankPolicy.BLOCK, now=timezone.now(), **ACT)
    columns = evidence.columns(fingerprint.member(astronaut))
    new = listing.New("partner", **columns)  # type: ignore[arg-type]
    [made] = listing.add(bank, [new], status=MemberStatus.PENDING, now=timezone.now(), **ACT)
    return bank, made.member


@pytest.mark.django_db
def test_registering_what_is_hosted_never_waits_for_the_log(
    board: Platform, astronaut: bytes
) -> None:
    """It happens at every upload; the log's lock is held by whoever decides something."""
    host(board, astronaut)
    assert audit.CHAIN_LOCK not in _locks()
    banks.make("any", BankPolicy.BLOCK, now=timezone.now(), **ACT)
    assert audit.CHAIN_LOCK in _locks()


def _locks() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        return {row[0] for row in cursor.fetchall()}


def test_confirmed_at_the_desk_refused_at_the_door(
    others: tuple[Bank, int], desk: Client, astronaut: bytes
) -> None:
    """The page is pressed, and both processes refuse; a doubt, and both send it to a person."""
    User.objects.filter(username="walker").delete()
    reviewer, _ = staff.add(
        "walker", "W", Role.REVIEWER, "a long pass phrase", actor="test", now=timezone.now()
    )
    made, (_, number) = fingerprint.image(astronaut), others

    def press(act: str) -> None:
        desk.force_login(reviewer)
        assert desk.post(f"/member/{number}/judge", {"act": act}).status_code == 302

    async def scene() -> None:
        async with processes() as clients:
            await becomes(clients, made, "publish")
            for act, outcome in [
                ("confirm", "block"),
                ("dispute", "review"),
                ("release", "block"),
                ("hold", "review"),
                ("confirm", "block"),
                ("withdraw", "publish"),
            ]:
                await do(lambda act=act: press(act))
                await becomes(clients, made, outcome)

    try:
        asyncio.run(scene())
    finally:
        User.objects.filter(pk=reviewer.pk).delete()


def test_every_setting_of_a_bank_is_in_force_too(
    others: tuple[Bank, int], cat: bytes, astronaut: bytes
) -> None:
    """Trust, expiry, policy, thresholds, and a harmless picture that takes the match back."""
    made, (bank, number) = fingerprint.image(astronaut), others
    member = Member.objects.get(pk=number)
    now = timezone.now()

    def change(**what: object) -> Callable[[], None]:
        return lambda: banks.change(bank, reason="r", now=now, **ACT, **what)  # type: ignore[arg-type]

    def harmless() -> None:
        white = banks.make("harmless", BankPolicy.BENIGN, now=now, **ACT)
        file = made.digests.sha256
        new = listing.New("us", sha256=file, pdq=made.pdq.bits, pdq_quality=100)
        listing.add(white, [new], status=MemberStatus.CONFIRMED, now=now, **ACT)

    async def scene() -> None:
        async with processes() as clients:
            for act, outcome in [
                (change(trusted=True), "block"),
                (change(trusted=False), "publish"),
                (lambda: banks.confirm(member, now=now, **ACT), "block"),
                (change(policy=BankPolicy.RECORD), "publish"),
                (change(policy=BankPolicy.BLOCK), "block"),
                (change(enabled=False), "publish"),
                (change(enabled=True), "block"),
                (lambda: banks.hold(member, Held.STAFF, now=now, **ACT), "review"),
                (lambda: banks.release(member, now=now, **ACT), "block"),
                # The very file, in two banks that say different things: a person looks.
                (harmless, "review"),
            ]:
                await do(act)
                await becomes(clients, made, outcome)
            soon = timezone.now() + timedelta(seconds=1.2)
            await do(lambda: banks.expire(member, soon, now=now, **ACT))
            await asyncio.sleep(max(0.0, (soon - timezone.now()).total_seconds()))
            await becomes(clients, made, "publish")

    asyncio.run(scene())
    vetoed = Check.objects.filter(outcome="review").exclude(veto=None)
    assert {check.veto.bank.name for check in vetoed if check.veto} == {"harmless"}


def test_two_who_change_the_same_in_different_orders_do_not_lock_each_other_out(
    others: tuple[Bank, int], committed: None
) -> None:
    """One writes the log first and then the member, the other the other way round."""
    bank, number = others
    member, faults = Member.objects.get(pk=number), []

    def many(log_first: bool) -> None:  # noqa: FBT001
        try:
            for turn in range(25):
                with transaction.atomic():
                    if log_first:
                        audit.record("test:act", subject=bank, actor="test", at=timezone.now())
                    Member.objects.filter(pk=member.pk).update(note=f"{log_first} {turn}")
                    if not log_first:
                        audit.record("test:act", subject=bank, actor="test", at=timezone.now())
        except DatabaseError as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=many, args=(first,)) for first in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert audit.verify() == 3 + 2 * 2 * 25  # the key, the bank, the member
