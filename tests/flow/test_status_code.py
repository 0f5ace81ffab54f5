"""The return code: kept, saved, handed over, and nowhere but on its page."""

import logging
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.core import signing
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, submit
from tests.flow.status import code_on, enter, hidden, text_of, visit_of

from haechi.errors import CodeUnknown, HandedOver
from haechi.server.public import page_token
from haechi.server.reports import nudges, return_code, visits
from haechi.server.reports.models import Filer, Nudge, Report, Visit
from haechi.server.reports.return_code import ReturnCode, codes_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def receipt(public: Client) -> object:
    """The answer to a report that names one place."""
    form = {"submission": page_token.issue(), "location": [BOARD_URL], "told": "It happened."}
    return public.post("/report", form)


def test_the_code_is_confirmed_without_scripts_and_nothing_is_lost(
    public: Client, receipt: object
) -> None:
    """Not ticked: the same code once more, with a gentle word. Ticked: on to the way in."""
    code, page = code_on(receipt), hidden(receipt, "page")
    box = text_of(receipt).partition('id="kept"')[2].partition(">")[0]
    assert "hidden" not in box

    again = public.post("/receipt", {"page": page})

    assert again.status_code == 422
    assert code_on(again) == code
    assert "nothing is lost" in text_of(again)
    assert public.post("/receipt", {"page": page, "kept": "1"}).headers["Location"] == "/return"
    enter(public, code)


def test_the_code_is_saved_as_a_small_file_that_is_kept_nowhere(
    public: Client, receipt: object
) -> None:
    """B05: text, attached, with a name that says nothing, never cached; words and digits work."""
    code, page = code_on(receipt), hidden(receipt, "page")

    saved = public.post("/receipt/file", {"page": page})

    assert saved.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert saved.headers["Content-Disposition"] == 'attachment; filename="note.txt"'
    assert saved.headers["Cache-Control"] == "no-store"
    lines = saved.content.decode("utf-8-sig").split("\r\n")
    assert [ReturnCode.parse(lines[2]), ReturnCode.parse(lines[3])] == [code, code]
    assert public.get("/receipt/file").status_code == 405


@pytest.mark.parametrize("path", ["/receipt", "/receipt/file"])
def test_a_token_that_is_not_ours_or_of_nothing_shows_nothing(public: Client, path: str) -> None:
    """Made up, forged, or of a page that was never sent."""
    for page in ("", "made-up", page_token.issue(), signing.dumps("x")):
        answer = public.post(path, {"page": page})
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/return"


def test_wrong_and_unknown_codes_cost_the_same(public: Client) -> None:
    """B04: each is stretched once, also one that is no code at all."""
    costs = []
    for typed in ("", "no code", "9" * 5000, ReturnCode(7).digits(), "1" * 27):
        with patch.object(
            return_code, "hash_secret_raw", side_effect=return_code.hash_secret_raw
        ) as stretched:
            assert public.post("/return", {"code": typed}).status_code == 403
        costs.append(stretched.call_count)
    assert costs == [1] * 5


@pytest.mark.parametrize("past", [{"seen_at": 20}, {"started_at": 120}])
def test_expiry_forgets_everything_but_the_language(public: Client, past: dict[str, int]) -> None:
    """B08: idle or too long; token and key go on both sides, the language stays."""
    _, code = submit(places=(BOARD_URL,))
    public.post("/language/setlang/", {"language": "ko", "next": "/"})
    enter(public, code)
    public.get("/status")
    (column, minutes), *_ = past.items()
    Visit.objects.update(**{column: timezone.now() - timedelta(minutes=minutes)})

    over = public.get("/status")

    assert over.headers["Location"] == "/return?over=1"
    gone = {name for name, cookie in over.cookies.items() if cookie["max-age"] == 0}
    assert gone == {"visit", django_settings.CSRF_COOKIE_NAME}
    assert public.cookies["django_language"].value == "ko"
    assert not Visit.objects.exists()


def test_what_was_typed_survives_the_end_of_a_visit(public: Client) -> None:
    """She wrote for too long: her words come back, nothing of them is stored."""
    report, code = submit(places=(BOARD_URL,))
    enter(public, code)
    Visit.objects.update(seen_at=timezone.now() - timedelta(minutes=30))

    answer = public.post("/status/messages", {"text": "A long <story>."})

    assert answer.status_code == 403
    assert "A long &lt;story&gt;." in text_of(answer)
    assert not report.messages.exists()


def test_what_was_typed_survives_a_database_that_is_away(public: Client) -> None:
    """B31: said plainly, and her words are on the page."""
    _, code = submit(places=(BOARD_URL,))
    enter(public, code)
    with patch("haechi.server.reports.messages.send", side_effect=OperationalError):
        answer = public.post("/status/messages", {"text": "A long <story>."})
    assert answer.status_code == 503
    assert "web.away" in text_of(answer)
    assert "A long &lt;story&gt;." in text_of(answer)


@pytest.mark.parametrize("path", ["messages", "add", "words", "look-again", "mail", "own", "take",
                                  "back", "erase"])  # fmt: skip
def test_every_page_behind_the_code_needs_a_visit(public: Client, path: str) -> None:
    """No cookie: the way in. A made-up one too."""
    assert public.get(f"/status/{path}").headers["Location"] == "/return"
    public.cookies["visit"] = "made-up"
    assert public.get(f"/status/{path}").headers["Location"] == "/return?over=1"


# --- handing over ---------------------------------------------------------------------------------


def filed_by_a_friend() -> tuple[Report, ReturnCode]:
    report, code = submit(places=(BOARD_URL,))
    Report.objects.filter(pk=report.pk).update(filer=Filer.FRIEND)
    report.refresh_from_db()
    return report, code


def test_the_owner_gets_a_code_of_her_own(public: Client) -> None:
    """B07: the friend's code opens nothing any more; his visit and his e-mail end too."""
    report, code = filed_by_a_friend()
    friend = Client(headers={"accept-language": "en"})
    enter(friend, code)
    enter(public, code)
    nudges.want(report, "friend@example.org", now=NOON)
    assert "Somebody else sent this report" in text_of(public.get("/status"))
    page = public.get("/status/own")

    mine = public.post("/status/own", {"page": hidden(page, "page")})

    fresh = code_on(mine)
    assert fresh != code
    assert friend.get("/status").headers["Location"] == "/return?over=1"
    with pytest.raises(CodeUnknown):
        visits.enter(code.digits(), now=NOON)
    assert not Nudge.objects.exists()
    report.refresh_from_db()
    visit = visit_of(fresh)
    assert visit.report == report
    assert not report.waits_for_owner
    saved = public.post("/receipt/file", {"page": hidden(mine, "page")})
    assert fresh.digits() in saved.content.decode()


def test_pressing_twice_shows_the_same_new_code(public: Client) -> None:
    """B07: the second answer is the one a browser shows; its code must be the one that works."""
    _report, code = filed_by_a_friend()
    enter(public, code)
    page = hidden(public.get("/status/own"), "page")
    cookies = public.cookies.output()

    first = public.post("/status/own", {"page": page})
    public.cookies.load(cookies)
    second = public.post("/status/own", {"page": page})

    assert second.status_code == 200
    assert code_on(second) == code_on(first)


def test_of_two_who_take_over_one_wins_and_the_other_is_told(public: Client) -> None:
    """B07: two pages, two tokens; whoever was late changed nothing."""
    report, code = filed_by_a_friend()
    early, late = visit_of(code), visit_of(code)
    mine = visits.hand_over(early, "one token", now=NOON)

    with pytest.raises(HandedOver):
        visits.hand_over(late, "another token", now=NOON)

    assert visit_of(mine).report == report
    assert visits.issued("another token") is None


def test_a_report_of_her_own_is_not_handed_over(public: Client) -> None:
    """Whoever filed for herself keeps her code."""
    report, code = submit(places=(BOARD_URL,))
    enter(public, code)

    assert public.get("/status/own").headers["Location"] == "/status"
    with pytest.raises(HandedOver):
        visits.hand_over(visit_of(code), "a token", now=NOON)
    assert visit_of(code).report == report


def test_the_page_of_the_helper_shows_no_dead_code(public: Client) -> None:
    """B07: after the hand-over the helper's receipt leads to the way in, not to a code."""
    token = page_token.issue()
    public.post("/report", {"submission": token, "location": [BOARD_URL]})
    Report.objects.update(filer=Filer.FRIEND)
    code = ReturnCode.from_seed(token.encode())
    visits.hand_over(visit_of(code), "her token", now=NOON)

    assert public.post("/receipt", {"page": token}).headers["Location"] == "/return"


# --- nowhere --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_code_is_nowhere(
    public: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """B05: no log line, table, blob, cookie, header or address holds it, in any form."""
    caplog.set_level(logging.DEBUG)
    token = page_token.issue()
    seen = [public.post("/report", {"submission": token, "location": [BOARD_URL]})]
    code = ReturnCode.from_seed(token.encode())
    seen += [
        public.post("/receipt", {"page": token, "kept": "1"}),
        public.post("/receipt/file", {"page": token}),
        public.post("/return", {"code": " ".join(code.words("ko"))}),
        public.post("/return", {"code": code.digits() + "1"}),
        public.get("/status"),
        public.post("/status/messages", {"text": code.digits()}),
        public.post("/status/words", {"told": " ".join(code.words("zh-hans"))}),
        public.post("/status/mail", {"address": "her@example.org"}),
        public.post("/status/take"),
    ]
    spoken = [code.digits(), code.digits().replace(" ", ""), str(code.number), token]
    spoken += [gap.join(code.words(name)) for name in ("ko", "zh-hans", "en") for gap in (" ", "")]
    number = code.number.to_bytes(11, "big")
    raw = [number, number.hex().encode(), token.encode(), *(form.encode() for form in spoken)]

    places = {"tables": _tables(), "blobs": _blobs(), "log": caplog.text.encode()}
    places["streams"] = "".join(capfd.readouterr()).encode()
    places["headers"] = "\n".join(f"{one.headers} {one.cookies}" for one in seen).encode()
    assert len(places["tables"]) > 5_000
    for place, held in places.items():
        assert [form for form in raw if form in held] == [], place


def _tables() -> bytes:
    """Every row of every table, as PostgreSQL writes it and with its bytes opened."""
    held = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t.* FROM "{table}" t')
            for row in cursor.fetchall():
                for value in row:
                    is_raw = isinstance(value, bytes | memoryview)
                    held += bytes(value) if is_raw else str(value).encode()
                    held += b"\n"
    return held


def _blobs() -> bytes:
    files = [path for path in Path(django_settings.BLOBS).rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


@pytest.mark.parametrize(
    "around", ["{}", "My code is {}, is that right?", "1) {}", "{}!", "코드는 {} 입니다"]
)
def test_a_code_is_found_wherever_it_stands(around: str) -> None:
    """B06: both forms, all languages, with words around it."""
    code = ReturnCode.new()
    forms = [code.digits(), code.digits().replace(" ", "-")]
    forms += [" ".join(code.words(language)).upper() for language in ("ko", "zh-hans", "en")]
    forms.append("".join(code.words("zh-hans")))
    numbered = "\n".join(f"{n}. {word}" for n, word in enumerate(code.words("en"), start=1))
    for form in [*forms, numbered]:
        assert code in set(codes_in(around.format(form))), form


def test_ordinary_words_are_no_code() -> None:
    """Nothing is found where nothing stands."""
    assert list(codes_in("He posted it on 2026-11-22 at 12:00, call 010-1234-5678.")) == []
    assert list(codes_in("")) == []


@pytest.mark.parametrize(
    "gap", ["\u200b \u200b", "\ufe0f ", " / ", "|", "\u0301 ", "\u2060*", "\n> "]
)
def test_no_sign_hides_a_code(gap: str) -> None:
    """B06: what cannot be seen, what stands upon a sign, and every mark between."""
    code = ReturnCode.new()
    forms = [
        code.digits(),
        *(" ".join(code.words(language)) for language in ("ko", "zh-hans", "en")),
    ]
    for form in forms:
        assert code in set(codes_in(form.replace(" ", gap))), form
    hidden = "\u200b".join(code.digits())
    assert code in set(codes_in(hidden))
    assert code in set(codes_in("\u200d".join(" ".join(code.words("en")))))
