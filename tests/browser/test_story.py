"""The main walk in a real browser: a telephone in Korean, the desk in English, and no scripts."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.keyboard import tab_to

from haechi.demo import household, pictures
from haechi.demo.proof import OUTSIDE_URL
from haechi.demo.tale import Tale
from haechi.server.reports.return_code import submission_of

if TYPE_CHECKING:
    from tests.browser.conftest import Opener, Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844, "phone": True}
HANGUL_WORD = re.compile(r"[가-힣]{1,10}")
CHINESE_WORD = re.compile(r"[\u4e00-\u9fff]{1,4}")
LIFTED = (
    "SELECT count(*) AS n FROM audit_entry WHERE tag = 'exhibit:lifted' AND subject LIKE '%%' || %s"
)
NUMBERS = ("reports", "removed", "notices", "stopped")


def test_from_the_report_to_the_removal(house: Tale, open_page: "Opener") -> None:
    post = house.publish(pictures.jpeg(house.photograph), "photograph.jpg")
    before = _numbers(open_page)

    reporter = open_page("public", "ko", **PHONE)
    reporter.page.context.grant_permissions(
        ["clipboard-read", "clipboard-write"], origin=reporter.origin
    )
    report_id = _reports_on_a_phone(house, reporter, f"{post['url']}?from=chat")
    code = _keeps_the_code(reporter.page)
    reporter.picture("story-receipt")
    reporter.page.locator("[data-code-continue]").click()
    reporter.page.wait_for_url("**/return")
    _comes_back(reporter.page, code)
    expect(reporter.page.locator(".timeline")).to_contain_text("신고가 도착했어요")
    expect(reporter.page.locator("#so-far")).to_be_visible()

    case = {"id": house.case_of(str(report_id))}
    reviewer = open_page("desk", "en")
    _logs_in(house, reviewer)
    reviewer.page.locator(f'a[href="/case/{case["id"]}"]').click()
    _looks(house, reviewer, report_id)
    _decides_to_remove(reviewer, case["id"])
    _wait_until_done(house, case["id"])

    reporter.page.reload()
    expect(reporter.page.locator(".lead")).to_contain_text("삭제해야 한다고 결정했어요")
    badges = reporter.page.locator(".badge").all_inner_texts()
    assert "삭제됨" in badges
    assert "삭제 요청 보냄" in badges
    assert household.OUTSIDE_HOST in reporter.page.locator("main").inner_text()
    reporter.picture("story-status")

    after = _numbers(open_page)
    moved = {name: after[name] - before[name] for name in NUMBERS}
    assert moved == {"reports": 1, "removed": 1, "notices": 1, "stopped": 0}
    reporter.no_faults()
    reviewer.no_faults()


def test_a_report_without_scripts(house: Tale, open_page: "Opener") -> None:
    window = open_page("public", "zh-hans", width=390, height=844, scripts=False)
    page = window.page
    window.go("/")
    page.locator("a.door--primary").click()
    page.wait_for_url("**/report")
    page.locator('input[name="age"][value="under_18"]').check()
    expect(page.locator("div.for-child")).to_be_visible()
    page.locator('input[name="age"][value="adult"]').check()
    expect(page.locator("div.for-child")).to_be_hidden()
    page.locator('input[name="danger"]').check()
    expect(page.locator(".for-danger")).to_be_visible()
    page.locator('input[name="harms"]').first.check()
    page.locator("#id_locations").fill(
        "https://forum.example/thread/1\nhttps://forum.example/thread/2\nforum.example/3"
    )
    page.locator("#id_files").set_input_files(_upload("照片.jpg", pictures.SPARE[0]))
    token = page.locator('input[name="submission"]').get_attribute("value") or ""
    page.locator('form.form button[type="submit"]').click()

    expect(page.locator("h1")).to_have_text("我们收到了你的举报")
    words = page.locator("[data-code-words] li").all_inner_texts()
    assert len(words) == 8
    assert all(CHINESE_WORD.fullmatch(word) for word in words), words
    expect(page.locator("[data-code-copy]")).to_be_hidden()
    digits = page.locator(".code-panel__digits").inner_text()
    report = house.row("SELECT id FROM reports_report WHERE submission = %s", submission_of(token))
    stored = "SELECT count(*) AS n FROM reports_location WHERE report_id = %s"
    assert house.row(stored, report["id"])["n"] == 3

    page.locator("[data-code-kept]").check()
    page.locator("[data-code-continue]").click()
    page.wait_for_url("**/return")
    _comes_back(page, digits)
    expect(page.locator(".timeline")).to_contain_text("收到你的举报")
    expect(page.locator(".notice__title", has_text="forum.example")).to_have_count(3)
    window.no_faults()


def test_a_report_with_the_keyboard_alone(open_page: "Opener") -> None:
    window = open_page("public", "en")
    page = window.page
    window.go("/report")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, 'input[name="age"]')
    page.keyboard.press("Space")
    tab_to(page, 'input[name="harms"]')
    page.keyboard.press("Space")
    tab_to(page, "#id_told")
    page.keyboard.type("No mouse here.")
    tab_to(page, "#id_locations")
    page.keyboard.type("https://forum.example/keyboard/1")
    page.keyboard.press("Enter")
    page.keyboard.type("@keyboard_2")
    tab_to(page, "#id_declared")
    page.keyboard.press("Space")
    tab_to(page, "#id_signature")
    page.keyboard.type("AB")
    checked = "every => every.map(one => one.name)"
    chosen = set(page.locator("main form input:checked").evaluate_all(checked))
    assert chosen - {"filer", "picture_way"} == {"age", "harms", "declared"}
    tab_to(page, 'main form button[type="submit"]')
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("We have your report")
    tab_to(page, "[data-code-kept]")
    page.keyboard.press("Space")
    tab_to(page, "[data-code-continue]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/return")
    window.no_faults()


@pytest.mark.parametrize("path", ["/report", "/return", "/help"])
def test_escape_leaves_and_back_does_not_return(open_page: "Opener", path: str) -> None:
    window = open_page("public", "ko", **PHONE)
    page = window.page
    page.context.route("https://www.naver.com/**", _elsewhere)
    window.go(path)
    expect(page.locator("html")).to_have_class(re.compile("scripts"))
    page.keyboard.press("Escape")
    page.wait_for_url("https://www.naver.com/**")
    assert page.title() == "elsewhere"

    page.go_back(wait_until="load")
    assert not page.url.startswith(window.origin)
    outside = [
        fault for fault in window.faults if "foreign request: https://www.naver.com/" in fault
    ]
    assert window.faults == outside


def _elsewhere(route: Route) -> None:
    dummy = "<!doctype html><title>elsewhere</title><link rel=icon href=data:,>"
    route.fulfill(status=200, content_type="text/html", body=dummy)


def _upload(name: str, photograph: str) -> dict[str, object]:
    picture = pictures.saved_again(pictures.photograph(photograph))
    return {"name": name, "mimeType": "image/jpeg", "buffer": picture}


def _reports_on_a_phone(house: Tale, window: "Watched", place: str) -> str:
    page = window.page
    window.go("/")
    page.locator("a.door--primary").tap()
    page.wait_for_url("**/report")
    page.locator('input[name="age"][value="adult"]').check()
    for harm in ("made", "shared"):
        page.locator(f'input[name="harms"][value="{harm}"]').check()
    page.locator("#id_told").fill("누군가 제 사진을 바꿔서 올렸어요.")
    page.locator("#id_locations").fill(f"{place}\n{OUTSIDE_URL}")
    page.locator("#id_files").set_input_files(_upload("사진.jpg", pictures.CHAPTERS[0]))
    page.locator("#id_declared").check()
    page.locator("#id_signature").fill("ㄱㅎ")
    window.picture("story-report")
    token = page.locator('input[name="submission"]').get_attribute("value") or ""
    page.locator('form.form button[type="submit"]').tap()
    expect(page.locator("h1")).to_have_text("신고를 받았어요")
    report = house.row("SELECT id FROM reports_report WHERE submission = %s", submission_of(token))
    return str(report["id"])


def _keeps_the_code(page: Page) -> str:
    """Copy it, save it, tick the box; the code as words."""
    words = page.locator("[data-code-words] li").all_inner_texts()
    assert len(words) == 8
    assert all(HANGUL_WORD.fullmatch(word) for word in words), words
    code = " ".join(words)
    page.locator("[data-code-copy]").tap()
    expect(page.locator("[data-code-status]")).to_contain_text("복사했어요")
    assert page.evaluate("navigator.clipboard.readText()") == code
    with page.expect_download() as saving:
        page.locator("[data-code-save]").tap()
    saved = saving.value
    assert saved.suggested_filename == "note.txt"
    assert code in saved.path().read_text(encoding="utf-8-sig")
    expect(page.locator("[data-code-status]")).to_contain_text("이 기기에 저장했어요")
    # Marked as not yet to be pressed; a person may press it all the same, and is told why not.
    page.locator("[data-code-continue]").tap(force=True)
    expect(page.locator("[data-code-status]")).to_contain_text("먼저 확인 코드를 간직해 주세요")
    page.locator("[data-code-kept]").check()
    return code


def _comes_back(page: Page, code: str) -> None:
    page.locator("#id_code").fill(code)
    page.locator('main form button[type="submit"]').click()
    page.wait_for_url("**/status")


def _logs_in(house: Tale, window: "Watched") -> None:
    page = window.page
    window.go("/")
    page.wait_for_url(re.compile(r"/login\b"))
    page.locator("#id_username").fill("rim")
    page.locator("#id_password").fill(household.PASSWORD)
    page.locator("#id_token").fill(house.token("rim"))
    page.locator("main form button").click()
    expect(page.locator("h1")).to_have_text("Queue")
    window.picture("story-queue")


def _looks(house: Tale, window: "Watched", report_id: str) -> None:
    """The picture is asked for once it is held, not before; one act in the log."""
    page = window.page
    exhibit = house.row("SELECT id FROM evidence_exhibit WHERE report_id = %s", report_id)["id"]
    asked = f"GET /exhibit/{exhibit}/picture"
    figure = page.locator("[data-veil]")
    expect(page.locator("#sealed")).to_be_visible()
    expect(figure).to_have_count(0)
    page.locator('form[action$="/claim"] button').first.click()
    expect(figure.locator("[data-veil-hold]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert asked not in window.requests
    assert figure.locator("img").get_attribute("src") is None
    assert house.row(LIFTED, exhibit)["n"] == 0

    for _ in range(2):
        _hold(page)
        expect(figure).to_have_attribute("data-lifted", "")
        assert figure.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)")
        page.mouse.up()
        expect(figure).not_to_have_attribute("data-lifted", "")
    assert window.requests.count(asked) == 1
    assert house.row(LIFTED, exhibit)["n"] == 1
    window.picture("story-case")


def _hold(page: Page) -> None:
    button = page.locator("[data-veil-hold]")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


def _decides_to_remove(window: "Watched", case_id: int) -> None:
    page = window.page
    page.locator('input[name="verdict"][value="remove"]').check()
    page.locator('select[name="ground"]').select_option("deepfake")
    expect(page.locator('input[name="remove"]')).to_be_checked()
    page.locator("#id_reason").fill("The picture and the post show the same photograph.")
    page.locator(f'form[action="/case/{case_id}/decide"] button.button--wide').click()
    expect(page.locator("#outcome")).to_be_visible()


def _wait_until_done(house: Tale, case_id: int) -> None:
    decision = house.row("SELECT id FROM cases_decision WHERE case_id = %s", case_id)["id"]
    done = "SELECT id FROM cases_action WHERE decision_id = %s AND done_at IS NOT NULL"
    house.row(done, decision, what="the board's confirmation")
    sent = "SELECT id FROM notices_notice WHERE decision_id = %s AND state = 'sent'"
    house.row(sent, decision, what="the notice as sent")


def _numbers(open_page: "Opener") -> dict[str, int]:
    window = open_page("public", "ko", **PHONE)
    window.go("/numbers")
    shown = window.page.locator(".stat__value").all_inner_texts()
    window.no_faults()
    return dict(zip(NUMBERS, map(int, shown), strict=True))
