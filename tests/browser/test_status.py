"""Coming back on a telephone without scripts: take over, write, add, take it back, be forgotten."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from haechi.demo.tale import Tale

if TYPE_CHECKING:
    from tests.browser.conftest import Opener, Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_everything_behind_the_code_without_scripts(
    house: Tale, open_page: "Opener", language: str
) -> None:
    """B06, B07, B28: a friend filed; she takes over and does all that can be done, at 360 px."""
    window = open_page("public", language, width=360, height=740, scripts=False, phone=True)
    page = window.page
    window.go("/report")
    page.locator("#id_locations").fill("https://forum.example/9")
    page.locator('main form button[type="submit"]').last.click()
    old = _keep_code(page)
    _come_back(page, old)
    house.rows(
        "UPDATE reports_report SET filer = 'friend' WHERE id = (SELECT id FROM reports_report"
        " ORDER BY received_at DESC LIMIT 1)"
    )

    window.go("/status")
    page.locator('a[href="/status/own"]').click()
    _look(window, f"own-{language}")
    _send(page)
    _look(window, f"own-code-{language}")
    code = _keep_code(page)
    assert code != old
    _come_back(page, code)
    _look(window, f"status-{language}")

    _open(page, "/status/messages")
    page.locator("#id_text").fill(code)
    _send(page)
    expect(page.locator(".mistakes")).to_contain_text("report.code_in_message")
    _look(window, f"code-in-message-{language}")
    page.locator("#id_text").fill("❤")
    _send(page)
    expect(page.locator(".card")).to_contain_text("❤")

    _open(page, "/status/add")
    page.locator("#id_locations").fill("https://forum.example/10")
    _send(page)
    expect(page.locator(".timeline")).to_contain_text("forum.example/10")

    with page.expect_download() as saving:
        _open(page, "/status/take")
        page.locator("main form button").click()
    assert saving.value.suggested_filename == "notes.zip"

    _open(page, "/status/back")
    page.locator("#sure").check()
    _send(page)
    expect(page.locator('a[href="/status/add"]')).to_have_count(0)
    _look(window, f"taken-back-{language}")

    _open(page, "/status/erase")
    _send(page)
    page.locator("#sure").check()
    _send(page)
    expect(page.locator('main a[href="/help"]')).to_be_visible()
    _look(window, f"erased-{language}")
    window.go("/status")
    assert page.url.endswith("/return")


def _keep_code(page: Page) -> str:
    """The digits; the box is ticked, and the page leads on."""
    digits = page.locator(".code-panel__digits").inner_text()
    page.locator("#kept").check()
    page.locator("[data-code-continue]").click()
    page.wait_for_url("**/return")
    return digits


def _come_back(page: Page, code: str) -> None:
    page.locator("#id_code").fill(code)
    _send(page)
    page.wait_for_url("**/status")


def _open(page: Page, path: str) -> None:
    page.goto(re.sub(r"^(https?://[^/]+).*", rf"\1{path}", page.url))


def _send(page: Page) -> None:
    page.locator("main form button").last.click()


def _look(window: "Watched", name: str) -> None:
    page = window.page
    window.picture(f"back-{name}")
    wide = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    inside, room = page.evaluate(wide)
    assert inside <= room, name
