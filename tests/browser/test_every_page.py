"""Every page in three languages at two widths: what holds for all of them.

No page is wider than its window, says anything in another language, asks another host for
anything, breaks the content security policy, or leaves a field without a label. axe finds nothing
against WCAG 2.2 AA, folded out, in light and dark; with text twice as large nothing is cut off.
"""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, expect
from tests.browser import axe, narrow
from tests.unit import marked

from haechi import law
from haechi.demo import pictures
from haechi.demo.household import PASSWORD
from haechi.demo.proof import OUTSIDE_URL
from haechi.demo.story import code_on, wait_until_known
from haechi.demo.tale import Tale
from haechi.demo.telling import Teller
from haechi.demo.visitor import Visitor
from haechi.server.reports.return_code import submission_of

if TYPE_CHECKING:
    from tests.browser.conftest import Opener, Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LANGUAGES = ("ko", "zh-hans", "en")
WIDTHS = (1280, 320)
# A tab may be seen by others: the same word on every public page.
NEUTRAL = {"ko": "안내", "zh-hans": "信息", "en": "Information"}
# Five English words in a row; names, codes and addresses are shorter.
ENGLISH = re.compile(r"(?:[A-Za-z][A-Za-z'’-]*[,;:.!?]?\s+){4,}[A-Za-z][A-Za-z'’-]*")  # noqa: RUF001
ADDRESS = re.compile(r"https?://\S+|\S+@\S+|[0-9a-f]{12,}")
LAWS = sorted({rule.law for rule in law.rules()}, key=len, reverse=True)

# What a person without a mouse, or without eyes for it, needs on every page.
STRUCTURE = """() => {
  const faults = [];
  const visible = one => one.checkVisibility({visibilityProperty: true});
  const all = selector => [...document.querySelectorAll(selector)].filter(visible);
  const say = (what, one) => faults.push(`${what}: ${one.outerHTML.slice(0, 160)}`);
  const referred = (one, name) => (one.getAttribute(name) ?? "").split(/\\s+/).filter(Boolean);
  const text = one => (one?.textContent ?? "").trim();
  const named = one => text(one) || one.getAttribute("aria-label")
    || referred(one, "aria-labelledby").map(id => text(document.getElementById(id))).join("")
    || [...one.querySelectorAll("img[alt]")].map(img => img.alt).join("");

  for (const one of all("input:not([type=hidden]), select, textarea")) {
    const labels = [...(one.labels ?? [])].map(text).join("");
    if (!labels && !one.getAttribute("aria-label") && !referred(one, "aria-labelledby").length)
      say("field without a label", one);
  }
  for (const one of document.querySelectorAll("img"))
    if (!one.hasAttribute("alt")) say("picture without a text", one);
  for (const one of all("button, a[href], summary, [role=button]"))
    if (!named(one)) say("no name", one);
  for (const one of all("svg"))
    if (one.getAttribute("aria-hidden") !== "true" && !one.getAttribute("aria-label"))
      say("drawing that is neither hidden nor named", one);
  for (const one of all("nav, section[aria-labelledby], fieldset")) {
    const name = one.matches("fieldset") ? text(one.querySelector("legend")) : named(one);
    if (!name) say("part without a name", one);
  }
  for (const one of all("table"))
    if (!one.querySelector("th")) say("table without headings", one);

  const seen = new Set();
  for (const one of document.querySelectorAll("[id]")) {
    if (seen.has(one.id)) say("the same id twice", one);
    seen.add(one.id);
  }
  for (const name of ["for", "aria-labelledby", "aria-describedby", "aria-controls"])
    for (const one of document.querySelectorAll(`[${name}]`))
      for (const id of referred(one, name)) if (!seen.has(id)) say(`${name} leads nowhere`, one);
  for (const one of document.querySelectorAll('a[href^="#"]'))
    if (!seen.has(one.getAttribute("href").slice(1))) say("link that leads nowhere", one);

  const levels = all("h1, h2, h3, h4, h5, h6").map(one => [Number(one.tagName[1]), one]);
  if (levels.filter(([level]) => level === 1).length !== 1) faults.push("not exactly one h1");
  let before = 0;
  for (const [level, one] of levels) {
    if (level > before + 1) say(`heading after level ${before}`, one);
    before = level;
  }
  if (all("main").length !== 1) faults.push("not exactly one main");
  for (const one of all("button, a.button, a.door, a.exit, .nav a, summary")) {
    const {width, height} = one.getBoundingClientRect();
    if (width < 24 || height < 24) say(`too small to hit, ${width} x ${height}`, one);
  }
  return faults;
}"""

# Everything a person can read or hear in the page's own language. Destroys the page.
WORDS = """() => {
  const own = document.documentElement.lang;
  const spoken = [...document.querySelectorAll("body *")].flatMap(one =>
    [...one.attributes].filter(({name}) =>
      /^(aria-label|alt|title|placeholder|data-label|data-words-.*|data-file-note)$/.test(name))
      .map(({value}) => value));
  for (const one of document.body.querySelectorAll("pre, code, [translate=no], [lang]"))
    if (one.lang !== own) one.remove();
  return [document.title, ...spoken, ...document.body.innerText.split("\\n")];
}"""


@dataclass(frozen=True)
class Seeded:
    """What there is to look at.

    decided, waiting   cases: one with everything done to it, one of a minor that waits
    code               of the report behind `decided`
    answered, open     addresses of appeals: one that was sent, one that nobody has used
    labelled           a picture that a service had labelled, and asked about because of a law
    """

    decided: int
    waiting: int
    code: str
    answered: str
    open: str
    labelled: bytes


@pytest.fixture(scope="session")
def seeded(house: Tale) -> Seeded:
    """One of everything, through the interfaces that people use. Nothing here needs a browser."""
    photograph = pictures.photograph(pictures.CHAPTERS[1])
    tale = replace(house, photograph=photograph, teller=Teller(io.StringIO()))
    post = tale.publish(pictures.jpeg(photograph), "coffee.jpg")
    places = [f"{post['url']}?a", OUTSIDE_URL, "https://slow.example/" + "long/" * 30, "대화방 7"]
    copy = pictures.saved_again(photograph)
    files = [("사진.jpg", copy), ("a" * 60 + ".jpg", pictures.jpeg(photograph, 50))]
    reporter, report_id = tale.reporter_sends("제 사진이에요.", places, files)
    with reporter:
        code = code_on(reporter.text())
    decided = _case_of(tale, report_id)
    labelled = _labelled(tale)
    with tale.reviewer("rim") as reviewer:
        _remove(tale, reviewer, decided, post["id"])
        _ask_who_made(reviewer, labelled)
        _set_aside(tale, reviewer)
    answers = [tale.upload(pictures.jpeg(photograph, 40 + n), f"again {n}")[1] for n in (1, 2)]
    answered, untouched = (answer["reason"]["appeal_url"] for answer in answers)
    path = answered.removeprefix(tale.family.url("public"))
    with tale.visitor("public") as uploader:
        uploader.look(path)
        uploader.send(path, {"text": "제가 직접 찍은 커피 사진입니다."})
    _one_notice_waits(tale, decided)
    _a_flood_and_a_find_wait(tale)
    return Seeded(
        decided=decided,
        waiting=_minor_waits(tale),
        code=code,
        answered=path,
        open=untouched.removeprefix(tale.family.url("public")),
        labelled=labelled,
    )


def _labelled(tale: Tale) -> bytes:
    """What a service gets back for a picture that it made."""
    tale.rows("UPDATE matching_apikey SET scopes = scopes || '{label}'")
    answer = httpx.post(
        f"{tale.family.url('public')}/api/v1/labels",
        content=pictures.jpeg(pictures.photograph(pictures.SPARE[0])),
        headers={
            "Authorization": f"Bearer {tale.family.api_key}",
            "Haechi-Account": "mina",
            "Haechi-Model": "painter-2",
            "Haechi-Language": "ko",
        },
        timeout=60,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return answer.content


def _ask_who_made(reviewer: Visitor, picture: bytes) -> None:
    """For a law, and then for the account: both wait for a second person."""
    reviewer.look("/trace")
    asked = {"purpose": "law", "reason": "수사기관의 요청이 예고되었습니다."}
    reviewer.send("/trace", asked, [("file", ("made.jpg", picture, "image/jpeg"))])
    name = f"{reviewer.path}/name"
    reviewer.send(name, {"reason": "영장이 어느 계정에 관한 것인지 알아야 합니다."})


def _examined_still(tale: Tale, case_id: int) -> None:
    """As while its picture waits to be examined, which takes a busy machine long."""
    tale.rows(
        "DELETE FROM procrastinate_jobs WHERE task_name = 'examine_origin' AND status = 'todo'"
        f" AND (args->>'exhibit_id')::uuid IN ({EXHIBITS})",
        case_id,
    )
    tale.rows(
        "UPDATE evidence_origin SET state = 'waiting', step = '', percent = 0, asked_at = now()"
        f" WHERE exhibit_id IN ({EXHIBITS})",
        case_id,
    )


def _set_aside(tale: Tale, reviewer: Visitor) -> None:
    """A case that two set aside by mistake: one asks and waits, one had a no and may ask again."""
    reporter, report_id = tale.reporter_sends("다른 신고예요.", ["https://forum.example/aside"], [])
    with reporter:
        case_id = _case_of(tale, report_id)
    reviewer.look(f"/case/{case_id}")
    reviewer.send(f"/case/{case_id}/aside", {})
    reviewer.look("/grants")
    mine = tale.row("SELECT id FROM cases_recusal WHERE case_id = %s", case_id)["id"]
    reviewer.send(f"/set-aside/{mine}/undo", {"reason": "옆에 있는 사건을 누르려고 했습니다."})
    sol = "SELECT %s, id, now() FROM staff_user WHERE username = 'sol'"
    tale.rows(f"INSERT INTO cases_recusal (case_id, user_id, at) {sol}", case_id)
    tale.rows(
        "INSERT INTO cases_undoing (case_id, user_id, reason, answer, asked_at, agreed, settled_at,"
        " settled_by_id) SELECT %s, id, '', '', now(), false, now(), id FROM staff_user"
        " WHERE username = 'sol'",
        case_id,
    )


EXHIBITS = (
    "SELECT exhibit.id FROM evidence_exhibit exhibit"
    " JOIN cases_case opened ON opened.report_id = exhibit.report_id WHERE opened.id = %s"
)


def _case_of(tale: Tale, report_id: str) -> int:
    examined = (
        "SELECT id FROM cases_case WHERE report_id = %s AND NOT EXISTS (SELECT 1"
        " FROM procrastinate_jobs WHERE task_name = 'examine_report' AND args->>'report_id' = %s)"
    )
    return int(tale.row(examined, report_id, report_id, what="the case, examined")["id"])


def _remove(tale: Tale, reviewer: Visitor, case_id: int, post_id: str) -> None:
    hosted = tale.row("SELECT id FROM matching_hosted WHERE content_id = %s", post_id)["id"]
    decision = {"verdict": "remove", "ground": "deepfake", "reason": "Same.", "remove": [hosted]}
    case = f"/case/{case_id}"
    reviewer.look(case)
    reviewer.send(f"{case}/claim", {})
    for exhibit in tale.rows(EXHIBITS, case_id):
        reviewer.look(case)
        reviewer.send(f"{case}/exhibit/{exhibit['id']}/lift", {}, expected=204)
    reviewer.look(case)
    reviewer.send(f"/case/{case_id}/decide", {k: _text(v) for k, v in decision.items()})
    tale.row(
        "SELECT id FROM cases_action WHERE hosted_id = %s AND done_at IS NOT NULL",
        hosted,
        what="the board's confirmation",
    )
    unsent = (
        "SELECT 1 AS done WHERE NOT EXISTS (SELECT 1 FROM notices_notice notice"
        " JOIN cases_decision decision ON decision.id = notice.decision_id"
        " WHERE case_id = %s AND state <> 'sent')"
    )
    tale.row(unsent, case_id, what="the notices as sent")
    wait_until_known(tale)


def _text(value: object) -> str | list[str]:
    return [str(one) for one in value] if isinstance(value, list) else str(value)


def _one_notice_waits(tale: Tale, case_id: int) -> None:
    """As after an evening on which a host's mail server did not answer."""
    tale.rows(
        "UPDATE notices_notice SET state = 'queued', sent_at = NULL, answer = '', attempts = 3,"
        " last_error = '451 4.3.0 try again later' WHERE id = (SELECT notice.id"
        " FROM notices_notice notice JOIN cases_decision decision"
        " ON decision.id = notice.decision_id WHERE case_id = %s AND NOT from_directory LIMIT 1)",
        case_id,
    )


def _a_flood_and_a_find_wait(tale: Tale) -> None:
    """On the page of banks: a member that matches too much, and something that is hosted."""
    found = "SELECT id FROM matching_member ORDER BY id LIMIT 1"
    tale.rows(
        "INSERT INTO matching_surge (member_id, at, pictures, usual, held)"
        f" VALUES (({found}), now(), 47, 1.3, true)"
    )
    post = tale.publish(pictures.jpeg(pictures.photograph(pictures.SPARE[0])), "spare.jpg")
    tale.rows(
        "INSERT INTO matching_sighting (member_id, hosted_id, verdict, found_by, found_at)"
        f" SELECT ({found}), id, 'edited_copy', 'sscd', now() FROM matching_hosted"
        " WHERE content_id = %s",
        post["id"],
    )


def _minor_waits(tale: Tale) -> int:
    with tale.visitor("public") as child:
        child.look("/report")
        submission = submission_of(child.hidden("/report")["submission"])
        copy = pictures.saved_again(pictures.photograph(pictures.CHAPTERS[2]))
        child.send(
            "/report",
            {
                "age": "under_18",
                "harms": ["made"],
                "told": "도와주세요.\n" + "아" * 120,
                "location": ["https://forum.example/" + "y" * 180],
            },
            [("files", ("사진.jpg", copy, "image/jpeg"))],
        )
    report = tale.row("SELECT id FROM reports_report WHERE submission = %s", submission)
    case_id = _case_of(tale, str(report["id"]))
    _examined_still(tale, case_id)
    return case_id


@pytest.fixture(scope="session")
def badge(house: Tale) -> dict[str, str]:
    """The session of a reviewer who has decided nothing; one login serves all languages."""
    with house.reviewer("sol") as reviewer:
        return {"haechi_desk": reviewer._http.cookies["haechi_desk"]}


@pytest.fixture(scope="session")
def head(house: Tale) -> dict[str, str]:
    """The session of an administrator, with a reviewer's password and second factor."""
    house.rows(
        "INSERT INTO staff_user (username, display_name, role, password, totp_secret,"
        " totp_last_step, session_salt, is_active, created_at) SELECT 'head', 'Head',"
        " 'administrator', password, totp_secret, 0, '', true, created_at FROM staff_user WHERE username = 'sol'"
    )
    house.family.totp["head"] = house.family.totp["sol"]
    with house.visitor("desk", "en") as visitor:
        visitor.look("/login")
        fields = {"username": "head", "password": PASSWORD, "token": house.token("head")}
        visitor.send("/login", fields)
        return {"haechi_desk": visitor._http.cookies["haechi_desk"]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_public_pages(house: Tale, open_page: "Opener", seeded: Seeded, language: str) -> None:
    """B28, B29: without a mouse, on a narrow telephone, with large text, in the dark."""
    window = open_page("public", language)
    looks = Looks(language, title=NEUTRAL[language], once=language == LANGUAGES[0])
    for name, visit in _public_pages(seeded):
        visit(window)
        looks.at(window, f"public-{name}")
    looks.hold(of="public")
    window.no_faults()


@pytest.mark.parametrize("language", LANGUAGES)
def test_desk_pages(
    open_page: "Opener",
    seeded: Seeded,
    badge: dict[str, str],
    head: dict[str, str],
    language: str,
) -> None:
    """B28: the desk too."""
    looks = Looks(language, once=language == LANGUAGES[0])
    outside = open_page("desk", language)
    for name, visit in _login_pages():
        visit(outside)
        looks.at(outside, f"desk-{name}")
    inside = open_page("desk", language, cookies=badge)
    for name, visit in _desk_pages(seeded):
        visit(inside)
        looks.at(inside, f"desk-{name}")
    above = open_page("desk", language, cookies=head)
    for name, visit in _head_pages():
        visit(above)
        looks.at(above, f"desk-head-{name}")
    looks.hold(of="desk")
    for window in (outside, inside, above):
        window.no_faults()


def test_the_switch_changes_the_language_and_stays(open_page: "Opener") -> None:
    window = open_page("public", "en", width=360)
    page = window.page
    window.go("/help")
    for language in ("ko", "zh-hans", "en", "ko"):
        page.locator(f'.languages button[value="{language}"]').click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.url == f"{window.origin}/help"
    window.go("/numbers")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    window.no_faults()


def test_the_checks_see_what_is_wrong(open_page: "Opener") -> None:
    window = open_page("public", "ko", width=360)
    window.page.set_content(WRONG)
    window.page.wait_for_load_state("networkidle")
    looks = Looks("ko", title=NEUTRAL["ko"], once=True)
    looks.at(window, "wrong")
    seen = "\n".join(looks.faults + window.faults)
    for fault in (
        "lang",
        "title: Fake pictures",
        "too wide: 908 in 320",
        "field without a label: <input name",
        "picture without a text: <img",
        "no name: <button",
        "table without headings: <table",
        "the same id twice: <p id",
        "for leads nowhere: <label",
        "link that leads nowhere: <a",
        "heading after level 1: <h3",
        "not exactly one main",
        "too small to hit",
        "with large text, too wide: 908 in 320",
        "cut: ",
        'not reached by Tab: <a href="#never"',
        'focus not seen: <a href="#gone"',
        "axe: image-alt: <img",
        "axe: color-contrast: <p class",
        "axe: color-contrast in the dark: <p class",
        "English: This was forgotten by everybody",
        "English: Nobody has translated this either",
        "foreign request: https://elsewhere.example/a.png",
        "console: Executing inline script violates",
    ):
        assert fault in seen, seen


def test_a_list_that_is_renewed_under_the_keyboard_is_walked_anew(open_page: "Opener") -> None:
    page = open_page("public", "ko").page
    page.set_content("<main></main>")
    for times, seen in ((1, []), (100, ["never stands still"])):
        page.evaluate(RENEWED, times)
        assert narrow.by_keyboard(page) == seen


# As the queue does when the server says so, here at every key.
RENEWED = """times => {
  const put = () => {
    document.querySelector("main").innerHTML = '<a href="#a">가</a><a href="#b">나</a>';
  };
  put();
  document.addEventListener("keydown", () => times-- > 0 && put());
}"""

WRONG = """<!doctype html><html lang="xx"><title>Fake pictures</title>
<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><script>1</script>
<h1>가</h1><h3 aria-label="Nobody has translated this either">나</h3><input name="a">
<p>This was forgotten by everybody.</p><p id="a"></p><p id="a"></p>
<label for="gone">다</label><a href="#gone">라</a><button></button>
<p class="pale">바바바</p><p class="low">사</p><a href="#never" tabindex="-1">아</a>
<style>.pale { color: #999; } .low { height: 4px; overflow: hidden; } a { outline: none; }</style>
<details><summary>마</summary></details><table width="900"><tr><td>마</table><img src="https://elsewhere.example/a.png">"""

type Visit = Callable[["Watched"], None]


def _at(path: str, status: int = 200) -> Visit:
    return lambda window: window.go(path, status=status)


def _public_pages(seeded: Seeded) -> Iterator[tuple[str, Visit]]:
    yield "landing", _at("/")
    yield "report", _at("/report")
    yield "report-child", _child_for_whom_another_writes
    yield "report-sealed", _sealed_here
    yield "report-stays-here", _stays_here
    yield "report-errors", _report_with_errors
    yield "report-empty", _empty_report
    yield "receipt", _receipt
    yield "return", _at("/return")
    yield "return-wrong", _wrong_code
    yield "receipt-asked", _code_not_kept
    yield "status", lambda window: _status(window, seeded.code)
    for path in (
        "messages",
        "add",
        "compare",
        "words",
        "look-again",
        "mail",
        "log",
        "take",
        "back",
        "erase",
    ):
        yield f"status-{path}", _at(f"/status/{path}")
    for path in ("messages", "add", "compare", "mail", "back"):
        yield f"status-{path}-errors", partial(_sent_empty, path=f"/status/{path}")
    yield "status-erase-asked", _erase_asked
    yield "appeal", _at(seeded.open)
    yield "appeal-errors", lambda window: _empty_appeal(window, seeded.open)
    yield "appeal-sent", _at(seeded.answered)
    yield "numbers", _at("/numbers")
    yield "inspect", _at("/inspect")
    yield "inspect-read", _read_marks
    yield "inspect-refused", _no_marks_to_read
    yield "help", _at("/help")
    yield "live", _at("/live")
    yield "nowhere", _at("/nowhere", 404)


def _read_marks(window: "Watched") -> None:
    """A file with several marks that contradict each other."""
    window.go("/inspect")
    _hand_in(window, "picture.jpg", marked.contradicting())
    window.page.locator(".notice--warn").wait_for()
    for details in window.page.locator("main details").all():
        details.locator("summary").click()


def _asked_who_made(window: "Watched", picture: bytes) -> None:
    """The record of the picture, as it waits for a second person already."""
    window.go("/trace")
    window.page.locator("#id_reason").fill("같은 사진이 다른 신고에도 있습니다.")
    file = FilePayload(name="made.jpg", mimeType="image/jpeg", buffer=picture)
    window.page.locator("#id_file").set_input_files(file)
    window.page.locator("main form.form button").click()
    window.page.wait_for_url("**/trace/*")


def _no_marks_to_read(window: "Watched") -> None:
    window.go("/inspect")
    window.expected.add(f"{window.origin}/inspect")
    _hand_in(window, "words.txt", b"Dear Sir or Madam, " * 30)
    window.page.locator(".mistakes").wait_for()


def _hand_in(window: "Watched", name: str, data: bytes) -> None:
    file = FilePayload(name=name, mimeType="application/octet-stream", buffer=data)
    window.page.locator("#id_file").set_input_files(file)
    window.page.locator("main form button[type=submit]").click()


def _login_pages() -> Iterator[tuple[str, Visit]]:
    yield "login", _at("/login")
    yield "login-refused", _refused_login


def _desk_pages(seeded: Seeded) -> Iterator[tuple[str, Visit]]:
    yield "queue", _at("/")
    yield "case-sealed", lambda window: _given_back(window, seeded.waiting)
    yield "case", lambda window: _taken(window, seeded.waiting)
    yield "case-errors", lambda window: _no_decision(window, seeded.waiting)
    yield "case-decided", _at(f"/case/{seeded.decided}")
    yield "keep", _at(f"/case/{seeded.decided}/keep")
    yield "keeping", _at("/keeping?case=0")
    yield "packages", _at(f"/case/{seeded.waiting}/packages")
    yield "rights", _at("/grants")
    yield "news", _at("/news")
    yield "notices", _at("/notices")
    yield "notice", _first_notice
    yield "incoming", _at("/incoming")
    yield "senders", _at("/senders")
    yield "deliveries", _at("/deliveries")
    yield "platforms", _at("/platforms")
    yield "incoming", _at("/incoming")
    yield "senders", _at("/senders")
    yield "appeals", _at("/appeals")
    yield "appeal", _first_appeal
    yield "agreement", _at("/agreement")
    yield "banks", _at("/banks")
    yield "bank", _at("/bank/1")  # the first removal made both
    yield "member", _at("/member/1")
    yield "dashboard", _at("/dashboard")
    yield "trace", _at("/trace")
    yield "trace-found", lambda window: _asked_who_made(window, seeded.labelled)
    yield "trace-hold", _at("/trace/1/hold")
    yield "naming", _at("/naming/1")
    yield "law", _at("/law")
    yield "rule", _at("/law/us_tida_remove")
    yield "missed", _at("/missed")
    yield "log", _at("/log")
    yield "nowhere", _at("/nowhere", 404)


def _head_pages() -> Iterator[tuple[str, Visit]]:
    yield "banks", _at("/banks")
    yield "bank", _at("/bank/1")
    yield "rights", _at("/grants")
    yield "senders", _at("/senders")
    yield "dashboard", _at("/dashboard?days=7")
    yield "rule", _at("/law/uk_osa_48h")
    yield "rule-look", _looked_at
    yield "rule-errors", _rule_without_source
    yield "directory", _at("/directory")
    yield "policies", _at("/grounds")
    yield "policy", _at("/grounds/deepfake")


def _looked_at(window: "Watched") -> None:
    """What would change, before it is confirmed."""
    window.go("/law/uk_osa_48h")
    page = window.page
    page.locator('input[name="runs"][value="yes"]').check()
    page.locator('input[name="in_force_from"]').fill("2026-10-01")
    page.locator('textarea[name="reason"]').fill("시행일이 공포되었습니다.")
    _send(window)
    expect(page.locator('input[name="step"]')).to_be_attached()


def _rule_without_source(window: "Watched") -> None:
    window.go("/law/uk_osa_48h")
    window.page.locator('textarea[name="source"]').fill("")
    _send(window)
    _mistakes(window)


def _send(window: "Watched") -> None:
    """Press the main form's button; the same address answers, perhaps with an error."""
    window.expected.add(window.page.url)
    window.page.locator('main form.form button:not([type="button"])').last.click()


def _mistakes(window: "Watched") -> None:
    expect(window.page.locator(".mistakes, .notice--error").first).to_be_visible()
    expect(window.page.locator("html")).to_have_class(re.compile("scripts"))


def _child_for_whom_another_writes(window: "Watched") -> None:
    window.go("/report")
    page = window.page
    page.locator('input[name="age"][value="under_18"]').check()
    page.locator('input[name="danger"]').check()
    page.locator(".ask-more summary").first.click()
    page.locator('input[name="filer"][value="parent"]').check()


def _sealed_here(window: "Watched") -> None:
    """Two files in the list: one locked and sent, one that is no picture."""
    window.go("/report")
    _ready_to_seal(window.page)
    window.page.locator("#id_files").set_input_files([NOTE, _kept()])
    rows = window.page.locator("[data-exhibit]")
    expect(rows.and_(window.page.locator('[data-state="done"]'))).to_have_count(1)
    expect(rows.and_(window.page.locator('[data-state="stopped"]'))).to_have_count(1)


def _ready_to_seal(page: Page) -> None:
    """The worker runs. The list is still empty, and so not visible."""
    expect(page.locator("[data-exhibits]")).not_to_have_attribute("hidden", "")


def _stays_here(window: "Watched") -> None:
    window.go("/report")
    window.page.locator("#picture-way-here").check()
    window.page.locator("#here-files").set_input_files([_kept()])
    expect(window.page.locator("[data-here-items] > .card")).to_be_visible()


def _report_with_errors(window: "Watched") -> None:
    """Too many places; a file that has arrived is kept for the next try."""
    window.go("/report")
    page = window.page
    _ready_to_seal(page)
    page.locator("#id_files").set_input_files([_kept()])
    expect(page.locator('[data-exhibit][data-state="done"]')).to_have_count(1)
    page.locator("#id_locations").fill("\n".join(f"forum.example/{n}" for n in range(201)))
    _send(window)
    _mistakes(window)
    expect(page.locator('input[name="drop"]')).to_have_count(1)


NOTE: FilePayload = {
    "name": "note.txt",
    "mimeType": "text/plain",
    "buffer": b"no picture at all" * 9,
}


def _kept() -> FilePayload:
    copy = pictures.saved_again(pictures.photograph(pictures.SPARE[1]))
    return {"name": "kept.jpg", "mimeType": "image/jpeg", "buffer": copy}


def _empty_report(window: "Watched") -> None:
    window.go("/report")
    _send(window)
    _mistakes(window)


def _receipt(window: "Watched") -> None:
    window.go("/report")
    window.page.locator("#id_locations").fill("https://forum.example/9\nt.me/bad/4\n우리 반 단톡방")
    _send(window)
    expect(window.page.locator(".code-panel")).to_be_visible()


def _code_not_kept(window: "Watched") -> None:
    _receipt(window)
    page = window.page
    # Without the script that asks first, as where there are none.
    page.evaluate("document.querySelector('[data-code-continue]').form.submit()")
    window.expected.add(f"{window.origin}/receipt")
    expect(page.locator(".mistakes")).to_be_visible()
    expect(page.locator(".code-panel")).to_be_visible()


def _sent_empty(window: "Watched", *, path: str) -> None:
    window.go(path)
    _send(window)
    expect(window.page.locator(".mistakes, [role=alert]").first).to_be_visible()


def _erase_asked(window: "Watched") -> None:
    window.go("/status/erase")
    _send(window)
    expect(window.page.locator("#sure")).to_be_visible()


def _wrong_code(window: "Watched") -> None:
    window.go("/return")
    window.page.locator("#id_code").fill("123 456 789 123 456 789 123 456 789")
    _send(window)
    _mistakes(window)


def _status(window: "Watched", code: str) -> None:
    window.go("/return")
    window.page.locator("#id_code").fill(code)
    window.page.locator("main form.form button").click()
    window.page.wait_for_url("**/status")


def _empty_appeal(window: "Watched", path: str) -> None:
    window.go(path)
    _send(window)
    _mistakes(window)


def _refused_login(window: "Watched") -> None:
    window.go("/login")
    window.page.locator("#id_username").fill("nobody")
    window.page.locator("#id_password").fill("wrong wrong wrong")
    window.page.locator("#id_token").fill("000000")
    _send(window)
    _mistakes(window)


def _given_back(window: "Watched", case_id: int) -> None:
    """The case as somebody sees it who has not said why."""
    _taken(window, case_id)
    window.page.locator(f'form[action="/case/{case_id}/release"] button').click()
    window.page.wait_for_url("**:*/")
    window.go(f"/case/{case_id}")


def _taken(window: "Watched", case_id: int) -> None:
    window.go(f"/case/{case_id}")
    window.page.locator(f'form[action="/case/{case_id}/claim"] button').first.click()
    expect(window.page.locator(f'form[action="/case/{case_id}/release"]')).to_be_visible()


def _no_decision(window: "Watched", case_id: int) -> None:
    window.go(f"/case/{case_id}")
    window.expected.add(f"{window.origin}/case/{case_id}/decide")
    window.page.locator(f'form[action="/case/{case_id}/decide"] button.button--wide').click()
    _mistakes(window)


def _first_notice(window: "Watched") -> None:
    window.go("/notices?list=silent")
    link = window.page.locator("main tbody a[href^='/notice/']").first
    # Sealed to whoever has not opened its case; the page says so, with 403.
    window.expected.add(f"{window.origin}{link.get_attribute('href')}")
    link.click()
    window.page.wait_for_url("**/notice/*")


def _first_appeal(window: "Watched") -> None:
    window.go("/appeals")
    window.page.locator("a.table__link").first.click()
    window.page.wait_for_url("**/appeal/*")


@dataclass
class Looks:
    """What does not hold on the pages that were looked at, in one language.

    title      what the tab must say
    once       what no language changes is looked at too: Tab through all of it, the dark scheme
    """

    language: str
    title: str = ""
    once: bool = False
    faults: list[str] = field(default_factory=list)
    seen_by_axe: axe.Found = field(default_factory=dict)

    def at(self, window: "Watched", name: str) -> None:
        """Look at the page that is open; what is folded is also unfolded. Destroys the page."""
        # What is asked of a page that is still arriving is answered without its styles.
        window.page.wait_for_load_state()
        found = [
            *self._said(window.page),
            *self._shown(window, name),
            *self._unfolded(window.page, name),
        ]
        if self.language != "en":
            found += [f"English: {words}" for words in _english(window.page)]
        self.faults += [f"{name}: {fault}" for fault in dict.fromkeys(found)]

    def hold(self, *, of: str) -> None:
        """Nothing was found, and axe looked at every page of this surface."""
        assert not self.faults, "\n".join(self.faults)
        axe.compare(self.seen_by_axe, of=of)

    def _said(self, page: Page) -> Iterator[str]:
        if page.locator("html").get_attribute("lang") != self.language:
            yield "lang"
        if self.title and page.title() != self.title:
            yield f"title: {page.title()}"

    def _shown(self, window: "Watched", name: str) -> Iterator[str]:
        for width in WIDTHS:
            window.page.set_viewport_size({"width": width, "height": 800})
            yield from narrow.cut(window.page)
            yield from window.page.evaluate(STRUCTURE)
            window.picture(f"{name}-{self.language}-{width}")

    def _unfolded(self, page: Page, name: str) -> Iterator[str]:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        yield from narrow.cut(page)
        found = axe.look(page, dark=self.once)
        self.seen_by_axe[name] = dict(Counter(rule for rule, _html in found))
        yield from (f"axe: {rule}: {html}" for rule, html in found)
        if self.once:
            yield from narrow.by_keyboard(page)
        with narrow.text_twice_as_large(page):
            yield from (f"with large text, {fault}" for fault in narrow.cut(page))


def _english(page: Page) -> list[str]:
    """Long English in what a person can read, but for names of laws and addresses."""
    found = []
    for line in page.evaluate(WORDS):
        bare = ADDRESS.sub("0", line)
        for name in LAWS:
            bare = bare.replace(name, "0")
        found += [match[0] for match in ENGLISH.finditer(bare)]
    return found
