"""From a copy back to what made it: what leads there, how far it goes, who learns the account."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import override_settings
from tests.conftest import NOON
from tests.flow.conftest import host, playing, submit

from haechi import fingerprint, seal
from haechi.errors import (
    CannotOpen,
    GenerationKnown,
    GrantNeeded,
    KeyMissing,
    NotAllowed,
    OwnRequest,
    ReasonRequired,
)
from haechi.index import Query
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Case
from haechi.server.matching import services as matching
from haechi.server.matching.models import Member, Platform
from haechi.server.reports import vault
from haechi.server.staff.models import User
from haechi.server.tracing import asking, digests, known, naming, registry, resealing
from haechi.server.tracing.asking import Question
from haechi.server.tracing.marks import Claim, Marks
from haechi.server.tracing.models import (
    Account,
    Erasure,
    Finding,
    Generation,
    Inquiry,
    Naming,
    Purpose,
    Strength,
    Way,
)
from haechi.server.tracing.registry import Look, Made

pytestmark = pytest.mark.django_db
WHY = Question(Purpose.CASE, "Somebody reported a picture.")
YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def _fresh_register() -> Iterator[None]:
    """It remembers rows that the next test's rolled-back database does not have."""
    known.register.cache_clear()
    yield
    known.register.cache_clear()


def made(account: str = "mina", **more: Any) -> Made:
    return Made(**{"account": account, "model": "painter 2", "made_at": NOON, **more})


def recorded(platform: Platform, picture: bytes | None = None, **more: Any) -> Generation:
    look = Look.of(fingerprint.image(picture)) if picture else Look()
    done = registry.record(platform, made(**more), look, now=NOON)
    return Generation.objects.get(pk=done.number)


def asked_of(picture: bytes) -> Query:
    return Query.of(fingerprint.image(picture))


def no_marks(picture: bytes, *claims: Claim) -> Marks:
    return Marks(fingerprint.digests([picture]).sha256, "image/jpeg", claims)


def smaller(picture: bytes, part: float = 0.5) -> bytes:
    """A copy without marks: decoded, made smaller, saved again."""
    rgb = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert rgb is not None
    half = cv2.resize(rgb, None, fx=part, fy=part, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", half, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()


def tags() -> list[str]:
    return list(Entry.objects.filter(tag__startswith="trace:").values_list("tag", flat=True))


# --- the register


def test_the_account_is_sealed_and_found_by_digest_alone(board: Platform) -> None:
    with playing("public"):
        registry.record(board, made("mina@mail.example"), Look(), now=NOON)
        with pytest.raises(KeyMissing):
            vault.open_for_staff(b"")
    account = Account.objects.get()
    assert vault.open_for_staff(bytes(account.sealed)) == b"mina@mail.example"
    assert bytes(account.digest) == digests.account(board.pk, "mina@mail.example")
    row = connection.connection.execute(
        "SELECT g::text, a::text FROM tracing_generation g, tracing_account a"
    ).fetchone()
    assert b"mina@".hex() not in row[0] + row[1]


def test_accounts_that_differ_in_case_are_two_and_one_is_one(board: Platform) -> None:
    first, again = recorded(board, account="Mina"), recorded(board, account="Mina")
    other = recorded(board, account="mina")
    assert first.account == again.account != other.account


def test_the_same_number_again_is_the_same_record(board: Platform) -> None:
    """B21: what was not answered is told again, and counts once."""
    one = registry.record(board, made(produce_id="n-1"), Look(), now=NOON)
    two = registry.record(board, made(produce_id="n-1"), Look(), now=NOON + timedelta(hours=1))
    assert (two.number, two.names, two.new) == (one.number, one.names, False)
    with pytest.raises(GenerationKnown):
        registry.record(board, made("another", produce_id="n-1"), Look(), now=NOON)
    assert Generation.objects.count() == 1


def test_what_is_over_goes_and_its_account_with_it(board: Platform) -> None:
    """Nothing is kept longer than was said."""
    recorded(board)
    assert registry.forget(now=NOON + YEAR - timedelta(seconds=1)) == 0
    assert registry.forget(now=NOON + YEAR) == 1
    assert (Generation.objects.count(), Account.objects.count()) == (0, 0)
    assert Entry.objects.get(tag="trace:expired").detail == {"generations": 1}


def test_a_service_has_an_account_erased(board: Platform, reviewer: User) -> None:
    recorded(board)
    recorded(board)
    kept = recorded(board, account="somebody else")
    with playing("public"):
        registry.ask_erasure(board, "mina", now=NOON)
        registry.ask_erasure(board, "mina", now=NOON)
    assert registry.forget(now=NOON) == 2
    assert list(Generation.objects.all()) == [kept]
    wish = Erasure.objects.get()
    assert (wish.done_at, wish.erased, bytes(wish.digest)) == (NOON, 2, b"")
    [entry] = Entry.objects.filter(tag="trace:account_erased")
    assert (entry.actor, entry.detail) == (board.name_in_log, {"generations": 2})
    assert registry.forget(now=NOON) == 0


def test_what_a_court_asks_for_is_kept_until_that_is_over(
    board: Platform, astronaut: bytes, reviewer: User
) -> None:
    """B32: neither its time nor the service takes it away meanwhile."""
    recorded(board, astronaut)
    why = Question(Purpose.LAW, "A court asks.")
    asking.ask(astronaut, why, actor=reviewer, now=NOON)
    registry.ask_erasure(board, "mina", now=NOON)
    assert registry.forget(now=NOON + asking.HELD_FOR - timedelta(seconds=1)) == 0
    assert Erasure.objects.get().done_at is None
    assert registry.forget(now=NOON + asking.HELD_FOR) == 1
    assert not Account.objects.exists()


# --- what leads back


def test_the_very_file_leads_back(board: Platform, astronaut: bytes, reviewer: User) -> None:
    row = recorded(board, astronaut)
    inquiry = asking.ask(astronaut, WHY, actor=reviewer, now=NOON)
    found = inquiry.findings.get()
    assert (found.generation, found.strength, found.alike) == (row, Strength.STRONG, True)
    assert found.ways.split()[0] == Way.FILE
    [entry] = Entry.objects.filter(tag="trace:asked")
    assert entry.detail["generations"] == [row.pk]
    assert entry.actor == reviewer.name_in_log
    assert vault.open_for_staff(bytes(inquiry.sealed)).decode() == WHY.reason


def test_a_copy_without_marks_is_found_by_what_it_looks_like(
    board: Platform, astronaut: bytes, cat: bytes, reviewer: User
) -> None:
    row = recorded(board, astronaut)
    recorded(board, cat)
    found = asking.ask(smaller(astronaut), WHY, actor=reviewer, now=NOON).findings.get()
    assert (found.generation, found.ways) == (row, "fingerprint")


def test_another_picture_leads_nowhere(
    board: Platform, astronaut: bytes, cat: bytes, reviewer: User
) -> None:
    recorded(board, astronaut)
    assert not asking.ask(cat, WHY, actor=reviewer, now=NOON).findings.exists()


def test_a_mark_that_was_moved_into_another_picture_accuses_nobody_for_certain(
    board: Platform, astronaut: bytes, cat: bytes
) -> None:
    """Anybody can write a label; a watermark can be copied. The picture itself must fit too."""
    row = recorded(board, astronaut, produce_id="n-7")
    label = Claim("produce", "aigc", "n-7")
    mark = Claim("trace", "watermark", str(row.trace_id), signed=True)
    foreign = Claim("produce", "c2pa", "n-7", signed=False)

    def strength(picture: bytes, *claims: Claim) -> Strength:
        [met] = asking.find(no_marks(picture, *claims), asked_of(picture))
        return met.strength

    assert strength(cat, label) == Strength.WEAK
    assert strength(cat, foreign) == Strength.WEAK
    assert strength(cat, mark) == Strength.FAIR
    assert strength(cat, mark, label) == Strength.FAIR
    assert strength(smaller(astronaut), mark) == Strength.STRONG


def test_a_record_without_a_fingerprint_is_fair_at_most(board: Platform, cat: bytes) -> None:
    row = recorded(board)
    mark = Claim("trace", "watermark", str(row.trace_id), signed=True)
    [met] = asking.find(no_marks(cat, mark), asked_of(cat))
    assert (met.strength, met.alike) == (Strength.FAIR, None)


def test_marks_of_two_records_are_both_told_the_strong_one_first(
    board: Platform, astronaut: bytes, cat: bytes
) -> None:
    true, copied = recorded(board, astronaut), recorded(board, cat, produce_id="n-9")
    label = Claim("produce", "aigc", "n-9")
    met = asking.find(no_marks(astronaut, label), asked_of(astronaut))
    assert [one.generation for one in met] == [true, copied]
    assert [one.strength for one in met] == [Strength.STRONG, Strength.WEAK]


@pytest.mark.parametrize("value", ["", "-1", "9" * 400, "1e9", "\x00", "٣", str(2**63)])
def test_claims_that_make_no_sense_lead_nowhere(board: Platform, cat: bytes, value: str) -> None:
    """B16: a file says what it likes."""
    recorded(board)
    claims = [Claim(kind, "c2pa", value) for kind in ("trace", "produce", "manifest")]
    assert asking.find(no_marks(cat, *claims), asked_of(cat)) == []


def test_what_was_erased_is_not_found_by_what_a_process_remembers(
    board: Platform, astronaut: bytes
) -> None:
    recorded(board, astronaut)
    query = asked_of(smaller(astronaut))
    assert asking.find(no_marks(smaller(astronaut)), query)
    registry.ask_erasure(board, "mina", now=NOON)
    registry.forget(now=NOON)
    assert asking.find(no_marks(smaller(astronaut)), query) == []
    again = recorded(board, astronaut)
    assert [one.generation for one in asking.find(no_marks(smaller(astronaut)), query)] == [again]


def test_nobody_asks_without_a_reason(board: Platform, astronaut: bytes, reviewer: User) -> None:
    with pytest.raises(ReasonRequired):
        asking.ask(astronaut, Question(Purpose.CASE, " \n"), actor=reviewer, now=NOON)
    assert not Inquiry.objects.exists()


def test_what_was_made_blocks_nothing(board: Platform, astronaut: bytes) -> None:
    """The register is no bank: a service's picture is not forbidden because it was made."""
    recorded(board, astronaut)
    assert not Member.objects.exists()
    assert matching.known().search(asked_of(astronaut), now=NOON) == []


# --- whose account


@pytest.fixture
def finding(board: Platform, astronaut: bytes, reviewer: User) -> Finding:
    """Of a picture too small to look for a watermark in, which takes half a second."""
    tiny = smaller(astronaut, 0.15)
    recorded(board, tiny)
    return asking.ask(tiny, WHY, actor=reviewer, now=NOON).findings.get()


def test_two_people_name_an_account_and_every_opening_is_written_down(
    board: Platform, finding: Finding, reviewer: User, second_reviewer: User
) -> None:
    """B18, B23: who asks does not agree; who agrees does not read; it ends by itself."""
    asked = naming.ask(finding, "To tell the police.", actor=reviewer, now=NOON)
    assert naming.ask(finding, "Again.", actor=reviewer, now=NOON) == asked
    with pytest.raises(GrantNeeded):
        naming.open_account(asked, actor=reviewer, now=NOON)
    with pytest.raises(OwnRequest):
        naming.approve(asked, actor=reviewer, now=NOON)
    reasons = naming.read_reasons(asked, actor=second_reviewer, now=NOON)
    assert reasons == (WHY.reason, "To tell the police.")
    assert naming.approve(asked, actor=second_reviewer, now=NOON)
    assert not naming.approve(asked, actor=second_reviewer, now=NOON)
    with pytest.raises(GrantNeeded):
        naming.open_account(asked, actor=second_reviewer, now=NOON)

    recorded(board)
    opened = naming.open_account(asked, actor=reviewer, now=NOON)
    assert (opened.account, opened.count, len(opened.generations)) == ("mina", 2, 2)
    with pytest.raises(GrantNeeded):
        naming.open_account(asked, actor=reviewer, now=NOON + naming.NAMED_FOR)
    assert tags() == [
        "trace:asked",
        "trace:naming_asked",
        "trace:reasons_read",
        "trace:naming_given",
        "trace:account_opened",
    ]
    assert Entry.objects.get(tag="trace:account_opened").detail["generations"] == 2
    assert "mina" not in str(list(Entry.objects.values_list("detail", flat=True)))


def test_a_right_that_was_taken_away_ends_with_the_next_request(
    finding: Finding, reviewer: User, second_reviewer: User
) -> None:
    """B17."""
    asked = naming.ask(finding, "To tell the police.", actor=reviewer, now=NOON)
    naming.approve(asked, actor=second_reviewer, now=NOON)
    naming.open_account(asked, actor=reviewer, now=NOON)
    assert naming.end(asked, actor=second_reviewer, now=NOON)
    with pytest.raises(GrantNeeded):
        naming.open_account(asked, actor=reviewer, now=NOON)


def test_somebody_elses_question_names_nobody(finding: Finding, second_reviewer: User) -> None:
    with pytest.raises(NotAllowed):
        naming.ask(finding, "I am curious.", actor=second_reviewer, now=NOON)
    with pytest.raises(NotAllowed):
        asking.open_finding(finding.inquiry, finding.pk, actor=second_reviewer, now=NOON)


def test_a_naming_opens_that_account_and_no_other(
    board: Platform, finding: Finding, reviewer: User, second_reviewer: User
) -> None:
    other = recorded(board, account="somebody else")
    asked = naming.ask(finding, "To tell the police.", actor=reviewer, now=NOON)
    naming.approve(asked, actor=second_reviewer, now=NOON)
    assert naming.open_account(asked, actor=reviewer, now=NOON).count == 1
    with pytest.raises(NotAllowed):
        naming.open_generation(asked, other.pk, actor=reviewer, now=NOON)


def test_what_an_account_made_comes_in_pages(
    board: Platform, finding: Finding, reviewer: User, second_reviewer: User
) -> None:
    for _ in range(naming.PAGE):
        recorded(board)
    asked = naming.ask(finding, "To tell the police.", actor=reviewer, now=NOON)
    naming.approve(asked, actor=second_reviewer, now=NOON)
    first = naming.open_account(asked, actor=reviewer, now=NOON)
    rest = naming.open_account(asked, before=first.following, actor=reviewer, now=NOON)
    assert (first.count, len(first.generations), len(rest.generations)) == (51, 50, 1)
    assert rest.following is None
    assert rest.generations == [finding.generation]


def test_an_erased_account_takes_questions_about_it_along(
    board: Platform, finding: Finding, reviewer: User
) -> None:
    """What stays is that somebody asked."""
    naming.ask(finding, "To tell the police.", actor=reviewer, now=NOON)
    registry.ask_erasure(board, "mina", now=NOON)
    registry.forget(now=NOON)
    assert (Finding.objects.count(), Naming.objects.count(), Inquiry.objects.count()) == (0, 0, 1)


# --- where it hangs


def test_copies_with_platforms_and_in_cases_are_found(
    board: Platform, astronaut: bytes, cat: bytes, reviewer: User
) -> None:
    row = recorded(board, astronaut)
    hosted = host(board, smaller(astronaut))
    host(board, cat, url="https://board.example/post/2", content_id="2")
    report, _ = submit(smaller(astronaut))
    flow.examine(report, last_try=True)
    hanging = flow.where_it_hangs(row, actor=reviewer, now=NOON)
    assert hanging is not None
    assert hanging.hosted == [hosted]
    assert hanging.cases == [Case.objects.get(report=report)]
    assert flow.where_it_hangs(recorded(board), actor=reviewer, now=NOON) is None


# --- the vault


def test_accounts_and_reasons_are_sealed_anew(finding: Finding, reviewer: User) -> None:
    """A new vault identity opens them alone; sealing again changes nothing."""
    naming.ask(finding, "To tell the police.", actor=reviewer, now=NOON)
    identity = seal.new_identity()
    new = (seal.recipient_of(identity),)
    assert resealing.stale(new) == 3
    assert len(list(resealing.reseal_all(new, actor="operator", now=NOON))) == 3
    assert resealing.stale(new) == 0
    sealed = bytes(Account.objects.get().sealed)
    assert seal.open_sealed(sealed, identity) == b"mina"
    with pytest.raises(CannotOpen):
        vault.open_for_staff(sealed)


def test_how_long_records_are_kept_is_told_to_whoever_writes_them(board: Platform) -> None:
    told = django_settings.HAECHI
    with override_settings(HAECHI=replace(told, trace_days=7)):
        done = registry.record(board, made(), Look(), now=NOON)
    assert done.expires_at == NOON + timedelta(days=7)
