"""The page of a case in a real browser: hold to look, single keys, who posted it elsewhere."""

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser import axe, keyboard

from haechi.demo import pictures
from haechi.demo.proof import OUTSIDE_URL
from haechi.demo.tale import Tale
from haechi.demo.telling import Teller

if TYPE_CHECKING:
    from tests.browser.conftest import Opener, Watched

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = "SELECT id FROM cases_look"


@dataclass
class Desk:
    """Two cases about one picture, and somebody who has taken the first.

    reviewer   the cookies of that person
    """

    tale: Tale
    first: int
    second: int
    reviewer: dict[str, str]

    def looks(self) -> int:
        """How many looks were counted."""
        return len(self.tale.rows(LOOKS))


@pytest.fixture(scope="module")
def cases(house: Tale) -> Desk:
    """One account posted the picture twice; two people reported it, at one place outside."""
    photograph = pictures.photograph(pictures.CHAPTERS[4])
    tale = replace(house, photograph=photograph, teller=Teller(io.StringIO()))
    for name, quality in (("a.jpg", 92), ("b.jpg", 61)):
        tale.publish(pictures.jpeg(photograph, quality), name, account="night_owl")
    tale.publish(pictures.saved_again(photograph), "c.jpg", account="second_hand")
    files = [("나.jpg", pictures.jpeg(photograph, 70)), ("잘린.jpg", _left_part(photograph))]
    places = [OUTSIDE_URL, "https://t.me/some_room", "https://slow.example/" + "long/" * 12]
    first = _case(tale, "누군가 제 사진을 올렸어요.", places, files)
    second = _case(tale, "저도 봤어요.", [OUTSIDE_URL], files[:1])
    with tale.reviewer("rim") as reviewer:
        reviewer.look(f"/case/{first}")
        reviewer.send(f"/case/{first}/claim", {})
        cookies = {"haechi_desk": reviewer._http.cookies["haechi_desk"]}
    return Desk(tale, first, second, cookies)


def _left_part(photograph: pictures.Image) -> bytes:
    width = photograph.shape[1]
    return pictures.jpeg(photograph[:, : width * 2 // 3].copy(), 85)


def _case(tale: Tale, told: str, places: list[str], files: list[tuple[str, bytes]]) -> int:
    reporter, report = tale.reporter_sends(told, places, files)
    with reporter:
        return tale.case_of(report)


@pytest.fixture
def window(open_page: "Opener", cases: Desk) -> "Watched":
    """The first case, in English."""
    opened = open_page("desk", "en", cookies=cases.reviewer)
    opened.go(f"/case/{cases.first}")
    return opened


@pytest.mark.parametrize("part", ["#exhibits", "#beside"])
def test_a_picture_shows_while_it_is_held_and_no_longer(
    cases: Desk, window: "Watched", part: str
) -> None:
    """B25: with the space bar and with the pointer; the first hold alone counts as a look."""
    page, before = window.page, cases.looks()
    veil = page.locator(f"section:has(> {part}) [data-veil]").first
    button, shown = veil.locator("[data-veil-hold]"), veil.locator("[data-veil-media]")
    expect(shown).not_to_have_attribute("src", veil.get_attribute("data-src") or "")

    button.focus()
    page.keyboard.down("Space")
    expect(veil).to_have_attribute("data-lifted", "")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("one => one.naturalWidth > 0", arg=shown.element_handle())
    window.picture(f"case-held-{part[1:]}")
    page.keyboard.up("Space")
    expect(veil).not_to_have_attribute("data-lifted", "")

    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    expect(veil).to_have_attribute("data-lifted", "")
    page.mouse.up()
    expect(veil).not_to_have_attribute("data-lifted", "")
    assert cases.looks() == before + 1
    window.no_faults()


def test_without_scripts_two_pictures_are_compared_by_one_click(
    open_page: "Opener", cases: Desk
) -> None:
    """B25: a page of its own, and the way back covers them."""
    window = open_page("desk", "ko", scripts=False, cookies=cases.reviewer)
    window.go(f"/case/{cases.first}")
    page = window.page
    page.locator('form[action*="/beside/"] button').first.click()
    expect(page.locator("main img")).to_be_visible()
    page.locator("main a.button").click()
    expect(page).to_have_url(f"{window.origin}/case/{cases.first}")


def test_single_keys_lead_through_the_page_and_can_be_switched_off(
    cases: Desk, window: "Watched"
) -> None:
    """WCAG 2.1.4: only where no field has the focus, and not for who switched them off."""
    page = window.page
    page.keyboard.press("h")
    expect(page.locator("#history")).to_be_focused()
    page.keyboard.press("n")
    field = page.locator("#note_text")
    expect(field).to_be_focused()
    page.keyboard.type("hdm?")
    expect(field).to_have_value("hdm?")
    field.blur()
    page.keyboard.press("d")
    expect(page.locator('section:has(> #decide) input[type="radio"]').first).to_be_focused()
    page.locator('section:has(> #decide) input[type="radio"]').first.blur()

    page.keyboard.press("?")
    dialog = page.locator("dialog[data-shortcuts]")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("History")
    assert axe.look(page, dark=False) == []
    dialog.locator("[data-shortcuts-on]").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    window.go(f"/case/{cases.first}")
    page.keyboard.press("h")
    page.keyboard.press("?")
    expect(page.locator("#history")).not_to_be_focused()
    expect(dialog).to_be_hidden()

    page.locator("[data-shortcuts-open]").click()
    dialog.locator("[data-shortcuts-on]").check()
    page.keyboard.press("Escape")
    # As a Korean keyboard sends the key of h.
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'ㅗ', code: 'KeyH', bubbles: true}))"
    )
    expect(page.locator("#history")).to_be_focused()
    window.no_faults()


def test_the_drawing_leads_to_the_other_case_and_the_table_says_the_same(
    cases: Desk, window: "Watched"
) -> None:
    """An account and a place lead from one case to the other; on a telephone the table does."""
    page = window.page
    drawing = page.locator("svg.web")
    expect(drawing).to_be_visible()
    table = page.locator("section:has(> #elsewhere) table")
    other = f'a[href="/case/{cases.second}#elsewhere"]'
    for place in (drawing, table):
        expect(place.locator(other).first).to_be_visible()
        expect(place).not_to_contain_text("night_owl")
    account = table.locator("tr", has_text="account").first
    expect(account).to_contain_text("2 copies")
    keyboard.tab_to(page, f"svg {other}")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(str(cases.second))
    expect(page.locator("#elsewhere")).to_be_in_viewport()
    expect(page.locator("section:has(> #elsewhere)")).to_contain_text("sealed")
    page.set_viewport_size({"width": 320, "height": 800})
    expect(page.locator("svg.web")).to_be_hidden()
    expect(page.locator("section:has(> #elsewhere) table a").first).to_be_visible()
    window.no_faults()


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_what_must_be_done_stays_on_top(open_page: "Opener", cases: Desk, language: str) -> None:
    """The summary is on screen wherever one has scrolled to, and covers nothing one jumps to."""
    window = open_page("desk", language, cookies=cases.reviewer)
    window.go(f"/case/{cases.first}")
    page = window.page
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            window.picture(f"case-{language}-{width}-{scheme}")
    for place in ("#found", "#notes", "#history"):
        page.locator(f'.jump a[href="{place}"]').click()
        summary, heading = (page.locator(one).bounding_box() for one in (".summary", place))
        assert summary is not None
        assert heading is not None
        assert 0 <= summary["y"] < 5
        assert heading["y"] >= summary["y"] + summary["height"], place
    window.picture(f"case-{language}-scrolled")
    window.no_faults()
