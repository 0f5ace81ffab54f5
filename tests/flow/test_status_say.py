"""What a reporter says once she is back: messages, additions, corrections, objections."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit
from tests.flow.status import as_desk, enter, refuse, text_of, visit_of

from haechi import seal
from haechi.errors import CaseClosed, NotAllowed, NothingToAppeal
from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.audit.models import Entry
from haechi.server.cases import claims, grants
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case, Clock, Ground, Purpose, State, Verdict
from haechi.server.evidence import services as evidence
from haechi.server.matching.models import Platform
from haechi.server.notices.models import Notice
from haechi.server.reports import additions, messages, visits
from haechi.server.reports import services as reports
from haechi.server.reports.models import Message, Nudge, Report, Sender
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.story import Story
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def back(public: Client) -> tuple[Report, ReturnCode]:
    """She has come back to a report with one place."""
    report, code = submit(places=(BOARD_URL,))
    enter(public, code)
    return report, code


def test_messages_go_both_ways_sealed(
    public: Client, back: tuple[Report, ReturnCode], reviewer: User
) -> None:
    """Sealed to the report; each side sees that the other has read; each reading is logged."""
    report, code = back
    flow.examine(report, last_try=True)
    assert public.post("/status/messages", {"text": "Is it <gone>?"}).status_code == 302
    stored = bytes(Message.objects.get().sealed)
    assert b"gone" not in stored
    assert seal.open_sealed(stored, visit_of(code).identity) == b"Is it <gone>?"

    desk = Client(headers={"accept-language": "en"})
    grants.open_content(report.case, reviewer, Purpose.REPORTER, now=timezone.now())
    with as_desk() as log_in:
        log_in(desk, reviewer)
        assert f"/case/{report.case.pk}" in text_of(desk.get("/news"))
        page = text_of(desk.get(f"/case/{report.case.pk}"))
        assert "Is it &lt;gone&gt;?" in page
        answer = desk.post(f"/case/{report.case.pk}/message", {"text": "Not yet."})
        assert answer.status_code == 302
        assert "Nothing new." in text_of(desk.get("/news"))
    assert Message.objects.get(number=1).read_at is not None
    reading = Entry.objects.filter(tag="message:read").get()
    assert reading.actor == reviewer.name_in_log

    assert "1 new message for you" in text_of(public.get("/status"))
    page = text_of(public.get("/status/messages"))
    assert "Not yet." in page
    assert "opened" in page
    assert "new message" not in text_of(public.get("/status"))


@pytest.mark.parametrize("language", ["digits", "ko", "zh-hans", "en"])
@pytest.mark.parametrize("around", ["{}", "Here: {} thanks"])
def test_a_message_that_gives_the_code_away_is_refused(
    public: Client, back: tuple[Report, ReturnCode], language: str, around: str
) -> None:
    """B06: either form, any language, alone or among words; explained, and stored nowhere."""
    report, code = back
    form = code.digits() if language == "digits" else " ".join(code.words(language))

    answer = public.post("/status/messages", {"text": around.format(form)})

    assert answer.status_code == 422
    assert "report.code_in_message" in text_of(answer)
    assert "Nobody here may see your code" in text_of(answer)
    assert not report.messages.exists()
    assert not Entry.objects.filter(tag="message:sent").exists()


def test_the_code_of_another_report_of_hers_is_refused_too(
    public: Client, back: tuple[Report, ReturnCode]
) -> None:
    """B06: it would open that one."""
    _, other = submit(places=(OUTSIDE_URL,))
    assert public.post("/status/messages", {"text": other.digits()}).status_code == 422
    assert public.post("/status/messages", {"text": ReturnCode(7).digits()}).status_code == 302


@pytest.mark.parametrize("place", ["https://x.example/?q={}", "me, {}"])
def test_the_code_is_refused_among_places_and_as_an_address(
    public: Client, back: tuple[Report, ReturnCode], place: str
) -> None:
    """B06: whole, over several lines, of another report; stored nowhere."""
    report, code = back
    _, other = submit(places=(OUTSIDE_URL,))
    words = code.words("en")
    for typed in (
        place.format("-".join(words)),
        "\n".join(words),
        f"{OUTSIDE_URL}\n{other.digits()}",
    ):
        answer = public.post("/status/add", {"locations": typed})
        assert (answer.status_code, "report.code_in_message" in text_of(answer)) == (422, True)
    mail = public.post("/status/mail", {"address": f"{code.digits().replace(' ', '')}@x.example"})
    assert (mail.status_code, "report.code_in_message" in text_of(mail)) == (422, True)
    assert report.locations.count() == 1
    assert not Nudge.objects.exists()


@pytest.mark.parametrize("path", ["words", "look-again"])
def test_the_code_is_refused_in_every_text(
    public: Client, back: tuple[Report, ReturnCode], path: str
) -> None:
    """B06: also where she corrects and where she objects; what else she typed is still there."""
    text = f"So. {back[1].digits()}"
    answer = public.post(f"/status/{path}", {"told": text, "text": text, "signature": "Kim"})
    assert answer.status_code == 422
    assert "report.code_in_message" in text_of(answer)


def test_an_empty_or_endless_message_comes_back_as_it_was(
    public: Client, back: tuple[Report, ReturnCode]
) -> None:
    """Nothing is stored, nothing is lost."""
    long = "가" * 5_001
    answer = public.post("/status/messages", {"text": long})
    assert answer.status_code == 422
    assert long in text_of(answer)
    assert public.post("/status/messages", {"text": " "}).status_code == 422
    assert not Message.objects.exists()


# --- additions ------------------------------------------------------------------------------------


def test_places_and_files_are_added_sealed_to_the_report(
    public: Client, back: tuple[Report, ReturnCode], astronaut: bytes, cat: bytes
) -> None:
    """B12: sealed to the report while they arrive; names go into the sealed story alone (B13)."""
    report, code = back
    files = [SimpleUploadedFile("내사진.jpg", astronaut), SimpleUploadedFile("two.jpg", cat)]
    typed = {"locations": f"{OUTSIDE_URL}\n{BOARD_URL}\n", "files": files}

    assert public.post("/status/add", typed).headers["Location"] == "/status"

    visit = visit_of(code)
    assert reports.addresses_of(report, visit.identity) == {1: BOARD_URL, 2: OUTSIDE_URL}
    report.refresh_from_db()
    assert reports.story_of(report, visit.identity).files == {"1": "내사진.jpg", "2": "two.jpg"}
    opened = [
        evidence.open_exhibit(exhibit, actor="t", reason="t", now=NOON)
        for exhibit in report.exhibits.all()
    ]
    assert opened == [astronaut, cat]
    assert report.news_at is not None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'examine_report'"
            " AND args->>'report_id' = %s",
            [str(report.pk)],
        )
        assert cursor.fetchone() == (2,)


def test_adding_nothing_or_no_picture_is_explained_and_keeps_the_places(
    public: Client, back: tuple[Report, ReturnCode]
) -> None:
    """The page says so; the places are still typed; no file is left behind."""
    report, _ = back
    assert "report.empty" in text_of(public.post("/status/add", {"locations": "  "}))
    bad = SimpleUploadedFile("note.txt", b"no picture at all" * 40)

    answer = public.post("/status/add", {"locations": OUTSIDE_URL, "files": [bad]})

    assert answer.status_code == 422
    assert "media.not_media" in text_of(answer)
    assert OUTSIDE_URL in text_of(answer)
    assert "choose your files once more" in text_of(answer)
    assert report.locations.count() == 1


def test_b31_adding_while_nothing_can_be_stored_is_a_failure_of_ours(
    public: Client,
    back: tuple[Report, ReturnCode],
    astronaut: bytes,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """As on the form: 503, in words, with the places still typed."""
    (tmp_path / "blocked").touch()
    settings.BLOBS = tmp_path / "blocked"
    files = [SimpleUploadedFile("me.jpg", astronaut)]

    answer = public.post("/status/add", {"locations": OUTSIDE_URL, "files": files})

    assert answer.status_code == 503
    assert "report.intake_closed" in text_of(answer)
    assert OUTSIDE_URL in text_of(answer)
    assert back[0].locations.count() == 1


def test_adding_needs_the_token_of_our_form(astronaut: bytes, public: Client) -> None:
    """The check of the form's origin is late on this page, and there all the same."""
    report, code = submit(places=(BOARD_URL,))
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    strict.cookies["visit"] = visits.enter(code.digits(), now=timezone.now())

    answer = strict.post("/status/add", {"locations": OUTSIDE_URL})

    assert answer.status_code == 403
    assert report.locations.count() == 1


def test_a_reviewer_pursues_what_was_added_after_the_decision(
    public: Client,
    back: tuple[Report, ReturnCode],
    board: Platform,
    astronaut: bytes,
    reviewer: User,
) -> None:
    """Nothing goes out by itself; pressed twice, each place is asked once."""
    report, _code = back
    flow.examine(report, last_try=True)
    decision = flow.decide(
        report.case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="x",
        remove=[],
        actor=reviewer,
        now=NOON,
    )
    later = "https://board.example/post/7"
    hosted = host(board, astronaut, url=later, content_id="7")
    public.post("/status/add", {"locations": f"{OUTSIDE_URL}\n{later}"})
    report.locations.filter(number__gt=1).update(added_at=NOON + timedelta(hours=1))
    assert text_of(public.get("/status")).count("A person will look at this place") == 2
    assert not Notice.objects.exists()

    assert flow.pursue_added(decision, actor=reviewer, now=NOON) == 2
    assert flow.pursue_added(decision, actor=reviewer, now=NOON) == 0

    assert Notice.objects.count() == 1
    assert [action.hosted for action in decision.actions.all()] == [hosted]


def test_a_correction_keeps_what_stood_there_and_may_start_clocks(
    public: Client, astronaut: bytes
) -> None:
    """The old words stay sealed; a request that is complete now starts its clocks now."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    identity = visit_of(code).identity
    story = reports.story_of(report, identity)
    reports.reseal(report, _unsigned(story))
    report.refresh_from_db()
    flow.examine(report, last_try=True)
    before = set(report.case.clocks.values_list("rule", flat=True))
    enter(public, code)
    page = text_of(public.get("/status/words"))
    assert "Somebody posted this." in page

    answer = public.post(
        "/status/words", {"told": "It was on Monday.", "declared": "on", "signature": "K."}
    )

    assert answer.headers["Location"] == "/status"
    report.refresh_from_db()
    assert reports.story_of(report, identity).told == "It was on Monday."
    ((_, old),) = additions.earlier_stories(report, identity)
    assert old == _unsigned(story)
    since = report.corrected_at
    assert since is not None
    flow.complete_request(report_id=str(report.pk), since=since.isoformat())
    flow.examine(report, last_try=True)
    new = report.case.clocks.exclude(rule__in=before)
    assert new.exists()
    assert all(clock.started_at == report.corrected_at for clock in new)


def _unsigned(story: Story) -> Story:
    return replace(story, declared=False, signature="")


# --- objections -----------------------------------------------------------------------------------


def test_a_refusal_is_looked_at_again_by_another_person(
    public: Client, astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """Granted: the case is open again, the first reviewer may not decide it, her answer is sealed."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    first = refuse(report, reviewer)
    enter(public, code)
    assert "You do not have to accept this decision" in text_of(public.get("/status"))
    public.post("/status/look-again", {"text": "It is me, look at the scar."})
    public.post("/status/look-again", {"text": "Once more."})
    appeal = Appeal.objects.get()
    assert b"scar" not in bytes(appeal.sealed)
    assert "look at the scar" in text_of(public.get("/status/look-again"))

    with pytest.raises(NotAllowed):
        flow.answer_appeal(appeal, grant=True, reason="Yes.", actor=reviewer, now=NOON)
    flow.answer_appeal(appeal, grant=True, reason="We erred.", actor=second_reviewer, now=NOON)

    appeal.refresh_from_db()
    assert appeal.answer == ""
    assert b"erred" not in bytes(appeal.answer_sealed)
    page = text_of(public.get("/status/look-again"))
    assert "We erred." in page
    assert "You were right" in page
    case = Case.objects.get(report=report)
    assert (case.state, case.decision) == (State.OPEN, None)
    assert "A person looks at it and decides" in text_of(public.get("/status"))
    again = {"reason": "x", "remove": [], "now": NOON + timedelta(hours=1)}
    with pytest.raises(NotAllowed):
        flow.decide(case, Verdict.KEEP, Ground.NONE, actor=reviewer, **again)
    case.refresh_from_db()
    flow.decide(case, Verdict.REMOVE, Ground.INTIMATE, actor=second_reviewer, **again)
    first.refresh_from_db()
    assert first.verdict == Verdict.KEEP
    assert case.decision.verdict == Verdict.REMOVE


def test_a_removal_clock_that_a_wrong_refusal_stopped_runs_on(
    astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """B24: to the day it was due; no time is given for having been wrong."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    decision = refuse(report, reviewer)
    due = dict(report.case.clocks.filter(stopped_by="removal").values_list("pk", "due_at"))
    assert due
    appeal = flow.appeal_inaction(visit_of(code), "Please.", now=NOON)

    flow.answer_appeal(appeal, grant=True, reason="Yes.", actor=second_reviewer, now=NOON)

    running = report.case.clocks.filter(stopped_at=None)
    assert dict(running.values_list("pk", "due_at")) == due
    with pytest.raises(CaseClosed):
        cases.reopen(decision, actor=second_reviewer, now=NOON)


def test_an_objection_ends_with_the_report_that_is_taken_back(
    public: Client, astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """Granted before the worker comes, it opens nothing; afterwards it waits for nobody."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    refuse(report, reviewer)
    appeal = flow.appeal_inaction(visit_of(code), "Please.", now=NOON)
    flow.withdraw_report(report, now=NOON)

    granted = {"grant": True, "reason": "Yes.", "actor": second_reviewer, "now": NOON}
    with pytest.raises(CaseClosed):
        flow.answer_appeal(appeal, **granted)
    assert Case.objects.get().state == State.DECIDED
    flow.wind_down(report_id=str(report.pk))

    appeal.refresh_from_db()
    assert appeal.outcome == "upheld"
    assert not appeals.waiting_about(report)
    with pytest.raises(CaseClosed):
        flow.answer_appeal(appeal, **granted)
    assert not Case.objects.queue().exists()
    enter(public, code)
    assert "It stays as it was" in text_of(public.get("/status/look-again"))
    assert not Clock.objects.filter(stopped_at=None).exists()


def test_nothing_can_be_objected_to_in_a_report_that_was_taken_back(
    astronaut: bytes, reviewer: User
) -> None:
    report, code = submit(astronaut, places=(BOARD_URL,))
    refuse(report, reviewer)
    flow.withdraw_report(report, now=NOON)
    with pytest.raises(NothingToAppeal):
        flow.appeal_inaction(visit_of(code), "Please.", now=NOON)


def test_silence_can_be_objected_to(
    public: Client, astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """A clock ran out: she says so, and whoever holds the case is not who answers."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    flow.examine(report, last_try=True)
    enter(public, code)
    Clock.objects.update(due_at=NOON + timedelta(days=3650))
    assert "nothing was refused" in text_of(public.get("/status/look-again"))
    assert public.post("/status/look-again", {"text": "Why?"}).status_code == 422
    Clock.objects.update(due_at=NOON - timedelta(days=1))
    claims.claim(report.case, reviewer, now=NOON)
    assert "A deadline ran out without a decision" in text_of(public.get("/status"))

    assert public.post("/status/look-again", {"text": "Please hurry."}).status_code == 302

    appeal = Appeal.objects.get()
    with pytest.raises(NotAllowed):
        flow.answer_appeal(appeal, grant=True, reason="Yes.", actor=reviewer, now=NOON)
    flow.answer_appeal(appeal, grant=True, reason="Today.", actor=second_reviewer, now=NOON)
    claims.claim(Case.objects.get(report=report), second_reviewer, now=NOON)
    assert "Today." in text_of(public.get("/status/look-again"))


def test_the_desk_reads_and_answers_an_objection_of_a_reporter(
    astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """With what it is against; the one who refused gets no form."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    refuse(report, reviewer)
    appeal = flow.appeal_inaction(visit_of(code), "Look <again>.", now=NOON)
    desk = Client(headers={"accept-language": "en"})
    with as_desk() as log_in:
        log_in(desk, second_reviewer)
        assert "a decision not to remove" in text_of(desk.get("/appeals"))
        assert "case.grant_needed" in text_of(desk.get(f"/appeal/{appeal.pk}"))
        blind = desk.post(f"/appeal/{appeal.pk}", {"outcome": "upheld", "reason": "Unread."})
        assert (blind.status_code, "case.grant_needed" in text_of(blind)) == (403, True)
        appeal.refresh_from_db()
        assert appeal.outcome == "waiting"
        grants.open_content(report.case, second_reviewer, Purpose.APPEAL, now=timezone.now())
        page = text_of(desk.get(f"/appeal/{appeal.pk}"))
        assert "Look &lt;again&gt;." in page
        assert "opens the case again" in page
        answer = {"outcome": "granted", "reason": "Yes, again."}
        assert desk.post(f"/appeal/{appeal.pk}", answer).status_code == 302
        assert "Yes, again." in text_of(desk.get(f"/appeal/{appeal.pk}"))
        assert "A holiday photo." in text_of(desk.get(f"/case/{report.case.pk}"))


def test_numbers_of_messages_never_collide(back: tuple[Report, ReturnCode]) -> None:
    """One after another, both senders."""
    report, code = back
    for sender in (Sender.REPORTER, Sender.STAFF, Sender.REPORTER):
        messages.send(report, sender, sender.value, actor="t", now=NOON)
    said = messages.thread(report, visit_of(code).identity)
    assert [(one.number, one.text) for one in said] == [
        (1, "reporter"),
        (2, "staff"),
        (3, "reporter"),
    ]
