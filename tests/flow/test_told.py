"""Way 2: the picture stays with the reporter, and only its fingerprint is told."""

import json
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from skimage import data
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, host, refused, submit

from haechi import fingerprint, seal
from haechi.errors import NothingReported
from haechi.fingerprint import Frame, Pdq, frames
from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.audit.models import Entry
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Decision, Ground, Purpose, Verdict
from haechi.server.evidence import services as evidence
from haechi.server.evidence.models import Flag, ToldFingerprint
from haechi.server.evidence.told import Told, ToldKind
from haechi.server.matching import services as matching
from haechi.server.matching.models import (
    Bank,
    BankPolicy,
    Check,
    Hosted,
    Member,
    MemberStatus,
    Platform,
)
from haechi.server.public import page_token
from haechi.server.reports.models import Age, Report
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.services import Submission
from haechi.server.reports.story import Story
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


def told_of(picture: bytes, **changed: Any) -> Told:
    """What a browser tells of a picture file."""
    made = fingerprint.image(picture)
    told = Told(
        kind=ToldKind.PICTURE,
        sha256=made.digests.sha256,
        width=made.width,
        height=made.height,
        quality=made.pdq.quality,
        turns=made.turns[:8],
    )
    return replace(told, **changed)


def report_of(*told: Told, places: tuple[str, ...] = ()) -> tuple[Report, ReturnCode]:
    """A report with fingerprints alone."""
    submission = Submission(
        token=secrets.token_urlsafe(32),
        identity=seal.new_identity(),
        language="en",
        age=Age.ADULT,
        harms=(),
        story=Story(declared=True, signature="K."),
        locations=places,
    )
    return flow.submit_report(submission, (), told=told, now=NOON)


def examined(*told: Told, places: tuple[str, ...] = ()) -> Case:
    """A report with fingerprints alone, after the worker went through it."""
    report, _ = report_of(*told, places=places)
    flow.examine(report, last_try=True)
    return Case.objects.get(report=report)


def decided(case: Case, reviewer: User, *remove: Hosted) -> Decision:
    """The case, decided; `remove` is what the reviewer looked at and ticked."""
    return flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="I looked.",
        remove=remove,
        actor=reviewer,
        now=NOON,
    )


def smaller(picture: bytes) -> bytes:
    """The same picture as another file."""
    rgb = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    done, encoded = cv2.imencode(".jpg", cv2.resize(rgb, None, fx=0.8, fy=0.8))
    assert done
    return bytes(encoded)


def test_a_fingerprint_alone_opens_a_case_and_starts_the_clocks(astronaut: bytes) -> None:
    """Nothing but a fingerprint is a report too, with its job and its entry in the log."""
    report, _ = report_of(told_of(astronaut))

    kept = report.told.get()
    assert (kept.kind, kept.confirmed_at, kept.flag) == ("picture", None, Flag.NO)
    assert len(bytes(kept.turns)) == 8 * 32
    assert ProcrastinateJob.objects.filter(task_name="examine_report").exists()
    assert Entry.objects.get(tag="told:received").detail["way"] == "fingerprint"

    flow.examine(report, last_try=True)
    case = Case.objects.get(report=report)
    assert set(case.clocks.values_list("rule", flat=True)) >= {"us_tida_remove"}
    with pytest.raises(NothingReported):
        report_of()


def test_it_finds_the_hosted_copy_and_removes_nothing_by_itself(
    astronaut: bytes, board: Platform, reviewer: User
) -> None:
    """B20: pending, it blocks nothing and no machine acts on it, not even after a decision."""
    hosted = host(board, smaller(astronaut))
    case = examined(told_of(astronaut))

    hit = case.report.hits.get()
    assert (hit.hosted, hit.found_by) == (hosted, "told_pdq")
    assert not matching.certain(hit)
    assert not Member.objects.exists()

    decision = decided(case, reviewer)  # nobody ticked the copy
    host(board, smaller(smaller(astronaut)), url=BOARD_URL + "1", content_id="2")
    flow.sweep_copies(decision.pk)

    assert case.report.hits.count() == 2
    assert not decision.actions.exists()
    assert not Member.objects.exists()
    assert ToldFingerprint.objects.get().confirmed_at is None


def test_a_copy_that_the_reviewer_looked_at_confirms_the_fingerprint(
    astronaut: bytes, board: Platform, reviewer: User
) -> None:
    """B20: decision, removal and member are one; the member is by PDQ, which is what was seen."""
    hosted = host(board, smaller(astronaut))
    case = examined(told_of(astronaut))

    decision = decided(case, reviewer, hosted)

    member = Member.objects.get()
    assert (member.status, member.bank.policy) == (MemberStatus.CONFIRMED, BankPolicy.BLOCK)
    assert (member.sha256, member.case_number, member.exhibit) == (None, case.pk, None)
    assert bytes(member.pdq or b"") == told_of(astronaut).turns[0]
    assert ToldFingerprint.objects.get().confirmed_at == NOON
    assert decision.actions.get().hosted == hosted
    assert Entry.objects.get(tag="told:confirmed").actor == reviewer.name_in_log
    assert list(matching.members_of(case.report, case.pk)) == [member]
    assert appeals.decision_on(member) == decision


def test_of_the_same_file_the_platforms_own_fingerprint_is_believed(
    astronaut: bytes, cat: bytes, board: Platform, reviewer: User
) -> None:
    """A true digest beside the look of another picture: the other picture stays free."""
    hosted = host(board, astronaut)
    lie = told_of(cat, sha256=fingerprint.image(astronaut).digests.sha256)
    case = examined(lie)

    decided(case, reviewer, hosted)

    member = Member.objects.get()
    assert bytes(member.sha256 or b"") == bytes(hosted.sha256)
    assert bytes(member.pdq or b"") == bytes(hosted.pdq or b"") != lie.turns[0]


def test_what_was_told_beside_a_true_look_does_not_join(
    astronaut: bytes, cat: bytes, board: Platform, reviewer: User
) -> None:
    """The digest of a stranger's file and frames of a stranger's film are nothing anybody saw."""
    hosted = host(board, smaller(astronaut))
    true, other = told_of(astronaut), told_of(cat)
    film = (Frame(0.0, Pdq(true.turns[0], 100)), Frame(1.0, Pdq(other.turns[0], 100)))
    case = examined(replace(true, kind=ToldKind.VIDEO, sha256=other.sha256, frames=film))

    decided(case, reviewer, hosted)

    member = Member.objects.get()
    assert member.sha256 is None
    assert frames.unpack(bytes(member.frames)) == film[:1]


def test_without_a_removal_nothing_is_confirmed(
    astronaut: bytes, board: Platform, reviewer: User
) -> None:
    host(board, astronaut)
    case = examined(told_of(astronaut))

    refused(case, reviewer)

    assert not Member.objects.exists()
    assert ToldFingerprint.objects.get().confirmed_at is None


def test_content_that_it_does_not_fit_confirms_nothing(
    astronaut: bytes, cat: bytes, board: Platform, reviewer: User
) -> None:
    """A place that was named is removed for what it shows, and says nothing of the fingerprint."""
    hosted = host(board, cat)
    case = examined(told_of(astronaut), places=(BOARD_URL,))
    assert case.report.hits.get().found_by == "location"

    decided(case, reviewer, hosted)

    assert not Member.objects.exists()


def test_a_fingerprint_that_fits_a_harmless_picture_is_flagged_and_never_joins(
    astronaut: bytes, board: Platform, reviewer: User
) -> None:
    """A report made to silence somebody is put before a person as what it may be."""
    hosted = host(board, smaller(astronaut))
    bank = Bank.objects.create(name="press", policy=BankPolicy.BENIGN)
    Member.objects.create(
        bank=bank,
        status=MemberStatus.CONFIRMED,
        source="press",
        created_at=NOON,
        **evidence.columns(fingerprint.image(astronaut)),
    )
    case = examined(told_of(astronaut))
    assert ToldFingerprint.objects.get().flag == Flag.HARMLESS
    assert Entry.objects.get(tag="told:flagged").detail["flag"] == "harmless"

    decided(case, reviewer, hosted)

    assert not Member.objects.exclude(bank=bank).exists()
    assert ToldFingerprint.objects.get().confirmed_at is None


def test_a_fingerprint_that_fits_many_different_uploads_is_flagged(
    astronaut: bytes, board: Platform
) -> None:
    """Copies of one picture count once; pictures that differ from each other count."""
    told = told_of(astronaut)
    _uploads(board, [told.turns[0]] * 8)
    report, _ = report_of(told)
    flow.match(report, now=NOON)
    assert report.told.get().flag == Flag.NO

    _uploads(board, _around(told.turns[0], 8))
    flow.match(report, now=NOON)
    assert report.told.get().flag == Flag.MANY


def _around(bits: bytes, count: int) -> list[bytes]:
    """Hashes 30 bits from `bits`, each in other places, so 60 bits from each other."""
    whole = int.from_bytes(bits)
    masks = [((1 << 30) - 1) << (30 * number) for number in range(count)]
    return [(whole ^ mask).to_bytes(32) for mask in masks]


def _uploads(board: Platform, hashes: list[bytes]) -> None:
    for number, bits in enumerate(hashes):
        Check.objects.create(
            platform=board,
            at=NOON - timedelta(minutes=1),
            outcome="allow",
            verdict="no_match",
            sha256=bytes([number]) * 32,
            pdq=bits,
            pdq_quality=100,
        )


# --- the pages -------------------------------------------------------------------------------------


def sent(picture: bytes, **more: Any) -> dict[str, Any]:
    """The form as the browser sends it."""
    told = told_of(picture)
    row = {
        "kind": "picture",
        "sha256": told.sha256.hex(),
        "width": told.width,
        "height": told.height,
        "quality": told.quality,
        "turns": [turn.hex() for turn in told.turns],
        "frames": "",
    }
    return {"submission": page_token.issue(), "fingerprints": json.dumps([row]), **more}


def test_the_form_takes_a_fingerprint_and_receipt_and_status_say_so(
    astronaut: bytes, public: Client
) -> None:
    """The receipt says which way was used; the status page says what that means."""
    form = sent(astronaut)
    answer = public.post("/report", form)
    assert "1 file stayed with you; we have only its fingerprint." in answer.content.decode()

    again = public.post("/report", form)  # the same page a second time
    assert "1 file stayed with you" in again.content.decode()
    assert Report.objects.count() == ToldFingerprint.objects.count() == 1

    code = ReturnCode.from_seed(form["submission"].encode())
    public.post("/return", {"code": code.digits()})
    status = public.get("/status").content.decode()
    assert "1 file stayed with you: we have only its fingerprint." in status
    assert "Nothing is blocked by it until a person has seen such a copy." in status


@pytest.mark.parametrize("bad", ["{", "[1]", '[{"kind": "picture"}]', "[" * 100_000])
def test_bad_fingerprints_are_refused_and_the_form_is_kept(bad: str, public: Client) -> None:
    """One stable code; what was written stays, what made no sense goes."""
    form = {
        "submission": page_token.issue(),
        "fingerprints": bad,
        "told": "My own words.",
        "location": BOARD_URL,
    }

    answer = public.post("/report", form)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "report.told_refused" in page
    assert "My own words." in page
    assert BOARD_URL in page
    assert 'name="fingerprints" value=""' in page
    assert not Report.objects.exists()


def test_good_fingerprints_stay_on_a_page_that_asks_again(astronaut: bytes, public: Client) -> None:
    form = sent(astronaut, signature="x" * 300)

    answer = public.post("/report", form)

    assert answer.status_code == 422
    assert answer.context["fingerprints"] == form["fingerprints"]
    assert told_of(astronaut).sha256.hex() in answer.content.decode()


def test_without_scripts_the_page_says_that_this_way_needs_them(public: Client) -> None:
    """B28: the choice itself is hidden until a script shows it."""
    page = public.get("/report").content.decode()

    assert "<noscript><p" in page
    assert 'data-here hidden data-worker="/static/haechi/fingerprint.js"' in page
    policy = public.get("/report").headers["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "script-src 'self'" in policy


def test_the_desk_is_told_and_nothing_is_ticked_beforehand(
    astronaut: bytes, cat: bytes, board: Platform, desk: Client, reviewer: User
) -> None:
    """The reviewer sees what is known, and what is not."""
    mine = host(board, cat, url=BOARD_URL, content_id="named")
    found = host(board, smaller(astronaut), url=BOARD_URL + "9", content_id="found")
    case = examined(told_of(astronaut), places=(BOARD_URL,))
    grants.open_content(case, reviewer, Purpose.REVIEW, now=timezone.now())
    desk.force_login(reviewer)

    answer = desk.get(f"/case/{case.pk}")

    page = answer.content.decode()
    assert "The reporter sent only a fingerprint" in page
    assert "pending, blocks nothing" in page
    assert answer.context["form"].fields["remove"].initial == [mine.pk]
    filled = {"verdict": "remove", "ground": "deepfake", "reason": "Seen.", "remove": [found.pk]}
    assert desk.post(f"/case/{case.pk}/decide", filled).status_code == 302
    assert Member.objects.get().case_number == case.pk
    assert "confirmed" in desk.get(f"/case/{case.pk}").content.decode()


def test_a_picture_that_was_sent_beside_it_goes_its_own_way(
    astronaut: bytes, board: Platform
) -> None:
    """Of a pair that both find, the hit is the exhibit's: that one a person can look at."""
    hosted = host(board, astronaut)
    report, _ = submit(astronaut)
    evidence.keep_told(report, [told_of(astronaut)], now=NOON)

    flow.examine(report, last_try=True)

    hit = report.hits.get(hosted=hosted)
    assert hit.found_by == "sha256"


def test_the_pictures_used_here_differ(astronaut: bytes, cat: bytes) -> None:
    """Otherwise the tests above could not fail."""
    first, second = told_of(astronaut).turns[0], told_of(cat).turns[0]
    assert (int.from_bytes(first) ^ int.from_bytes(second)).bit_count() > 90
    assert smaller(astronaut) != astronaut
    assert data.astronaut().shape != data.cat().shape
