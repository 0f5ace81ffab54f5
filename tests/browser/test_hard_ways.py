"""From the report to its erasure by keyboard alone: on 320 points, in forced colours, in large text."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect
from tests.browser import narrow
from tests.browser.keyboard import press, tick, write

if TYPE_CHECKING:
    from tests.browser.conftest import Opener

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEND = "main form:last-of-type button:not([type=button])"

type Look = Callable[[str], None]


@pytest.mark.parametrize(
    ("way", "language", "width"),
    [("narrow", "ko", 320), ("dark", "zh-hans", 390), ("large", "en", 390)],
)
def test_the_whole_way_by_keyboard(
    open_page: "Opener", way: str, language: str, width: int
) -> None:
    """B28: nothing wider than the window, nothing cut off, the focus always seen."""
    window = open_page("public", language, width=width, height=740)
    page, faults = window.page, []

    def look(name: str) -> None:
        with narrow.text_twice_as_large(page) if way == "large" else nullcontext():
            faults.extend(f"{name}: {fault}" for fault in narrow.cut(page))
            window.picture(f"hard-{way}-{name}")

    if way == "dark":
        page.emulate_media(color_scheme="dark", forced_colors="active")
    window.go("/")
    look("landing")
    press(page, 'main a[href="/report"]')
    _reports(page, look)
    _comes_back(page, look)
    _speaks(page, look)
    _ends_it(page, look)
    assert faults == [], "\n".join(faults)
    window.no_faults()


def _reports(page: Page, look: Look) -> None:
    tick(page, 'input[name="age"]')
    tick(page, 'input[name="harms"]')
    write(page, "#id_told", "No mouse here.")
    write(page, "#id_locations", "https://forum.example/keyboard/3")
    look("report")
    press(page, 'main form button[type="submit"]')
    expect(page.locator(".code-panel")).to_be_visible()
    look("receipt")


def _comes_back(page: Page, look: Look) -> None:
    digits = page.locator(".code-panel__digits").inner_text()
    tick(page, "[data-code-kept]")
    press(page, "[data-code-continue]")
    look("return")
    write(page, "#id_code", digits)
    press(page, "main form button")
    page.wait_for_url("**/status")
    look("status")


def _speaks(page: Page, look: Look) -> None:
    press(page, 'main a[href="/status/messages"]')
    write(page, "#id_text", "Is anybody there?")
    press(page, SEND)
    expect(page.locator("main .card")).to_contain_text("Is anybody there?")
    look("messages")
    press(page, 'main a[href="/status"]')
    press(page, 'main a[href="/status/add"]')
    write(page, "#id_locations", "t.me/keyboard/4")
    look("add")
    press(page, SEND)
    expect(page.locator("main")).to_contain_text("t.me/keyboard/4")
    press(page, 'main a[href="/status/words"]')
    write(page, "#id_told", " Still none.")
    look("correct")
    press(page, SEND)


def _ends_it(page: Page, look: Look) -> None:
    press(page, 'main a[href="/status/back"]')
    look("withdraw")
    tick(page, "#sure")
    press(page, SEND)
    expect(page.locator('main a[href="/status/add"]')).to_have_count(0)
    look("withdrawn")
    press(page, 'main a[href="/status/erase"]')
    press(page, SEND)
    look("erase")
    tick(page, "#sure")
    press(page, SEND)
    expect(page.locator('main a[href="/help"]')).to_be_visible()
    look("erased")
