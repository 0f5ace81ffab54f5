"""From a copy back to what made it: what leads there, how far it goes, who learns the account."""

import importlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from django.apps import apps
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
from haechi.fingerprint import frames
from haechi.fingerprint.frames import Frame
from haechi.fingerprint.pdq import Pdq, dihedral
from haechi.index import Query
from haechi.labels.watermark import spelled
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Case
from haechi.server.matching import services as matching
from haechi.server.matching.models import Member, Platform
from haechi.server.reports import vault
from haechi.server.staff.models import User
from haechi.server.tracing import asking, digests, holding, known, naming, registry, resealing
from haechi.server.tracing.asking import Question
from haechi.server.tracing.marks import Claim, Marks
from haechi.server.tracing.models import (
    BAND_COLUMNS,
    Account,
    Erasure,
    Finding,
    Generation,
    Inquiry,
    Likeness,
    Naming,
    Purpose,
    Strength,
    Way,
)
from haechi.server.tracing.registry import Look, Made

pytestmark = pytest.mark.django_db
WHY = Question(Purpose.CASE, "Somebody reported a picture.")
YEAR = timedelta(days=365)


def made(account: str = "mina", **more: Any) -> Made:
    return Made(**{"account": account, "model": "painter 2", "made_at": NOON, **more})


def recorded(platform: Platform, picture: bytes | None = None, **more: Any) -> Generation:
    look = Look.of(fingerprint.image(picture)) if picture else Look()
    done = registry.record(platform, made(**more), look, now=NOON)
    return Generation.objects.get(pk=done.number)


def asked_of(picture: bytes) -> Query:
    return Query.of(fingerprint.image(picture))


def by_hash(picture: bytes) -> Query:
    """The question as where no model is installed, and of another file."""
    return replace(asked_of(picture), sha256=b"", embedding=None, views=())


def no_marks(picture: bytes, *claims: Claim) -> Marks:
    return Marks(fingerprint.digests([picture]).sha256, "image/jpeg", claims)


def smaller(picture: bytes, part: float = 0.5) -> bytes:
    """A copy without marks: decoded, made smaller, saved again."""
    rgb = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert rgb is not None
    half = cv2.resize(rgb, None, fx=part, fy=part, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", half, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes()


@pytest.fixture
def tiny(astronaut: bytes) -> bytes:
    """Too small to look for a watermark in, which takes half a second."""
    return smaller(astronaut, 0.15)


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


def test_what_is_over_goes_and_its_account_with_it(board: Platform, tiny: bytes) -> None:
    """Nothing is kept longer than was said."""
    recorded(board, tiny)
    assert registry.forget(now=NOON + YEAR - timedelta(seconds=1)) == 0
    assert registry.forget(now=NOON + YEAR) == 1
    assert (Generation.objects.count(), Account.objects.count()) == (0, 0)
    assert not Likeness.objects.exists()
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


COURT = Question(Purpose.LAW, "A court asks.")


def test_what_a_court_asks_for_is_kept_until_that_is_over(
    board: Platform, tiny: bytes, reviewer: User, second_reviewer: User
) -> None:
    """B23, B32: two people hold it, and neither its time nor the service takes it away meanwhile."""
    row = recorded(board, tiny)
    asked = asking.ask(tiny, COURT, actor=reviewer, now=NOON)
    registry.ask_erasure(board, "mina", now=NOON)
    with pytest.raises(NotAllowed):
        holding.agree(asked, actor=second_reviewer, now=NOON)
    assert holding.read_reason(asked, actor=second_reviewer, now=NOON) == COURT.reason
    assert holding.until(asked, now=NOON) == NOON + holding.WAITS_FOR
    assert holding.agree(asked, actor=second_reviewer, now=NOON)
    assert not holding.agree(asked, actor=second_reviewer, now=NOON)
    assert registry.forget(now=NOON + holding.HELD_FOR - timedelta(seconds=1)) == 0
    assert Erasure.objects.get().done_at is None
    [entry] = Entry.objects.filter(tag="trace:held")
    assert entry.actor == second_reviewer.name_in_log
    assert entry.detail == {"generations": [row.pk], "days": 90}
    assert registry.forget(now=NOON + holding.HELD_FOR) == 1
    assert not Account.objects.exists()


def test_one_person_alone_holds_nothing_past_three_days(
    board: Platform, tiny: bytes, reviewer: User
) -> None:
    """B23: who asks does not agree, and asking again adds nothing."""
    recorded(board, tiny)
    asked = asking.ask(tiny, COURT, actor=reviewer, now=NOON)
    with pytest.raises(OwnRequest):
        holding.agree(asked, actor=reviewer, now=NOON)
    registry.ask_erasure(board, "mina", now=NOON)
    later = NOON + holding.WAITS_FOR
    asking.ask(tiny, COURT, actor=reviewer, now=later - timedelta(seconds=1))
    assert registry.forget(now=later - timedelta(seconds=1)) == 0
    assert registry.forget(now=later) == 1


def test_who_agrees_too_late_holds_nothing(
    board: Platform, tiny: bytes, reviewer: User, second_reviewer: User
) -> None:
    row = recorded(board, tiny)
    asked = asking.ask(tiny, COURT, actor=reviewer, now=NOON)
    holding.read_reason(asked, actor=second_reviewer, now=NOON)
    assert not holding.agree(asked, actor=second_reviewer, now=NOON + holding.WAITS_FOR)
    assert holding.until(asked, now=NOON + YEAR) == NOON + YEAR
    row.refresh_from_db()
    assert row.held_until == NOON + holding.WAITS_FOR
    assert not Entry.objects.filter(tag="trace:held").exists()


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


def test_copies_are_found_in_every_turn_and_as_negatives(
    board: Platform, tiny: bytes, cat: bytes
) -> None:
    row = recorded(board, tiny)
    recorded(board, smaller(cat, 0.15))
    rgb = cv2.imdecode(np.frombuffer(tiny, np.uint8), cv2.IMREAD_COLOR)
    assert rgb is not None
    turned = [np.rot90(one, turns) for one in (rgb, rgb[:, ::-1]) for turns in range(4)]
    for picture in (*turned, 255 - rgb):
        hashes = dihedral(np.ascontiguousarray(picture[..., ::-1]))
        query = Query(b"", tuple(one.bits for one in hashes), hashes[0].quality, None)
        assert [hit.key for hit in known.search(query)] == [row.pk]


def test_a_film_is_found_by_its_frames(board: Platform) -> None:
    """By the key frame of a film, by a frame in its middle, and by a film that shows it later."""
    chance = np.random.default_rng(5)
    shown = tuple(Frame(float(at), Pdq(chance.bytes(32), 100)) for at in range(200))
    columns = {"pdq": shown[0].pdq.bits, "pdq_quality": 100, "frames": frames.pack(shown)}
    done = registry.record(board, made(), Look(columns, "video/mp4"), now=NOON)
    assert Likeness.objects.count() == known.FRAMES_KEPT
    still = Query(b"", frames.turned(shown[0].pdq.bits), 100, None)
    kept = np.linspace(0, 199, known.FRAMES_KEPT).astype(int)
    middle = Query(b"", frames.turned(shown[kept[60]].pdq.bits), 100, None)
    film = Query(b"", (), 0, None, frames=shown)
    for query in (still, middle, film):
        assert [hit.key for hit in known.search(query)] == [done.number]
    other = Query(b"", frames.turned(chance.bytes(32)), 100, None)
    assert known.search(other) == []


def test_by_its_embedding_a_picture_is_found_among_the_newest(
    board: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch by batch, so that no more than one is in memory; and it says how far back it looks."""
    chance = np.random.default_rng(6)
    vectors = [chance.integers(-100, 100, 512, dtype=np.int8).tobytes() for _ in range(4)]
    numbers = [
        registry.record(board, made(), Look({"embedding": one}, "image/png"), now=NOON).number
        for one in vectors
    ]
    monkeypatch.setattr(known, "BATCH_ROWS", 2)
    assert [hit.key for hit in known.search(Query(b"", (), 0, vectors[0]))] == numbers[:1]
    monkeypatch.setattr(known, "NEWEST", 3)
    assert known.search(Query(b"", (), 0, vectors[0])) == []
    assert [hit.key for hit in known.search(Query(b"", (), 0, vectors[1]))] == numbers[1:2]


def test_records_that_share_some_of_a_hash_hide_none(
    board: Platform, tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a service tells of hashes: each band is full of others, and all are far away."""
    row = recorded(board, tiny)
    own = Likeness.objects.get(generation=row, place=0)
    bands = [getattr(own, name) for name in BAND_COLUMNS]
    for number in range(24):
        half = slice(0, 6) if number % 2 else slice(6, 11)
        shown = [value ^ 0x155555 for value in bands]
        shown[half] = bands[half]
        told = dict(zip(BAND_COLUMNS, shown, strict=True))
        Likeness.objects.create(generation=recorded(board), place=0, **told)
    monkeypatch.setattr(known, "BATCH_ROWS", 5)
    monkeypatch.setattr(known, "MOST", 3)
    assert [hit.key for hit in known.search(by_hash(tiny))] == [row.pk]


def test_flat_pictures_are_not_looked_up(board: Platform) -> None:
    """A million empty pages would all be near each other."""
    columns = {"pdq": bytes(32), "pdq_quality": 10}
    registry.record(board, made(), Look(columns, "image/png"), now=NOON)
    assert not Likeness.objects.exists()


def test_what_was_written_down_before_the_indexes_is_found_after(
    board: Platform, tiny: bytes
) -> None:
    row = recorded(board, tiny)
    before = list(Likeness.objects.values_list())
    Likeness.objects.all().delete()
    assert known.search(by_hash(tiny)) == []
    importlib.import_module("haechi.server.tracing.migrations.0002_likeness").fill(apps, None)
    assert list(Likeness.objects.values_list()) == before
    assert [hit.key for hit in known.search(by_hash(tiny))] == [row.pk]


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
    mark = Claim("trace", "watermark", spelled(row.trace_id), signed=True)
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
    mark = Claim("trace", "watermark", spelled(row.trace_id), signed=True)
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


def test_what_was_erased_is_not_found_any_more(board: Platform, astronaut: bytes) -> None:
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
def finding(board: Platform, tiny: bytes, reviewer: User) -> Finding:
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
