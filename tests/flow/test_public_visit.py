"""Coming back with the code, reading what happened, leaving; and objecting to a removal."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, refused, submit

from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.cases import services as cases
from haechi.server.cases.models import Action, Clock, Ground, Verdict
from haechi.server.matching import services as matching
from haechi.server.matching.models import Check, Member, Platform
from haechi.server.notices.models import Notice
from haechi.server.notices.models import State as NoticeState
from haechi.server.public import times
from haechi.server.reports.models import Report, Visit
from haechi.server.reports.return_code import ReturnCode
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def visit(public: Client, code: ReturnCode) -> str:
    """Enter with the code and give the status page."""
    entered = public.post("/return", {"code": code.digits()})
    assert entered.status_code == 302
    assert entered.headers["Location"] == "/status"
    return text_of(public.get("/status"))


@pytest.fixture
def decided(board: Platform, reviewer: User, astronaut: bytes) -> tuple[Report, ReturnCode]:
    """A report with a place on the board, one outside and a room; decided: remove."""
    report, code = submit(astronaut, places=(BOARD_URL, OUTSIDE_URL, "room @bad"))
    named = host(board, astronaut)
    found = host(board, astronaut, url="https://board.example/post/2", content_id="2")
    flow.examine(report, last_try=True)
    flow.decide(
        report.case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="Same picture.",
        remove=[named, found],
        actor=reviewer,
        now=NOON + timedelta(hours=1),
    )
    return report, code


def test_both_forms_of_the_code_open_the_report(public: Client) -> None:
    """B01, B02: words in any language, digits, with odd spacing."""
    _, code = submit(places=(BOARD_URL,))
    for typed in (
        code.digits().replace(" ", "-"),
        " ".join(code.words("ko")),
        "".join(code.words("zh-hans")),
        ", ".join(code.words("en")).upper(),
    ):
        assert public.post("/return", {"code": typed}).status_code == 302


def test_the_visit_cookie_is_held_tightly(public: Client) -> None:
    """It goes to /status alone, no script reads it, and it ends with the browser."""
    _, code = submit(places=(BOARD_URL,))

    response = public.post("/return", {"code": code.digits()})

    cookie = response.cookies["visit"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/status", True, "Strict")
    assert not cookie["max-age"]
    assert not cookie["expires"]
    assert code.digits() not in str(response.headers)


@pytest.mark.parametrize("typed", ["", "wrong", "1" * 27, "0" * 5000, ReturnCode(7).digits()])
def test_every_wrong_code_reads_the_same(public: Client, typed: str) -> None:
    """B04: unknown, malformed and over-long have one status and one text."""
    response = public.post("/return", {"code": typed})

    assert response.status_code == 403
    assert "report.code_unknown" in text_of(response)
    assert "visit" not in response.cookies
    known = text_of(public.post("/return", {"code": "x"}))
    assert shown_words(text_of(response)) == shown_words(known)


def shown_words(page: str) -> str:
    return page.partition('role="alert"')[2].partition("</div>")[0]


def test_without_a_visit_there_is_only_the_way_in(public: Client) -> None:
    """No cookie, or one that means nothing."""
    assert public.get("/status").headers["Location"] == "/return"

    public.cookies["visit"] = "made-up"
    response = public.get("/status")

    assert response.headers["Location"] == "/return?over=1"
    assert response.cookies["visit"].value == ""
    assert "Your visit has ended" in text_of(public.get("/return?over=1"))


def test_a_visit_ends_by_the_clock_of_the_server(public: Client) -> None:
    """B08: after twenty minutes without a click the cookie opens nothing."""
    _, code = submit(places=(BOARD_URL,))
    visit(public, code)
    Visit.objects.update(seen_at=timezone.now() - timedelta(minutes=21))

    assert public.get("/status").headers["Location"] == "/return?over=1"


def test_leaving_forgets_the_key_on_both_sides(public: Client) -> None:
    """The cookie goes and its row too."""
    _, code = submit(places=(BOARD_URL,))
    visit(public, code)

    response = public.post("/status/leave")

    assert response.headers["Location"] == "/"
    assert response.cookies["visit"].value == ""
    assert not Visit.objects.exists()
    assert public.get("/status/leave").status_code == 405


def test_leaving_forgets_the_token_even_without_the_database(public: Client) -> None:
    """The browser on a shared machine holds nothing, whatever happens here."""
    _, code = submit(places=(BOARD_URL,))
    visit(public, code)

    with patch("haechi.server.public.views.visit.visits.leave", side_effect=OperationalError):
        response = public.post("/status/leave")

    assert response.status_code == 503
    assert "web.away" in text_of(response)
    assert response.cookies["visit"].value == ""
    assert response.cookies["visit"]["max-age"] == 0


def test_a_report_that_waits_says_so(public: Client, astronaut: bytes) -> None:
    """Before the worker came: received and sealed, nothing else claimed."""
    _, code = submit(astronaut, places=(BOARD_URL,))

    page = visit(public, code)

    assert "Your report arrived" in page
    assert "We are looking for copies" in page
    assert "Waiting for the decision" in page
    assert BOARD_URL in page
    assert "A person decided" not in page


def test_clocks_stand_with_law_and_moment(public: Client, astronaut: bytes) -> None:
    """48 hours after NOON under the TAKE IT DOWN Act, with the offset written out."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    flow.examine(report, last_try=True)

    page = visit(public, code)

    assert "TAKE IT DOWN Act" in page
    assert times.moment(NOON + timedelta(hours=48)) in page
    Clock.objects.update(due_at=NOON - timedelta(days=400))
    assert "Missed: it ran out on" in text_of(public.get("/status"))


def test_what_was_done_is_told_place_by_place(
    public: Client, decided: tuple[Report, ReturnCode]
) -> None:
    """Asked, then confirmed; notice queued, then sent; a room is no host; a copy elsewhere."""
    report, code = decided
    page = visit(public, code)
    assert page.count("Removal asked for") == 2
    assert "Notice on its way" in page
    assert "abuse@photos.outside.example" in page
    assert "This is not a web address" in page
    assert "Copies we found elsewhere" in page
    assert "Sexual deepfake of a person who did not consent" in page
    assert "Same picture." not in page

    for action in Action.objects.all():
        cases.confirm_action(action, now=NOON + timedelta(hours=2))
    Notice.objects.update(
        state=NoticeState.SENT, sent_at=NOON + timedelta(hours=2), answer="250 <queued>"
    )
    page = text_of(public.get("/status"))

    assert page.count(f"board took it down on {times.moment(NOON + timedelta(hours=2))}") == 2
    assert "250 &lt;queued&gt;" in page
    assert "Met on" in page
    assert report.short not in page


def test_stopped_uploads_are_counted_for_their_own_report_only(
    public: Client, decided: tuple[Report, ReturnCode], board: Platform, cat: bytes
) -> None:
    """Three since the decision on hers; an earlier one and somebody else's do not show."""
    report, code = decided
    hers = Member.objects.get(exhibit__report=report)
    other, _ = submit(cat)
    flow.examine(other, last_try=True)
    exhibit = other.exhibits.get()
    others = matching.add_member(exhibit, seen=True, case_number=None, actor="test", now=NOON)
    for member in (hers, hers, hers, others):
        refuse(board, member)
    Check.objects.filter(pk=refuse(board, hers).pk).update(at=NOON)

    page = visit(public, code)

    assert "3 attempts were stopped" in page
    assert "board: 3, the last on" in page


def test_a_decision_to_keep_is_told_gently(
    public: Client, reviewer: User, astronaut: bytes
) -> None:
    """No removal: said plainly, with where to go; nothing pretends to have been sent."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    flow.examine(report, last_try=True)
    refused(report.case, reviewer)

    page = visit(public, code)

    assert "Decided: no removal" in page
    assert "That says nothing about you" in page
    assert "Nothing was sent" in page
    assert "A holiday photo." not in page


def test_a_visit_without_a_database_is_words(public: Client) -> None:
    """B31 for the way back."""
    with patch("haechi.server.reports.services.ReturnCode.lookup", side_effect=OperationalError):
        response = public.post("/return", {"code": ReturnCode(7).digits()})

    assert response.status_code == 503
    assert "web.away" in text_of(response)


@pytest.mark.parametrize(
    ("language", "words"),
    [("ko", "21:00 (UTC+9)"), ("zh-hans", "20:00 (UTC+8)"), ("en", "12:00 (UTC)")],
)
def test_moments_carry_their_offset(language: str, words: str) -> None:
    """The zone most readers of a language live in, always written out."""
    with translation.override(language):
        assert times.moment(datetime(2026, 11, 22, 12, 0, tzinfo=UTC)).endswith(words)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (3660, "1 hour 1 minute"),
        (90061, "1 day 1 hour"),
        (86400, "1 day"),
    ],
)
def test_spans_say_their_two_largest_units(seconds: int, words: str) -> None:
    """As people say it."""
    with translation.override("en"):
        assert times.span(seconds) == words


# --- whoever posted it ---------------------------------------------------------------------------


def refuse(board: Platform, member: Member | None, token: str | None = None) -> Check:
    return Check.objects.create(
        platform=board,
        at=NOON + timedelta(hours=2),
        outcome="block",
        member=member,
        verdict="edited_copy",
        found_by="sscd",
        label="holiday.jpg",
        appeal_token=token,
    )


def test_a_removal_gives_its_reasons(public: Client, decided: tuple[Report, ReturnCode]) -> None:
    """Ground, machine or not, the filed document; and nothing about the report."""
    report, _ = decided
    action = Action.objects.order_by("pk")[1]

    page = text_of(public.get(f"/appeal/{action.appeal_token}"))

    assert "Why this was removed" in page
    assert "Sexual deepfake of a person who did not consent" in page
    assert "A person looked at it and decided." in page
    assert "STATEMENT_CATEGORY_CYBER_VIOLENCE" in page
    assert report.short not in page
    assert BOARD_URL not in page


def test_a_refused_upload_can_be_appealed_once_and_read_again(
    public: Client, decided: tuple[Report, ReturnCode], board: Platform, second_reviewer: User
) -> None:
    """Reasons, form, receipt, answer: all at one address."""
    refuse(board, Member.objects.get(), "token-of-check")
    page = text_of(public.get("/appeal/token-of-check"))
    assert "Why this upload was refused" in page
    assert "No person looked at your upload" in page

    empty = public.post("/appeal/token-of-check", {"text": " "})
    assert empty.status_code == 422
    too_long = public.post("/appeal/token-of-check", {"text": "x" * 5001})
    assert too_long.status_code == 422
    assert not Appeal.objects.exists()

    sent = public.post("/appeal/token-of-check", {"text": "This is my own photograph."})
    assert sent.headers["Location"] == "/appeal/token-of-check"
    public.post("/appeal/token-of-check", {"text": "Another one."})
    made = Appeal.objects.get()
    assert appeals.text_of(made) == "This is my own photograph."
    page = text_of(public.get("/appeal/token-of-check"))
    assert "will look at it" in page
    assert "<textarea" not in page

    flow.answer_appeal(made, grant=True, reason="You are <right>.", actor=second_reviewer, now=NOON)
    page = text_of(public.get("/appeal/token-of-check"))
    assert "The decision was reversed" in page
    assert "You are &lt;right&gt;." in page


def test_an_unknown_appeal_address_is_404_in_words(public: Client) -> None:
    """A stable code, and the same for a form sent there."""
    unknown = ["/appeal/x", "/appeal/%00", "/appeal/token-of-%00", "/appeal/" + "x" * 5000]
    asked = [public.get(path) for path in unknown]
    for response in (*asked, public.post("/appeal/x", {"text": "Hello."})):
        assert response.status_code == 404
        assert "appeal.unknown" in text_of(response)
