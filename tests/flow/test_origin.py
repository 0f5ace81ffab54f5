"""How pictures were made: examined apart, sealed to the report, cited and handed on; never a verdict (B15, B17, B20, B25)."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, host, submit
from tests.flow.status import enter

from haechi import forensics, seal
from haechi.cli import worker
from haechi.errors import CitationUnknown, DecoderCrashed, GroundUnknown
from haechi.fingerprint.address import url_digest
from haechi.forensics import Answer, Region, Report, Signal, State, Toward
from haechi.labels import Level, Mark, Reading, Says
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases import citing, grants, labelling, packages, queue
from haechi.server.cases.models import (
    Action,
    Case,
    Clock,
    Ground,
    Label,
    Purpose,
    Restriction,
    Verdict,
)
from haechi.server.cases.queue import Asked
from haechi.server.cases.ruling import Ruling
from haechi.server.desk import examined
from haechi.server.evidence import custody, origin
from haechi.server.evidence.models import Exhibit, Fingerprint
from haechi.server.evidence.models import State as ExhibitState
from haechi.server.evidence.origin_models import Donor, Origin, OriginState
from haechi.server.evidence.storage import storage
from haechi.server.flow import dossier, packaging, summary
from haechi.server.matching.models import Hit, Hosted, Platform
from haechi.server.reports import holds, vault
from haechi.server.reports.models import ErasureReason
from haechi.server.reports.models import Report as Reported
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

SEEN = Signal(
    id="pixels.noise",
    kind="pixels",
    state=State.SPEAKS,
    meaning="pixels.noise.speaks",
    toward=Toward.ALTERED,
    value=0.4,
    likelihood_ratio=12.0,
    calibration="camera-1",
    regions=(Region(0.25, 0.25, 0.5, 0.5),),
    heat=b"\x89PNG heat",
    limits=("limit.denoised",),
)
OFF = Signal(
    id="pixels.jpeg_grid",
    kind="pixels",
    state=State.OFF,
    meaning="pixels.off",
    limits=("off.no_jpeg",),
)


def made(answer: Answer, *marks: Mark, signals: tuple[Signal, ...] = (SEEN, OFF)) -> Report:
    """A report with that answer, as the library writes one."""
    return Report(
        version=1,
        sha256="0" * 64,
        media_type="image/jpeg",
        answer=answer,
        because=(SEEN.id,) if signals else (),
        signals=signals,
        reading=Reading("0" * 64, "image/jpeg", marks),
        next_steps=("next.never_lower", "next.ask_donor"),
    )


def keep(exhibit: Exhibit, report: Report) -> Origin:
    """What the worker does with a report."""
    row = Origin.objects.get(exhibit=exhibit)
    origin._keep(row, report, compared=0, now=NOON)
    row.refresh_from_db()
    return row


NO_PRINT = {"sha256": bytes(32), "md5": bytes(16), "pdq": None, "embedding": None}


def opened(picture: bytes, *places: str) -> Case:
    """A case about one picture, as after flow.examine; nothing is fingerprinted, which takes long."""
    report, _ = submit(picture, places=places)
    found = flow.open_case(report, now=NOON)
    exhibit = report.exhibits.get()
    Fingerprint.objects.create(
        exhibit=exhibit, turns=b"", width=512, height=512, made_at=NOON, **NO_PRINT
    )
    report.exhibits.update(state=ExhibitState.FINGERPRINTED)
    flow.ask_origins(report, now=NOON)
    queue.refresh(found)
    return found


@pytest.fixture
def case(astronaut: bytes, board: Platform, reviewer: User) -> Case:
    """A case about one picture that the board hosts, open to the reviewer."""
    hosted = Hosted.objects.create(
        platform=board, content_id="1", registered_at=NOON, account_digest=bytes(32),
        url_digest=url_digest(django_settings.HAECHI.digest_key, BOARD_URL), **NO_PRINT,
    )  # fmt: skip
    found = opened(astronaut, BOARD_URL)
    Hit.objects.create(
        report=found.report, hosted=hosted, verdict="named", found_by="location", found_at=NOON
    )
    queue.refresh(found)
    grants.open_content(found, reviewer, Purpose.REVIEW, now=timezone.now())
    return found


@pytest.fixture
def exhibit(case: Case) -> Exhibit:
    return case.report.exhibits.get()


def test_an_examination_comes_after_everything_else_and_is_sealed_to_the_report(
    astronaut: bytes, board: Platform
) -> None:
    """The case is open and compared before anybody asks how the picture was made; custody has it."""
    host(board, astronaut)
    report, _ = submit(astronaut, places=(BOARD_URL,))
    flow.examine(report, last_try=True)
    case, exhibit = report.case, report.exhibits.get()
    job = ProcrastinateJob.objects.get(task_name="examine_origin")
    assert (job.queue_name, job.args) == ("origin", {"exhibit_id": str(exhibit.pk)})
    assert exhibit.origin.state == OriginState.WAITING
    assert case.report.hits.exists()

    flow.make_origin(exhibit, last_try=True)

    row = Origin.objects.get(exhibit=exhibit)
    assert (row.state, row.problem) == (OriginState.MADE, "")
    found = origin.report_of(row)
    assert found is not None
    assert found.sha256 == bytes(exhibit.sha256).hex()
    assert bytes(row.sealed).startswith(b"age-encryption.org/v1")
    opened = Entry.objects.filter(tag="exhibit:opened", detail__reason="origin")
    assert opened.count() == 1
    assert Entry.objects.get(tag="origin:made").detail == {"compared": 0}

    flow.make_origin(exhibit, last_try=True)
    assert opened.count() == 1, "repeated, it does nothing"


def test_a_decoder_that_dies_costs_one_report(
    case: Case, exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once more is tried; then the code stands there, and the case is as it was."""

    def die(*_args: object, **_options: object) -> None:
        raise DecoderCrashed("signal 11")

    monkeypatch.setattr(forensics, "examine", die)
    before = snapshot(case)
    with pytest.raises(DecoderCrashed):
        flow.make_origin(exhibit, last_try=False)
    assert Origin.objects.get().state == OriginState.WAITING

    flow.make_origin(exhibit, last_try=True)

    row = Origin.objects.get()
    assert (row.state, row.problem, bytes(row.sealed)) == (OriginState.FAILED, "media.crashed", b"")
    assert snapshot(case) == before


def test_progress_is_told_while_it_lasts(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done and how far, not more often than it changes."""
    seen: list[tuple[str, int]] = []

    def examine(_data: bytes, *, progress: Callable[[str, float], None], **_o: object) -> Report:
        for step, part in (("marks", 0.0), ("pixels", 0.2), ("pixels", 0.21), ("pixels", 0.9)):
            progress(step, part)
            row = Origin.objects.get()
            seen.append((row.step, row.percent))
        return made(Answer.INCONCLUSIVE)

    monkeypatch.setattr(forensics, "examine", examine)
    flow.make_origin(exhibit, last_try=True)

    assert seen == [("marks", 0), ("pixels", 20), ("pixels", 20), ("pixels", 90)]
    assert (Origin.objects.get().step, Origin.objects.get().percent) == ("", 100)


def test_an_earlier_examination_does_not_answer_a_later_question(
    exhibit: Exhibit, reviewer: User
) -> None:
    """Asked again meanwhile, what was found on the first question is dropped."""
    row = Origin.objects.get(exhibit=exhibit)
    flow.examine_again(exhibit, actor=reviewer, now=timezone.now())
    assert Entry.objects.get(tag="origin:asked_again").actor == reviewer.name_in_log

    origin._keep(row, made(Answer.MADE), compared=0, now=NOON)

    row.refresh_from_db()
    assert (row.state, bytes(row.sealed)) == (OriginState.WAITING, b"")


def snapshot(case: Case) -> dict[str, object]:
    """All that decides when and how a case is dealt with."""
    return {
        "case": Case.objects.filter(pk=case.pk).values().get(),
        "report": Reported.objects.filter(pk=case.report_id).values("state", "settled_at").get(),
        "clocks": list(Clock.objects.filter(case=case).order_by("pk").values()),
        "jobs": list(
            ProcrastinateJob.objects.exclude(task_name="examine_origin")
            .order_by("pk")
            .values("task_name", "status", "args", "scheduled_at")
        ),
    }


def everything_in_clear() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, less times, keys, digests and envelopes."""
    found = {}
    for table in sorted(connection.introspection.table_names()):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            names = [one.name for one in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        found[table] = [
            {
                key: value
                for key, value in row.items()
                if isinstance(value, str | int | dict | list | bool) and key not in OWN
            }
            for row in rows
        ]
    return found


OWN = ("id", "position", "hash", "previous", "note", "root")


@pytest.mark.parametrize("answer", Answer)
def test_no_answer_closes_delays_or_lowers_a_report(
    answer: Answer, case: Case, exhibit: Exhibit, reviewer: User, astronaut: bytes, board: Platform
) -> None:
    """A picture that looks real was not agreed to by that: whatever is found, nothing moves.

    Neither state, clocks, nor place in the queue among others; and a refusal still needs two.
    """
    opened(astronaut, "https://board.example/post/2")
    order = [one.pk for one in queue.waiting(Asked(), reviewer, now=NOON)]
    assert len(order) == 2
    before = snapshot(case)

    keep(exhibit, made(answer))

    assert snapshot(case) == before
    assert [one.pk for one in queue.waiting(Asked(), reviewer, now=NOON)] == order
    queue.refresh(case)
    case.refresh_from_db()
    assert snapshot(case) == before
    with pytest.raises(CitationUnknown):
        flow.judge(
            case,
            Ruling(Verdict.KEEP, reason="It looks real.", cites=(f"1/{SEEN.id}",)),
            remove=(), place=1, actor=reviewer, now=NOON,
        )  # fmt: skip
    said = flow.judge(
        case, Ruling(Verdict.KEEP, reason="x"), remove=(), place=1, actor=reviewer, now=NOON
    )
    assert said is None, "one person alone does not refuse, whatever the picture looks like"


def test_what_was_found_is_nowhere_in_clear(exhibit: Exhibit) -> None:
    """So that nothing can be ordered or counted by it: five answers leave the same rows."""
    left = []
    for answer in Answer:
        Origin.objects.update(state=OriginState.WAITING)
        entries = Entry.objects.count()
        keep(exhibit, made(answer))
        rows = everything_in_clear()
        rows["audit_entry"] = rows["audit_entry"][entries:]
        rows.pop("audit_node", None)
        left.append(rows)
        assert answer.value not in json.dumps(rows, default=str)
    assert all(rows == left[0] for rows in left)


def test_the_page_tells_it_in_words_first(
    desk: Client, reviewer: User, case: Case, exhibit: Exhibit
) -> None:
    """One sentence, what it rests on, what is not known, what to do next; places over the veil."""
    keep(exhibit, made(Answer.ALTERED))
    desk.force_login(reviewer)

    page = desk.get(f"/case/{case.pk}").content.decode()

    for words in (
        "How the pictures were made",
        forensics.WORDS["answer.altered"],
        forensics.WORDS["pixels.noise.speaks"],
        forensics.WORDS["strength.moderate"],
        forensics.WORDS["off.no_jpeg"].replace("'", "&#x27;"),
        forensics.WORDS["next.never_lower"],
        "suspected to be made by AI",
        "pixels.noise",
    ):
        assert words in page, words
    width, height = exhibit.fingerprint.width, exhibit.fingerprint.height
    assert f'x="{width // 4}" y="{height // 4}"' in page
    assert "12.0" not in page, "never a bare number"


def test_a_film_is_drawn_over_time_with_a_table_and_the_seconds_of_its_places(
    desk: Client, reviewer: User, case: Case, exhibit: Exhibit
) -> None:
    """Without a style or a script of its own: the chart is a part of the page."""
    trembles = replace(SEEN, regions=(Region(0.25, 0.25, 0.5, 0.5, second=3.2),))
    points = tuple({"track": 0.0, "second": float(at), "flicker": 0.4} for at in range(4))
    found = replace(made(Answer.INCONCLUSIVE, signals=(trembles,)), timeline=points)
    keep(exhibit, replace(found, media_type="video/mp4"))
    desk.force_login(reviewer)

    page = desk.get(f"/case/{case.pk}").content.decode()

    part = page.partition('class="origin__timeline"')[2].partition("</ul>")[0]
    assert part.count('<svg class="drawing"') == 1
    assert part.count("face 1: brightness trembles</td>") == 4
    assert "At second 3.2:" in part
    assert 'class="origin__spot"' in part
    assert "style=" not in part
    assert "<script" not in part
    assert "origin__places" not in page, "no place of a second is drawn on another one's frame"


def test_what_it_drew_is_covered_like_the_picture(
    desk: Client, reviewer: User, second_reviewer: User, case: Case, exhibit: Exhibit
) -> None:
    """B25: nothing before the look is logged; B17: and nothing without the right to open the case."""
    keep(exhibit, made(Answer.ALTERED))
    desk.force_login(reviewer)
    address = f"/case/{case.pk}/exhibit/{exhibit.pk}/found/{SEEN.id}"

    assert desk.get(address).status_code == 403
    assert desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift").status_code == 204
    shown = desk.get(address)
    assert (shown.status_code, shown.content) == (200, SEEN.heat)
    assert shown["Cache-Control"] == "no-store"
    last = custody.of(exhibit).handled[-1]
    assert (last.tag, last.actor, last.detail) == (
        custody.OPENED,
        reviewer.name_in_log,
        {"reason": "found"},
    )
    assert desk.get(f"/case/{case.pk}/exhibit/{exhibit.pk}/found/{OFF.id}").status_code == 404
    assert desk.get(f"/case/{case.pk}/exhibit/{exhibit.pk}/found/nothing").status_code == 404

    desk.force_login(second_reviewer)
    assert desk.get(address).status_code == 403
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert forensics.WORDS["answer.altered"] not in page
    again = f"/case/{case.pk}/exhibit/{exhibit.pk}/examine"
    assert desk.post(again).status_code == 403
    desk.force_login(reviewer)
    assert desk.post(again).status_code == 302
    assert Origin.objects.get(exhibit=exhibit).state == OriginState.WAITING
    assert ProcrastinateJob.objects.filter(task_name="examine_origin").count() == 2


def decide(case: Case, reviewer: User, **more: Any) -> Any:
    given = {"verdict": Verdict.REMOVE, "ground": Ground.DEEPFAKE} | more
    return flow.decide(
        case,
        reason="I saw it.",
        remove=list(Hosted.objects.all()),
        actor=reviewer,
        now=NOON,
        **given,
    )


def test_a_decision_cites_findings_as_they_read_then(
    desk: Client, reviewer: User, case: Case, exhibit: Exhibit
) -> None:
    """By id, sealed with the decision; an examination made anew changes nothing of it (B20)."""
    keep(exhibit, made(Answer.ALTERED))
    with pytest.raises(CitationUnknown):
        decide(case, reviewer, cites=("1/pixels.jpeg_grid",))
    desk.force_login(reviewer)
    filled = {
        "verdict": "remove",
        "ground": "deepfake",
        "reason": "I saw it.",
        "remove": [Hosted.objects.get().pk],
        "cites": [f"1/{SEEN.id}"],
    }

    shown = desk.post(f"/case/{case.pk}/preview", filled).content.decode()
    assert transparency.EXAMINED in shown
    assert desk.post(f"/case/{case.pk}/decide", filled).status_code == 302

    decision = case.decisions.get()
    keep_again = made(Answer.NO_SIGN, signals=())
    flow.examine_again(exhibit, actor=reviewer, now=timezone.now())
    keep(exhibit, replace(keep_again, because=()))
    [cited] = citing.cited_in(decision)
    assert (cited.exhibit, cited.signal, cited.meaning) == (1, SEEN.id, SEEN.meaning)
    assert SEEN.id.encode() not in bytes(decision.cited_sealed)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert examined.cited(cited).replace("'", "&#x27;") in page


@pytest.mark.parametrize("cites", [(), (f"1/{SEEN.id}",)])
def test_the_statement_of_reasons_says_whether_a_machine_helped(
    reviewer: User, case: Case, exhibit: Exhibit, cites: tuple[str, ...]
) -> None:
    """Art. 17(3)(c) DSA: in detecting and in deciding; the place was named, so else it is a no."""
    keep(exhibit, made(Answer.ALTERED))
    decide(case, reviewer, cites=cites)

    document = Action.objects.get().statement.document

    said = (document["automated_detection"], document["automated_decision"])
    if cites:
        assert said == ("Yes", "AUTOMATED_DECISION_PARTIALLY")
        assert document["decision_facts"].endswith(transparency.EXAMINED)
    else:
        assert said == ("No", "AUTOMATED_DECISION_NOT_AUTOMATED")
        assert document["decision_facts"].endswith(transparency.NOT_EXAMINED)


AIGC = Mark("aigc", "png:tEXt:AIGC", Says.MADE)


@pytest.mark.parametrize(
    ("answer", "marks", "level"),
    [
        (Answer.MADE, (AIGC,), 1),
        (Answer.INCONCLUSIVE, (replace(AIGC, says=Says.MAY_BE),), 2),
        (Answer.INCONCLUSIVE, (replace(AIGC, says=Says.SUSPECTED),), 3),
        (Answer.MADE, (), 3),
        (Answer.ALTERED, (), 3),
        (Answer.INCONCLUSIVE, (Mark("generator", "png:tEXt:parameters", Says.MADE),), 3),
        (Answer.INCONCLUSIVE, (), None),
        (Answer.NO_SIGN, (), None),
        (Answer.AUTHENTIC, (Mark("c2pa", "jpeg:APP11", Says.CAMERA),), None),
    ],
)
def test_labels_follow_the_rules_for_platforms(
    answer: Answer, marks: tuple[Mark, ...], level: int | None
) -> None:
    """Art. 6 of the Measures: only what the file says of itself is "is"; a finding is "suspected"."""
    assert labelling.proposed(made(answer, *marks)) == level


def test_a_platform_is_told_which_label(
    desk: Client, reviewer: User, case: Case, exhibit: Exhibit
) -> None:
    """With the restriction that it is labelled, and only then; never "is" on a finding alone."""
    keep(exhibit, made(Answer.ALTERED))
    with pytest.raises(GroundUnknown):
        decide(case, reviewer, label=Label.SUSPECTED)
    desk.force_login(reviewer)
    filled = {
        "verdict": "restrict", "ground": "intimate", "restriction": "labelled", "label": "1",
        "reason": "x", "remove": [Hosted.objects.get().pk],
    }  # fmt: skip
    assert desk.post(f"/case/{case.pk}/decide", filled).status_code == 422

    sent = filled | {"label": "3"}
    answer = desk.post(f"/case/{case.pk}/decide", sent)

    assert answer.status_code == 302, answer.content.decode()
    told = flow.order_of(Action.objects.get())
    assert told["restriction"] == Restriction.LABELLED
    assert told["label"] == {
        "standard": "GB 45438-2025",
        "level": 3,
        "words": dict(labelling.WORDS[Level.SUSPECTED]),
    }


def give(public: Client, data: bytes, **more: object) -> Any:
    file = SimpleUploadedFile("me.jpg", data, "image/jpeg")
    return public.post("/status/compare", {"files": file, "agreed": "on"} | more)


@pytest.fixture
def visit(public: Client, cat: bytes) -> Reported:
    """Somebody behind her code, whose picture was opened."""
    report, code = submit(cat)
    report.exhibits.update(state=ExhibitState.FINGERPRINTED)
    flow.open_case(report, now=NOON)
    flow.ask_origins(report, now=NOON)
    Origin.objects.update(state=OriginState.MADE)
    enter(public, code)
    return report


def test_pictures_to_compare_with_need_a_consent_of_their_own(
    public: Client, visit: Reported, astronaut: bytes
) -> None:
    """Without it nothing is stored; with it they are sealed to her report, and no exhibit of it."""
    before = set(storage().names())
    page = public.get("/status/compare").content.decode()
    assert 'name="agreed"' in page
    assert "checked" not in page

    refused_page = give(public, astronaut, agreed="")
    assert refused_page.status_code == 422
    assert (Donor.objects.count(), set(storage().names())) == (0, before)

    assert give(public, astronaut).status_code == 302

    donor = Donor.objects.get()
    assert visit.exhibits.count() == 1
    with storage().open(donor.blob) as sealed:
        envelope = sealed.read(-1)
    assert seal.open_sealed(envelope, vault.identity_of(visit)) == astronaut
    assert Entry.objects.get(tag="donor:given").detail == {"files": 1}
    assert "waiting to be compared" in public.get("/status/compare").content.decode()


def test_they_are_used_once_and_deleted(
    public: Client, visit: Reported, astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The examination gets them; afterwards neither file nor row is there, and the log says so."""
    give(public, astronaut)
    blob = Donor.objects.get().blob
    given: list[tuple[bytes, ...]] = []

    def examine(_data: bytes, *, donors: list[bytes], **_options: object) -> Report:
        given.append(tuple(donors))
        return made(Answer.ALTERED)

    monkeypatch.setattr(forensics, "examine", examine)
    flow.ask_origins(visit, now=timezone.now())
    exhibit = visit.exhibits.select_related("report").get()
    flow.make_origin(exhibit, last_try=True)

    assert given == [(astronaut,)]
    assert not storage().exists(blob)
    assert not Donor.objects.exists()
    assert Origin.objects.get(exhibit=exhibit).donors == 1
    assert Entry.objects.get(tag="donor:deleted").detail == {"files": 1, "hold": False}


def test_no_more_of_them_wait_than_are_compared(
    public: Client, visit: Reported, astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted while the report is held, whatever the page saw before: two may come at once."""
    fitting = origin.MOST_DONORS - 1
    rows = [
        Donor(report=visit, blob=f"{number:032d}", size=1, given_at=NOON)
        for number in range(fitting)
    ]
    Donor.objects.bulk_create(rows)
    before = set(storage().names())
    two = [SimpleUploadedFile(f"{number}.jpg", astronaut, "image/jpeg") for number in "ab"]
    with CaptureQueriesContext(connection) as asked:
        answer = public.post("/status/compare", {"files": two, "agreed": "on"})
    assert answer.status_code == 422
    assert "No more than 5 at once." in answer.content.decode()
    assert (Donor.objects.count(), set(storage().names())) == (fitting, before)
    told = [query["sql"] for query in asked]
    held = next(at for at, sql in enumerate(told) if "reports_report" in sql and "FOR " in sql)
    assert any("evidence_donor" in sql and "COUNT" in sql for sql in told[held:])
    assert give(public, astronaut).status_code == 302


def test_a_legal_hold_does_not_keep_them_and_the_log_says_so(
    public: Client, visit: Reported, astronaut: bytes
) -> None:
    """She agreed to a comparison and to nothing after it; the page says it before she gives any."""
    assert "even where an authority asks" in public.get("/status/compare").content.decode()
    give(public, astronaut)
    why = holds.Grounds("An inquiry.", "Police, 17/2026")
    holds.place(visit, why, until=None, actor="chief", now=timezone.now())
    origin.forget_old_donors(now=timezone.now() + timedelta(days=4))
    assert not Donor.objects.exists()
    assert Entry.objects.get(tag="donor:deleted").detail == {"files": 1, "hold": True}


def test_they_wait_for_an_examination_that_knows_them(
    public: Client, visit: Reported, astronaut: bytes
) -> None:
    """One that began before they came does not delete them."""
    give(public, astronaut)
    exhibit = visit.exhibits.select_related("report").get()
    flow.make_origin(exhibit, last_try=True)
    assert Donor.objects.exists()

    origin.forget_old_donors(now=timezone.now())
    assert Donor.objects.exists()
    origin.forget_old_donors(now=timezone.now() + timedelta(days=4))
    assert not Donor.objects.exists()


@pytest.mark.parametrize("way", ["withdrawn", "erased"])
def test_they_go_with_the_report(
    public: Client, visit: Reported, astronaut: bytes, way: str
) -> None:
    """Taken back or erased, nothing of them is left; an erased report takes its examination along (B32)."""
    give(public, astronaut)
    blob = Donor.objects.get().blob
    examined_row = Origin.objects.filter(exhibit__report=visit)
    assert examined_row.exists()
    if way == "withdrawn":
        flow.withdraw_report(visit, now=NOON)
        flow.wind_down(report_id=str(visit.pk))
    else:
        flow.erase(visit, actor="reporter", reason=ErasureReason.ASKED, now=NOON)
        flow.finish_erasure(report_id=str(visit.pk))
        assert not examined_row.exists()
    assert not storage().exists(blob)
    assert not Donor.objects.exists()


def test_nothing_is_asked_where_it_is_switched_off(settings: Settings, cat: bytes) -> None:
    """HAECHI_FORENSICS=0."""
    settings.HAECHI = replace(django_settings.HAECHI, forensics=False)
    opened(cat)
    assert not Origin.objects.exists()
    assert not ProcrastinateJob.objects.filter(task_name="examine_origin").exists()


def test_a_package_of_evidence_holds_it(
    reviewer: User, case: Case, exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As JSON for programs, in words on paper, and what the decision rests on (B35)."""
    keep(exhibit, made(Answer.ALTERED))
    decide(case, reviewer, cites=(f"1/{SEEN.id}",))
    identity = seal.new_identity()
    wanted = packages.Purpose("Police", "They investigate.", "2026-77")
    package = packages.ask(case, wanted, [seal.recipient_of(identity)], actor=reviewer, now=NOON)
    monkeypatch.setattr(summary, "LANGUAGES", {"en": "en"})
    papers: list[dossier.Dossier] = []

    def pdf(found: dossier.Dossier, _language: str) -> bytes:
        papers.append(found)
        return b"%PDF"

    monkeypatch.setattr(summary, "pdf", pdf)

    out = io.BytesIO()
    packaging.write(package, out, now=NOON, told=lambda *_: None)

    with zipfile.ZipFile(io.BytesIO(seal.open_sealed(out.getvalue(), identity))) as packed:
        told = json.loads(packed.read("origin/1.json"))
        [decision] = json.loads(packed.read("decisions.json"))
    assert Report.from_json(told) == made(Answer.ALTERED)
    assert [one["signal"] for one in decision["cites"]] == [SEEN.id]
    rows = {head: rows for head, rows, _columns in summary._tables(papers[0])}
    [row] = rows["How the pictures were made"]
    assert row["answer"] == forensics.WORDS["answer.altered"]
    assert SEEN.id in row["rests_on"]
    assert forensics.WORDS["limit.denoised"] in row["missing"]


def test_the_worker_serves_every_queue() -> None:
    """A job in a queue that nobody serves would wait for ever."""
    ours = {task.queue for task in app.tasks.values()} - {"builtin"}  # The library's own; unused.
    assert ours == set(worker.QUEUES)
