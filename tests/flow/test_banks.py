"""Banks as people keep them: members in force, doubted, held, found backwards, listed."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings
from skimage import data
from tests.conftest import NOON
from tests.flow.conftest import host, submit

from haechi import fingerprint
from haechi.errors import (
    BankNameTaken,
    BankUnknown,
    InvalidDocument,
    MemberUnknown,
    PolicyRefused,
    ReasonRequired,
)
from haechi.formats.hashlist import Category, Listed
from haechi.index import DEFAULT, Catalog, Policy, Query
from haechi.index import Entry as CatalogEntry
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Action, Case, Ground, Verdict
from haechi.server.config.environ import Environment
from haechi.server.evidence import custody
from haechi.server.evidence import services as evidence
from haechi.server.matching import backwards, banks, floods, listing
from haechi.server.matching import services as matching
from haechi.server.matching.known import Known
from haechi.server.matching.models import (
    BackSearch,
    Bank,
    BankPolicy,
    BankSearch,
    Check,
    Held,
    Hosted,
    Member,
    MemberStatus,
    Platform,
    Sighting,
    Source,
    Surge,
)
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

ACT = {"actor": "staff:1", "now": NOON}


@pytest.fixture
def bank(db: None) -> Bank:
    return banks.make("others", BankPolicy.BLOCK, **ACT)


def new(picture: bytes, **more: object) -> listing.New:
    columns = evidence.columns(fingerprint.member(picture))
    return listing.New("partner", **columns, **more)  # type: ignore[arg-type]


def listed(bank: Bank, picture: bytes, status: MemberStatus = MemberStatus.PENDING) -> Member:
    [made] = listing.add(bank, [new(picture)], status=status, **ACT)
    return Member.objects.select_related("bank").get(pk=made.member)


def known(query: Query, now: datetime = NOON) -> list[int]:
    return [key for table, key, _ in Known().search(query, now=now) if table is Member]


def tags() -> list[str]:
    return list(Entry.objects.values_list("tag", flat=True))


# --- settings and who answers for them


def test_a_change_of_a_bank_needs_a_reason_and_is_in_the_log(bank: Bank) -> None:
    with pytest.raises(ReasonRequired):
        banks.change(bank, policy=BankPolicy.RECORD, reason=" ", **ACT)
    with pytest.raises(PolicyRefused, match="pdq_edited_bits"):
        banks.change(bank, limits={"pdq_edited_bits": 99}, reason="r", **ACT)
    with pytest.raises(InvalidDocument, match="window_s"):
        banks.change(bank, flood={"window_s": 1}, reason="r", **ACT)
    assert tags() == ["bank:made"]
    banks.change(bank, limits={"sscd_similarity": 0.6}, enabled=False, reason="too much", **ACT)
    banks.change(bank, enabled=True, reason="better", **ACT)
    banks.change_source(bank, "partner", trusted=True, reason="contract", **ACT)
    entry = Entry.objects.get(tag="bank:changed")
    assert entry.detail["reason"] == "too much"
    assert entry.detail["changed"] == ["enabled", "thresholds"]
    assert '"sscd_similarity": 0.6' in entry.detail["after"]
    assert tags() == ["bank:made", "bank:changed", "bank:enabled", "source:made"]
    assert audit.verify() == 4


def test_names_are_unique_and_unknown_ones_are_told(bank: Bank) -> None:
    with pytest.raises(BankNameTaken):
        banks.make("others", BankPolicy.REVIEW, **ACT)
    with pytest.raises(BankUnknown):
        banks.named("nothing")
    with pytest.raises(MemberUnknown):
        banks.numbered(1)


def test_a_write_by_hand_is_in_the_log_too(bank: Bank) -> None:
    """Whoever has the tables open in psql leaves the same trace, under the name of the login."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE matching_bank SET policy = 'record'")
    entry = Entry.objects.order_by("-position")[0]
    assert entry.tag == "bank:changed"
    assert entry.actor.startswith("database:")
    assert audit.verify() == 2


def test_a_role_that_may_change_members_cannot_pass_the_log_by(bank: Bank, cat: bytes) -> None:
    """The match service may run as a role that cannot write the log, and writes it all the same."""
    member = listed(bank, cat)
    role = f"match_{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
        cursor.execute(f"GRANT SELECT, UPDATE ON matching_member TO {role}")
        cursor.execute(f"GRANT USAGE ON SEQUENCE matching_seq TO {role}")
        cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute("UPDATE matching_member SET status = 'withdrawn'")
        for statement in (
            "INSERT INTO audit_entry (position) VALUES (99)",
            "SELECT audit_append('a', 'b', '{}')",
            "SELECT matching_write(NULL)",
        ):
            cursor.execute("SAVEPOINT before")
            with pytest.raises(Exception, match="permission denied"):
                cursor.connection.cursor().execute(statement)
            cursor.execute("ROLLBACK TO SAVEPOINT before")
        cursor.execute("RESET ROLE")
    assert Entry.objects.order_by("-position")[0].tag == "member:withdrawn"
    assert Entry.objects.order_by("-position")[0].subject == f"matching.member:{member.pk}"
    assert audit.verify() == 3


# --- members


def test_a_foreign_member_waits_until_a_person_confirms_it(bank: Bank, astronaut: bytes) -> None:
    member = listed(bank, astronaut)
    asked = Query.of(fingerprint.image(astronaut))
    assert known(asked) == []
    assert flow.confirm_member(member, note="seen", **ACT)
    assert known(asked) == [member.pk]
    assert not flow.confirm_member(member, **ACT), "a second time changes nothing"
    assert banks.withdraw(member, note="a film poster", **ACT)
    assert known(asked) == []
    judged = member.opinions.values_list("verdict", "note")
    assert list(judged) == [
        ("true_positive", "seen"),
        ("true_positive", ""),
        ("false_positive", "a film poster"),
    ]
    assert tags()[1:] == [
        "member:pending",
        "member:confirmed",
        "opinion:given",
        "opinion:given",
        "member:withdrawn",
        "opinion:given",
    ]


def test_a_trusted_source_needs_nobody_until_the_trust_ends(bank: Bank, astronaut: bytes) -> None:
    member, asked = listed(bank, astronaut), Query.of(fingerprint.image(astronaut))
    banks.change_source(bank, "somebody else", trusted=True, reason="r", **ACT)
    assert known(asked) == []
    banks.change_source(bank, "partner", trusted=True, reason="r", **ACT)
    assert known(asked) == [member.pk]
    assert due() == {member.pk}
    banks.change_source(bank, "partner", trusted=False, reason="r", **ACT)
    assert known(asked) == []
    banks.change(bank, trusted=True, reason="r", **ACT)
    assert known(asked) == [member.pk]


def test_what_is_disabled_paused_or_expired_is_not_known(bank: Bank, astronaut: bytes) -> None:
    member = listed(bank, astronaut, MemberStatus.CONFIRMED)
    asked, later = Query.of(fingerprint.image(astronaut)), NOON + timedelta(hours=1)
    assert known(asked) == [member.pk]
    banks.expire(member, later, **ACT)
    assert (known(asked), known(asked, later)) == ([member.pk], [])
    banks.expire(member, None, **ACT)
    Member.objects.update(paused_until=later)
    assert (known(asked), known(asked, later)) == ([], [member.pk])
    banks.change(bank, enabled=False, reason="r", **ACT)
    assert known(asked, later) == []
    banks.change(bank, enabled=True, reason="r", **ACT)
    assert known(asked, later) == [member.pk]
    Bank.objects.update(deleted_at=NOON, enabled=True)
    assert known(asked, later) == []


def test_a_hold_for_doubt_is_not_replaced_by_a_flood(bank: Bank, cat: bytes) -> None:
    member = listed(bank, cat, MemberStatus.CONFIRMED)
    assert banks.dispute(member, note="an actor", **ACT)
    assert not banks.dispute(member, **ACT)
    assert not banks.hold(member, Held.FLOOD, **ACT)
    member.refresh_from_db()
    assert member.held == Held.DISPUTED
    assert banks.release(member, reason="asked the source", **ACT)
    assert not banks.release(member, **ACT)
    assert Entry.objects.get(tag="member:released").detail["reason"] == "asked the source"


# --- lists


def line(number: int, category: Category = Category.POSITIVE, collab: str = "ring") -> Listed:
    return Listed("pdq", number.to_bytes(32), collab, category, ("a",), number + 2)


def test_adding_again_tells_the_number_it_has(bank: Bank, cat: bytes, astronaut: bytes) -> None:
    first, second = new(cat), new(astronaut)
    made = listing.add(bank, [first, first], status=MemberStatus.PENDING, **ACT)
    assert [one.known for one in made] == [False, True]
    assert made[0].member == made[1].member
    again = listing.add(bank, [second, first], status=MemberStatus.CONFIRMED, **ACT)
    assert [one.known for one in again] == [False, True]
    assert again[1].member == made[0].member
    by_hash = listing.New("ring", pdq=first.pdq, pdq_quality=100)
    assert listing.add(bank, [by_hash], status=MemberStatus.PENDING, **ACT)[0] == again[1]
    assert Member.objects.get(pk=made[0].member).status == "pending", "it is left as it was"
    other = banks.make("second", BankPolicy.BLOCK, **ACT)
    assert not listing.add(other, [first], status=MemberStatus.PENDING, **ACT)[0].known


def test_a_list_comes_in_pending_with_one_entry_a_batch(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BATCH_ROWS", 30)
    lines = [line(number) for number in range(70)] + [line(0), line(99, Category.NEGATIVE)]
    counts = [
        (c.added, c.known, c.harmless, c.last_line) for c in listing.take_list(bank, lines, **ACT)
    ]
    assert counts == [(30, 0, 0, 31), (60, 0, 0, 61), (70, 1, 1, 101)]
    assert set(bank.members.values_list("status", "source")) == {("pending", "ring")}
    entries = Entry.objects.filter(tag="member:pending", subject=f"matching.bank:{bank.pk}")
    assert [entry.detail["members"] for entry in entries] == [30, 30]
    assert len({entry.detail["digest"] for entry in entries}) == 2
    assert Entry.objects.filter(subject__startswith="matching.member:").count() == 10
    [again] = listing.take_list(bank, lines[:30], **ACT)
    assert (again.added, again.known) == (0, 30), "whoever breaks off may begin again"
    assert audit.verify() == Entry.objects.count()


def test_what_goes_out_says_how_sure_it_is(bank: Bank) -> None:
    list(listing.take_list(bank, [line(n) for n in range(4)], **ACT))
    pending, confirmed, held, withdrawn = bank.members.order_by("pk")
    for member in (confirmed, held):
        flow.confirm_member(member, **ACT)
    banks.dispute(held, note="=HYPERLINK()", **ACT)
    banks.withdraw(withdrawn, **ACT)
    out = {one.signal[-1]: one.category.name for one in listing.list_out(bank)}
    assert out == {0: "SEED", 1: "POSITIVE", 2: "SEED"}
    told = {
        one.signal[-1]: one.category.name
        for one in map(listing.opinion_line, listing.feedback(bank, "ring"))
    }
    assert told == {1: "POSITIVE", 2: "SEED", 3: "NEGATIVE"}, "the last opinion on each counts"
    assert not listing.feedback(bank, "another").exists()
    assert pending.opinions.count() == 0


# --- backwards


def test_a_confirmed_member_is_found_in_what_is_hosted_once(
    bank: Bank, board: Platform, astronaut: bytes, cat: bytes
) -> None:
    copy = host(board, astronaut, content_id="copy")
    mirrored = cv2.imencode(".jpg", data.astronaut()[:, ::-1, ::-1])[1].tobytes()
    turned = host(board, mirrored, content_id="turned")
    host(board, cat, content_id="other")
    gone = host(board, astronaut, content_id="gone")
    Hosted.objects.filter(pk=gone.pk).update(removed_at=NOON)
    member = listed(bank, astronaut)
    flow.search_backwards()
    assert not Sighting.objects.exists(), "nobody has confirmed it"
    flow.confirm_member(member, **ACT)
    assert ProcrastinateJob.objects.filter(task_name="search_backwards").count() == 1
    for _ in range(2):
        flow.search_backwards()
    found = dict(Sighting.objects.values_list("hosted_id", "verdict"))
    assert found == {copy.pk: "identical_file", turned.pk: "edited_copy"}
    assert not Action.objects.exists(), "nobody here decided on it, so people look"
    assert not backwards.due(now=timezone.now()).exists()
    banks.withdraw(member, **ACT)
    later = host(board, astronaut, content_id="later")
    flow.confirm_member(member, **ACT)
    flow.search_backwards()
    assert Sighting.objects.filter(hosted=later).count() == 1


def test_what_a_reviewer_left_is_not_removed_by_looking_backwards(
    board: Platform, reviewer: User, astronaut: bytes
) -> None:
    """A decision's own picture: new copies go, the one that was unticked stays."""
    left = host(board, astronaut, content_id="left")
    report, _ = submit(astronaut)
    flow.examine(report, last_try=True)
    case = Case.objects.get(report=report)
    with transaction.atomic():
        audit.record(
            custody.LIFTED, subject=report.exhibits.get(), actor=reviewer.name_in_log, at=NOON
        )
    decided_at = report.hits.get().found_at + timedelta(seconds=1)
    flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="r",
        remove=[],
        actor=reviewer,
        now=decided_at,
    )
    member = Member.objects.get()
    assert (member.source, member.case_number) == ("here", case.pk)
    fresh = host(board, astronaut, content_id="fresh")
    for _ in range(2):
        flow.search_backwards()
        flow.sweep_copies(case.decision.pk)
    assert [action.hosted for action in Action.objects.all()] == [fresh]
    assert set(Sighting.objects.values_list("hosted_id", flat=True)) == {left.pk, fresh.pk}
    assert Sighting.objects.get(hosted=left).settled_at is None, "it waits for a person"


# --- floods


def blocked(
    member: Member,
    board: Platform,
    number: int,
    *,
    verdict: str = "edited_copy",
    at: datetime = NOON,
) -> None:
    rng = np.random.default_rng(number)
    Check.objects.create(
        platform=board,
        at=at,
        outcome="block",
        member=member,
        verdict=verdict,
        sha256=rng.bytes(32),
        pdq=rng.bytes(32),
        pdq_quality=100,
    )


def test_many_different_edited_pictures_hold_a_member_for_a_person(
    bank: Bank, board: Platform, cat: bytes
) -> None:
    member = listed(bank, cat, MemberStatus.CONFIRMED)
    banks.change(bank, flood={"count": 5}, reason="small", **ACT)
    for number in range(5):
        blocked(member, board, number)
    assert floods.watch(now=NOON) == []
    blocked(member, board, 5)
    [surge] = floods.watch(now=NOON)
    assert (surge.pictures, surge.usual, surge.held) == (6, 0, True)
    member.refresh_from_db()
    assert member.held == Held.FLOOD
    assert Entry.objects.get(tag="member:held").actor == "worker"
    assert floods.watch(now=NOON) == []
    later = NOON + timedelta(minutes=1)
    banks.release(member, actor="staff:1", now=later)
    assert not Surge.objects.filter(settled_at=None).exists()
    assert floods.watch(now=later) == [], "what was before the release is forgiven"
    for number in range(6, 18):
        blocked(member, board, number, at=later + timedelta(seconds=1))
    assert floods.watch(now=later + timedelta(seconds=2)) == [], "twice as many as it was let go at"
    blocked(member, board, 18, at=later + timedelta(seconds=2))
    assert len(floods.watch(now=later + timedelta(seconds=3))) == 1


def test_one_file_uploaded_a_thousand_times_holds_nothing(
    bank: Bank, board: Platform, cat: bytes
) -> None:
    """Nor do as many re-encodings of one edit: they are one picture."""
    member = listed(bank, cat, MemberStatus.CONFIRMED)
    for number in range(40):
        row = {"platform": board, "at": NOON, "outcome": "block", "member": member}
        bits = (1 << number % 30) - 1
        Check.objects.create(
            **row, verdict="edited_copy", sha256=number.to_bytes(32), pdq=bits.to_bytes(32)
        )
        Check.objects.create(**row, verdict="edited_copy", sha256=bytes(32))
    surges = floods.watch(now=NOON)
    member.refresh_from_db()
    assert member.held == Held.NO
    assert [surge.held for surge in surges] == [False], "a person is told, and it goes on blocking"


def test_the_same_picture_again_and_again_is_told_and_never_held(
    bank: Bank, board: Platform, cat: bytes
) -> None:
    member = listed(bank, cat, MemberStatus.CONFIRMED)
    for number in range(50):
        blocked(member, board, number, verdict="same_picture" if number % 2 else "identical_file")
    assert [surge.held for surge in floods.watch(now=NOON)] == [False]
    member.refresh_from_db()
    assert member.held == Held.NO
    for number in range(50, 80):
        blocked(member, board, number)
    [surge] = floods.watch(now=NOON)
    assert surge.held, "told before, held now that the pictures differ"


def test_what_is_usual_is_no_flood_and_zero_switches_it_off(
    bank: Bank, board: Platform, cat: bytes
) -> None:
    member = listed(bank, cat, MemberStatus.CONFIRMED)
    banks.change(bank, flood={"count": 2, "times": 3}, reason="r", **ACT)
    for hour in range(1, 24):
        for number in range(3):
            blocked(member, board, hour * 100 + number, at=NOON - timedelta(hours=hour, minutes=5))
    for number in range(8):
        blocked(member, board, number)
    assert floods.watch(now=NOON) == [], "three times the usual 2.9 an hour"
    banks.change(bank, flood={"count": 0, "times": 1}, reason="off", **ACT)
    assert floods.watch(now=NOON) == []
    banks.change(bank, flood={"count": 2, "times": 1}, reason="on", **ACT)
    assert len(floods.watch(now=NOON)) == 1


@given(
    st.lists(
        st.tuples(
            st.none() | st.binary(min_size=32, max_size=32),
            st.none() | st.binary(min_size=32, max_size=32),
        ),
        max_size=12,
    )
)
def test_there_are_never_more_different_pictures_than_pictures(
    pictures: list[tuple[bytes | None, bytes | None]],
) -> None:
    assert floods.different(pictures) <= len(set(pictures))
    assert floods.different(pictures * 2) == floods.different(pictures)


def test_a_source_has_its_own_distance_here_too(bank: Bank, astronaut: bytes) -> None:
    """What a report meets is judged as the match service judges it."""
    member = listed(bank, astronaut, MemberStatus.CONFIRMED)
    made = fingerprint.image(astronaut)
    bits = (int.from_bytes(made.pdq.bits) ^ ((1 << 20) - 1)).to_bytes(32)
    asked = Query(sha256=b"", turns=(bits,), pdq_quality=100, embedding=None)
    assert known(asked) == [member.pk]
    Source.objects.create(bank=bank, name="partner", thresholds={"pdq_edited_bits": 10})
    assert known(asked) == []
    banks.change(bank, limits={"pdq_edited_bits": 5}, reason="r", **ACT)
    banks.change_source(bank, "partner", limits={"pdq_edited_bits": 25}, reason="r", **ACT)
    assert known(asked) == [member.pk]
    assert matching.known() is not None


def test_a_reading_that_breaks_off_begins_again(
    bank: Bank, board: Platform, astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows come in no order of their numbers: here the first has the newest."""
    first, second = host(board, astronaut), host(board, astronaut, content_id="2")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for each, seq in ((first, 900), (second, 800)):
            cursor.execute("UPDATE matching_hosted SET seq = %s WHERE id = %s", [seq, each.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    made, load, faults = Known(), Catalog.load, [False, True]

    def once(catalog: Catalog, entries: Iterable[CatalogEntry]) -> None:
        if faults and faults.pop(0):
            raise MemoryError
        load(catalog, entries)

    monkeypatch.setattr("haechi.server.matching.known.BATCH_ROWS", 1)
    monkeypatch.setattr(Catalog, "load", once)
    with pytest.raises(MemoryError):
        made.catch_up()
    asked = Query(sha256=bytes(second.sha256), turns=(), pdq_quality=0, embedding=None)
    assert {key for key, _ in made.hosted(asked, DEFAULT)} == {first.pk, second.pk}


def test_a_restored_backup_is_noticed_and_read_anew(
    bank: Bank, board: Platform, astronaut: bytes, cat: bytes
) -> None:
    """What was added after the backup was made is gone; what is added since has its numbers."""
    kept = listed(bank, astronaut, MemberStatus.CONFIRMED)
    made = Known()

    def found(picture: bytes) -> list[tuple[type, int]]:
        asked = Query.of(fingerprint.image(picture))
        return [(table, key) for table, key, _ in made.search(asked, now=NOON)]

    def lose(*tables: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("DELETE FROM matching_backsearch WHERE member_id = %s", [late.pk])
            for table in tables:
                cursor.execute(f"DELETE FROM {table} WHERE seq > {member_seq}")
            cursor.execute("SET LOCAL session_replication_role = origin")

    member_seq = Member.objects.get().seq
    late = listed(bank, cat, MemberStatus.CONFIRMED)
    hosted = host(board, cat)
    assert set(found(cat)) == {(Member, late.pk), (Hosted, hosted.pk)}
    lose("matching_member", "matching_hosted")
    assert found(cat) == [], "numbers go backwards"
    assert found(astronaut) == [(Member, kept.pk)]

    again = host(board, cat)
    assert found(cat) == [(Hosted, again.pk)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE matching_member SET embedding = NULL, views = '', sha256 = NULL, pdq = NULL;"
            "SET LOCAL session_replication_role = replica;"
        )
        cursor.execute("UPDATE matching_member SET seq = %s", [member_seq])
    made._seen[Member] = made._seen[Member]._replace(seq=member_seq)
    assert found(astronaut) == [(Member, kept.pk)], "the same numbers again: nothing to see"
    made._database = (1, 1, 1)
    assert found(astronaut) == [], "but another database"


def due(now: datetime | None = None) -> set[int]:
    """Members in force that are looked for now; none afterwards."""
    found: set[int] = set()
    done = 1
    while done:
        done, members = backwards.take(Known(), now=now or timezone.now())
        found |= {member.pk for member in members}
    return found


def test_whatever_brings_a_member_into_force_has_it_looked_for(
    bank: Bank, astronaut: bytes, cat: bytes
) -> None:
    confirmed = listed(bank, astronaut, MemberStatus.CONFIRMED)
    pending = listed(bank, cat)
    both = {confirmed.pk, pending.pk}
    assert due() == {confirmed.pk}
    banks.change(bank, enabled=False, reason="r", **ACT)
    assert due() == set()
    banks.change(bank, enabled=True, reason="r", **ACT)
    assert due() == {confirmed.pk}
    for _ in range(2):
        banks.change(bank, trusted=True, reason="r", **ACT)
        assert due() == both, "again: it was looked for, but not in what came meanwhile"
        banks.change(bank, trusted=False, reason="r", **ACT)
    banks.change_source(bank, pending.source, trusted=True, reason="r", **ACT)
    assert due() == both
    banks.change(bank, policy=BankPolicy.RECORD, reason="r", **ACT)
    assert due() == set()
    banks.change(bank, policy=BankPolicy.REVIEW, reason="r", **ACT)
    assert due() == both
    banks.expire(confirmed, timezone.now() + timedelta(days=1), **ACT)
    assert due() == {confirmed.pk}
    Member.objects.create(
        bank=bank,
        status="pending",
        source=pending.source,
        pdq=bytes(32),
        pdq_quality=90,
        created_at=NOON,
    )
    assert len(due()) == 1, "in force at once, because its source is trusted"


def test_thresholds_that_let_more_be_found_are_searched_with(bank: Bank, astronaut: bytes) -> None:
    member = listed(bank, astronaut, MemberStatus.CONFIRMED)
    assert due() == {member.pk}

    def limited(**limits: float) -> set[int]:
        banks.change(bank, limits=limits, reason="r", **ACT)
        return due()

    assert limited(pdq_edited_bits=20, sscd_similarity=0.6) == {member.pk}, "said anew"
    assert limited(pdq_edited_bits=19, sscd_similarity=0.7) == set(), "tighter"
    assert limited(pdq_edited_bits=25, sscd_similarity=0.7) == {member.pk}, "more bits"
    assert limited(pdq_edited_bits=25, sscd_similarity=0.65) == {member.pk}, "less alike"
    assert limited(pdq_edited_bits=25, sscd_similarity=0.65, sscd_certain=0.5) == set()
    assert limited(pdq_edited_bits=25) == {member.pk}, "whether it is looser is not known here"
    banks.change_source(bank, "another", limits={"pdq_edited_bits": 40}, reason="r", **ACT)
    assert due() == set(), "no member is of that source"
    banks.change_source(bank, "partner", limits={"pdq_edited_bits": 30}, reason="r", **ACT)
    assert due() == {member.pk}
    banks.change(bank, enabled=False, limits={"pdq_edited_bits": 40}, reason="r", **ACT)
    assert due() == set(), "nothing of it is in force"


def test_a_looser_threshold_finds_what_was_hosted_all_along(bank: Bank, board: Platform) -> None:
    """Thirty-five bits apart: no copy by the usual threshold, one by this bank's new one."""
    near = bytes([0x07, *[0xFF] * 4]) + bytes(27)
    piece = host(board, cv2.imencode(".png", data.astronaut())[1].tobytes(), content_id="near")
    Hosted.objects.filter(pk=piece.pk).update(pdq=near, embedding=None, views=b"")
    told = listing.New("partner", pdq=bytes(32), pdq_quality=100)
    listing.add(bank, [told], status=MemberStatus.CONFIRMED, **ACT)
    flow.search_backwards()
    assert not Sighting.objects.exists()
    banks.change(bank, limits={"pdq_edited_bits": 36}, reason="r", **ACT)
    flow.search_backwards()
    assert [one.hosted_id for one in Sighting.objects.all()] == [piece.pk]


def test_the_server_too_takes_the_thresholds_of_the_installation(
    bank: Bank, settings: Settings
) -> None:
    """HAECHI_POLICY_FILE: what is found, and what a machine may act on alone."""
    [made] = listing.add(
        bank,
        [listing.New("partner", pdq=bytes(32), pdq_quality=100)],
        status=MemberStatus.CONFIRMED,
        **ACT,
    )
    near = bytes([0x07, *[0xFF] * 4]) + bytes(27)  # 35 bits
    asked = Query(b"", (near,), 100, None)
    hit = Sighting(verdict="edited_copy", found_by="sscd", similarity=0.7)
    assert known(asked) == []
    assert not matching.certain(hit)
    wide = Policy(pdq_edited_bits=36, sscd_certain=0.65)
    settings.HAECHI = replace(settings.HAECHI, policy=wide)
    assert known(asked) == [made.member]
    assert matching.certain(hit)


@pytest.mark.parametrize("text", ["{}", "["])
def test_a_server_refuses_thresholds_that_nobody_calibrated(text: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(text)
    with pytest.raises(ImproperlyConfigured, match="HAECHI_POLICY_FILE is not fit"):
        Environment.read({**os.environ, "HAECHI_POLICY_FILE": str(file)})


def test_a_paused_member_is_looked_for_when_its_pause_ends(bank: Bank, astronaut: bytes) -> None:
    """By its confirmation, by its bank, and when the pause is moved: never before."""
    member = listed(bank, astronaut)
    later = timezone.now() + timedelta(days=3)
    Member.objects.filter(pk=member.pk).update(paused_until=later)
    banks.confirm(member, **ACT)
    assert due() == set()
    banks.change(bank, enabled=False, reason="r", **ACT)
    banks.change(bank, enabled=True, reason="r", **ACT)
    assert due() == set()
    assert BackSearch.objects.get(done_at=None).due_at == later
    assert due(now=later + timedelta(seconds=1)) == {member.pk}, "nobody touched it since"
    Member.objects.filter(pk=member.pk).update(paused_until=None)
    assert due() == {member.pk}


def test_a_pause_that_was_made_longer_meanwhile_is_waited_for(bank: Bank, astronaut: bytes) -> None:
    """Also where the row was written before: what counts is the member when it is its turn."""
    member = listed(bank, astronaut, MemberStatus.CONFIRMED)
    later = timezone.now() + timedelta(days=3)
    Member.objects.filter(pk=member.pk).update(paused_until=later)
    BackSearch.objects.update(due_at=timezone.now() - timedelta(days=1))
    assert due() == set()
    assert BackSearch.objects.get().due_at == later


def test_a_bank_is_one_row_however_many_members_it_has(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worked off in slices; whoever asks again begins anew, and a member comes before a bank."""
    many = [listing.New("list", pdq=number.to_bytes(32), pdq_quality=90) for number in range(1, 26)]
    made = listing.add(bank, many, status=MemberStatus.CONFIRMED, **ACT)
    numbers = {one.member for one in made}
    assert due() == numbers
    banks.change(bank, enabled=False, reason="r", **ACT)
    banks.change(bank, enabled=True, reason="r", **ACT)
    assert not BackSearch.objects.filter(done_at=None).exists()
    search = BankSearch.objects.get(done_at=None)
    assert (search.bank, search.source, search.reached) == (bank, "", 0)

    monkeypatch.setattr(backwards, "SLICE", 10)
    index, now = Known(), timezone.now()
    done, members = backwards.take(index, now=now)
    assert (done, [one.pk for one in members]) == (10, sorted(numbers)[:10])
    one = Member.objects.get(pk=made[20].member)
    banks.withdraw(one, **ACT)
    banks.confirm(one, **ACT)
    assert backwards.take(index, now=timezone.now())[1] == [one]
    assert [len(backwards.take(index, now=now)[1]) for _ in range(3)] == [10, 5, 0]
    assert not BankSearch.objects.filter(done_at=None).exists()

    banks.change(bank, trusted=True, reason="r", **ACT)
    backwards.take(index, now=now)
    banks.change(bank, limits={"pdq_edited_bits": 35}, reason="r", **ACT)
    assert due() == numbers, "from the beginning, in the one row"
    assert BankSearch.objects.count() == 1


@pytest.mark.parametrize("column", ["embedding", "views", "frames"])
def test_vectors_that_change_alone_are_in_the_log(
    bank: Bank, astronaut: bytes, column: str
) -> None:
    """They decide what matches as hashes do."""
    listed(bank, astronaut)
    before = Entry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE matching_member SET {column} = decode(repeat('05', 1024), 'hex')")
        cursor.execute(f"UPDATE matching_member SET {column} = {column}")
    entry = Entry.objects.order_by("-position")[0]
    assert Entry.objects.count() == before + 1, "and what stays as it was is no change"
    assert (entry.tag, entry.detail["changed"]) == ("member:changed", [column])
    audit.verify()


@pytest.mark.parametrize("table", ["matching_bank", "matching_member", "matching_source"])
def test_nothing_of_a_bank_is_deleted(bank: Bank, astronaut: bytes, table: str) -> None:
    """Match processes would go on with it, and the log would not know."""
    listed(bank, astronaut)
    for act in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(act)


def test_thresholds_that_make_no_sense_end_no_search(bank: Bank, astronaut: bytes) -> None:
    member = listed(bank, astronaut, MemberStatus.CONFIRMED)
    for told in ({"pdq_edited_bits": 99}, ["pdq_edited_bits"]):
        Bank.objects.filter(pk=bank.pk).update(thresholds=told)
        asked = Query(bytes(member.sha256 or b""), (), 0, None)
        assert known(asked) == [member.pk]
